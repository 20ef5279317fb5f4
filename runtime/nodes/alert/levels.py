"""The level of a point: the levels' lambdas and their resets."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from runtime.alert.types import Level
from runtime.errors import EvaluationError
from runtime.frames import Point
from runtime.nodes.alert.thresholds import bounds_of
from runtime.nodes.predicate import compiled
from runtime.pipeline.alert import AlertNode
from runtime.tick.ast import LambdaNode
from runtime.tick.lambdas import Lambda, State

OK, INFO, WARNING, CRITICAL = (int(level) for level in Level)
Report = Callable[[str, object], None]


class Condition(NamedTuple):
    """A lambda of the node with its state, which all groups share."""

    function: Lambda
    state: State

    def holds(self, point: Point) -> bool:
        """Evaluate the lambda for a point.

        Raises:
            EvaluationError: the level cannot be determined.
        """
        truth: bool = self.function.test(
            self.state, point.time, point.fields, point.tags
        )
        return truth


class Levels:
    """The conditions of an alert node.

    Attributes:
        conditions: conditions by level; None for levels without one, such as OK.
        resets: conditions for leaving a level downwards; only levels with a condition
            have one.
        bounds: bounds within which no condition holds or fails; None if unknown.
    """

    def __init__(self, node: AlertNode, report: Report) -> None:
        """Compile the expressions of the script.

        Args:
            node: the node of the script.
            report: called with message and error for expressions that fail.

        Raises:
            TaskError: a lambda fails for all data.
        """
        self._report = report
        self.bounds = bounds_of((node.info, node.warn, node.crit))
        self.conditions = (
            None,
            _condition(node.info, "info"),
            _condition(node.warn, "warn"),
            _condition(node.crit, "crit"),
        )
        resets = (
            None,
            _condition(node.info_reset, "infoReset"),
            _condition(node.warn_reset, "warnReset"),
            _condition(node.crit_reset, "critReset"),
        )
        self.resets = tuple(
            reset if condition is not None else None
            for condition, reset in zip(self.conditions, resets, strict=True)
        )

    @property
    def any(self) -> bool:
        """True if the node can leave OK at all."""
        return any(self.conditions)

    @property
    def stateful(self) -> bool:
        """True if the value of a lambda depends on earlier points."""
        conditions = (*self.conditions, *self.resets)
        return any(each.function.stateful for each in conditions if each is not None)

    def of(self, point: Point, current: int) -> int:
        """The level of a point in a group whose level is `current`.

        Source: Kapacitor AlertNode.determineLevel. The current level's own lambda is
            evaluated twice on the way down, which stateful functions can notice.
        """
        # up, or unchanged
        for level in range(CRITICAL, max(current, INFO) - 1, -1):
            if self._holds(level, point):
                return level
        if self._is_kept(current, point):
            return current
        # down, to the highest level whose condition holds
        for level in range(current, OK, -1):
            if self._holds(level, point):
                return level
        return OK

    def _holds(self, level: int, point: Point) -> bool:
        condition = self.conditions[level]
        if condition is None:
            return False
        try:
            return condition.holds(point)
        except EvaluationError as error:
            text = f"error evaluating expression for level level={Level(level)}"
            self._report(text, error)
            return False

    def _is_kept(self, level: int, point: Point) -> bool:
        reset = self.resets[level]
        if reset is None:
            return False
        try:
            return not reset.holds(point)
        except EvaluationError as error:
            text = "error evaluating reset expression for current level"
            self._report(f"{text} level={Level(level)}", error)
            return False


def _condition(node: LambdaNode | None, name: str) -> Condition | None:
    if node is None:
        return None
    function = compiled(node, f"Failed to compile stateful expression for {name}")
    # compiled now, so that the first write need not wait for it
    assert function.test is not None
    return Condition(function, function.new_state())
