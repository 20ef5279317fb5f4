"""Nodes about time: `shift`, `sample`, `barrier`, `stats`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from runtime.errors import TaskError
from runtime.frames import Batch, Batches, Dimensions, Frame, Point
from runtime.nodes.columns import beyond_multiples, moved
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier, Node
from runtime.nodes.pointwise import Outcome, PointwiseNode
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
        self._counts.pop(group, None)

    @property
    def working_cardinality(self) -> int:
        """How many groups the node counts."""
        return len(self._counts)


@dataclass(slots=True)
class _Watch:
    """What a barrier knows of a group.

    Attributes:
        seen: when the group was last heard of, by the clock.
        time: the time of its last point, or of the barrier after it.
        barrier: the time of the last barrier; older points are dropped.
    """

    seen: Nanoseconds
    time: Nanoseconds
    barrier: Nanoseconds | None = None


class BarrierNode(Node):
    """Tells the nodes below that groups are complete up to a time."""

    def __init__(self, spec: transform.BarrierNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._idle = int(spec.idle)
        self._period = int(spec.period)
        self._delete = spec.delete
        self._watches: dict[str, _Watch] = {}

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        if self._hear(point.group, point.time):
            self.emit_point(point)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        if self._hear(batch.group, batch.tmax):
            self.emit_batch(batch)

    def tick(self, now: Nanoseconds) -> None:
        """Tell what is due."""
        for group, watch in list(self._watches.items()):
            wait = self._idle or self._period
            if now - watch.seen < wait:
                continue
            watch.time = saturated(watch.time + wait) if self._idle else now
            watch.seen = now
            watch.barrier = watch.time
            if self._delete:
                del self._watches[group]
            for child in self.children:
                child.barrier(Barrier(group, watch.time, self._delete))

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        self._watches.pop(group, None)

    @property
    def working_cardinality(self) -> int:
        """How many groups the node watches."""
        return len(self._watches)

    def _hear(self, group: str, time: Nanoseconds) -> bool:
        """Note a sign of life; whether it is not older than the last barrier."""
        now = self.environment.clock()
        watch = self._watches.get(group)
        if watch is None:
            self._watches[group] = _Watch(now, time)
            return True
        if watch.barrier is not None and time < watch.barrier:
            return False
        watch.time = time
        if self._idle:
            watch.seen = now
        return True


@dataclass(slots=True)
class _Count:
    """How much of a group has passed."""

    tags: Mapping[str, str]
    dimensions: Dimensions
    number: int = 0


class StatsNode(Node):
    """Tells every so often how many points another node has sent on.

    It hangs below that node to see what passes, but passes nothing of it on.
    """

    def __init__(self, spec: source.StatsNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._interval = int(spec.interval)
        self._align = spec.align
        self._counts: dict[str, _Count] = {}
        self._due = self._after(environment.clock())

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
            count = self._counts.setdefault(group, _Count(tags, frame.dimensions))
            count.number += size

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        count = self._counts.setdefault(
            batch.group, _Count(batch.tags, batch.dimensions)
        )
        count.number += len(batch.points)

    def barrier(self, barrier: Barrier) -> None:
        """Take the news that a group is complete up to a time."""
        if barrier.delete:
            self.forget(barrier.group)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        self._counts.pop(group, None)

    def tick(self, now: Nanoseconds) -> None:
        """Tell what is due."""
        if now < self._due:
            return
        time = truncate(now, self._interval) if self._align else now
        self._due = self._after(now)
        for count in list(self._counts.values()):
            fields = {"emitted": count.number}
            self.emit_point(Point("stats", time, count.tags, fields, count.dimensions))

    @property
    def working_cardinality(self) -> int:
        """How many groups the node counts."""
        return len(self._counts)

    def _after(self, now: Nanoseconds) -> Nanoseconds:
        due = now + self._interval
        return truncate(due, self._interval) if self._align else due
