"""Nodes that remember the previous point of a group, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.frames import Batches, FieldColumn, Frame, Rows
from runtime.nodes.node import COLUMNS_FROM
from runtime.nodes.pointwise import Outcome, PointwiseNode

_LONGEST = 2**63 - 1


class Series(NamedTuple):
    """The rows of a frame by part: a part is a group, or a batch.

    Attributes:
        ids: the group of each part; parts are not empty.
        order: row numbers, in order of arrival inside a part.
        starts: start of each part in `order`, and the end.
        is_fresh: True if parts do not continue earlier rows, as in batches.
    """

    ids: Sequence[str]
    order: Rows
    starts: NDArray[np.intp]
    is_fresh: bool

    @property
    def sizes(self) -> NDArray[np.intp]:
        """The number of rows in each part."""
        return np.diff(self.starts)

    @property
    def ends(self) -> list[int]:
        """The position in `order` of each part's last row."""
        ends: list[int] = (self.starts[1:] - 1).tolist()
        return ends

    def arrived(self, values: NDArray[Any]) -> NDArray[Any]:
        """Rearrange values in `order` to the order of arrival."""
        placed = np.empty_like(values)
        placed[self.order] = values
        return placed


class Runs(NamedTuple):
    """The duration of a condition at each row, in the order of a `Series`.

    Attributes:
        length: number of rows for which the condition has held; 0 if it does not hold.
        began: time at which it began to hold; undefined if it does not hold.
    """

    length: NDArray[np.int64]
    began: NDArray[np.int64]


class Past(NamedTuple):
    """The duration of a condition before each part.

    Attributes:
        length: number of rows for which the condition had held.
        began: time at which it began to hold; undefined if `length` is 0.
    """

    length: NDArray[np.int64]
    began: NDArray[np.int64]


def runs(
    holds: NDArray[np.bool_], times: NDArray[np.int64], series: Series, past: Past
) -> Runs:
    """The duration of a condition; all arrays are in the order of `series`."""
    sizes = series.sizes
    first = np.repeat(series.starts[:-1], sizes)
    rows = np.arange(len(holds))
    # the last row at which the condition did not hold, or the row before the part
    broken = np.maximum(np.maximum.accumulate(np.where(holds, -1, rows)), first - 1)
    # 0 in rows where it does not hold
    length = rows - broken
    began = times[np.minimum(broken + 1, len(times) - 1)]
    # if it has held since the part began, the time before the part counts too
    continued = (broken == first - 1) & np.repeat(past.length > 0, sizes)
    length += np.where(continued, np.repeat(past.length, sizes), 0)
    began = np.where(continued, np.repeat(past.began, sizes), began)
    return Runs(length, began)


def numbers(frame: Frame, name: str) -> FieldColumn | None:
    """The column of a field if all rows have numbers of the same kind, or None."""
    column = frame.field(name)
    if column is None or column.present is not None:
        return None
    return column if column.kind in ("float", "int") else None


def is_wide(*times: NDArray[np.int64]) -> bool:
    """True if distances between some of these times do not fit into 64 bits."""
    some = [each for each in times if len(each)]
    if not some:
        return False
    return max(int(e.max()) for e in some) - min(int(e.min()) for e in some) > _LONGEST


class SerialNode(PointwiseNode):
    """A pointwise node that keeps state for each group.

    It implements `series` if columns can give the same results as points.
    """

    remembers = True

    def series(self, frame: Frame, series: Series) -> Outcome | None:
        """Return the result for a frame; None, with its state unchanged, to use rows."""
        return None

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        # few other tasks share results that depend on earlier points
        if len(frame) >= COLUMNS_FROM:
            groups = frame.groups
            series = Series(groups.ids, groups.order, groups.starts, is_fresh=False)
            outcome = self.series(frame, series)
            if outcome is not None:
                self.meet(frame.group_ids)
                self.emit_frame(outcome.frame, shared=False)
                return
        super().frame(frame)

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        self.meet(batches.group_ids)
        outcome = None
        # a batch without points also resets the state of its group
        if np.diff(batches.starts).all():
            ids = [batches.ids[number] for number in batches.groups.tolist()]
            order = np.arange(len(batches.frame), dtype=np.intp)
            series = Series(ids, order, batches.starts, is_fresh=True)
            outcome = self.series(batches.frame, series)
        if outcome is not None:
            self.emit_each(batches, outcome)
            return
        for batch in batches:
            self.batch(batch)
