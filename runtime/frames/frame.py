"""Points in columns, and batches of such."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from runtime.frames.columns import (
    Columns,
    FieldColumn,
    Rows,
    Table,
    TagColumn,
    TagsAndFields,
    picked,
)
from runtime.frames.groups import Groups, Labels, groups_of
from runtime.frames.points import NO_DIMENSIONS, Batch, Dimensions, Point

T = TypeVar("T")


class Frame:
    """Points of one measurement as columns, in arrival order.

    Attributes:
        time: int64, ns since 1970 UTC, not sorted.
        dimensions: dimensions that the points are grouped by; the same for every row.
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
        groups: Groups | Labels | None = None,
    ) -> None:
        """Make a frame; pass `groups` if they are known."""
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
            picked(self.columns, rows),
            db=self.db,
            rp=self.rp,
            dimensions=self.dimensions,
            groups=self._groups and self._groups.picked(rows),
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
        """Return the result of `make`, cached by key and shared by tasks."""
        try:
            value: T = self._shared[key]
        except KeyError:
            value = self._shared[key] = make()
        return value

    def row(self, row: int) -> TagsAndFields:
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
        """Every tag column, decoded if necessary."""
        return {n: c for n in self.tag_names if (c := self.tag(n)) is not None}

    def all_fields(self) -> dict[str, FieldColumn]:
        """Every field column, decoded if necessary."""
        return {n: c for n in self.field_names if (c := self.field(n)) is not None}

    @property
    def known_groups(self) -> Groups | Labels | None:
        """The grouping of the rows, if it is known."""
        return self._groups

    @property
    def group_ids(self) -> frozenset[str]:
        """The ids of the groups that have rows; computed once."""
        return self.shared("group ids", self._make_group_ids)

    def _make_group_ids(self) -> frozenset[str]:
        dimensions = self.dimensions
        if not dimensions.tags:
            return frozenset((dimensions.group_id(self.name, {}),))
        if isinstance(self._groups, Labels):
            return self._groups.present()
        column = self.tag(dimensions.tags[0])
        if (
            self._groups
            or column is None
            or len(dimensions.tags) > 1
            or len(self) > 256
        ):
            return frozenset(self.groups.ids)
        # of few rows with one tag, the order of groups costs more than their ids
        values = [*column.values, ""]
        named = (
            {dimensions.tags[0]: values[each]} for each in set(column.codes.tolist())
        )
        return frozenset([dimensions.group_id(self.name, each) for each in named])

    @property
    def groups(self) -> Groups:
        """The groups of the rows by `dimensions`; computed once."""
        if isinstance(self._groups, Labels):
            self._groups = self._groups.groups()
        elif self._groups is None:
            self._groups = groups_of(
                self.columns, len(self), self.name, self.dimensions
            )
        return self._groups


@dataclass(frozen=True, slots=True)
class Batches:
    """Several batches in columns, in the order of their emission.

    Attributes:
        frame: the rows of all batches, one batch after the other.
        starts: start of each batch in `frame`, and the end (len + 1 items).
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

    @property
    def group_ids(self) -> frozenset[str]:
        """The ids of the groups that have batches."""
        return frozenset([self.ids[number] for number in set(self.groups.tolist())])

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
