"""Nodes about time: `shift`, `sample`, `barrier`, `stats`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
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
from runtime.nodes.columns import beyond_multiples, moved
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier, GroupedNode, Node
from runtime.nodes.pointwise import Outcome, PointwiseNode
from runtime.nodes.timers import Timer, next_multiple
from runtime.pipeline import source, transform
from runtime.units import (
    Duration,
    Nanoseconds,
    beyond_multiple,
    saturated,
    truncate,
)


class ShiftNode(PointwiseNode):
    """Moves times."""

    is_grouped = False

    def __init__(self, spec: transform.ShiftNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        if not spec.shift:
            raise TaskError("invalid shift value: must be non zero duration")
        self._shift = int(spec.shift)

    @property
    def recipe(self) -> Hashable:
        """How far."""
        return type(self), self._shift

    def apply(self, point: Point, group: str) -> Point | None:
        """The point at another time."""
        return point.replace(time=saturated(point.time + self._shift))

    def columns(self, frame: Frame) -> Outcome | None:
        """The frame at another time."""
        shift = self._shift
        later = frame.shared(
            ("shift", shift), lambda: frame.replace(time=moved(frame.time, shift))
        )
        return Outcome(later)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        tmax = saturated(batch.tmax + self._shift)
        super().batch(
            Batch(
                batch.name,
                batch.tags,
                tmax,
                batch.points,
                batch.dimensions,
                batch.group,
            )
        )

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        super().batches(
            Batches(
                batches.frame,
                batches.starts,
                moved(batches.tmax, self._shift),
                batches.groups,
                batches.ids,
                batches.tags,
            )
        )

    def barrier(self, barrier: Barrier) -> None:
        """Take the news that a group is complete up to a time."""
        super().barrier(
            Barrier(
                barrier.group, saturated(barrier.time + self._shift), barrier.delete
            )
        )


class SampleNode(PointwiseNode):
    """Passes every so manieth point of a group, or those at multiples of a duration."""

    remembers = True

    def __init__(self, spec: transform.SampleNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        if spec.rate <= 0:
            raise TaskError("invalid sample rate: must be positive integer or duration")
        self._step = int(spec.rate) if isinstance(spec.rate, Duration) else 0
        self._every = int(spec.rate)
        self._counts: dict[str, int] = {}

    @property
    def recipe(self) -> Hashable:
        """How many, or at which times."""
        return type(self), self._every, self._step

    def apply(self, point: Point, group: str) -> Point | None:
        """The point, if it is one of the sample."""
        if self._step:
            return None if beyond_multiple(point.time, self._step) else point
        count = self._counts.get(group, 0)
        self._counts[group] = (count + 1) % self._every
        return point if count == 0 else None

    def columns(self, frame: Frame) -> Outcome | None:
        """The rows of the sample."""
        if not self._step:
            return None
        rows = np.flatnonzero(beyond_multiples(frame.time, self._step) == 0)
        return Outcome(frame.take(rows), rows)

    def begin(self, group: str) -> None:
        """A batch of the group begins."""
        self._counts.pop(group, None)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._counts.pop(group, None)


@dataclass(slots=True)
class _Watch:
    """What a barrier knows of a group.

    Attributes:
        seen: when it last heard of the group, by the clock of the timers.
        time: the time of the group's last point, or of the barrier after it.
        timer: calls when a barrier may be due.
        barrier: the time of the last barrier; older points are dropped.
    """

    seen: Nanoseconds
    time: Nanoseconds
    timer: Timer
    barrier: Nanoseconds | None = None


class BarrierNode(GroupedNode):
    """Informs the nodes below that groups are complete up to a time.

    Source: Kapacitor barrier.go.
    """

    is_timed = True

    def __init__(self, spec: transform.BarrierNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._idle = int(spec.idle)
        self._wait = int(spec.idle) or int(spec.period)
        self._delete = spec.delete
        self._watches: dict[str, _Watch] = {}

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        if self._hear(self._watch(point.group, point.time), point.time):
            self.emit_point(point)

    def batch(self, batch: Batch) -> None:
        """Take a batch; its points that are older than the last barrier are dropped."""
        watch = self._watch(batch.group, batch.tmax)
        points = [point for point in batch.points if self._hear(watch, point.time)]
        self.emit_batch(batch.with_points(points))

    def barrier(self, barrier: Barrier) -> None:
        """Take another node's news that a group is complete up to a time."""
        watch = self._watch(barrier.group, barrier.time)
        is_news = self._hear(watch, barrier.time)
        if is_news and self._idle:
            watch.barrier = barrier.time
        if is_news or barrier.delete:
            super().barrier(barrier)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        watch = self._watches.pop(group, None)
        if watch is not None:
            self.environment.timers.cancel(watch.timer)

    def close(self) -> None:
        """Send no more barriers."""
        for watch in self._watches.values():
            self.environment.timers.cancel(watch.timer)

    def _watch(self, group: str, time: Nanoseconds) -> _Watch:
        watch = self._watches.get(group)
        if watch is None:
            self._met.add(group)
            timers = self.environment.timers
            timer = timers.after(self._wait, partial(self._wake, group))
            watch = self._watches[group] = _Watch(timers.clock(), time, timer)
        return watch

    def _hear(self, watch: _Watch, time: Nanoseconds) -> bool:
        """Note a sign of life; True if it is not older than the last barrier."""
        if watch.barrier is not None and time < watch.barrier:
            return False
        watch.time = time
        if self._idle:
            watch.seen = self.environment.timers.clock()
        return True

    def _wake(self, group: str) -> None:
        """Send a barrier if it is due, and schedule the next one."""
        timers, watch = self.environment.timers, self._watches[group]
        now, due = timers.clock(), watch.timer.due
        wake = partial(self._wake, group)
        if self._idle and watch.seen + self._wait > now:
            # a sign of life does not touch the timer; it is moved when it calls
            watch.timer = timers.at(watch.seen + self._wait, wake)
            return
        if self._idle:
            watch.time = saturated(watch.time + self._wait)
        else:
            watch.time = self.environment.clock()
        watch.barrier = watch.time
        if self._delete:
            self.forget(group)
        else:
            next_due = now + self._wait
            if not self._idle:
                next_due = next_multiple(due, self._wait, now)
            watch.timer = timers.at(next_due, wake)
        self.environment.resume(partial(self._send, group, watch.time))

    def _send(self, group: str, time: Nanoseconds) -> None:
        for child in self.children:
            child.barrier(Barrier(group, time, self._delete))


@dataclass(slots=True)
class _Count:
    """Number of points of a group that have passed."""

    tags: Mapping[str, str]
    dimensions: Dimensions
    number: int = 0


class Tally(Node):
    """Counts what a node emits, by group.

    Source: Kapacitor edge/stats.go.
    """

    def __init__(self, source: Node) -> None:
        super().__init__(source, source.environment)
        self._counts: dict[str, _Count] = {}

    def __iter__(self) -> Iterator[_Count]:
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


# reported for a node that has not emitted anything yet
_NOTHING = _Count({}, NO_DIMENSIONS)


class StatsNode(Node):
    """Reports periodically the number of points that another node has sent on.

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
        # the time at which the next statistics are due, by the clock of the tasks
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
            # the clock of the timers may be a bit ahead, or the task late
            on_time = abs(now - self._next) < self._interval
            time = self._next if on_time else truncate(now, self._interval)
            self._next = time + self._interval
            self._timer = timers.after(max(self._next - now, 1), self._wake)
        else:
            due = next_multiple(self._timer.due, self._interval, timers.clock())
            self._timer = timers.at(due, self._wake)
        self.environment.resume(partial(self._send, time))

    def _send(self, time: Nanoseconds) -> None:
        for count in list(self.tally) or (_NOTHING,):
            fields = {"emitted": count.number}
            self.emit_point(Point("stats", time, count.tags, fields, count.dimensions))
