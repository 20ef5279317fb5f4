"""Rows assigned to groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.frames.columns import Columns, Rows, TagColumn
from runtime.frames.numbering import numbered
from runtime.frames.points import Dimensions


class Labels(NamedTuple):
    """The group of each row, from the frame of the rows.

    Attributes:
        codes: int32, index into `ids` and `tags` for every row.
        ids: group ids; some may have no row.
        tags: the grouping tags of each group.
    """

    codes: NDArray[np.int32]
    ids: Sequence[str]
    tags: Sequence[Mapping[str, str]]

    def picked(self, rows: Rows) -> Labels:
        """The labels of the given rows, in the given order."""
        return Labels(self.codes[rows], self.ids, self.tags)

    def present(self) -> frozenset[str]:
        """The ids of the groups that have rows."""
        if len(self.codes) < len(self.ids):
            return frozenset([self.ids[code] for code in set(self.codes.tolist())])
        # many rows: counting is several times as fast as a set
        found = np.flatnonzero(np.bincount(self.codes))
        return frozenset([self.ids[code] for code in found.tolist()])

    def groups(self) -> Groups:
        """The groups that have rows, with the order of their rows."""
        codes, first = numbered([self.codes], len(self.codes))
        found = self.codes[first].tolist()
        ids = [self.ids[code] for code in found]
        return _ordered(codes, ids, [self.tags[code] for code in found])


class Groups(NamedTuple):
    """The rows of a frame, assigned to groups.

    Attributes:
        codes: int32, index into `ids` and `tags` for every row.
        ids: group ids, in order of first appearance.
        tags: the grouping tags of each group.
        order: row numbers sorted by group, arrival order inside a group.
        starts: start of each group in `order`, and the end (len(ids) + 1 items).
    """

    codes: NDArray[np.int32]
    ids: Sequence[str]
    tags: Sequence[Mapping[str, str]]
    order: Rows
    starts: NDArray[np.intp]

    def picked(self, rows: Rows) -> Labels:
        """The groups of the given rows, in the given order."""
        return Labels(self.codes[rows], self.ids, self.tags)


def groups_of(
    columns: Columns, length: int, name: str, dimensions: Dimensions
) -> Groups:
    """The groups of a number of rows of a measurement."""
    names = dimensions.tags
    found = [columns.tag(tag) for tag in names]
    codes, first = numbered([_codes(c) for c in found if c is not None], length)
    tags = [
        {
            tag: (
                ""
                if column is None or column.codes[row] < 0
                else column.values[column.codes[row]]
            )
            for tag, column in zip(names, found, strict=True)
        }
        for row in first.tolist()
    ]
    return _ordered(codes, [dimensions.group_id(name, each) for each in tags], tags)


def _ordered(
    codes: NDArray[np.int32], ids: Sequence[str], tags: Sequence[Mapping[str, str]]
) -> Groups:
    """Groups in order of first appearance, with the order of their rows."""
    # numpy sorts 16-bit integers by radix, several times faster
    small = codes.astype(np.uint16) if len(ids) < 1 << 16 else codes
    starts = np.zeros(len(ids) + 1, dtype=np.intp)
    np.cumsum(np.bincount(codes, minlength=len(ids)), out=starts[1:])
    return Groups(codes, ids, tags, np.argsort(small, kind="stable"), starts)


def _codes(column: TagColumn) -> NDArray[np.int32]:
    """The codes of a tag for grouping: an empty tag and an absent one are the same."""
    if "" not in column.values:
        return column.codes
    blank = np.array([value == "" for value in column.values] + [True])
    return np.where(blank[column.codes], np.int32(-1), column.codes)
