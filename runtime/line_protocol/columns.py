"""Columns that are built on first use: from rows, bytes, or parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.frames import (
    Columns,
    FieldColumn,
    FieldKind,
    Rows,
    TagColumn,
    TagsAndFields,
    Value,
    rows_of_columns,
)
from runtime.line_protocol import numbers
from runtime.line_protocol.codes import dictionary
from runtime.line_protocol.rows import parse_row
from runtime.line_protocol.scanner import Row
from runtime.line_protocol.shapes import Block, booleans
from runtime.line_protocol.text import Positions
from runtime.line_protocol.times import Times

_KINDS: dict[type, FieldKind] = {
    float: "float",
    int: "int",
    str: "string",
    bool: "bool",
}
DTYPES: dict[FieldKind, type] = {
    "float": np.float64,
    "int": np.int64,
    "bool": np.bool_,
    "string": np.object_,
    "mixed": np.object_,
}
_SPARSE = 16
"""If less than one row in this many is needed, decoding single rows is cheaper."""
_ANY_TIME = Times(step=1, default=0)


class ParsedRows:
    """Rows as columns, each built on first use."""

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

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows."""
        rows = self._rows
        return [rows[row][1:3] for row in which.tolist()]


def tag_column(tags: Sequence[str | None]) -> TagColumn | None:
    """A column of one tag per row, None for an absent one; None if all are absent."""
    known: dict[str | None, int] = {None: -1}
    codes = [known.setdefault(tag, len(known) - 1) for tag in tags]
    if len(known) == 1:
        return None
    values = [value for value in known if value is not None]
    return TagColumn(np.array(codes, dtype=np.int32), values)


def field_column(values: Sequence[Value]) -> FieldColumn | None:
    """A column of one value per row, None for an absent one; None if all are absent."""
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
    return FieldColumn(kind, np.array(values, dtype=DTYPES[kind]), present)


class BlockColumns:
    """The columns of lines of one shape."""

    __slots__ = (
        "_block",
        "_fields",
        "_one_by_one",
        "_tags",
        "field_names",
        "tag_names",
    )

    def __init__(self, block: Block) -> None:
        self._block = block
        self.tag_names: Sequence[str] = tuple(block.shape.tags)
        self.field_names: Sequence[str] = tuple(block.shape.fields)
        self._tags: dict[str, TagColumn] = {}
        self._fields: dict[str, FieldColumn] = {}
        self._one_by_one: dict[int, TagsAndFields] = {}

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        if name not in self._block.shape.tags:
            return None
        if name not in self._tags:
            span = self._block.span(self._block.shape.tags[name])
            self._tags[name] = TagColumn(*dictionary(self._block.text, *span))
        return self._tags[name]

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        if name not in self._block.shape.fields:
            return None
        if name not in self._fields:
            self._fields[name] = self._decode(self._block.shape.fields[name])
        return self._fields[name]

    def _decode(self, piece: int) -> FieldColumn:
        text = self._block.text
        starts, ends = self._block.span(piece)
        match self._block.shape.pieces[piece].kind:
            case "float":
                return FieldColumn("float", numbers.floats(text, starts, ends))
            case "int":
                return FieldColumn("int", numbers.integers(text, starts, ends - 1))
            case "bool":
                return FieldColumn("bool", booleans(text, starts, ends))
        codes, values = dictionary(text, starts, ends)
        return FieldColumn("string", np.array(values, dtype=np.object_)[codes])

    def row(self, row: int) -> TagsAndFields:
        """Tags and fields of one row, decoded from its bytes; cached."""
        found = self._one_by_one.get(row)
        if found is None:
            block = self._block
            line = block.text.slice(int(block.starts[row]), int(block.marks[-1, row]))
            parsed = parse_row(line, _ANY_TIME)
            found = ({}, {}) if parsed is None else (parsed[1], parsed[2])
            self._one_by_one[row] = found
        return found

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        if len(which) * _SPARSE < len(self._block):
            return [self.row(row) for row in which.tolist()]
        return rows_of_columns(*_all_columns(self), which)


class MergedColumns:
    """Columns joined from parts that have different rows of a frame."""

    def __init__(self, parts: Sequence[tuple[Columns, Positions]]) -> None:
        """Join the columns of parts, each with the numbers of its rows in the frame."""
        self._parts = parts
        self._size = sum(len(rows) for _, rows in parts)
        self._tags: dict[str, TagColumn | None] = {}
        self._fields: dict[str, FieldColumn | None] = {}
        self._places: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None
        self.tag_names: Sequence[str] = _union([p.tag_names for p, _ in parts])
        self.field_names: Sequence[str] = _union([p.field_names for p, _ in parts])

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        if name not in self._tags:
            found = [(part.tag(name), rows) for part, rows in self._parts]
            self._tags[name] = self._merge_tags([(c, r) for c, r in found if c])
        return self._tags[name]

    def _merge_tags(
        self, found: Sequence[tuple[TagColumn, Positions]]
    ) -> TagColumn | None:
        if not found:
            return None
        known: dict[str, int] = {}
        codes = np.full(self._size, -1, dtype=np.int32)
        for column, rows in found:
            renumbered = [known.setdefault(v, len(known)) for v in column.values]
            # code -1, an absent tag, picks the last item
            codes[rows] = np.array([*renumbered, -1], dtype=np.int32)[column.codes]
        return TagColumn(codes, list(known))

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        if name not in self._fields:
            found = [(part.field(name), rows) for part, rows in self._parts]
            self._fields[name] = self._merge_fields([(c, r) for c, r in found if c])
        return self._fields[name]

    def _merge_fields(
        self, found: Sequence[tuple[FieldColumn, Positions]]
    ) -> FieldColumn | None:
        if not found:
            return None
        kinds = {column.kind for column, _ in found}
        kind: FieldKind = kinds.pop() if len(kinds) == 1 else "mixed"
        filler = None if DTYPES[kind] is np.object_ else 0
        values: NDArray[Any] = np.full(self._size, filler, dtype=DTYPES[kind])
        present = np.zeros(self._size, dtype=np.bool_)
        for column, rows in found:
            part = column.values
            # mixed columns need Python's own numbers, which only `tolist` gives
            values[rows] = part.tolist() if kind == "mixed" else part
            present[rows] = True if column.present is None else column.present
        if kind == "mixed":
            values[~present] = None
        return FieldColumn(kind, values, None if present.all() else present)

    def row(self, row: int) -> tuple[dict[str, str], dict[str, Value]]:
        """Tags and fields of one row."""
        if self._places is None:
            which = np.empty(self._size, dtype=np.intp)
            place = np.empty(self._size, dtype=np.intp)
            for number, (_, rows) in enumerate(self._parts):
                which[rows] = number
                place[rows] = np.arange(len(rows))
            self._places = which, place
        which, place = self._places
        part, _ = self._parts[int(which[row])]
        return part.row(int(place[row]))

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        if len(which) * _SPARSE < self._size:
            return [self.row(row) for row in which.tolist()]
        return rows_of_columns(*_all_columns(self), which)


def _all_columns(
    columns: Columns,
) -> tuple[dict[str, TagColumn], dict[str, FieldColumn]]:
    return (
        {name: tag for name in columns.tag_names if (tag := columns.tag(name))},
        {name: f for name in columns.field_names if (f := columns.field(name))},
    )


def _union(names: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))
