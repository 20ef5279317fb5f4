"""Nodes with several parents: `union` and `join`."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from runtime.errors import TaskError
from runtime.frames import Batch, Dimensions, Point, Value
from runtime.nodes.budget import GROUP
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier, Node
from runtime.nodes.sizes import of_item
from runtime.pipeline import merge as pipeline
from runtime.units import Nanoseconds, round_half_up


class Port(Node):
    """The input of a node that has several parents."""

    def __init__(self, node: MergingNode, number: int) -> None:
        super().__init__(node, node.environment)
        self._node = node
        self._number = number

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self._node.take(self._number, point)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self._node.take(self._number, batch)

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier: a group is complete up to a time."""
        self._node.take_barrier(self._number, barrier)

    def stats(self) -> dict[str, int]:
        """The counters of the node."""
        return self._node.stats()


class MergingNode(Node, ABC):
    """A node that distinguishes its parents."""

    def __init__(
        self,
        spec: pipeline.UnionNode | pipeline.JoinNode,
        environment: Environment,
    ) -> None:
        super().__init__(spec, environment)
        self._ports = [Port(self, number) for number in range(len(spec.parents))]

    def input(self, number: int) -> Node:
        """The input for the parent of that number."""
        return self._ports[number]

    @abstractmethod
    def take(self, source: int, item: Point | Batch) -> None:
        """Take the points of a parent."""

    def take_barrier(self, source: int, barrier: Barrier) -> None:
        """Receive a barrier of a parent."""

    def emit(self, item: Point | Batch) -> None:
        """Pass a point or a batch to every child."""
        if isinstance(item, Point):
            self.emit_point(item)
        else:
            self.emit_batch(item)

    @property
    def collected(self) -> int:
        """The number of received points."""
        return sum(port.collected for port in self._ports)


def time_of(item: Point | Batch | Barrier) -> Nanoseconds:
    """The time of a point, a batch or a barrier."""
    return item.tmax if isinstance(item, Batch) else item.time


class UnionNode(MergingNode):
    """Merges the output of its parents, ordered by time and then by parent.

    Points, batches and barriers wait until every parent has reached their time.
    """

    def __init__(self, spec: pipeline.UnionNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._rename = spec.rename
        self._queues: list[deque[Point | Batch | Barrier]] = [
            deque() for _ in spec.parents
        ]
        self._marks: list[Nanoseconds | None] = [None for _ in spec.parents]

    def take(self, source: int, item: Point | Batch) -> None:
        """Take the points of a parent."""
        self._queues[source].append(item)
        self._advance(source, time_of(item))

    def take_barrier(self, source: int, barrier: Barrier) -> None:
        """Receive a barrier of a parent."""
        self._queues[source].append(barrier)
        self._advance(source, barrier.time)

    def flush(self) -> None:
        """Emit the waiting points; the task's input has ended."""
        self._release(None)

    def held(self) -> int:
        """Bytes of points that wait for the other parents."""
        # an estimate from the first item of each queue, as summing up all is slow
        firsts = ((queue[0], len(queue)) for queue in self._queues if queue)
        return sum(
            GROUP if isinstance(first, Barrier) else of_item(first) * number
            for first, number in firsts
        )

    def _advance(self, source: int, time: Nanoseconds) -> None:
        mark = self._marks[source]
        self._marks[source] = time if mark is None else max(mark, time)
        # a parent that has sent nothing delays all others, as it may send older points
        known = [mark for mark in self._marks if mark is not None]
        if len(known) == len(self._marks):
            self._release(min(known))

    def _release(self, mark: Nanoseconds | None) -> None:
        ready: list[Point | Batch | Barrier] = []
        for queue in self._queues:
            while queue and (mark is None or time_of(queue[0]) <= mark):
                ready.append(queue.popleft())
        # the sort is stable and the queues were emptied in the order of the parents, so
        # this is the order for equal times. Merging the queues would not do, since a
        # queue may be out of order
        ready.sort(key=time_of)
        for item in ready:
            if isinstance(item, Barrier):
                self.barrier(item)
            else:
                self.emit(self._renamed(item))

    def _renamed(self, item: Point | Batch) -> Point | Batch:
        if not self._rename:
            return item
        name = self._rename
        if isinstance(item, Point):
            point = item
            return Point(
                name,
                point.time,
                point.tags,
                point.fields,
                point.dimensions,
                point.db,
                point.rp,
            )
        return Batch(name, item.tags, item.tmax, item.points, item.dimensions)


class _Moment:
    """Items of the parents for one time: sets of at most one item each.

    Attributes:
        time: the time, rounded.
        sets: sets in order; several if a parent sent several items.
    """

    __slots__ = ("_filled", "_sources", "sets", "time")

    def __init__(self, time: Nanoseconds, sources: int) -> None:
        self.time = time
        self.sets: deque[_Set] = deque()
        self._sources = sources
        # for each parent, the number of sets with an item of it
        self._filled = [0] * sources

    def put(self, source: int, item: Point | Batch) -> None:
        """Put an item into the first set that lacks one of its parent."""
        index = self._filled[source]
        if index == len(self.sets):
            self.sets.append([None] * self._sources)
        self.sets[index][source] = item
        self._filled[source] += 1

    def take(self) -> _Set:
        """Remove and return the first set."""
        # the numbers count the remaining sets
        self._filled = [max(0, number - 1) for number in self._filled]
        return self.sets.popleft()


_Set = list[Point | Batch | None]


def _is_complete(items: _Set) -> bool:
    """True if the set has an item of every parent."""
    return all(item is not None for item in items)


@dataclass(slots=True)
class _Joined:
    """Points of one group that wait.

    Attributes:
        marks: time that each parent has reached.
        moments: moments by time.
        times: a heap of the times of `moments`.
    """

    marks: list[Nanoseconds | None]
    moments: dict[Nanoseconds, _Moment] = field(default_factory=dict)
    times: list[Nanoseconds] = field(default_factory=list)


class JoinNode(MergingNode):
    """Joins the items of its parents for the same group and the same time."""

    def __init__(self, spec: pipeline.JoinNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._names = tuple(spec.as_names)
        self._on = tuple(sorted(spec.on))
        self._delimiter = spec.delimiter
        self._tolerance = int(spec.tolerance)
        self._stream_name = spec.stream_name
        self._outer, self._fill = _filling(spec.fill)
        self._groups: dict[str, _Joined] = {}
        self._general: list[dict[str, list[Point | Batch]]] = [{} for _ in self._names]
        self._specific: dict[str, dict[str, None]] = {}

    def take(self, source: int, item: Point | Batch) -> None:
        """Take the points of a parent."""
        if not self._on:
            self._put(source, item.group, item)
            return
        # the tags of `on` only, so several finer groups share a key
        key = _on_key(item, self._on)
        if item.dimensions.tags == self._on:
            # a coarser parent's item is joined with each finer group, present or future
            self._general[source].setdefault(key, []).append(item)
            for group in self._specific.get(key, ()):
                self._put(source, group, item)
            return
        groups = self._specific.setdefault(key, {})
        if item.group not in groups:
            groups[item.group] = None
            # a new finer group gets earlier items of the coarser parents, as parents do
            # not wait for each other
            for other, general in enumerate(self._general):
                for earlier in general.get(key, ()):
                    self._put(other, item.group, earlier)
        self._put(source, item.group, item)
        self._trim(key, self._time(item))

    def _trim(self, key: str, time: Nanoseconds) -> None:
        """Drop coarser items that are too old to be joined with a new finer group."""
        for general in self._general:
            items = general.get(key)
            if items:
                general[key] = [item for item in items if self._time(item) >= time]

    def take_barrier(self, source: int, barrier: Barrier) -> None:
        """Receive a barrier of a parent."""
        joined = self._groups.get(barrier.group)
        if joined is not None:
            # a barrier moves the mark like a point, but adds nothing to a set
            mark = joined.marks[source]
            joined.marks[source] = max(barrier.time, mark or barrier.time)
            self._release(joined)
        self.barrier(barrier)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        self._groups.pop(group, None)

    def flush(self) -> None:
        """Emit the waiting points; the task's input has ended."""
        for joined in self._groups.values():
            for time in sorted(joined.times):
                for each in joined.moments[time].sets:
                    self._join(each, time)
            joined.moments.clear()
            joined.times.clear()

    @property
    def working_cardinality(self) -> int:
        """The number of groups that are joined."""
        return len(self._groups)

    def held(self) -> int:
        """Bytes of points that wait for those of the other parents."""
        waiting = 0
        for joined in self._groups.values():
            some = joined.moments[joined.times[0]].sets if joined.times else ()
            # empty while its last set is being emitted
            if some:
                each = sum(of_item(item) for item in some[0] if item is not None)
                waiting += each * len(some) * len(joined.times)
        for general in self._general:
            for items in general.values():
                waiting += of_item(items[0]) * len(items) if items else 0
        return super().held() + waiting

    def _time(self, item: Point | Batch) -> Nanoseconds:
        return round_half_up(time_of(item), self._tolerance)

    def _put(self, source: int, group: str, item: Point | Batch) -> None:
        joined = self._groups.get(group)
        if joined is None:
            joined = self._groups[group] = _Joined([None for _ in self._names])
        time = self._time(item)
        moment = joined.moments.get(time)
        if moment is None:
            moment = joined.moments[time] = _Moment(time, len(self._names))
            heapq.heappush(joined.times, time)
        moment.put(source, item)
        mark = joined.marks[source]
        joined.marks[source] = time if mark is None else max(mark, time)
        self._release(joined)

    def _release(self, joined: _Joined) -> None:
        """Emit complete sets, and those that stay incomplete, in order of time."""
        known = [mark for mark in joined.marks if mark is not None]
        # no more items come for times before that of the slowest parent
        passed = min(known) if len(known) == len(joined.marks) else None
        while joined.times:
            time = joined.times[0]
            moment = joined.moments[time]
            has_passed = passed is not None and time < passed
            # a complete set is emitted at once, but not before older sets: children rely
            # on the order of time
            while moment.sets and (has_passed or _is_complete(moment.sets[0])):
                self._join(moment.take(), time)
            if moment.sets:
                return
            del joined.moments[time]
            heapq.heappop(joined.times)

    def _join(self, items: _Set, time: Nanoseconds) -> None:
        if not self._outer and not _is_complete(items):
            return
        points = [item if isinstance(item, Point) else None for item in items]
        # all parents of a join emit points, or all emit batches
        if any(points):
            self.emit_point(self._joined_point(points, time))
        else:
            self._join_batches(items, time)

    def _joined_point(self, points: list[Point | None], time: Nanoseconds) -> Point:
        finest = max(
            (point for point in points if point is not None),
            key=lambda point: len(point.dimensions.tags),
        )
        tags = finest.dimensions.group_tags(finest.tags)
        return self._made(points, time, tags, finest.dimensions)

    def _made(
        self,
        points: list[Point | None],
        time: Nanoseconds,
        tags: Mapping[str, str],
        dimensions: Dimensions,
    ) -> Point:
        present = [point for point in points if point is not None]
        # a parent without a point gets the fields of the others, with the fill value
        names = dict.fromkeys(name for point in present for name in point.fields)
        fields: dict[str, Value] = {}
        for prefix, point in zip(self._names, points, strict=True):
            of_point: Mapping[str, Value] = (
                dict.fromkeys(names, self._fill) if point is None else point.fields
            )
            for name, value in of_point.items():
                fields[f"{prefix}{self._delimiter}{name}"] = value
        name = self._stream_name or present[0].name
        return Point(name, time, tags, fields, dimensions)

    def _join_batches(self, items: _Set, moment: Nanoseconds) -> None:
        batches = [item if isinstance(item, Batch) else None for item in items]
        present = [batch for batch in batches if batch is not None]
        finest = max(present, key=lambda batch: len(batch.dimensions.tags))
        rows: dict[Nanoseconds, list[list[Point | None]]] = {}
        for source, batch in enumerate(batches):
            for point in batch.points if batch is not None else ():
                time = self._time(point)
                # added to the first row of that time without this parent, so that n
                # points of one time on both sides make n rows, not n times n
                for row in rows.setdefault(time, []):
                    if row[source] is None:
                        row[source] = point
                        break
                else:
                    fresh: list[Point | None] = [None for _ in batches]
                    fresh[source] = point
                    rows[time].append(fresh)
        points = [
            self._made(row, time, finest.tags, finest.dimensions)
            for time in sorted(rows)
            for row in rows[time]
            if self._outer or all(point is not None for point in row)
        ]
        self.emit_batch(
            Batch(
                self._stream_name or present[0].name,
                finest.tags,
                moment,
                points,
                finest.dimensions,
            )
        )


def _filling(fill: object) -> tuple[bool, Value]:
    """True if incomplete sets are joined, and the value of missing fields.

    Raises:
        TaskError: `fill` is an unknown word.
    """
    if isinstance(fill, str) and fill not in ("null", "none"):
        raise TaskError(f"unexpected fill option {fill}")
    # durations and booleans are integers in Python, but are not fill values
    number = fill if type(fill) in (int, float) else None
    return fill == "null" or number is not None, cast("Value", number)


def _on_key(item: Point | Batch, tags: tuple[str, ...]) -> str:
    return Dimensions(tags=tags).group_id("", item.tags)
