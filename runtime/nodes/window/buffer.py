"""Rows that wait in a window, as pointers to rows of frames."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.frames import (
    FieldColumn,
    Frame,
    Point,
    Rows,
    Table,
    TagColumn,
    TagsAndFields,
)
from runtime.nodes.columns import (
    Times,
    field_column,
    join_fields,
    join_tags,
    tag_column,
)
from runtime.nodes.sizes import of_frame

Numbers = NDArray[np.int64]
Pointers = NDArray[np.int64]

# A pointer is the number of a source above this many bits of the row's number.
_ROW_BITS = 32
_ROW_MASK = (1 << _ROW_BITS) - 1

# Bytes kept for each row: its group, time and pointer.
_POINTER = 24

# From this many rows on, converting the whole frame to points is faster.
_MANY_ROWS = 16
# From this many sources on, rows are copied out of sources that are mostly unused.
_MANY_SOURCES = 32


def row_of(pointers: Pointers) -> Rows:
    """The numbers of the rows in their frames."""
    return pointers & _ROW_MASK


class Gathered:
    """Columns whose rows come from several frames."""

    def __init__(self, sources: Sequence[Frame], pointers: Pointers) -> None:
        """Take the rows that `pointers` name."""
        self._sources = sources
        self._pointers = pointers
        self._positions: Rows | None = None
        self.tag_names: Sequence[str] = _union([each.tag_names for each in sources])
        self.field_names: Sequence[str] = _union([s.field_names for s in sources])

    def picked(self, which: Rows) -> Gathered:
        """The given rows, in the given order."""
        return Gathered(self._sources, self._pointers[which])

    def _joined(self) -> tuple[list[Frame], Rows]:
        """Frames to be joined, and the positions of the rows in the joined columns."""
        sources = list(self._sources)
        # with few rows of many large frames, copying the rows is cheaper than joining
        # entire columns; otherwise it is not, as it takes a copy for each frame
        if len(sources) > 4 and sum(map(len, sources)) > 4 * len(self._pointers):
            return self._picked()
        if self._positions is None:
            offsets = np.cumsum([0, *map(len, sources)])
            self._positions = offsets[self._pointers >> _ROW_BITS] + (
                self._pointers & _ROW_MASK
            )
        return sources, self._positions

    def _picked(self) -> tuple[list[Frame], Rows]:
        if self._positions is None:
            # in the order of frames, so that each frame is copied from once
            order = np.argsort(self._pointers >> _ROW_BITS, kind="stable")
            numbers = self._pointers[order] >> _ROW_BITS
            used, starts = np.unique(numbers, return_index=True)
            rows = np.split(self._pointers[order] & _ROW_MASK, starts[1:])
            # the copies replace the sources, and are used for further columns
            self._sources = [
                self._sources[number].take(each)
                for number, each in zip(used.tolist(), rows, strict=True)
            ]
            self._positions = np.empty(len(order), dtype=np.intp)
            self._positions[order] = np.arange(len(order))
            ends = np.repeat(np.arange(len(used)), [len(each) for each in rows])
            inside = np.concatenate([np.arange(len(each)) for each in rows])
            self._pointers = ((ends << _ROW_BITS) | inside)[self._positions]
        return list(self._sources), self._positions

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        frames, positions = self._joined()
        column = join_tags([(frame.tag(name), len(frame)) for frame in frames])
        return column and column.picked(positions)

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        frames, positions = self._joined()
        column = join_fields([(frame.field(name), len(frame)) for frame in frames])
        if column is None:
            return None
        present = None if column.present is None else column.present[positions]
        # rows without the field may not have been picked
        if present is not None and present.all():
            present = None
        return FieldColumn(column.kind, column.values[positions], present)

    def row(self, row: int) -> TagsAndFields:
        """Tags and fields of one row."""
        pointer = int(self._pointers[row])
        return self._sources[pointer >> _ROW_BITS].row(pointer & _ROW_MASK)

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        pointers = self._pointers[which]
        numbers = pointers >> _ROW_BITS
        found: list[TagsAndFields] = [({}, {})] * len(which)
        for number in np.unique(numbers).tolist():
            places = np.flatnonzero(numbers == number)
            rows = self._sources[number].rows(row_of(pointers[places]))
            for place, row in zip(places.tolist(), rows, strict=True):
                found[place] = row
        return found


def _union(names: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in names for name in each))


class Waiting(NamedTuple):
    """Rows that wait, in order of arrival inside each group.

    Attributes:
        groups: the group number of each row.
        times: times of the rows.
        pointers: position of each row.
    """

    groups: Numbers
    times: Times
    pointers: Pointers


class Buffer:
    """The rows of all groups of a window that arrived in columns."""

    def __init__(self) -> None:
        self._sources: list[Frame] = []
        self._parts: list[Waiting] = []
        self._index: dict[int, tuple[int, int]] | None = None
        self.size = 0

    def add(self, frame: Frame, groups: Numbers, rows: Rows) -> None:
        """Append rows of a frame."""
        number = len(self._sources)
        self._sources.append(frame)
        self.append(groups, frame.time[rows], rows | (number << _ROW_BITS))

    def append(self, groups: Numbers, times: Times, pointers: Pointers) -> None:
        """Append rows by pointers."""
        self._parts.append(Waiting(groups, times, pointers))
        # sorted again when a group is extracted
        self._index = None
        self.size += len(groups)

    def drain(self) -> Waiting:
        """Remove and return all rows; the buffer keeps its sources."""
        parts, self._parts, self._index, self.size = self._parts, [], None, 0
        if len(parts) == 1:
            return parts[0]
        none: Numbers = np.zeros(0, dtype=np.int64)
        parts = parts or [Waiting(none, none, none)]
        return Waiting(
            np.concatenate([part.groups for part in parts]),
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.pointers for part in parts]),
        )

    def extract(self, group: int) -> list[Point]:
        """Remove the rows of a group, and return them as points."""
        if not self.size:
            return []
        if self._index is None:
            self._sort()
        assert self._index is not None
        span = self._index.pop(group, None)
        if span is None:
            return []
        waiting = self._parts[0]
        pointers = waiting.pointers[slice(*span)]
        # marked as removed by group -1: removing them would move all other rows
        waiting.groups[slice(*span)] = -1
        points = self._points(pointers)
        # after the last group the frames are not needed any longer
        if not self._index:
            self._parts, self._sources, self.size = [], [], 0
        return points

    def _points(self, pointers: Pointers) -> list[Point]:
        if len(pointers) < _MANY_ROWS:
            rows = pointers.tolist()
            return [self._sources[r >> _ROW_BITS].point(r & _ROW_MASK) for r in rows]
        # rows of the same frame are consecutive
        numbers = pointers >> _ROW_BITS
        ends = [*(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(pointers)]
        points: list[Point] = []
        for start, end in itertools.pairwise([0, *ends]):
            source = self._sources[int(numbers[start])]
            points += source.take(row_of(pointers[start:end])).points()
        return points

    def count(self, group: int) -> int:
        """Number of rows of a group."""
        if self._index is not None:
            start, end = self._index.get(group, (0, 0))
            return end - start
        return sum(int(np.count_nonzero(each.groups == group)) for each in self._parts)

    def _sort(self) -> None:
        waiting = self.drain()
        alive = np.flatnonzero(waiting.groups >= 0)
        # a stable sort, as windows rely on the order of arrival inside a group
        order = alive[np.argsort(waiting.groups[alive], kind="stable")]
        waiting = Waiting(*(column[order] for column in waiting))
        groups, starts = np.unique(waiting.groups, return_index=True)
        ends = [*starts[1:].tolist(), len(order)]
        self.append(*waiting)
        self._index = {
            group: (start, end)
            for group, start, end in zip(
                groups.tolist(), starts.tolist(), ends, strict=True
            )
        }

    def held(self) -> int:
        """Estimated bytes of the rows and their frames."""
        return self.size * _POINTER + sum(map(of_frame, self._sources))

    @property
    def sources(self) -> Sequence[Frame]:
        """The frames that pointers refer to at present."""
        return tuple(self._sources)

    def compact(self) -> None:
        """Drop unused frames, and copy rows out of mostly unused ones."""
        waiting = self.drain()
        alive = waiting.groups >= 0
        if not alive.all():
            waiting = Waiting(*(column[alive] for column in waiting))
        numbers = waiting.pointers >> _ROW_BITS
        counts = np.bincount(numbers, minlength=len(self._sources))
        pointers = waiting.pointers
        used = np.flatnonzero(counts)
        if len(used) < len(self._sources):
            renumbered = np.zeros(len(self._sources), dtype=np.int64)
            renumbered[used] = np.arange(len(used))
            pointers = (renumbered[numbers] << _ROW_BITS) | (pointers & _ROW_MASK)
            self._sources = [self._sources[number] for number in used.tolist()]
        rows = sum(map(len, self._sources))
        # a slow group keeps a frame of thousands of rows alive, so its rows are copied.
        # Only if there are many frames, since each write would copy otherwise
        if len(used) >= _MANY_SOURCES and rows > 4 * len(pointers):
            copy = self._copied(pointers, waiting.times)
            self._sources = [copy]
            pointers = np.arange(len(pointers), dtype=np.int64)
        if len(pointers):
            self.append(waiting.groups, waiting.times, pointers)

    def _copied(self, pointers: Pointers, times: Times) -> Frame:
        gathered = Gathered(self.sources, pointers)
        first = self._sources[0]
        tags = {n: c for n in gathered.tag_names if (c := gathered.tag(n)) is not None}
        fields = {
            n: f for n in gathered.field_names if (f := gathered.field(n)) is not None
        }
        return Frame(
            first.name,
            times,
            Table(tags, fields),
            db=first.db,
            rp=first.rp,
            dimensions=first.dimensions,
        )


def frame_of_points(points: Sequence[Point]) -> Frame:
    """A frame of points that returns the same objects as its points."""
    return _PointFrame(points)


class _PointFrame(Frame):
    __slots__ = ()

    def __init__(self, points: Sequence[Point]) -> None:
        first = points[0]
        super().__init__(
            first.name,
            np.array([point.time for point in points], dtype=np.int64),
            _PointColumns(points),
            dimensions=first.dimensions,
        )
        self._points = list(points)


class _PointColumns:
    """Columns of points, built on request."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points
        self.tag_names: Sequence[str] = _union([tuple(p.tags) for p in points])
        self.field_names: Sequence[str] = _union([tuple(p.fields) for p in points])

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        if name not in self.tag_names:
            return None
        return tag_column(point.tags.get(name) for point in self._points)

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        return field_column([point.fields.get(name) for point in self._points])

    def row(self, row: int) -> TagsAndFields:
        """Tags and fields of one row."""
        point = self._points[row]
        return dict(point.tags), dict(point.fields)

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        return [self.row(row) for row in which.tolist()]
