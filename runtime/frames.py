"""Points in columns (`Frame`) and one by one (`Point`), and batches of either.

A frame holds the points of one measurement from one write, in arrival order. Its
columns are decoded when somebody first asks for them and then shared by every task;
frames are never changed, only derived from.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from runtime.units import Nanoseconds

FieldKind = Literal["float", "int", "string", "bool", "mixed"]
Value = float | int | str | bool | None
Rows = NDArray[np.intp]
TagsAndFields = tuple[dict[str, str], dict[str, Value]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dimensions:
    """By what points are grouped: by measurement, by these tags (sorted), or not."""

    by_name: bool = False
    tags: tuple[str, ...] = ()

    def group_id(self, name: str, tags: Mapping[str, str]) -> str:
        """The text that identifies a group: `cpu\\nhost=a,region=`, or "" for none.

        Source: Kapacitor models.ToGroupID. A missing tag shows as an empty value.
        """
        if not self.tags:
            return name if self.by_name else ""
        text = ",".join(f"{tag}={tags.get(tag, '')}" for tag in self.tags)
        return f"{name}\n{text}" if self.by_name else text

    def group_tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """The grouping tags of a point; a missing one is ""."""
        return {tag: tags.get(tag, "") for tag in self.tags}


NO_DIMENSIONS = Dimensions()


class Point:
    """One point of a stream; not to be changed, `replace()` derives.

    Attributes:
        time: ns since 1970 UTC.
        fields: float, int, str or bool by name (None only after an outer join).
    """

    __slots__ = ("_group", "db", "dimensions", "fields", "name", "rp", "tags", "time")

    def __init__(
        self,
        name: str,
        time: Nanoseconds,
        tags: Mapping[str, str],
        fields: Mapping[str, Value],
        dimensions: Dimensions = NO_DIMENSIONS,
        db: str = "",
        rp: str = "",
    ) -> None:
        self.name = name
        self.time = time
        self.tags = tags
        self.fields = fields
        self.dimensions = dimensions
        self.db = db
        self.rp = rp
        self._group: str | None = None

    @property
    def group(self) -> str:
        """The id of the point's group, "" without grouping."""
        if self._group is None:
            self._group = self.dimensions.group_id(self.name, self.tags)
        return self._group

    def replace(
        self,
        *,
        time: Nanoseconds | None = None,
        tags: Mapping[str, str] | None = None,
        fields: Mapping[str, Value] | None = None,
        dimensions: Dimensions | None = None,
    ) -> Point:
        """A point that differs in what is given."""
        return Point(
            self.name,
            self.time if time is None else time,
            self.tags if tags is None else tags,
            self.fields if fields is None else fields,
            self.dimensions if dimensions is None else dimensions,
            self.db,
            self.rp,
        )

    def __repr__(self) -> str:
        return f"Point({self.name!r}, {self.time}, {self.tags!r}, {self.fields!r})"


class TagColumn(NamedTuple):
    """A tag of every row, coded by dictionary.

    Attributes:
        codes: int32, index into `values`; -1 where the row lacks the tag.
        values: the distinct values.
    """

    codes: NDArray[np.int32]
    values: Sequence[str]


class FieldColumn(NamedTuple):
    """A field of every row.

    Attributes:
        kind: decides the dtype: float64, int64, bool, or object for `string` (str)
            and for `mixed` (rows of different types; None where absent).
        values: one per row; undefined where absent.
        present: which rows have the field; None when all have it.
    """

    kind: FieldKind
    values: NDArray[np.float64 | np.int64 | np.bool_ | np.object_]
    present: NDArray[np.bool_] | None = None


class Columns(Protocol):
    """Where a frame's values come from; `tag` and `field` may decode when called."""

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
    """Columns that are all there already."""

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

    def row(self, row: int) -> tuple[dict[str, str], dict[str, Value]]:
        """Tags and fields of one row."""
        tags = {
            name: column.values[code]
            for name, column in self._tags.items()
            if (code := column.codes[row]) >= 0
        }
        fields: dict[str, Value] = {}
        for name, column in self._fields.items():
            if column.present is None or column.present[row]:
                value = column.values[row]
                fields[name] = value.item() if isinstance(value, np.generic) else value
        return tags, fields

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        return rows_of_columns(self._tags, self._fields, which)


class Picked:
    """Some rows of other columns.

    Attributes:
        base: the columns.
        which: the rows of `base`, in order.
    """

    __slots__ = ("_fields", "_tags", "base", "which")

    def __init__(self, base: Columns, which: Rows) -> None:
        self.base: Columns = base.base if isinstance(base, Picked) else base
        self.which: Rows = base.which[which] if isinstance(base, Picked) else which
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

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        if name not in self._tags:
            column = self.base.tag(name)
            self._tags[name] = column and TagColumn(
                column.codes[self.which], column.values
            )
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


_ABSENT = object()


def rows_of_columns(
    tags: Mapping[str, TagColumn], fields: Mapping[str, FieldColumn], which: Rows
) -> Sequence[TagsAndFields]:
    """Tags and fields of the given rows; rows with equal tags share them."""
    codes, first = _numbered([c.codes[which] for c in tags.values()], len(which))
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


class Groups(NamedTuple):
    """How the rows of a frame fall into groups.

    Attributes:
        codes: int32, index into `ids` and `tags` for every row.
        ids: group ids, in order of first appearance.
        tags: the grouping tags of each group.
        order: row numbers sorted by group, arrival order inside a group.
        starts: where each group begins in `order`, and the end (len(ids) + 1 items).
    """

    codes: NDArray[np.int32]
    ids: Sequence[str]
    tags: Sequence[Mapping[str, str]]
    order: Rows
    starts: NDArray[np.intp]


class Frame:
    """Points of one measurement as columns, in arrival order.

    Attributes:
        time: int64, ns since 1970 UTC, not sorted.
        dimensions: by what the points are grouped; the same for every row.
        columns: the other values. Frames are made from these, never from a frame, so
            that what a frame shares never refers back to it: a write is a lot of memory
            to leave to the garbage collector.
    """

    __slots__ = (
        "_grouped",
        "_groups",
        "_one_by_one",
        "_points",
        "_shared",
        "columns",
        "db",
        "dimensions",
        "name",
        "rp",
        "time",
    )

    def __init__(
        self,
        name: str,
        time: NDArray[np.int64],
        columns: Columns,
        *,
        db: str = "",
        rp: str = "",
        dimensions: Dimensions = NO_DIMENSIONS,
        groups: Groups | None = None,
    ) -> None:
        """Make a frame; `groups` are given where they are known already."""
        self.name = name
        self.time = time
        self.db = db
        self.rp = rp
        self.dimensions = dimensions
        self.columns = columns
        self._grouped: dict[Dimensions, Frame] = {}
        self._groups = groups
        self._points: list[Point] | None = None
        self._one_by_one: dict[int, Point] = {}
        self._shared: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(self.time)

    @property
    def tag_names(self) -> Sequence[str]:
        """Tags that some row may have."""
        return self.columns.tag_names

    @property
    def field_names(self) -> Sequence[str]:
        """Fields that some row may have."""
        return self.columns.field_names

    def tag(self, name: str) -> TagColumn | None:
        """The tag's column, or None when no row has it."""
        return self.columns.tag(name)

    def field(self, name: str) -> FieldColumn | None:
        """The field's column, or None when no row has it."""
        return self.columns.field(name)

    def point(self, row: int) -> Point:
        """One row as a point; made once, so that tasks share it."""
        if self._points is not None:
            return self._points[row]
        point = self._one_by_one.get(row)
        if point is None:
            tags, fields = self.columns.row(row)
            time = int(self.time[row])
            point = self._one_by_one[row] = Point(
                self.name, time, tags, fields, self.dimensions, self.db, self.rp
            )
        return point

    def points(self) -> Sequence[Point]:
        """All rows as points, in order; made once."""
        if self._points is None:
            rows = self.rows(np.arange(len(self), dtype=np.intp))
            self._points = [
                Point(self.name, time, tags, fields, self.dimensions, self.db, self.rp)
                for time, (tags, fields) in zip(self.time.tolist(), rows, strict=True)
            ]
        return self._points

    def take(self, rows: Rows) -> Frame:
        """The given rows, in the given order."""
        return Frame(
            self.name,
            self.time[rows],
            Picked(self.columns, rows),
            db=self.db,
            rp=self.rp,
            dimensions=self.dimensions,
        )

    def grouped(self, dimensions: Dimensions) -> Frame:
        """The same points grouped otherwise; made once, so that tasks share it."""
        if dimensions == self.dimensions:
            return self
        if dimensions not in self._grouped:
            self._grouped[dimensions] = Frame(
                self.name,
                self.time,
                self.columns,
                db=self.db,
                rp=self.rp,
                dimensions=dimensions,
            )
        return self._grouped[dimensions]

    def shared(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, made once for each key, so that tasks share it."""
        try:
            value: T = self._shared[key]
        except KeyError:
            value = self._shared[key] = make()
        return value

    def row(self, row: int) -> tuple[dict[str, str], dict[str, Value]]:
        """Tags and fields of one row."""
        return self.columns.row(row)

    def rows(self, which: Rows) -> Sequence[TagsAndFields]:
        """Tags and fields of the given rows; they may share tags."""
        return self.columns.rows(which)

    def replace(
        self,
        *,
        time: NDArray[np.int64] | None = None,
        tags: Mapping[str, TagColumn] | None = None,
        fields: Mapping[str, FieldColumn] | None = None,
        dimensions: Dimensions | None = None,
    ) -> Frame:
        """A frame of as many rows with other times, or with other columns altogether.

        Where `tags` or `fields` is given it replaces all tags or all fields.
        """
        columns = self.columns
        if tags is not None or fields is not None:
            columns = Table(
                self.all_tags() if tags is None else tags,
                self.all_fields() if fields is None else fields,
            )
        return Frame(
            self.name,
            self.time if time is None else time,
            columns,
            db=self.db,
            rp=self.rp,
            dimensions=self.dimensions if dimensions is None else dimensions,
        )

    def all_tags(self) -> dict[str, TagColumn]:
        """Every tag column; decodes what is not decoded yet."""
        return {n: c for n in self.tag_names if (c := self.tag(n)) is not None}

    def all_fields(self) -> dict[str, FieldColumn]:
        """Every field column; decodes what is not decoded yet."""
        return {n: c for n in self.field_names if (c := self.field(n)) is not None}

    @property
    def groups(self) -> Groups:
        """The groups of the rows by `dimensions`; computed once."""
        if self._groups is None:
            self._groups = _groups(self)
        return self._groups


def _groups(frame: Frame) -> Groups:
    names = frame.dimensions.tags
    columns = [frame.tag(name) for name in names]
    codes, first = _numbered([_codes(c) for c in columns if c is not None], len(frame))
    tags = [
        {
            name: (
                ""
                if column is None or column.codes[row] < 0
                else column.values[column.codes[row]]
            )
            for name, column in zip(names, columns, strict=True)
        }
        for row in first.tolist()
    ]
    # numpy sorts 16-bit integers by radix, several times faster
    small = codes.astype(np.uint16) if len(tags) < 1 << 16 else codes
    order = np.argsort(small, kind="stable")
    starts = np.zeros(len(tags) + 1, dtype=np.intp)
    np.cumsum(np.bincount(codes, minlength=len(tags)), out=starts[1:])
    ids = [frame.dimensions.group_id(frame.name, each) for each in tags]
    return Groups(codes, ids, tags, order, starts)


def _codes(column: TagColumn) -> NDArray[np.int32]:
    """The codes of a tag for grouping: an empty tag and an absent one are the same."""
    if "" not in column.values:
        return column.codes
    blank = np.array([value == "" for value in column.values] + [True])
    return np.where(blank[column.codes], np.int32(-1), column.codes)


def _numbered(
    columns: Sequence[NDArray[np.int32]], length: int
) -> tuple[NDArray[np.int32], Rows]:
    """Number the combinations of codes in order of appearance; the first row of each."""
    if not columns:
        return np.zeros(length, dtype=np.int32), np.arange(min(length, 1))
    keys = np.zeros(length, dtype=np.int64)
    bound = 1
    for codes in columns:
        size = int(codes.max(initial=-1)) + 2
        if bound * size > 1 << 62:
            keys = np.unique(keys, return_inverse=True)[1].astype(np.int64)
            bound = length
        keys = keys * size + (codes + 1)
        bound *= size
    if bound > 4 * length + 1024:
        keys = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        bound = length
    # few possible values: a table of first rows beats sorting
    first_of = np.full(bound, length, dtype=np.intp)
    # of several assignments to one place the last one holds
    first_of[keys[::-1]] = np.arange(length - 1, -1, -1)
    present = np.flatnonzero(first_of < length)
    order = np.argsort(first_of[present])
    rank = np.empty(bound, dtype=np.int32)
    rank[present[order]] = np.arange(len(present), dtype=np.int32)
    return rank[keys], first_of[present[order]]


class Batch:
    """A window of one group's points.

    Attributes:
        tags: the group's tags.
        tmax: the end of the window, ns since 1970 UTC.
        points: in arrival order, with their full tags.
    """

    __slots__ = ("dimensions", "group", "name", "points", "tags", "tmax")

    def __init__(
        self,
        name: str,
        tags: Mapping[str, str],
        tmax: Nanoseconds,
        points: Sequence[Point],
        dimensions: Dimensions = NO_DIMENSIONS,
        group: str | None = None,
    ) -> None:
        self.name = name
        self.tags = tags
        self.tmax = tmax
        self.points = points
        self.dimensions = dimensions
        self.group = dimensions.group_id(name, tags) if group is None else group


@dataclass(frozen=True, slots=True)
class Batches:
    """Several batches in columns, in the order of their emission.

    Attributes:
        frame: the rows of all batches, one batch after the other.
        starts: where each batch begins in `frame`, and the end (len + 1 items).
        tmax: int64, the end of each batch's window.
        groups: int32, for each batch the index into `ids` and `tags`.
        ids: group ids.
        tags: group tags.
    """

    frame: Frame
    starts: NDArray[np.intp]
    tmax: NDArray[np.int64]
    groups: NDArray[np.int32]
    ids: Sequence[str]
    tags: Sequence[Mapping[str, str]]

    def __len__(self) -> int:
        return len(self.tmax)

    def __iter__(self) -> Iterator[Batch]:
        points = self.frame.points()
        starts = self.starts.tolist()
        for index, (tmax, group) in enumerate(
            zip(self.tmax.tolist(), self.groups.tolist(), strict=True)
        ):
            yield Batch(
                self.frame.name,
                self.tags[group],
                tmax,
                points[starts[index] : starts[index + 1]],
                self.frame.dimensions,
                self.ids[group],
            )
