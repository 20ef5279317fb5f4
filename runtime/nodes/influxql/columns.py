"""InfluxQL functions over many batches at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.frames import (
    Batches,
    FieldColumn,
    FieldKind,
    Frame,
    Groups,
    Labels,
    Point,
    Rows,
    TagColumn,
    TagsAndFields,
)
from runtime.nodes.columns import derived, tag_column
from runtime.nodes.influxql import reducers

_LATEST = np.iinfo(np.int64).max
_EARLIEST = np.iinfo(np.int64).min


def reduced(
    batches: Batches,
    method: str,
    field: str,
    name: str,
    arguments: Sequence[Any] = (),
    *,
    point_times: bool,
) -> Frame | None:
    """One row for each batch with a result; None if rows have to be used.

    Rows are used for missing values, strings, mixed types and NaN, and if the result
    depends on an order of additions or comparisons that columns cannot follow.
    """
    sizes = np.diff(batches.starts)
    if method not in _AGGREGATES and method not in (*_SELECTORS, _RANKED):
        return None
    column = batches.frame.field(field)
    # each missing value is an error to be logged
    if column is None or column.present is not None or not len(sizes):
        return None
    # empty batches have results only for `count` and `sum`; their sum is a float 0, and a
    # column cannot mix it with ints
    if not sizes.all():
        if method == "sum" or (method == "count" and column.kind == "mixed"):
            return None
        if method != "count":
            batches, sizes = _filled(batches, sizes)
    if method == "count":
        if column.kind == "mixed":
            return None
        counts = FieldColumn("int", sizes.astype(np.int64))
        return _aggregated(batches, name, counts)
    if column.kind not in ("float", "int"):
        return None
    # comparisons with NaN are false in Go, whereas numpy propagates NaN
    if column.kind == "float" and np.isnan(column.values).any():
        return None
    if method in _AGGREGATES:
        made = _AGGREGATES[method](column, batches, sizes)
        return None if made is None else _aggregated(batches, name, made)
    if method == _RANKED:
        [percent] = arguments
        # the nearest rank, as in InfluxDB; a batch has no result if the rank is out of
        # range
        ranks = np.floor(sizes * percent / 100.0 + 0.5) - 1
        if not ((ranks >= 0) & (ranks < sizes)).all():
            return None
        rows = _sorted(column, sizes)[batches.starts[:-1] + ranks.astype(np.intp)]
        return _selected(batches, rows, field, name, column, point_times=point_times)
    rows = _SELECTORS[method](column, batches, sizes)
    return _selected(batches, rows, field, name, column, point_times=point_times)


def _filled(
    batches: Batches, sizes: NDArray[np.intp]
) -> tuple[Batches, NDArray[np.intp]]:
    """The batches that have points."""
    some = np.flatnonzero(sizes)
    starts = np.append(batches.starts[some], batches.starts[-1:])
    return (
        Batches(
            batches.frame,
            starts,
            batches.tmax[some],
            batches.groups[some],
            batches.ids,
            batches.tags,
        ),
        sizes[some],
    )


def _numbers(sizes: NDArray[np.intp]) -> NDArray[np.intp]:
    """The number of each row's batch."""
    return np.repeat(np.arange(len(sizes)), sizes)


def _sums(
    column: FieldColumn, batches: Batches, sizes: NDArray[np.intp]
) -> FieldColumn:
    if column.kind == "int":
        # wraps around as in Go
        return FieldColumn("int", np.add.reduceat(column.values, batches.starts[:-1]))
    # bincount adds in order, like the reference; reduceat adds pairwise
    sums = np.bincount(_numbers(sizes), weights=column.values, minlength=len(sizes))
    return FieldColumn("float", sums)


def _mean(
    column: FieldColumn, batches: Batches, sizes: NDArray[np.intp]
) -> FieldColumn:
    sums = _sums(column, batches, sizes).values.astype(np.float64)
    return FieldColumn("float", sums / sizes)


def _spread(
    column: FieldColumn, batches: Batches, sizes: NDArray[np.intp]
) -> FieldColumn:
    starts = batches.starts[:-1]
    low = np.minimum.reduceat(column.values, starts)
    high = np.maximum.reduceat(column.values, starts)
    return FieldColumn(column.kind, high - low)


def _sorted(column: FieldColumn, sizes: NDArray[np.intp]) -> Rows:
    """The rows of each batch sorted by value, then by arrival."""
    return np.lexsort((column.values, _numbers(sizes)))


def _median(
    column: FieldColumn, batches: Batches, sizes: NDArray[np.intp]
) -> FieldColumn | None:
    values, starts = column.values[_sorted(column, sizes)], batches.starts[:-1]
    # for an odd size both are the middle value
    high = values[starts + sizes // 2]
    low = values[starts + (sizes - 1) // 2]
    # the difference may exceed int64; the row form uses Python's integers
    if column.kind == "int" and max(-int(low.min()), int(high.max())) >= 1 << 62:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        between = low + (high - low) / 2
    return FieldColumn("float", np.where(sizes % 2, low.astype(np.float64), between))


_NOWHERE = Point("", 0, {}, {})


def _one_by_one(
    reduce: Callable[[reducers.Samples], Any],
    column: FieldColumn,
    batches: Batches,
    sizes: NDArray[np.intp],
) -> FieldColumn:
    """Reduce each batch with the reference, without converting rows to points."""
    values, times = column.values.tolist(), batches.frame.time.tolist()
    # the results of `mode` and `stddev` depend on the order of their operations
    samples = [
        reducers.Sample(value, time, _NOWHERE)
        for value, time in zip(values, times, strict=True)
    ]
    found = [reduce(samples[a:b]) for a, b in pairwise(batches.starts.tolist())]
    kind: FieldKind = "int" if type(found[0]) is int else "float"
    return FieldColumn(kind, np.array(found))


def _extreme(
    reduce: Callable[..., NDArray[np.float64 | np.int64]],
    column: FieldColumn,
    batches: Batches,
    sizes: NDArray[np.intp],
) -> Rows:
    """The earliest row of each batch that has the batch's extreme value."""
    starts = batches.starts[:-1]
    # of equal values the earliest is taken, and of equal times the first that arrived
    best = np.repeat(reduce(column.values, starts), sizes) == column.values
    return _at_time(np.minimum.reduceat, best, _LATEST, batches, sizes)


def _at_time(
    reduce: Callable[..., NDArray[np.int64]],
    allowed: NDArray[np.bool_],
    never: int,
    batches: Batches,
    sizes: NDArray[np.intp],
) -> Rows:
    times = np.where(allowed, batches.frame.time, never)
    best = np.repeat(reduce(times, batches.starts[:-1]), sizes)
    return _firsts(allowed & (times == best), sizes)


def _firsts(allowed: NDArray[np.bool_], sizes: NDArray[np.intp]) -> Rows:
    """The first allowed row of each batch; every batch has one."""
    rows = np.flatnonzero(allowed)
    numbers = _numbers(sizes)[rows]
    return rows[np.searchsorted(numbers, np.arange(len(sizes)))]


def _outermost(
    reduce: Callable[..., NDArray[np.int64]],
    column: FieldColumn,
    batches: Batches,
    sizes: NDArray[np.intp],
) -> Rows:
    """The row of each batch with the extreme time, and of these the largest value."""
    times, starts = batches.frame.time, batches.starts[:-1]
    allowed = times == np.repeat(reduce(times, starts), sizes)
    # only if several points of a batch have its extreme time, which is rare
    if np.count_nonzero(allowed) > len(sizes):
        values = column.values.astype(np.float64) if column.kind == "float" else None
        least = -np.inf if values is not None else _EARLIEST
        # rows of other times get the least value, and stay excluded even if it is the
        # largest of a batch
        candidates = np.where(allowed, column.values, least)
        best = np.repeat(np.maximum.reduceat(candidates, starts), sizes)
        allowed &= column.values == best
    return _firsts(allowed, sizes)


_AGGREGATES: dict[
    str, Callable[[FieldColumn, Batches, NDArray[np.intp]], FieldColumn | None]
] = {
    "count": _sums,
    "sum": _sums,
    "mean": _mean,
    "median": _median,
    "mode": functools.partial(_one_by_one, reducers.mode),
    "spread": _spread,
    "stddev": functools.partial(_one_by_one, reducers.stddev),
}
_RANKED = "percentile"
_SELECTORS: dict[str, Callable[[FieldColumn, Batches, NDArray[np.intp]], Rows]] = {
    "min": lambda *each: _extreme(np.minimum.reduceat, *each),
    "max": lambda *each: _extreme(np.maximum.reduceat, *each),
    "first": lambda *each: _outermost(np.minimum.reduceat, *each),
    "last": lambda *each: _outermost(np.maximum.reduceat, *each),
}


class _Reduced:
    """The column of one field, and columns of group tags on request."""

    def __init__(self, groups: Groups, name: str, column: FieldColumn) -> None:
        self._groups = groups
        self._name = name
        self._column = column
        tags = groups.tags[0] if groups.tags else {}
        self.tag_names: Sequence[str] = tuple(tags)
        self.field_names: Sequence[str] = (name,)

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        if name not in self.tag_names:
            return None
        column = tag_column(tags[name] for tags in self._groups.tags)
        return TagColumn(column.codes[self._groups.codes], column.values)

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        return self._column if name == self._name else None

    def row(self, row: int) -> TagsAndFields:
        """Tags and fields of one row."""
        tags = self._groups.tags[self._groups.codes[row]]
        return dict(tags), {self._name: self._column.values[row].item()}

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        tags = [dict(each) for each in self._groups.tags]
        codes = self._groups.codes[which].tolist()
        values = self._column.values[which].tolist()
        return [
            (tags[code], {self._name: value})
            for code, value in zip(codes, values, strict=True)
        ]


def _aggregated(batches: Batches, name: str, column: FieldColumn) -> Frame:
    groups = Labels(batches.groups, batches.ids, batches.tags).groups()
    return Frame(
        batches.frame.name,
        batches.tmax,
        _Reduced(groups, name, column),
        dimensions=batches.frame.dimensions,
        groups=groups,
    )


def _selected(
    batches: Batches,
    rows: Rows,
    field: str,
    name: str,
    column: FieldColumn,
    *,
    point_times: bool,
) -> Frame:
    taken = batches.frame.take(rows)
    if name != field:
        chosen = FieldColumn(column.kind, column.values[rows])
        taken = derived(taken, fields={field: None, name: chosen})
    time = taken.time if point_times else batches.tmax
    return Frame(
        batches.frame.name,
        time,
        taken.columns,
        dimensions=taken.dimensions,
        groups=taken.known_groups,
    )
