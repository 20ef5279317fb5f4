"""What a write holds: its points in frames, and the order in which they came."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from runtime.frames import FieldColumn, FieldKind, Frame, Point, TagColumn, Value
from runtime.line_protocol.scanner import Row

_KINDS: dict[type, FieldKind] = {
    float: "float",
    int: "int",
    str: "string",
    bool: "bool",
}
_DTYPES: dict[FieldKind, type] = {
    "float": np.float64,
    "int": np.int64,
    "bool": np.bool_,
    "string": np.object_,
    "mixed": np.object_,
}


class Write:
    """The points of one write.

    Attributes:
        frames: one per measurement, in order of first appearance.
    """

    def __init__(
        self, frames: list[Frame], order: NDArray[np.int32] | None = None
    ) -> None:
        """Make a write; `order` has the index of each point's frame if there are several."""
        self.frames = frames
        self._order = order

    def __len__(self) -> int:
        return sum(map(len, self.frames))

    def runs(self, names: Collection[str] | None = None) -> Iterator[Frame]:
        """Frames of neighbours: points of one measurement with no other between them.

        Args:
            names: the measurements that matter; others are left out.
        """
        frames = [f for f in self.frames if names is None or f.name in names]
        if self._order is None or len(frames) < 2:
            yield from frames
            return
        order = self._order
        if len(frames) < len(self.frames):
            wanted = [names is None or f.name in names for f in self.frames]
            order = order[np.array(wanted)[order]]
        edges = np.flatnonzero(order[1:] != order[:-1]) + 1
        taken = [0] * len(self.frames)
        begin = 0
        for end in (*edges.tolist(), len(order)):
            which = int(order[begin])
            first = taken[which]
            taken[which] = last = first + end - begin
            yield self.frames[which].take(np.arange(first, last, dtype=np.intp))
            begin = end

    def points(self) -> Iterator[Point]:
        """All points, in order of arrival."""
        if self._order is None:
            for frame in self.frames:
                yield from frame.points()
            return
        sources = [iter(frame.points()) for frame in self.frames]
        for which in self._order.tolist():
            yield next(sources[which])


def write_of_rows(rows: Sequence[Row], db: str, rp: str) -> Write:
    """A write of points that are parsed already."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row[0], []).append(row)
    frames = [
        Frame(
            name,
            np.array([row[3] for row in some], dtype=np.int64),
            ParsedRows(some),
            db=db,
            rp=rp,
        )
        for name, some in by_name.items()
    ]
    if len(frames) < 2:
        return Write(frames)
    index = {name: number for number, name in enumerate(by_name)}
    return Write(frames, np.array([index[row[0]] for row in rows], dtype=np.int32))


class ParsedRows:
    """Rows as columns: each is made when it is first asked for."""

    __slots__ = ("_fields", "_names", "_rows", "_tags")

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._names: tuple[Sequence[str], Sequence[str]] | None = None
        self._tags: dict[str, TagColumn | None] = {}
        self._fields: dict[str, FieldColumn | None] = {}

    @property
    def tag_names(self) -> Sequence[str]:
        """Tags that some row has, in order of appearance."""
        return self._all_names()[0]

    @property
    def field_names(self) -> Sequence[str]:
        """Fields that some row has, in order of appearance."""
        return self._all_names()[1]

    def _all_names(self) -> tuple[Sequence[str], Sequence[str]]:
        if self._names is None:
            tags: dict[str, None] = {}
            fields: dict[str, None] = {}
            for _, row_tags, row_fields, _ in self._rows:
                tags.update(dict.fromkeys(row_tags))
                fields.update(dict.fromkeys(row_fields))
            self._names = tuple(tags), tuple(fields)
        return self._names

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        if name not in self._tags:
            self._tags[name] = tag_column([row[1].get(name) for row in self._rows])
        return self._tags[name]

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        if name not in self._fields:
            values = [row[2].get(name) for row in self._rows]
            self._fields[name] = field_column(values)
        return self._fields[name]

    def row(self, row: int) -> tuple[dict[str, str], dict[str, Value]]:
        """Tags and fields of one row."""
        _, tags, fields, _ = self._rows[row]
        return tags, fields


def tag_column(tags: Sequence[str | None]) -> TagColumn | None:
    """A column of one tag per row; None for absent ones, None if all are."""
    known: dict[str | None, int] = {None: -1}
    codes = [known.setdefault(tag, len(known) - 1) for tag in tags]
    if len(known) == 1:
        return None
    values = [value for value in known if value is not None]
    return TagColumn(np.array(codes, dtype=np.int32), values)


def field_column(values: Sequence[Value]) -> FieldColumn | None:
    """A column of one value per row; None for absent ones, None if all are."""
    types = set(map(type, values))
    absent = type(None) in types
    types.discard(type(None))
    if not types:
        return None
    kind = _KINDS[types.pop()]
    if types:
        kind = "mixed"
    present = np.array([v is not None for v in values]) if absent else None
    if absent and kind in ("float", "int", "bool"):
        values = [0 if value is None else value for value in values]
    return FieldColumn(kind, np.array(values, dtype=_DTYPES[kind]), present)
