"""Walks the rows of a frame that may change an alert, in arrival order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from runtime.frames import Frame, Point
from runtime.nodes.alert.group import Group
from runtime.nodes.alert.levels import OK
from runtime.nodes.alert.screen import Mask, Screen
from runtime.units import NEVER, Nanoseconds

Step = Callable[[Point, str], object]


class Walk:
    """One pass over the relevant rows of a frame.

    A group's next row depends on its level at that time, so rows are found one after the
    other. A heap keeps the groups in the order of their next rows.

    Attributes:
        firing: indices of the groups with a row that may leave OK.
    """

    def __init__(
        self,
        frame: Frame,
        screen: Screen,
        fires: Mask,
        groups: Mapping[str, Group],
        interval: Nanoseconds | None,
    ) -> None:
        """Prepare a pass.

        Args:
            frame: the points.
            screen: conditions as columns of the frame.
            fires: rows that may leave OK, according to `screen`.
            groups: groups by id; `appear` of `run` adds the new ones.
            interval: time after which an unchanged level is repeated, 0 for never; None
                if every point that is not OK is an event.
        """
        self._frame = frame
        self._screen = screen
        self._groups = groups
        self._interval = interval
        self._of_frame = frame.groups
        self.firing = _firing(frame, fires)
        self._masks: dict[tuple[int, int], Mask | None] = {}

    def run(self, groups: Iterable[int], step: Step, appear: Step) -> None:
        """Visit the rows in order of arrival.

        Args:
            groups: indices of the groups to visit; the others cannot change.
            step: passes a point to the group of an id.
            appear: receives the first point of an unknown group, before its step.
        """
        ids = self._of_frame.ids
        heap: list[tuple[int, int, int]] = []
        for index in groups:
            self._push(heap, index, 0)
        while heap:
            row, index, position = heapq.heappop(heap)
            # the first point of a new group is visited twice, by `appear` and by `step`:
            # the position stays
            if ids[index] in self._groups:
                step(self._frame.point(row), ids[index])
                position += 1
            else:
                appear(self._frame.point(row), ids[index])
            self._push(heap, index, position)

    def _push(self, heap: list[tuple[int, int, int]], index: int, start: int) -> None:
        group = self._groups.get(self._of_frame.ids[index])
        # most new groups have no further row to visit
        if group is not None and group.is_quiescent and index not in self.firing:
            return
        rows = self._rows(index)
        position = self._next(rows, index, start)
        if position < len(rows):
            heapq.heappush(heap, (int(rows[position]), index, position))

    def _rows(self, index: int) -> NDArray[np.intp]:
        starts = self._of_frame.starts
        return self._of_frame.order[starts[index] : starts[index + 1]]

    def _next(self, rows: NDArray[np.intp], index: int, start: int) -> int:
        """The position of the next row, from `start`, that may change the group."""
        group = self._groups.get(self._of_frame.ids[index])
        if group is None or start >= len(rows):
            return start
        if group.is_quiescent:
            return _first(self._mask(rows, index, OK), start)
        # every row is an event, or counts for flapping
        if self._interval is None or group.flapping is not None or group.level == OK:
            return start
        mask = self._mask(rows, index, group.level)
        # a group that never had an event is due at once
        if mask is None or (self._interval and group.last is None):
            return start
        found = _first(mask, start)
        if self._interval and group.last is not None:
            # times are compared, as their distance may exceed 64 bits
            due = min(group.last + self._interval, NEVER)
            late = self._frame.time[rows[start:]] >= due
            found = min(found, start + _first(late, 0))
        return found

    def _mask(self, rows: NDArray[np.intp], index: int, level: int) -> Mask | None:
        key = index, level
        # few levels occur in the groups of a frame
        if key not in self._masks:
            mask = self._screen.leaves(level)
            self._masks[key] = None if mask is None else mask[rows]
        return self._masks[key]


def _firing(frame: Frame, fires: Mask) -> frozenset[int]:
    found = np.zeros(len(frame.groups.ids), dtype=np.bool_)
    found[frame.groups.codes[fires]] = True
    return frozenset(np.flatnonzero(found).tolist())


def _first(mask: Mask | None, start: int) -> int:
    """The first position from `start` that is set, or the length; `start` without mask."""
    if mask is None or start >= len(mask):
        return start
    found = start + int(mask[start:].argmax())
    return found if mask[found] else len(mask)
