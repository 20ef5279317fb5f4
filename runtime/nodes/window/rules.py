"""Rules for the times and points of emitted windows.

A group's buffer always has consecutive points of the group in arrival order: points are
added at the end and removed at the front. So an emission is a slice of the group's
sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.frames import Point
from runtime.nodes.columns import Times, truncated
from runtime.units import NEVER, Nanoseconds, truncate

Indices = NDArray[np.intp]

# Keys of the search combine group and time, and have to fit 64 bits.
_KEY_LIMIT = 1 << 62


class Sequences(NamedTuple):
    """The buffered and the new points of some groups, one group after the other.

    Attributes:
        groups: the number of each group.
        times: times of all points, in arrival order inside a group.
        starts: start of each group, and the end.
        fresh: start of the new points of each group.
    """

    groups: Indices
    times: Times
    starts: Indices
    fresh: Indices


class Plan(NamedTuple):
    """The batches to emit, and the rows to keep.

    Attributes:
        group: position in `Sequences.groups` of the group of each emission.
        first: start of each emission's slice.
        end: end of its slice.
        trigger: the new point that caused it.
        tmax: its time.
        keep: for each group, the start of the points that may be needed again.
    """

    group: Indices
    first: Indices
    end: Indices
    trigger: Indices
    tmax: Times
    keep: Indices


class Emission(NamedTuple):
    """A batch that is due.

    Attributes:
        points: its points.
        tmax: its time.
    """

    points: Sequence[Point]
    tmax: Nanoseconds


class TimeWindows:
    """Windows that cover a period of time, emitted at an interval."""

    def __init__(
        self,
        period: Nanoseconds,
        every: Nanoseconds,
        *,
        align: bool = False,
        fill_period: bool = False,
    ) -> None:
        self._period = period
        self._every = every
        self._align = align and every > 0
        self._fill = fill_period
        self._next: Times = np.zeros(0, dtype=np.int64)
        self._size = 0

    def add(self, times: Times) -> None:
        """Add groups, given the times of their first points."""
        end = self._size + len(times)
        if end > len(self._next):
            # doubled, since groups appear a few at a time, and resizing copies all
            self._next = np.resize(self._next, max(16, 2 * end))
        self._next[self._size : end] = self._firsts(times)
        self._size = end

    def _firsts(self, times: Times) -> Times:
        """The first due times of groups. Source: Kapacitor newWindowByTime."""
        # a window that does not have to be full is due after its first `every`
        firsts = _later(times, self._period if self._fill else self._every)
        if not self._align:
            return firsts
        aligned = self._aligned(firsts)
        if self._fill:
            # the first due time is the aligned time after the first period
            after = _later(aligned, self._every)
            aligned = np.where(aligned > firsts, aligned, after)
        return aligned

    def _aligned(self, due: Times) -> Times:
        return np.where(due < NEVER, truncated(due, self._every), NEVER)

    def _after(self, time: Nanoseconds) -> Nanoseconds:
        due = time + self._every
        if due >= NEVER:
            return NEVER
        return truncate(due, self._every) if self._align else due

    @property
    def overlap(self) -> bool:
        """True if most points are in several windows."""
        return self._period > self._every

    def is_due(self, group: int, time: Nanoseconds) -> bool:
        """True if a point at `time` causes an emission."""
        return bool(time >= self._next[group])

    def take(self, group: int, points: list[Point], point: Point) -> Emission | None:
        """Put a point into a buffer; return the points to emit now."""
        # with `every(0)`, a point is in the batch that it causes
        if not self._every:
            return self._take_each(group, points, point)
        if point.time < self._next[group]:
            points.append(point)
            return None
        # the point is not in the window that it ends
        emission = self.expire(group, points, point.time)
        points.append(point)
        return emission

    def _take_each(
        self, group: int, points: list[Point], point: Point
    ) -> Emission | None:
        points.append(point)
        time = point.time
        if time < self._next[group]:
            return None
        # the period includes the point at its end, so it starts one nanosecond later
        _drop(points, time - self._period + 1)
        self._next[group] = time
        return Emission(tuple(points), time)

    def expire(
        self, group: int, points: list[Point], time: Nanoseconds
    ) -> Emission | None:
        """Return the emission that is due at `time`, before points of that time."""
        due = int(self._next[group])
        if time < due:
            return None
        if not self._every:
            _drop(points, time - self._period + 1)
            self._next[group] = time
            return Emission(tuple(points), time)
        _drop(points, due - self._period)
        emission = Emission(tuple(points), due)
        # counted from the point, not from the due time: a gap causes a single emission
        due = self._after(time)
        self._next[group] = due
        # points that the next emission does not need
        _drop(points, due - self._period)
        return emission

    def due(self, groups: Indices, latest: Times, counts: Indices) -> bool:
        """True if new points of these groups cause any emission."""
        return bool((latest >= self._next[groups]).any())

    def skip(self, groups: Indices, counts: Indices) -> None:
        """Note new points of groups that are buffered and cause no emission."""

    def plan(self, sequences: Sequences) -> Plan:
        """Plan the emissions that new points cause, in columns."""
        groups, times, starts, _ = sequences
        if not len(times):
            return _merged([], starts[:-1])
        # A key is the group's number times `span`, plus the time. The keys of all groups
        # are one sorted array, in which a single search finds a time in every group.
        low = int(times.min())
        span = int(times.max()) - low + 2
        count = len(groups)
        # group by group if keys do not fit 64 bits, or if rounds would find little
        if (
            not self._every
            or span * count >= _KEY_LIMIT
            or self._is_walk_faster(count, len(times), span)
        ):
            return self._walk(sequences, range(count), starts[:-1].copy(), [])
        # the search needs sorted times: groups with a time less than the previous one go
        # point by point
        disorder = np.flatnonzero(times[1:] < times[:-1]) + 1
        at = np.searchsorted(starts, disorder, side="right") - 1
        unsorted = np.unique(at[disorder != starts[at]])
        # an end of 0 excludes a group from the rounds
        sorted_ends = starts[1:].copy()
        sorted_ends[unsorted] = 0
        rank = np.arange(count, dtype=np.int64) * span
        keys = times - low
        keys += np.repeat(rank, np.diff(starts))
        due = self._next[groups]
        rounds = self._rounds(sequences, sorted_ends, keys, (rank, low, span), due)
        # earliest time of the next emission of each group
        oldest = _within(_earlier(due, self._period), low, span)
        keep = np.searchsorted(keys, rank + (oldest - low))
        np.clip(keep, starts[:-1], starts[1:], out=keep)
        # the due times of unsorted groups are unchanged
        self._next[groups] = due
        if not len(unsorted):
            return _merged(rounds, keep)
        return self._walk(sequences, unsorted.tolist(), keep, rounds)

    def _is_walk_faster(self, groups: int, points: int, span: int) -> bool:
        """True if few groups need many rounds; a round costs some 200 points."""
        rounds = min(span // self._every, points)
        return groups < 16 and points < 128 * rounds

    def _rounds(
        self,
        sequences: Sequences,
        ends: Indices,
        keys: Times,
        scale: tuple[Times, int, int],
        due: Times,
    ) -> list[Plan]:
        """Plan all groups in lockstep, one emission of each group per round.

        `due` is updated. The times of groups whose `ends` is not 0 must be sorted.
        """
        _, times, starts, fresh = sequences
        rank, low, span = scale
        found: list[tuple[Indices, Indices, Times]] = []
        active = np.flatnonzero(ends)
        while len(active):
            target = _within(due[active], low, span)
            # the first point that is not before the due time
            trigger = np.searchsorted(keys, rank[active] + (target - low))
            # but a new one, as old points have caused their emissions already
            np.maximum(trigger, fresh[active], out=trigger)
            hits = trigger < ends[active]
            # groups without a further emission are dropped, so rounds get smaller
            if not hits.all():
                active, trigger = active[hits], trigger[hits]
                if not len(active):
                    break
            found.append((active, trigger, due[active]))
            # counted from the trigger, not from the due time: a gap causes a single
            # emission
            upcoming = _later(times[trigger], self._every)
            due[active] = self._aligned(upcoming) if self._align else upcoming
        if not found:
            return []
        group = np.concatenate([each[0] for each in found])
        trigger = np.concatenate([each[1] for each in found])
        tmax = np.concatenate([each[2] for each in found])
        # for all rounds at once, as the starts only depend on the due times
        oldest = _within(_earlier(tmax, self._period), low, span)
        first = np.searchsorted(keys, rank[group] + (oldest - low))
        first = np.minimum(np.maximum(first, starts[group]), trigger)
        return [Plan(group, first, trigger, trigger, tmax, starts[:-1])]

    def _walk(
        self,
        sequences: Sequences,
        positions: Sequence[int],
        keep: Indices,
        others: list[Plan],
    ) -> Plan:
        """Plan groups one by one and point by point, as for times that are not sorted."""
        emissions: list[tuple[int, int, int, int, int]] = []
        for position in positions:
            start = int(sequences.starts[position])
            end = int(sequences.starts[position + 1])
            group = int(sequences.groups[position])
            times = sequences.times[start:end].tolist()
            fresh = int(sequences.fresh[position]) - start
            slices, first, due = self._slices(times, fresh, int(self._next[group]))
            self._next[group] = due
            keep[position] = start + first
            emissions.extend(
                (position, start + first, start + stop, start + index, tmax)
                for first, stop, index, tmax in slices
            )
        if not emissions:
            return _merged(others, keep)
        table = np.array(emissions, dtype=np.int64).T
        group, firsts, ends, trigger = (column.astype(np.intp) for column in table[:4])
        walked = Plan(group, firsts, ends, trigger, table[4], keep)
        return _merged([*others, walked], keep)

    def _slices(
        self, times: Sequence[int], fresh: int, due: int
    ) -> tuple[list[tuple[int, int, int, int]], int, int]:
        """The emissions of one group as (first, end, trigger, tmax)."""
        slices = []
        first = 0
        for index in range(fresh, len(times)):
            time = times[index]
            if time < due:
                continue
            each = not self._every
            # `first` never goes back, even if times do: as in the row form, points are
            # removed at the front
            oldest = time - self._period + 1 if each else due - self._period
            stop = index + 1 if each else index
            while first < stop and times[first] < oldest:
                first += 1
            slices.append((first, stop, index, time if each else due))
            due = time if each else self._after(time)
        if self._every:
            while first < len(times) and times[first] < due - self._period:
                first += 1
        return slices, first, due


class CountWindows:
    """Windows of the last `period` points, emitted every `every` points."""

    def __init__(self, period: int, every: int, *, fill_period: bool = False) -> None:
        self._period = period
        self._every = every
        self._first = period if fill_period else every
        self._seen: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._next: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._size = 0

    def add(self, times: Times) -> None:
        """Add groups, given the times of their first points."""
        end = self._size + len(times)
        if end > len(self._next):
            self._seen = np.resize(self._seen, max(16, 2 * end))
            self._next = np.resize(self._next, max(16, 2 * end))
        self._seen[self._size : end] = 0
        self._next[self._size : end] = self._first
        self._size = end

    @property
    def overlap(self) -> bool:
        """True if most points are in several windows."""
        return self._period > self._every

    def is_due(self, group: int, time: Nanoseconds) -> bool:
        """True if the next point causes an emission."""
        return bool(self._seen[group] + 1 == self._next[group])

    def take(self, group: int, points: list[Point], point: Point) -> Emission | None:
        """Put a point into a buffer; return the points to emit now."""
        points.append(point)
        if len(points) > self._period:
            del points[: len(points) - self._period]
        self._seen[group] += 1
        if self._seen[group] != self._next[group]:
            return None
        self._next[group] += self._every
        return Emission(tuple(points), point.time)

    def due(self, groups: Indices, latest: Times, counts: Indices) -> bool:
        """True if new points of these groups cause any emission."""
        return bool((self._seen[groups] + counts >= self._next[groups]).any())

    def skip(self, groups: Indices, counts: Indices) -> None:
        """Note new points of groups that are buffered and cause no emission."""
        self._seen[groups] += counts

    def plan(self, sequences: Sequences) -> Plan:
        """Plan the emissions that new points cause, in columns."""
        groups, times, starts, fresh = sequences
        seen, due = self._seen[groups], self._next[groups]
        # the points that cause emissions follow from counts alone, without a search
        total = seen + (starts[1:] - fresh)
        # floor division is negative until the next emission is due
        emissions = np.maximum((total - due) // self._every + 1, 0)
        group = np.repeat(np.arange(len(groups)), emissions)
        # 0, 1, 2 … within each group
        nth = np.arange(len(group)) - np.repeat(
            np.cumsum(emissions) - emissions, emissions
        )
        trigger = (fresh + due - seen - 1)[group] + nth * self._every
        first = np.maximum(trigger + 1 - self._period, starts[group])
        self._seen[groups] = total
        self._next[groups] = due + emissions * self._every
        keep = np.maximum(starts[1:] - self._period, starts[:-1])
        return Plan(group, first, trigger + 1, trigger, times[trigger], keep)


def _later(times: Times, by: Nanoseconds) -> Times:
    """Times later by `by`; `NEVER` for times beyond int64."""
    return np.minimum(times, NEVER - by) + by


def _earlier(times: Times, by: Nanoseconds) -> Times:
    """Times earlier by `by`, at least the smallest int64."""
    return np.maximum(times, by - NEVER) - by


def _within(times: Times, low: Nanoseconds, span: int) -> Times:
    """Times clipped to `span` from `low` on; several times as fast as `numpy.clip`."""
    return np.minimum(np.maximum(times, low), low + span - 1)


def _drop(points: list[Point], oldest: Nanoseconds) -> None:
    """Drop points from the front up to the first that is not older than `oldest`."""
    first = 0
    for point in points:
        if point.time >= oldest:
            break
        first += 1
    if first:
        del points[:first]


def _merged(plans: Sequence[Plan], keep: Indices) -> Plan:
    if len(plans) == 1:
        return plans[0]._replace(keep=keep)
    none: Indices = np.zeros(0, dtype=np.intp)
    every = [*plans, Plan(none, none, none, none, none.astype(np.int64), keep)]
    return Plan(
        np.concatenate([plan.group for plan in every]),
        np.concatenate([plan.first for plan in every]),
        np.concatenate([plan.end for plan in every]),
        np.concatenate([plan.trigger for plan in every]),
        np.concatenate([plan.tmax for plan in every]),
        keep,
    )
