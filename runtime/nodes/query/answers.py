"""Answers of InfluxDB as batches in columns.

Source: Kapacitor edge/messages.go, ResultToBufferedBatches, and batch.go, doQuery.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.frames import (
    Batch,
    Batches,
    Dimensions,
    FieldColumn,
    Frame,
    Labels,
    Table,
    TagColumn,
)
from runtime.frames.columns import FieldKind
from runtime.services.influxdb.series import Series, field_column
from runtime.units import Nanoseconds

# Number of rows in a step of a task, until the work per row has been measured.
ROWS_AT_ONCE = 1024

_DTYPES: dict[FieldKind, Any] = {
    **{"float": np.float64, "int": np.int64, "bool": np.bool_},
    **{"string": np.object_, "mixed": np.object_},
}
_Fields = Mapping[str, FieldColumn]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one batch; each has at least one field.

    Attributes:
        name: measurement.
        tags: tags of the group.
        tmax: the batch's time.
        time: int64, ns since 1970 UTC.
        fields: columns as long as `time`.
    """

    name: str
    tags: Mapping[str, str]
    tmax: Nanoseconds
    time: NDArray[np.int64]
    fields: _Fields

    def __len__(self) -> int:
        return len(self.time)


class QueryAnswer:
    """Collects the series of one answer.

    A series may arrive in parts. Series are collected until they have enough rows for a
    step of their task; a series is never divided.
    """

    def __init__(
        self,
        stop: Nanoseconds,
        *,
        by_name: bool,
        is_grouped_by_time: bool,
        rows_at_once: int = ROWS_AT_ONCE,
    ) -> None:
        """Begin an answer.

        Args:
            stop: end of the query's period: the time of its batches.
            by_name: the measurement is part of the group.
            is_grouped_by_time: batches have the time of their last row instead.
            rows_at_once: number of rows in a step; exceeded by a series with more rows.
        """
        self._rows_at_once = rows_at_once
        self._stop = stop
        self._by_name = by_name
        self._is_grouped_by_time = is_grouped_by_time
        self._parts: list[Series] = []
        self._ready: list[_Rows] = []
        self._size = 0

    def add(self, series: Series) -> Iterator[Batches]:
        """Take a series or a part of one; yield the batches that can be passed on.

        A part that is marked as partial is continued by the next part.
        """
        if self._parts and not _continues(series, self._parts[-1]):
            yield from self._complete()
        self._parts.append(series)
        if not series.partial:
            yield from self._complete()

    def end(self) -> Iterator[Batches]:
        """End the answer; yield the remaining batches."""
        yield from self._complete()
        yield from self._flush()

    def _complete(self) -> Iterator[Batches]:
        """Complete the present series."""
        if not self._parts:
            return
        rows = self._rows(self._parts)
        self._parts = []
        if self._ready and not _alike(rows, self._ready[0]):
            yield from self._flush()
        self._ready.append(rows)
        self._size += len(rows)
        if max(self._size, len(self._ready)) >= self._rows_at_once:
            yield from self._flush()

    def _flush(self) -> Iterator[Batches]:
        if self._ready:
            made = _batches(self._ready, self._by_name)
            self._ready, self._size = [], 0
            yield made

    def _rows(self, parts: Sequence[Series]) -> _Rows:
        """The rows with at least one field. Null means that the field is absent."""
        sizes = [len(each) for each in parts]
        fields = _joined([each.fields for each in parts], sizes)
        times = [_time(each) for each in parts]
        time = times[0] if len(times) == 1 else np.concatenate(times)
        masks = [column.present for column in fields.values()]
        if not any(mask is None for mask in masks):
            kept = np.flatnonzero(_any(masks, len(time)))
            if len(kept) < len(time):
                time = time[kept]
                fields = {name: _taken(each, kept) for name, each in fields.items()}
        tmax = self._stop
        if self._is_grouped_by_time and len(time):
            tmax = int(time.max())
        first = parts[0]
        return _Rows(first.name, first.tags, tmax, time, fields)


async def batches_of(
    series: AsyncIterator[Series], answer: QueryAnswer
) -> AsyncIterator[Batches]:
    """The batches of an answer, as it arrives."""
    async for each in series:
        for batches in answer.add(each):
            yield batches
    for batches in answer.end():
        yield batches


def in_columns(batches: Sequence[Batch]) -> Batches:
    """Batches of one measurement, grouped by the same tags, in columns.

    Points may have further tags, as in recordings.
    """
    rows = []
    for batch in batches:
        points = batch.points
        names = dict.fromkeys(name for point in points for name in point.fields)
        fields = {
            name: field_column([point.fields.get(name) for point in points])
            for name in names
        }
        times = np.array([point.time for point in points], dtype=np.int64)
        rows.append(_Rows(batch.name, batch.tags, batch.tmax, times, fields))
    tags = _own_tags([point.tags for batch in batches for point in batch.points])
    return _batches(rows, batches[0].dimensions.by_name, tags)


def _continues(series: Series, before: Series) -> bool:
    return (
        before.partial
        and series.name == before.name
        and dict(series.tags) == dict(before.tags)
    )


def _alike(one: _Rows, other: _Rows) -> bool:
    """True if both can be in one frame."""
    return one.name == other.name and one.tags.keys() == other.tags.keys()


def _time(series: Series) -> NDArray[np.int64]:
    # Kapacitor has Go's zero time here, which int64 cannot hold. It does not matter:
    # results of a task's statements always have times
    return series.time if len(series.time) else np.zeros(len(series), np.int64)


def _any(masks: Sequence[Any], length: int) -> NDArray[np.bool_]:
    found = np.zeros(length, np.bool_)
    for mask in masks:
        found |= mask
    return found


def _taken(column: FieldColumn, rows: NDArray[np.intp]) -> FieldColumn:
    present = None if column.present is None else column.present[rows]
    return FieldColumn(column.kind, column.values[rows], present)


def _joined(parts: Sequence[_Fields], sizes: Sequence[int]) -> _Fields:
    """Concatenate the columns of several parts."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part)
    return {
        name: _joined_column([part.get(name) for part in parts], sizes)
        for name in names
    }


def _joined_column(
    parts: Sequence[FieldColumn | None], sizes: Sequence[int]
) -> FieldColumn:
    """Concatenate the columns of several parts; a part without the column has None."""
    # the kind of a column without values does not matter
    kinds = {each.kind for each in parts if each is not None and _has_values(each)}
    kind: FieldKind = "float" if not kinds else "mixed"
    if len(kinds) == 1:
        [kind] = kinds
    dtype = _DTYPES[kind]
    values = [
        (
            each.values.astype(dtype)
            if each is not None and (each.kind == kind or kind == "mixed")
            else np.zeros(size, dtype)
        )
        for each, size in zip(parts, sizes, strict=True)
    ]
    present = None
    if any(each is None or each.present is not None for each in parts):
        present = np.concatenate(
            [_mask(each, size) for each, size in zip(parts, sizes, strict=True)]
        )
    return FieldColumn(kind, np.concatenate(values), present)


def _has_values(column: FieldColumn) -> bool:
    if column.present is None:
        return len(column.values) > 0
    return bool(column.present.any())


def _mask(column: FieldColumn | None, size: int) -> NDArray[np.bool_]:
    if column is None:
        return np.zeros(size, np.bool_)
    return np.ones(size, np.bool_) if column.present is None else column.present


def _batches(
    rows: Sequence[_Rows],
    by_name: bool,
    columns: Mapping[str, TagColumn] | None = None,
) -> Batches:
    """Batches of one measurement, grouped by the same tags.

    Args:
        rows: the batches.
        by_name: the measurement is part of the group.
        columns: tags of the rows; None for those of their groups.
    """
    first = rows[0]
    sizes = [len(each) for each in rows]
    dimensions = Dimensions(by_name, tuple(sorted(first.tags)))
    # numbered by tags, as ids do not escape values: two groups may have the same id
    numbers: dict[tuple[str, ...], int] = {}
    groups = [
        numbers.setdefault(
            tuple(each.tags[tag] for tag in dimensions.tags), len(numbers)
        )
        for each in rows
    ]
    tags = [dict(zip(dimensions.tags, each, strict=True)) for each in numbers]
    ids = [dimensions.group_id(first.name, each) for each in tags]
    each_group = np.array(groups, dtype=np.int32)
    starts = np.zeros(len(rows) + 1, dtype=np.intp)
    np.cumsum(sizes, out=starts[1:])
    labels = np.repeat(each_group, sizes)
    frame = Frame(
        first.name,
        np.concatenate([each.time for each in rows]),
        Table(
            _tag_columns(tags, labels) if columns is None else columns,
            _joined([each.fields for each in rows], sizes),
        ),
        dimensions=dimensions,
        groups=Labels(labels, ids, tags),
    )
    tmax = np.array([each.tmax for each in rows], dtype=np.int64)
    return Batches(frame, starts, tmax, each_group, ids, tags)


def _tag_columns(
    tags: Sequence[Mapping[str, str]], labels: NDArray[np.int32]
) -> dict[str, TagColumn]:
    """The tags of rows, taken from their groups."""
    columns = {}
    for name in tags[0]:
        codes: dict[str, int] = {}
        of_group = [codes.setdefault(each[name], len(codes)) for each in tags]
        columns[name] = TagColumn(np.array(of_group, np.int32)[labels], list(codes))
    return columns


def _own_tags(rows: Sequence[Mapping[str, str]]) -> dict[str, TagColumn]:
    """The tags of rows that may have different ones."""
    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        codes: dict[str, int] = {}
        of_row = [
            codes.setdefault(row[name], len(codes)) if name in row else -1
            for row in rows
        ]
        columns[name] = TagColumn(np.array(of_row, np.int32), list(codes))
    return columns
