"""Lambdas as conditions of points."""

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
    """The rows of a frame for which a predicate holds.

    Attributes:
        frame: these rows; the frame itself if it holds for all.
        rows: numbers of these rows; None for all.
        failures: the error of each row for which the predicate failed.
    """

    frame: Frame
    rows: Rows | None
    failures: Sequence[str]


def compiled(node: LambdaNode, failure: str) -> Lambda:
    """The lambda, compiled, and checked as far as possible without data.

    Raises:
        TaskError: the types of its constants are wrong; the text begins with `failure`.
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
        """Compile `node`; the text of errors begins with `failure`.

        Raises:
            TaskError: the lambda fails for all data.
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
        """Evaluate the predicate for one point.

        Raises:
            EvaluationError: the predicate fails.
        """
        truth: bool = self.function.test(state, point.time, point.fields, point.tags)
        return truth

    def truths(self, frame: Frame) -> NDArray[np.bool_] | None:
        """The value for each row; None if columns cannot determine all."""
        if self.function.stateful:
            return None
        return frame.shared(("truths", *self._key), lambda: self._truths(frame))

    def _truths(self, frame: Frame) -> NDArray[np.bool_] | None:
        column = self.function.columns(frame)
        if column is None or column.kind != "bool":
            return None
        if column.valid is not None and not column.valid.all():
            return None
        # a constant has the same value in all rows
        return np.broadcast_to(np.asarray(column.values, np.bool_), (len(frame),))

    def select(self, frame: Frame) -> Selection | None:
        """The rows for which it holds; None if the lambda depends on earlier points."""
        if self.function.stateful:
            return None
        picked, failures = frame.shared(self._key, lambda: self._pick(frame))
        if picked is None:
            return Selection(frame, None, failures)
        return Selection(*picked, failures)

    def _pick(self, frame: Frame) -> tuple[tuple[Frame, Rows] | None, Sequence[str]]:
        """The picked rows, or None for all.

        All rows are not returned as the frame, because the frame keeps this result.
        """
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
        # rows without a certain value are evaluated as points, to get their errors too
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
