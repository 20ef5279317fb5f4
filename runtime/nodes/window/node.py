"""`window`: cuts a stream into batches."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from runtime.errors import TaskError
from runtime.frames import Batch, Batches, Dimensions, Frame, Labels, Point
from runtime.nodes.columns import Times
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier, Node
from runtime.nodes.sizes import of_points
from runtime.nodes.window.buffer import (
    Buffer,
    Gathered,
    Numbers,
    Pointers,
    Waiting,
    frame_of_points,
    row_of,
)
from runtime.nodes.window.rules import (
    CountWindows,
    Emission,
    Indices,
    Plan,
    Sequences,
    TimeWindows,
)
from runtime.pipeline import transform as pipeline

# Total rows of batches that are passed on in columns at once: half a megabyte for each
# field, which fits the processor's caches.
ROWS_AT_ONCE = 1 << 16
# A single point that makes a window due is taken in columns if its group has at least
# this many rows there. Fewer rows are converted to points, at some 10 µs each. If windows
# overlap, converted rows are used again, while columns are searched each time …
_FEW_DONE = 64
_FEW_AGAIN = 2000
# … Searching this many rows of all groups takes as long as converting one row.
_SEARCHED = 400
# A group's tail is processed after this many points even if nothing is due: its window
# may be due after a million points only, and keep no more than ten.
_TAIL = 1024


class _Group(NamedTuple):
    """The parts that all batches of a group share."""

    id: str
    name: str
    dimensions: Dimensions


class _Sorted(NamedTuple):
    """A frame sorted by group, shared by all windows over it.

    Attributes:
        first: the time of the first point of each group.
        latest: the latest time of each group.
        counts: number of points of each group.
        distinct: True if no two groups have the same id; ids do not escape values.
    """

    first: Times
    latest: Times
    counts: Indices
    distinct: bool


class WindowNode(Node):
    """Keeps points of each group and emits them as batches.

    Points that arrive one by one wait in `_tails`. Points that arrive in columns wait in
    `_buffer`, and are older than those in the tail of the same group.
    """

    remembers = True

    def __init__(self, spec: pipeline.WindowNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._windows = _windows(spec)
        times = int(spec.period), int(spec.every), spec.align
        counts = spec.period_count, spec.every_count
        self._fingerprint = type(self), times, counts, spec.fill_period
        self._numbers: dict[str, int] = {}
        self._groups: list[_Group] = []
        self._ids: list[str] = []
        self._tags: list[Mapping[str, str]] = []
        self._tails: list[list[Point]] = []
        self._tailed: set[int] = set()
        self._buffer = Buffer()
        self._kept = 0

    @property
    def fingerprint(self) -> Hashable:
        """The length of the windows, and their intervals."""
        return self._fingerprint

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        number = self._numbers.get(point.group)
        if number is None:
            number = self._appear(point)
        tail = self._tails[number]
        self._tailed.add(number)
        if self._buffer.size:
            # nothing to emit: the point waits in the tail; this is processed now and then
            # so that it cannot grow without limit
            if not self._windows.is_due(number, point.time) and (len(tail) + 1) % _TAIL:
                tail.append(point)
                self._windows.skip(*_of_one(number))
                return
            if self._take_in_columns(number, point):
                return
            tail[:0] = self._buffer.extract(number)
        emission = self._windows.take(number, tail, point)
        if emission is not None:
            self._emit(number, emission)

    def _take_in_columns(self, number: int, point: Point) -> bool:
        """Take a point if its group has many rows in columns; True if it was taken."""
        # rows of overlapping windows are needed again: as points they are converted once
        few = _FEW_AGAIN if self._windows.overlap else _FEW_DONE
        count, size = self._buffer.count(number), self._buffer.size
        if count < few + size // _SEARCHED or self._groups[number].name != point.name:
            return False
        self._gather_tails([number])
        frame = frame_of_points([point])
        self._take(frame, *_of_one(number), np.zeros(1, np.intp), frame.time)
        return True

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        ids = frame.groups.ids
        known = self._numbers
        order = frame.shared("window", lambda: _sorted(frame))
        fresh = [position for position, each in enumerate(ids) if each not in known]
        # columns do not support two groups with the same id, or a group that began with
        # another measurement
        if not order.distinct or (len(fresh) < len(ids) and not self._named(frame)):
            super().frame(frame)
            return
        for position in fresh:
            self._add(ids[position], frame.groups.tags[position], frame)
        if fresh:
            self._windows.add(order.first[fresh])
        numbers = np.array([known[each] for each in ids], dtype=np.int64)
        # added before the frame, as points in tails are older than its rows
        self._gather_tails(sorted(self._tailed))
        self._take(frame, numbers, order.counts, frame.groups.order, order.latest)

    def _take(
        self,
        frame: Frame,
        numbers: Numbers,
        counts: Indices,
        rows: Indices,
        latest: Times,
    ) -> None:
        """Take the rows of a frame, which are sorted by group."""
        self._buffer.add(frame, np.repeat(numbers, counts), rows)
        due = self._windows.due(numbers, latest, counts)
        # even if nothing is due, unneeded rows are dropped when the buffer has grown to
        # some four times the size after the last time, so that the cost per row is
        # constant
        if due or self._buffer.size > 10_000 + 4 * self._kept:
            self._advance(frame, numbers, counts)
        else:
            self._windows.skip(numbers, counts)

    def _gather_tails(self, tailed: Sequence[int]) -> None:
        """Move the tails of these groups to the columns."""
        self._tailed.difference_update(tailed)
        sizes = [len(self._tails[number]) for number in tailed]
        points = [point for number in tailed for point in self._tails[number]]
        for number in tailed:
            self._tails[number] = []
        if points:
            groups = np.repeat(np.array(tailed, dtype=np.int64), sizes)
            self._buffer.add(frame_of_points(points), groups, np.arange(len(points)))

    def _advance(self, frame: Frame, numbers: Numbers, counts: Indices) -> None:
        """Emit the windows that a buffered frame makes due; drop unneeded rows."""
        # groups without new points emit nothing: their rows are put back unchanged
        waiting, others = self._touched(numbers)
        local_of = np.zeros(len(self._groups), dtype=np.int64)
        local_of[numbers] = np.arange(len(numbers))
        local = local_of[waiting.groups]
        # numpy sorts 16-bit integers by radix, several times faster
        key = local.astype(np.uint16) if len(numbers) < 1 << 16 else local
        order = np.argsort(key, kind="stable")
        sizes = np.bincount(local, minlength=len(numbers))
        starts = np.zeros(len(numbers) + 1, dtype=np.intp)
        np.cumsum(sizes, out=starts[1:])
        times, pointers = waiting.times[order], waiting.pointers[order]
        plan = self._windows.plan(
            Sequences(numbers, times, starts, starts[1:] - counts)
        )
        kept = np.flatnonzero(np.arange(len(times)) >= np.repeat(plan.keep, sizes))
        # The buffer is filled again before anything is emitted: a child that fails must
        # not leave it half drained. The plan's pointers refer to its former sources.
        sources = self._buffer.sources
        groups = np.repeat(numbers, starts[1:] - plan.keep)
        self._buffer.append(groups, times[kept], pointers[kept])
        if others is not None:
            self._buffer.append(*others)
        self._buffer.compact()
        self._kept = self._buffer.size
        for batches in self._batches(frame, numbers, times, pointers, plan, sources):
            self.environment.budget.look()
            self.emit_batches(batches)

    def _touched(self, numbers: Numbers) -> tuple[Waiting, Waiting | None]:
        """Drain the buffer: the rows of these groups, and those of other groups."""
        waiting = self._buffer.drain()
        # the last item is for removed rows, whose group is -1
        touched = np.zeros(len(self._groups) + 1, dtype=np.bool_)
        touched[numbers] = True
        here = touched[waiting.groups]
        if here.all():
            return waiting, None
        others = ~here & (waiting.groups >= 0)
        return (
            Waiting(*(column[here] for column in waiting)),
            Waiting(*(column[others] for column in waiting)),
        )

    def _batches(
        self,
        frame: Frame,
        numbers: Numbers,
        times: Times,
        pointers: Pointers,
        plan: Plan,
        sources: Sequence[Frame],
    ) -> Iterator[Batches]:
        """Due batches, some at a time.

        Windows that overlap share rows: all of them at once would take many times the
        memory of the rows.
        """
        # in the order of the points that cause them
        order = np.argsort(row_of(pointers[plan.trigger]))
        sizes = (plan.end - plan.first)[order]
        ends = np.cumsum(sizes)
        begin = 0
        while begin < len(order):
            done = ends[begin - 1] if begin else 0
            end = int(np.searchsorted(ends, done + ROWS_AT_ONCE, side="right"))
            # at least one, even if it is larger than `ROWS_AT_ONCE`
            end = max(end, begin + 1)
            some = order[begin:end]
            starts = np.zeros(len(some) + 1, dtype=np.intp)
            np.cumsum(sizes[begin:end], out=starts[1:])
            shift = plan.first[some] - starts[:-1]
            rows = np.arange(starts[-1]) + np.repeat(shift, sizes[begin:end])
            groups = numbers[plan.group[some]].astype(np.int32)
            labels = np.repeat(groups, sizes[begin:end])
            yield Batches(
                Frame(
                    frame.name,
                    times[rows],
                    Gathered(sources, pointers[rows]),
                    db=frame.db,
                    rp=frame.rp,
                    dimensions=frame.dimensions,
                    groups=Labels(labels, self._ids, self._tags),
                ),
                starts,
                plan.tmax[some],
                groups,
                self._ids,
                self._tags,
            )
            begin = end

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier: a group is complete up to a time."""
        if isinstance(self._windows, TimeWindows):
            number = self._numbers.get(barrier.group)
            if number is not None:
                tail = self._tails[number]
                # rows in columns are older than the tail
                tail[:0] = self._buffer.extract(number)
                self._tailed.add(number)
                emission = self._windows.expire(number, tail, barrier.time)
                if emission is not None:
                    self._emit(number, emission)
            if not barrier.delete:
                return
        super().barrier(barrier)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        number = self._numbers.pop(group, None)
        if number is not None:
            self._buffer.extract(number)
            self._tails[number] = []
            self._tailed.discard(number)

    @property
    def working_cardinality(self) -> int:
        """The number of groups with a window."""
        return len(self._numbers)

    def _appear(self, point: Point) -> int:
        number = len(self._groups)
        tags = point.dimensions.group_tags(point.tags)
        self._add(point.group, tags, point)
        self._windows.add(np.array([point.time], dtype=np.int64))
        return number

    def _add(self, group: str, tags: Mapping[str, str], points: Point | Frame) -> None:
        self._numbers[group] = len(self._groups)
        self._groups.append(_Group(group, points.name, points.dimensions))
        self._ids.append(group)
        self._tags.append(tags)
        self._tails.append([])

    def _named(self, frame: Frame) -> bool:
        """True if the frame's known groups began with the frame's measurement."""
        name, known = frame.name, self._numbers
        return all(
            self._groups[known[each]].name == name
            for each in frame.groups.ids
            if each in known
        )

    def held(self) -> int:
        """Bytes of waiting points, and of the state of each group."""
        tails = [self._tails[number] for number in self._tailed]
        rows = sum(map(len, tails)) or 1
        most = max(tails, key=len, default=[])
        each = of_points(most) // max(1, len(most))
        return super().held() + self._buffer.held() + rows * each

    def _emit(self, number: int, emission: Emission) -> None:
        self.environment.budget.look()
        group = self._groups[number]
        self.emit_batch(
            Batch(
                group.name,
                self._tags[number],
                emission.tmax,
                emission.points,
                group.dimensions,
                group.id,
            )
        )


def _windows(spec: pipeline.WindowNode) -> TimeWindows | CountWindows:
    if spec.period:
        return TimeWindows(
            spec.period, spec.every, align=spec.align, fill_period=spec.fill_period
        )
    if spec.period_count:
        return CountWindows(
            spec.period_count, spec.every_count, fill_period=spec.fill_period
        )
    raise TaskError(
        "window node must have either a non zero period or non zero period count"
    )


def _of_one(number: int) -> tuple[Numbers, Indices]:
    """The arrays of group numbers and point counts for one point of a group."""
    return np.array([number], dtype=np.int64), np.ones(1, dtype=np.intp)


def _sorted(frame: Frame) -> _Sorted:
    groups = frame.groups
    times = frame.time[groups.order]
    return _Sorted(
        times[groups.starts[:-1]],
        np.maximum.reduceat(times, groups.starts[:-1]),
        np.diff(groups.starts),
        len(set(groups.ids)) == len(groups.ids),
    )
