"""`groupBy`: sets the dimensions of points, or regroups the points of batches."""

from __future__ import annotations

from collections.abc import Hashable

from runtime.frames import Batch, Frame, Point
from runtime.nodes.environment import Environment
from runtime.nodes.grouping import grouping_of
from runtime.nodes.node import Barrier, Node
from runtime.nodes.sizes import of_points
from runtime.pipeline import transform as pipeline
from runtime.units import Nanoseconds


class GroupByNode(Node):
    """Regroups points.

    Points of batches are held until a batch of another time arrives, because batches of
    the same time are regrouped together.
    """

    def __init__(self, spec: pipeline.GroupByNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._grouping = grouping_of(
            spec.dimensions, exclude=spec.exclude, by_name=spec.by_measurement
        )
        self._tmax: Nanoseconds | None = None
        self._held: dict[str, Batch] = {}
        self._points: dict[str, list[Point]] = {}

    @property
    def fingerprint(self) -> Hashable:
        """The dimensions."""
        return type(self), self._grouping.key

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self.emit_point(point.replace(dimensions=self._grouping.of_point(point)))

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        dimensions = self._grouping.of_frame(frame)
        if dimensions is None:
            super().frame(frame)
        else:
            self.emit_frame(frame.grouped(dimensions))

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        if batch.tmax != self._tmax:
            self._release()
            self._tmax = batch.tmax
        for point in batch.points:
            regrouped = point.replace(dimensions=self._grouping.of_point(point))
            group = regrouped.group
            if group not in self._held:
                points = self._points[group] = []
                self._held[group] = Batch(
                    batch.name,
                    regrouped.dimensions.group_tags(regrouped.tags),
                    batch.tmax,
                    points,
                    regrouped.dimensions,
                    group,
                )
            self._points[group].append(regrouped)

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier: a group is complete up to a time."""
        if self._tmax is not None and barrier.time != self._tmax:
            self._release()
        super().barrier(barrier)

    def _release(self) -> None:
        held = list(self._held.values())
        for points in self._points.values():
            points.sort(key=lambda point: point.time)
        self._held.clear()
        self._points.clear()
        for batch in held:
            self.emit_batch(batch)

    def held(self) -> int:
        """Bytes of points that wait for the end of their time."""
        return super().held() + sum(map(of_points, self._points.values()))

    @property
    def working_cardinality(self) -> int:
        """The number of groups held."""
        return len(self._held)
