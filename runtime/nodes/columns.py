"""Columns derived from other columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from runtime.frames import (
    Columns,
    FieldColumn,
    FieldKind,
    Frame,
    Rows,
    TagColumn,
    TagsAndFields,
    Value,
    row_of_columns,
    rows_of_columns,
)
from runtime.units import EARLIEST, LATEST, ZERO_TIME, Nanoseconds

Times = NDArray[np.int64]

_DTYPES: dict[FieldKind, type] = {
    "float": np.float64,
    "int": np.int64,
    "bool": np.bool_,
    "string": object,
    "mixed": object,
}


class Overlay:
    """Columns of which some are replaced, added or removed.

    A column is decoded on first use only.
    """

    def __init__(
        self,
        base: Columns,
        *,
        fields: Mapping[str, FieldColumn | None] | None = None,
        tags: Mapping[str, TagColumn | None] | None = None,
        keep_fields: bool = True,
    ) -> None:
        """Lay columns over `base`; None removes a column.

        Without `keep_fields` all fields of `base` are removed.
        """
        self._base = base
        self._fields = dict(fields or {})
        self._tags = dict(tags or {})
        self._keep_fields = keep_fields
        kept = base.field_names if keep_fields else ()
        self.field_names: Sequence[str] = _names(kept, self._fields)
        self.tag_names: Sequence[str] = _names(base.tag_names, self._tags)

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        if name in self._tags:
            return self._tags[name]
        return self._base.tag(name)

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        if name in self._fields:
            return self._fields[name]
        return self._base.field(name) if self._keep_fields else None

    def row(self, row: int) -> TagsAndFields:
        """Tags and fields of one row."""
        over = row_of_columns(_present(self._tags), _present(self._fields), row)
        return self._laid(self._base.row(row), over)

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        base = self._base.rows(which)
        over = rows_of_columns(_present(self._tags), _present(self._fields), which)
        return [self._laid(*each) for each in zip(base, over, strict=True)]

    def _laid(self, base: TagsAndFields, over: TagsAndFields) -> TagsAndFields:
        """One row of `base` with its replacements."""
        (tags, fields), (more_tags, more_fields) = base, over
        if self._tags:
            tags = {n: v for n, v in tags.items() if n not in self._tags}
            tags |= more_tags
        if not self._keep_fields:
            fields = more_fields
        elif self._fields:
            fields = {n: v for n, v in fields.items() if n not in self._fields}
            fields |= more_fields
        return tags, fields


ColumnT = TypeVar("ColumnT")


def _present(columns: Mapping[str, ColumnT | None]) -> dict[str, ColumnT]:
    return {name: each for name, each in columns.items() if each is not None}


def _names(base: Iterable[str], over: Mapping[str, object]) -> tuple[str, ...]:
    names = dict.fromkeys(name for name in base if over.get(name, name) is not None)
    names.update(dict.fromkeys(n for n, column in over.items() if column is not None))
    return tuple(names)


def derived(
    base: Frame,
    *,
    fields: Mapping[str, FieldColumn | None] | None = None,
    tags: Mapping[str, TagColumn | None] | None = None,
    keep_fields: bool = True,
) -> Frame:
    """A frame of the same rows, with columns as in `Overlay`."""
    return Frame(
        base.name,
        base.time,
        Overlay(base.columns, fields=fields, tags=tags, keep_fields=keep_fields),
        db=base.db,
        rp=base.rp,
        dimensions=base.dimensions,
        groups=None if tags else base.known_groups,
    )


def tag_column(values: Iterable[str | None]) -> TagColumn:
    """A tag column of the given values; None where a row lacks the tag."""
    known: dict[str, int] = {}
    codes = [-1 if v is None else known.setdefault(v, len(known)) for v in values]
    return TagColumn(np.array(codes, dtype=np.int32), list(known))


def field_column(values: Sequence[Value]) -> FieldColumn | None:
    """A field column of the given values; None where a row lacks the field."""
    present = np.array([value is not None for value in values], dtype=np.bool_)
    kinds = {kind_of(value) for value in values if value is not None}
    if not kinds:
        return None
    kind = kinds.pop() if len(kinds) == 1 else "mixed"
    # object first: from the values numpy would guess a type, and might turn TRUE into 1
    array: NDArray[Any] = np.empty(len(values), dtype=object)
    array[:] = values
    if present.all():
        return FieldColumn(kind, array.astype(_DTYPES[kind]))
    array[~present] = _blank(kind)
    return FieldColumn(kind, array.astype(_DTYPES[kind]), present)


def _blank(kind: FieldKind) -> Value:
    blanks: dict[FieldKind, Value] = {
        "float": 0.0,
        "int": 0,
        "bool": False,
        "string": "",
        "mixed": None,
    }
    return blanks[kind]


def kind_of(value: object) -> FieldKind:
    """The kind of column for a value; `mixed` for unusual types."""
    return _KINDS.get(type(value), "mixed")


_KINDS: dict[type, FieldKind] = {
    float: "float",
    int: "int",
    bool: "bool",
    str: "string",
}


def join_fields(parts: Sequence[tuple[FieldColumn | None, int]]) -> FieldColumn | None:
    """Concatenate field columns; each comes with its number of rows."""
    columns = [column for column, _ in parts if column is not None]
    if not columns:
        return None
    # not copied, as columns are never written to
    if len(parts) == 1:
        return columns[0]
    kinds = {column.kind for column in columns}
    # ints and floats of the same field keep their types, row by row
    kind: FieldKind = columns[0].kind if len(kinds) == 1 else "mixed"
    dtype = _DTYPES[kind]
    values: list[NDArray[Any]] = [
        (
            np.zeros(size, dtype=dtype)
            if column is None
            else column.values.astype(dtype, copy=False)
        )
        for column, size in parts
    ]
    if all(column is not None and column.present is None for column, _ in parts):
        return FieldColumn(kind, np.concatenate(values))
    present = [
        (
            np.zeros(size, dtype=np.bool_)
            if column is None
            else np.ones(size, np.bool_) if column.present is None else column.present
        )
        for column, size in parts
    ]
    return FieldColumn(kind, np.concatenate(values), np.concatenate(present))


def join_tags(parts: Sequence[tuple[TagColumn | None, int]]) -> TagColumn | None:
    """Concatenate tag columns; each comes with its number of rows."""
    if all(column is None for column, _ in parts):
        return None
    known: dict[str, int] = {}
    codes = []
    for column, size in parts:
        if column is None:
            codes.append(np.full(size, -1, dtype=np.int32))
            continue
        # code -1 refers to an additional item at the end
        table = [known.setdefault(value, len(known)) for value in column.values]
        codes.append(np.array([*table, -1], dtype=np.int32)[column.codes])
    return TagColumn(np.concatenate(codes), list(known))


def moved(times: Times, by: Nanoseconds) -> Times:
    """Times later by `by`, saturated like `runtime.units.saturated`."""
    if by < 0:
        return np.maximum(times, EARLIEST - by) + by
    return np.minimum(times, LATEST - by) + by


def truncated(times: Times, step: Nanoseconds) -> Times:
    """Times floored to multiples of `step`, counted from year 1."""
    # the earliest time takes the place of multiples before it
    rest = beyond_multiples(times, step)
    return np.maximum(times, EARLIEST + rest) - rest


def rounded(times: Times, step: Nanoseconds) -> Times:
    """Times rounded to multiples of `step`, halves up."""
    rest = beyond_multiples(times, step)
    more = step - rest
    return np.where(
        rest < more,
        np.maximum(times, EARLIEST + rest) - rest,
        np.minimum(times, LATEST - more) + more,
    )


def beyond_multiples(times: Times, step: Nanoseconds) -> Times:
    """Distances of times from the last multiple of `step`, counted from year 1."""
    # year 1 in nanoseconds does not fit into 64 bits, so it is reduced first
    return (times % step - ZERO_TIME % step) % step
