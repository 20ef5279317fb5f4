"""`stream` and `from`: the source of points, and their selection for a branch."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence

from runtime.errors import EvaluationError
from runtime.frames import Frame, Point
from runtime.nodes.columns import rounded, truncated
from runtime.nodes.environment import Environment
from runtime.nodes.grouping import grouping_of
from runtime.nodes.node import Node
from runtime.nodes.predicate import Predicate
from runtime.pipeline import source as pipeline
from runtime.tick.ast import BinaryNode, LambdaNode
from runtime.units import round_half_up, truncate


class StreamNode(Node):
    """The source of a stream task; passes on the task's points."""

    @property
    def fingerprint(self) -> Hashable:
        """The class, as all sources are equal."""
        return "stream"

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self.own_collected += 1
        self.emit_point(point)

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        self.own_collected += len(frame)
        self.emit_frame(frame)


class FromNode(Node):
    """Picks points of a stream and sets their dimensions.

    Attributes:
        measurement: the measurement taken; "" for all.
    """

    def __init__(self, spec: pipeline.FromNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self.measurement = spec.measurement
        self._database = spec.database
        self._retention_policy = spec.retention_policy
        # as in Go, durations that are not positive have no effect
        self._truncate = max(0, int(spec.truncate))
        self._round = max(0, int(spec.round))
        self._predicate = (
            Predicate(conjunction(spec.where), "Failed to compile from expression")
            if spec.where
            else None
        )
        self._state = self._predicate.new_state() if self._predicate else None
        self._grouping = grouping_of(spec.dimensions, by_name=spec.group_by_measurement)

    @property
    def fingerprint(self) -> Hashable | None:
        """The source, the condition and the grouping of the points."""
        where = self._predicate.function.key if self._predicate else ()
        if where is None:
            return None
        place = self.measurement, self._database, self._retention_policy
        times = self._truncate, self._round
        return type(self), place, times, where, self._grouping.key

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        if not self._takes(point) or not self._holds(point):
            return
        dimensions = self._grouping.of_point(point)
        if self._truncate or self._round:
            time = round_half_up(truncate(point.time, self._truncate), self._round)
            point = point.replace(time=time, dimensions=dimensions)
        elif dimensions != point.dimensions:
            point = point.replace(dimensions=dimensions)
        self.emit_point(point)

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        if not self._takes(frame):
            return
        if self._predicate:
            selection = self._predicate.select(frame)
            if selection is None:
                super().frame(frame)
                return
            for failure in selection.failures:
                self.error("failed to evaluate WHERE expression", failure)
            frame = selection.frame
        frame = self._timed(frame)
        dimensions = self._grouping.of_frame(frame)
        if dimensions is not None:
            self.emit_frame(frame.grouped(dimensions))
            return
        for point in frame.points():
            self.emit_point(point.replace(dimensions=self._grouping.of_point(point)))

    def _takes(self, points: Point | Frame) -> bool:
        return (
            (not self.measurement or self.measurement == points.name)
            and (not self._database or self._database == points.db)
            and (not self._retention_policy or self._retention_policy == points.rp)
        )

    def _holds(self, point: Point) -> bool:
        if self._predicate is None or self._state is None:
            return True
        try:
            return self._predicate.holds(self._state, point)
        except EvaluationError as error:
            self.error("failed to evaluate WHERE expression", error)
            return False

    def _timed(self, frame: Frame) -> Frame:
        if not self._truncate and not self._round:
            return frame

        def timed() -> Frame:
            time = frame.time
            if self._truncate:
                time = truncated(time, self._truncate)
            if self._round:
                time = rounded(time, self._round)
            return frame.replace(time=time)

        return frame.shared(("timed", self._truncate, self._round), timed)


def conjunction(lambdas: Sequence[LambdaNode]) -> LambdaNode:
    """One lambda that is true if all are; they share their stateful functions."""
    return functools.reduce(
        lambda left, right: LambdaNode(
            BinaryNode("AND", left.expression, right.expression)
        ),
        lambdas,
    )
