"""Lambdas that decide about points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.errors import EvaluationError, ScriptError, TaskError
from runtime.frames import Frame, Point, Rows
from runtime.tick.ast import LambdaNode
from runtime.tick.lambdas import Lambda, compile_lambda
from runtime.tick.lambdas.state import State


class Selection(NamedTuple):
    """The rows of a frame that a predicate picks.

    Attributes:
        frame: these rows; the very same frame when they are all.
        rows: their numbers; None for all.
        failures: the error of each row that could not be decided.
    """

    frame: Frame
    rows: Rows | None
    failures: Sequence[str]


def compiled(node: LambdaNode, failure: str) -> Lambda:
    """The lambda, compiled and checked as far as that needs no data.

    Raises:
        TaskError: its constants do not fit; the text is `failure`, `: ` and why.
    """
    try:
        function = compile_lambda(node)
        function.check()
    except ScriptError as error:
        raise TaskError(f"{failure}: {error}" if failure else str(error)) from error
    return function


class Predicate:
    """A boolean lambda over a point.

    Attributes:
        function: the compiled lambda.
    """

    def __init__(self, node: LambdaNode | None, failure: str) -> None:
        """Compile `node`; `failure` begins the text of errors.

        Raises:
            TaskError: the lambda cannot work on any data.
        """
        if node is None:
            raise TaskError("a lambda expression is missing")
        self.function = compiled(node, failure)
        # tasks with the same text share the result on a frame
        self._key = ("predicate", self.function.identity)

    def new_state(self) -> State:
        """Fresh state for the stateful functions."""
        return self.function.new_state()

    def holds(self, state: State, point: Point) -> bool:
        """Decide about one point.

        Raises:
            EvaluationError: it cannot be decided.
        """
        truth: bool = self.function.test(state, point.time, point.fields, point.tags)
        return truth

    def truths(self, frame: Frame) -> NDArray[np.bool_] | None:
        """True if it holds, row by row; None if columns cannot decide for each."""
        if self.function.stateful:
            return None
        return frame.shared(("truths", *self._key), lambda: self._truths(frame))

    def _truths(self, frame: Frame) -> NDArray[np.bool_] | None:
        column = self.function.columns(frame)
        if column is None or column.kind != "bool":
            return None
        if column.valid is not None and not column.valid.all():
            return None
        # a constant has a single value
        return np.broadcast_to(np.asarray(column.values, np.bool_), (len(frame),))

    def select(self, frame: Frame) -> Selection | None:
        """Decide about a frame; None when the lambda remembers earlier points."""
        if self.function.stateful:
            return None
        picked, failures = frame.shared(self._key, lambda: self._pick(frame))
        if picked is None:
            return Selection(frame, None, failures)
        return Selection(*picked, failures)

    def _pick(self, frame: Frame) -> tuple[tuple[Frame, Rows] | None, Sequence[str]]:
        """Some rows, or None for all; what a frame shares must not hold the frame."""
        mask, failures = self._mask(frame)
        if mask.all():
            return None, failures
        rows = np.flatnonzero(mask)
        return (frame.take(rows), rows), failures

    def _mask(self, frame: Frame) -> tuple[NDArray[np.bool_], list[str]]:
        size = len(frame)
        column = self.function.columns(frame)
        if column is None or column.kind != "bool":
            mask = np.zeros(size, dtype=np.bool_)
            return mask, self._decide(frame, range(size), mask)
        if column.valid is None:
            return np.broadcast_to(np.asarray(column.values, np.bool_), (size,)), []
        # rows that the column form cannot decide are decided by the row form, which
        # also has their errors
        mask = column.values & column.valid
        unsure = np.flatnonzero(~column.valid)
        return mask, self._decide(frame, unsure.tolist(), mask)

    def _decide(
        self, frame: Frame, rows: Sequence[int], mask: NDArray[np.bool_]
    ) -> list[str]:
        failures = []
        state = self.new_state()
        for row in rows:
            try:
                mask[row] = self.holds(state, frame.point(row))
            except EvaluationError as error:
                failures.append(str(error))
        return failures
