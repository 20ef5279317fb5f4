"""Recordings under way. Belongs to the compute thread."""

from __future__ import annotations

from runtime.nodes.task import Write
from runtime.pipeline.node import Pipeline
from runtime.pipeline.source import FromNode, StreamNode
from runtime.services.replay.files import RecordingWriter, ReplayFileError
from runtime.services.task_store.records import DBRP
from runtime.units import Nanoseconds


class Recorder:
    """Records what a task would read.

    Attributes:
        begin: when it began.
        stop: when it is to end.
        error: why it does not record any more.
    """

    def __init__(
        self,
        writer: RecordingWriter,
        dbrps: tuple[DBRP, ...],
        measurements: frozenset[str] | None,
        begin: Nanoseconds,
        stop: Nanoseconds,
    ) -> None:
        """Record to `writer`.

        Args:
            writer: where to.
            dbrps: what the task reads.
            measurements: what it takes of that; None for everything.
            begin: now.
            stop: when it is to end.
        """
        self._writer = writer
        self._dbrps = frozenset(dbrps)
        self._measurements = measurements
        self.begin = begin
        self.stop = stop
        self.error = ""

    def __call__(self, write: Write, db: str, rp: str) -> None:
        """Record what was written."""
        if self.error or (db, rp) not in self._dbrps:
            return
        names = self._measurements
        points = (
            point for point in write.points() if names is None or point.name in names
        )
        try:
            self._writer.write(db, rp, points)
        # whoever wrote the points has nothing to do with it
        except ReplayFileError as error:
            self.error = str(error)

    def progress(self, now: Nanoseconds) -> float:
        """The share of its time that has passed."""
        return min(1.0, (now - self.begin) / max(1, self.stop - self.begin))

    def close(self) -> int:
        """Finish the file; its size in bytes."""
        try:
            return self._writer.close()
        except ReplayFileError as error:
            self.error = self.error or str(error)
            return 0


def measurements_of(pipeline: Pipeline) -> frozenset[str] | None:
    """What the `from` nodes of a task take; None for everything."""
    names: set[str] = set()
    for node in pipeline.nodes:
        if not isinstance(node, StreamNode):
            continue
        for child in node.children:
            if not isinstance(child, FromNode) or not child.measurement:
                return None
            names.add(child.measurement)
    return frozenset(names)
