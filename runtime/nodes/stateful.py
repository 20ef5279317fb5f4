"""Nodes that remember the point before: rates, states, changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runtime.errors import EvaluationError
from runtime.frames import Point, Value
from runtime.nodes.environment import Environment
from runtime.nodes.pointwise import PointwiseNode
from runtime.nodes.predicate import Predicate
from runtime.pipeline import transform as pipeline
from runtime.units import Nanoseconds


class DerivativeNode(PointwiseNode):
    """The rate of change of a field; other fields stay."""

    def __init__(self, spec: pipeline.DerivativeNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._field = spec.field
        self._as = spec.as_name or spec.field
        self._unit = spec.unit
        self._non_negative = spec.non_negative
        self._previous: dict[str, tuple[float | int, Nanoseconds]] = {}

    def begin(self, group: str) -> None:
        """A batch of the group begins."""
        self._previous.pop(group, None)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        self._previous.pop(group, None)

    @property
    def working_cardinality(self) -> int:
        """How many groups the node has seen."""
        return len(self._previous)

    def apply(self, point: Point, group: str) -> Point | None:
        """The point with its rate."""
        value = point.fields.get(self._field)
        if type(value) not in (float, int):
            self.error("cannot perform derivative", self._no_number(value))
            return None
        assert isinstance(value, float | int)
        previous = self._previous.get(group)
        self._previous[group] = value, point.time
        if previous is None:
            return None
        before, time = previous
        elapsed = float(point.time - time)
        if not elapsed:
            self.error("cannot perform derivative", "elaspsed time was 0")
            return None
        rate = (float(value) - float(before)) / (elapsed / float(self._unit))
        if self._non_negative and rate < 0:
            return None
        return point.replace(fields={**point.fields, self._as: rate})

    def _no_number(self, value: Value) -> str:
        if value is None:
            return f'field "{self._field}" is missing'
        return f'field "{self._field}" is not a number'


class _StateNode(PointwiseNode):
    """What nodes share that watch whether a predicate holds."""

    def __init__(
        self,
        spec: pipeline.StateDurationNode | pipeline.StateCountNode,
        environment: Environment,
    ) -> None:
        super().__init__(spec, environment)
        self._predicate = Predicate(spec.predicate, "")
        self._as = spec.as_name
        self._states: dict[str, _Watched] = {}

    def begin(self, group: str) -> None:
        """A batch of the group begins."""
        state = self._states.get(group)
        if state is not None:
            state.began, state.count = None, 0

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        self._states.pop(group, None)

    @property
    def working_cardinality(self) -> int:
        """How many groups the node has seen."""
        return len(self._states)

    def apply(self, point: Point, group: str) -> Point | None:
        """The point with what is known of the state."""
        state = self._states.get(group)
        if state is None:
            state = self._states[group] = _Watched(self._predicate.new_state())
        try:
            holds = self._predicate.holds(state.memory, point)
        except EvaluationError as error:
            self.error("error while evaluating expression", error)
            return None
        if holds:
            state.count += 1
            if state.began is None:
                state.began = point.time
        else:
            state.began, state.count = None, 0
        return point.replace(
            fields={**point.fields, self._as: self._value(state, point.time)}
        )

    def _value(self, state: _Watched, time: Nanoseconds) -> Value:
        raise NotImplementedError


@dataclass(slots=True)
class _Watched:
    """The state of a group.

    Attributes:
        memory: of the predicate's stateful functions.
        began: when the predicate began to hold; None while it does not.
        count: for how many points it has held.
    """

    memory: Any
    began: Nanoseconds | None = None
    count: int = 0


class StateDurationNode(_StateNode):
    """Tells for how long a predicate has held; -1 while it does not."""

    def __init__(
        self, spec: pipeline.StateDurationNode, environment: Environment
    ) -> None:
        super().__init__(spec, environment)
        self._unit = spec.unit

    def _value(self, state: _Watched, time: Nanoseconds) -> Value:
        if state.began is None:
            return -1.0
        return float(time - state.began) / float(self._unit)


class StateCountNode(_StateNode):
    """Tells for how many points a predicate has held; -1 while it does not."""

    def _value(self, state: _Watched, time: Nanoseconds) -> Value:
        return -1 if state.began is None else state.count


class ChangeDetectNode(PointwiseNode):
    """Passes a point when one of some fields differs from the last point passed."""

    def __init__(
        self, spec: pipeline.ChangeDetectNode, environment: Environment
    ) -> None:
        super().__init__(spec, environment)
        self._fields = tuple(spec.fields)
        self._last: dict[str, Point] = {}

    def begin(self, group: str) -> None:
        """A batch of the group begins."""
        self._last.pop(group, None)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        self._last.pop(group, None)

    @property
    def working_cardinality(self) -> int:
        """How many groups the node has seen."""
        return len(self._last)

    def apply(self, point: Point, group: str) -> Point | None:
        """The point, if it brings anything new."""
        last = self._last.get(group)
        changed = last is None
        for name in self._fields:
            value = point.fields.get(name)
            if value is None:
                self.error("Invalid field in change detect", f'field "{name}"')
            elif last is not None and not _same(value, last.fields.get(name)):
                changed = True
        if not changed:
            return None
        self._last[group] = point
        return point


def _same(value: Value, other: Value) -> bool:
    # 1, 1.0 and TRUE are equal in Python, but are different values here
    return type(value) is type(other) and value == other
