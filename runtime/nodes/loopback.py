"""`kapacitorLoopback`: writes points back into this server."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.errors import TaskError
from runtime.frames import Batch, Frame, Point
from runtime.golang.quoting import quote
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.pipeline import output as pipeline

# Bytes of a point that is written back; its tags and fields are shared.
_COPY = 100


class KapacitorLoopbackNode(Node):
    """Writes points to another database, for the tasks that read it; a sink.

    Source: Kapacitor kapacitor_loopback.go.
    """

    def __init__(
        self, spec: pipeline.KapacitorLoopbackNode, environment: Environment
    ) -> None:
        super().__init__(spec, environment)
        self._db, self._rp = spec.database, spec.retention_policy
        if (self._db, self._rp) in environment.dbrps:
            raise TaskError(
                f"loop detected on dbrp: {quote(self._db)}.{quote(self._rp)}"
            )
        self._measurement = spec.measurement
        self._tags = dict(spec.tags)
        self.counters["points_written"] = 0

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self._write((point,))

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        self._write(frame.points())

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self._write(batch.points)

    def _write(self, points: Sequence[Point]) -> None:
        write = self.environment.write_points
        if write is None:
            self.error(
                "failed to write point over loopback",
                "this task has no server " "to write to",
            )
            return
        self.environment.budget.make(_COPY * len(points))
        write([self._moved(point) for point in points])
        self.counters["points_written"] += len(points)

    def _moved(self, point: Point) -> Point:
        return Point(
            self._measurement or point.name,
            point.time,
            {**point.tags, **self._tags} if self._tags else point.tags,
            point.fields,
            db=self._db,
            rp=self._rp,
        )
