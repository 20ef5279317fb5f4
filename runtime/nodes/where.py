"""`where`: passes the points for which a lambda is true."""

from __future__ import annotations

from collections.abc import Hashable

from runtime.errors import EvaluationError
from runtime.frames import Frame, Point
from runtime.nodes.environment import Environment
from runtime.nodes.pointwise import Outcome, PointwiseNode
from runtime.nodes.predicate import Predicate
from runtime.pipeline import transform as pipeline
from runtime.tick.lambdas.state import State


class WhereNode(PointwiseNode):
    """Filters points; stateful functions have a state for each group."""

    def __init__(self, spec: pipeline.WhereNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._predicate = Predicate(
            spec.predicate, "Failed to compile expression in where clause"
        )
        self._states: dict[str, State] = {}

    @property
    def fingerprint(self) -> Hashable | None:
        """The predicate, if it needs no state."""
        key = self._predicate.function.key
        return None if key is None else (type(self), key)

    def apply(self, point: Point, group: str) -> Point | None:
        """The point, if the predicate holds."""
        state = self._states.get(group)
        if state is None:
            state = self._states[group] = self._predicate.new_state()
        try:
            return point if self._predicate.holds(state, point) else None
        except EvaluationError as error:
            self.error("error while evaluating expression", error)
            return None

    def columns(self, frame: Frame) -> Outcome | None:
        """The rows for which the predicate holds."""
        selection = self._predicate.select(frame)
        if selection is None:
            return None
        for failure in selection.failures:
            self.error("error while evaluating expression", failure)
        return Outcome(selection.frame, selection.rows)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._states.pop(group, None)
