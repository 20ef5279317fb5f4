"""Running recordings, on the compute thread."""

from __future__ import annotations

from collections.abc import Callable

from runtime.pipeline.node import Pipeline
from runtime.pipeline.source import FromNode, StreamNode
from runtime.tasks.api.records import DBRP
from runtime.tasks.replay.files import RecordingWriter, ReplayFileError
from runtime.tasks.task import Write
from runtime.units import SECOND, Clock, Nanoseconds

# Without further points, a recording ends this long after its stop or last point.
QUIET_NS = 60 * SECOND
# The same for a stop that was past at the beginning: old data may follow.
HISTORIC_QUIET_NS = 3600 * SECOND


class Recorder:
    """Records the points of a task up to a time of the data.

    The first later point ends the recording. Without one, it ends when the stop is past
    and no point has arrived for a while.

    Attributes:
        begin: start of the recording.
        stop: latest time of a recorded point.
        error: reason why the recording has failed, or "".
        is_done: True after a point later than the stop, or a failed write.
        ended: called when the recording is done.

    Source: Kapacitor services/replay/service.go, doRecordStream, which waits forever.
    """

    def __init__(
        self,
        writer: RecordingWriter,
        dbrps: tuple[DBRP, ...],
        measurements: frozenset[str] | None,
        clock: Clock,
        stop: Nanoseconds,
    ) -> None:
        """Record to `writer`.

        Args:
            writer: writer of the recording.
            dbrps: databases and retention policies of the task.
            measurements: measurements that the task reads; None for all.
            clock: wall clock, in ns since 1970 UTC.
            stop: latest time of a recorded point.
        """
        self._writer = writer
        self._dbrps = frozenset(dbrps)
        self._measurements = measurements
        self._clock = clock
        self.begin = self._last = clock()
        self.stop = stop
        self.error = ""
        self.is_done = False
        self.ended: Callable[[], None] = lambda: None

    def __call__(self, write: Write, db: str, rp: str) -> None:
        """Record the points of a write."""
        if self.is_done or (db, rp) not in self._dbrps:
            return
        names, points = self._measurements, []
        is_over = False
        for point in write.points():
            if names is None or point.name in names:
                is_over = point.time > self.stop
                if is_over:
                    break
                points.append(point)
        if points:
            self._last = self._clock()
            try:
                self._writer.write(db, rp, points)
            # the client that wrote the points does not get this error
            except ReplayFileError as error:
                self.error = str(error)
        if is_over or self.error:
            self.is_done = True
            self.ended()

    @property
    def deadline(self) -> Nanoseconds:
        """The time at which the recording ends if no point arrives earlier."""
        quiet = QUIET_NS if self.stop > self.begin else HISTORIC_QUIET_NS
        return max(self.stop, self._last) + quiet

    def progress(self, now: Nanoseconds) -> float:
        """The share of its time that has passed; 0 while it waits for old data."""
        if self.stop <= self.begin:
            return 0.0
        return min(1.0, (now - self.begin) / (self.stop - self.begin))

    def close(self) -> int:
        """Finish the file; return its size in bytes."""
        try:
            return self._writer.close()
        except ReplayFileError as error:
            self.error = self.error or str(error)
            return 0


def measurements_of(pipeline: Pipeline) -> frozenset[str] | None:
    """Measurements that the `from` nodes of a task take; None for all."""
    names: set[str] = set()
    for node in pipeline.nodes:
        if not isinstance(node, StreamNode):
            continue
        for child in node.children:
            if not isinstance(child, FromNode) or not child.measurement:
                return None
            names.add(child.measurement)
    return frozenset(names)
