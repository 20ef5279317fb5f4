"""Answers of InfluxDB: series, with a column for the time and for each field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from runtime.errors import DeliveryError
from runtime.frames.columns import FieldColumn, FieldKind

_TIME = "time"
_KINDS: dict[frozenset[type], FieldKind] = {
    frozenset((bool,)): "bool",
    frozenset((str,)): "string",
}
_NUMBERS = {int, float}
_NOTHING = type(None)
_EMPTY: NDArray[np.int64] = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Series:
    """Rows of one series.

    Attributes:
        name: measurement; in answers to `SHOW …` perhaps a database.
        tags: tags that the rows are grouped by.
        columns: names of all columns in order, usually with `time` first.
        time: int64, ns since 1970 UTC, one per row; empty without a column `time`.
        fields: the other columns by name, in order. Numbers are floats, as in
            Kapacitor. Null is absent: `present` is False there.
        partial: True if the next series continues this one.
        count: number of rows.
    """

    name: str
    tags: Mapping[str, str]
    columns: Sequence[str]
    time: NDArray[np.int64]
    fields: Mapping[str, FieldColumn]
    partial: bool
    count: int

    def __len__(self) -> int:
        return self.count

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """The rows one by one, for statements with short answers; null is None."""
        columns = {name: _listed(column) for name, column in self.fields.items()}
        if len(self.time):
            columns = {_TIME: self.time.tolist(), **columns}
        for row in zip(*columns.values(), strict=True):
            yield dict(zip(columns, row, strict=True))


class _Rows(msgspec.Struct):
    name: str = ""
    tags: dict[str, str] = {}
    columns: list[str] = []
    values: list[list[Any]] = []
    partial: bool = False


class _Result(msgspec.Struct):
    series: list[_Rows] = []
    error: str = ""


class _Document(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""


_decoder = msgspec.json.Decoder(_Document)


def decoded(document: bytes | bytearray) -> Iterator[Series]:
    """The series in one JSON document of an answer.

    Raises:
        DeliveryError: the document is invalid, or InfluxDB reports an error.
    """
    try:
        found = _decoder.decode(document)
    except (msgspec.DecodeError, RecursionError):
        raise DeliveryError("failed to decode JSON of InfluxDB's answer") from None
    for error in (found.error, *(each.error for each in found.results)):
        if error:
            raise DeliveryError(error, status=200)
    for result in found.results:
        for rows in result.series:
            yield _series(rows)


def _series(rows: _Rows) -> Series:
    """The rows of a document as columns."""
    count = len(rows.values)
    try:
        columns = dict(
            zip(rows.columns, zip(*rows.values, strict=True), strict=True)
            if count
            else zip(rows.columns, repeat(()), strict=False)
        )
        times = columns.pop(_TIME, None)
        time = _EMPTY if times is None else _times(times)
    except (ValueError, OverflowError):
        raise DeliveryError("failed to read the rows of InfluxDB's answer") from None
    fields = {name: field_column(values) for name, values in columns.items()}
    return Series(
        rows.name, rows.tags, tuple(rows.columns), time, fields, rows.partial, count
    )


def _times(values: Sequence[Any]) -> NDArray[np.int64]:
    if not set(map(type, values)) <= {int}:
        shown = next(each for each in values if type(each) is not int)
        raise DeliveryError(f"unexpected time value: {shown}")
    return np.fromiter(values, np.int64, len(values))


def field_column(values: Sequence[Any]) -> FieldColumn:
    """Values from JSON as a column: numbers become floats, None is absent."""
    kinds = set(map(type, values))
    present = None
    if _NOTHING in kinds:
        kinds.discard(_NOTHING)
        present = np.fromiter((v is not None for v in values), np.bool_, len(values))
    if kinds <= _NUMBERS:
        return FieldColumn("float", np.array(values, np.float64), present)
    kind = _KINDS.get(frozenset(kinds), "mixed")
    if kind == "mixed":
        values = [float(v) if type(v) is int else v for v in values]
    dtype: Any = np.bool_ if kind == "bool" else np.object_
    return FieldColumn(kind, np.fromiter(values, dtype, len(values)), present)


def _listed(column: FieldColumn) -> list[Any]:
    values: list[Any] = column.values.tolist()
    if column.present is None:
        return values
    return [
        value if here else None
        for value, here in zip(values, column.present.tolist(), strict=True)
    ]
