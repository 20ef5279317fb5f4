"""The tags and fields of many rows, a column each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.frames.numbering import numbered
from runtime.frames.points import Value

FieldKind = Literal["float", "int", "string", "bool", "mixed"]
Rows = NDArray[np.intp]
TagsAndFields = tuple[dict[str, str], dict[str, Value]]


# So many cost less than finding out which of them are used.
_KEPT_VALUES = 256


class TagColumn(NamedTuple):
    """A tag of every row, coded by dictionary.

    Attributes:
        codes: int32, index into `values`; -1 where the row lacks the tag.
        values: the distinct values.
    """

    codes: NDArray[np.int32]
    values: Sequence[str]

    def picked(self, which: Rows) -> TagColumn:
        """Some rows, in the given order, with the values that these have.

        A part of a long write must not keep the memory of the whole write.
        """
        codes = self.codes[which]
        if len(self.values) <= _KEPT_VALUES + 4 * len(codes):
            return TagColumn(codes, self.values)
        found, places = np.unique(codes, return_inverse=True)
        absent = int(len(found) > 0 and found[0] < 0)
        values = [self.values[code] for code in found[absent:].tolist()]
        return TagColumn((places - absent).astype(np.int32), values)


class FieldColumn(NamedTuple):
    """A field of every row.

    Attributes:
        kind: decides the dtype: float64, int64, bool, or object for `string` (str)
            and for `mixed` (rows of different types; None where absent).
        values: one per row; undefined where absent.
        present: mask of the rows that have the field; None if all have it.
    """

    kind: FieldKind
    values: NDArray[np.float64 | np.int64 | np.bool_ | np.object_]
    present: NDArray[np.bool_] | None = None


class Columns(Protocol):
    """The source of a frame's values; `tag` and `field` may decode lazily."""

    @property
    def tag_names(self) -> Sequence[str]:
        """Tags that some row may have."""

    @property
    def field_names(self) -> Sequence[str]:
        """Fields that some row may have."""

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""

    def row(self, row: int) -> TagsAndFields:
        """Tags and fields of one row."""

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""


class Table:
    """Columns that are already decoded."""

    def __init__(
        self, tags: Mapping[str, TagColumn], fields: Mapping[str, FieldColumn]
    ) -> None:
        self._tags = tags
        self._fields = fields
        self.tag_names: Sequence[str] = tuple(tags)
        self.field_names: Sequence[str] = tuple(fields)

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        return self._tags.get(name)

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        return self._fields.get(name)

    def row(self, row: int) -> TagsAndFields:
        """Tags and fields of one row."""
        return row_of_columns(self._tags, self._fields, row)

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        return rows_of_columns(self._tags, self._fields, which)


def picked(columns: Columns, which: Rows) -> Columns:
    """A selection of rows, in the given order.

    Columns with a method `picked` can select rows without keeping the others.
    """
    own: Callable[[Rows], Columns] | None = getattr(columns, "picked", None)
    return Picked(columns, which) if own is None else own(which)


class Picked:
    """Some rows of other columns.

    Attributes:
        base: the columns.
        which: the rows of `base`, in order.
    """

    __slots__ = ("_fields", "_tags", "base", "which")

    def __init__(self, base: Columns, which: Rows) -> None:
        self.base = base
        self.which = which
        self._tags: dict[str, TagColumn | None] = {}
        self._fields: dict[str, FieldColumn | None] = {}

    @property
    def tag_names(self) -> Sequence[str]:
        """Tags that some row may have."""
        return self.base.tag_names

    @property
    def field_names(self) -> Sequence[str]:
        """Fields that some row may have."""
        return self.base.field_names

    def picked(self, which: Rows) -> Columns:
        """The given rows, in the given order."""
        return picked(self.base, self.which[which])

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        if name not in self._tags:
            column = self.base.tag(name)
            self._tags[name] = column and column.picked(self.which)
        return self._tags[name]

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        if name not in self._fields:
            column = self.base.field(name)
            self._fields[name] = column and FieldColumn(
                column.kind,
                column.values[self.which],
                None if column.present is None else column.present[self.which],
            )
        return self._fields[name]

    def row(self, row: int) -> TagsAndFields:
        """Tags and fields of one row."""
        return self.base.row(int(self.which[row]))

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        return self.base.rows(self.which[which])


def row_of_columns(
    tags: Mapping[str, TagColumn], fields: Mapping[str, FieldColumn], row: int
) -> TagsAndFields:
    """Tags and fields of one row."""
    found: dict[str, Value] = {}
    for name, column in fields.items():
        if column.present is None or column.present[row]:
            value = column.values[row]
            found[name] = value.item() if isinstance(value, np.generic) else value
    known = {
        name: column.values[code]
        for name, column in tags.items()
        if (code := column.codes[row]) >= 0
    }
    return known, found


_ABSENT = object()


def rows_of_columns(
    tags: Mapping[str, TagColumn], fields: Mapping[str, FieldColumn], which: Rows
) -> Sequence[TagsAndFields]:
    """Tags and fields of the given rows; rows with equal tags share them."""
    codes, first = numbered([c.codes[which] for c in tags.values()], len(which))
    known = [
        {
            name: column.values[code]
            for name, column in tags.items()
            if (code := column.codes[row]) >= 0
        }
        for row in which[first].tolist()
    ]
    values = [_values(column, which) for column in fields.values()]
    by_row = zip(*values, strict=True) if values else iter([()] * len(which))
    if all(column.present is None for column in fields.values()):
        some = [dict(zip(fields, row, strict=True)) for row in by_row]
    else:
        some = [
            {n: v for n, v in zip(fields, row, strict=True) if v is not _ABSENT}
            for row in by_row
        ]
    return [(known[c], each) for c, each in zip(codes.tolist(), some, strict=True)]


def _values(column: FieldColumn, which: Rows) -> list[Any]:
    values: list[Any] = column.values[which].tolist()
    if column.present is not None:
        for row in np.flatnonzero(~column.present[which]).tolist():
            values[row] = _ABSENT
    return values
