"""`stats`: reports the number of points that another node has emitted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from runtime.errors import TaskError
from runtime.frames import (
    NO_DIMENSIONS,
    Batch,
    Batches,
    Dimensions,
    Frame,
    Point,
)
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.nodes.timers import next_multiple
from runtime.pipeline import source
from runtime.units import (
    Nanoseconds,
    truncate,
)


@dataclass(slots=True)
class _Count:
    """Number of points of a group that have been emitted."""

    tags: Mapping[str, str]
    dimensions: Dimensions
    number: int = 0


class Tally(Node):
    """Counts the points that a node emits, by group.

    Source: Kapacitor edge/stats.go.
    """

    def __init__(self, source: Node) -> None:
        super().__init__(source, source.environment)
        self._counts: dict[str, _Count] = {}

    def __iter__(self) -> Iterator[_Count]:
        # a copy, as emitting the count of one group may add another group
        return iter(list(self._counts.values()))

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        count = self._counts.get(point.group)
        if count is None:
            tags = point.dimensions.group_tags(point.tags)
            count = self._counts[point.group] = _Count(tags, point.dimensions)
        count.number += 1

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        groups = frame.groups
        sizes = np.diff(groups.starts).tolist()
        for group, tags, size in zip(groups.ids, groups.tags, sizes, strict=True):
            self._count(group, tags, frame.dimensions, size)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self._count(batch.group, batch.tags, batch.dimensions, len(batch.points))

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        sizes = np.diff(batches.starts).tolist()
        for number, size in zip(batches.groups.tolist(), sizes, strict=True):
            ids, tags = batches.ids, batches.tags
            self._count(ids[number], tags[number], batches.frame.dimensions, size)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        self._counts.pop(group, None)

    def _count(
        self, group: str, tags: Mapping[str, str], dimensions: Dimensions, size: int
    ) -> None:
        count = self._counts.get(group)
        if count is None:
            count = self._counts[group] = _Count(tags, dimensions)
        count.number += size


# reported for a node that has not emitted any point yet
_NOTHING = _Count({}, NO_DIMENSIONS)


class StatsNode(Node):
    """Reports periodically the number of points that another node has emitted.

    Attributes:
        tally: the counts of that node.

    Source: Kapacitor stats.go and node.go, nodeStatsByGroup.
    """

    is_timed = True

    def __init__(self, spec: source.StatsNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._interval = int(spec.interval)
        if self._interval <= 0:
            raise TaskError("stats node must have positive interval")
        self._align = spec.align
        self.tally: Iterable[_Count] = ()
        now = environment.clock()
        # the time of the next statistics, by the clock of tasks. Timers have another
        # clock, a monotonic one, so they are given the distance
        self._next = self._after(now)
        self._timer = environment.timers.after(self._next - now, self._wake)

    def close(self) -> None:
        """Stop reporting."""
        self.environment.timers.cancel(self._timer)

    def _after(self, time: Nanoseconds) -> Nanoseconds:
        due = time + self._interval
        return truncate(due, self._interval) if self._align else due

    def _wake(self) -> None:
        """Send statistics that are due, and schedule the next ones."""
        timers, now = self.environment.timers, self.environment.clock()
        time = now
        if self._align:
            # the clock of the timers may be slightly ahead, or the task late
            on_time = abs(now - self._next) < self._interval
            time = self._next if on_time else truncate(now, self._interval)
            self._next = time + self._interval
            self._timer = timers.after(max(self._next - now, 1), self._wake)
        else:
            due = next_multiple(self._timer.due, self._interval, timers.clock())
            self._timer = timers.at(due, self._wake)
        self.environment.resume(partial(self._send, time))

    def _send(self, time: Nanoseconds) -> None:
        # `deadman` needs a count of 0 for a node that has emitted nothing
        for count in list(self.tally) or (_NOTHING,):
            fields = {"emitted": count.number}
            self.emit_point(Point("stats", time, count.tags, fields, count.dimensions))
