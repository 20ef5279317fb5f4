"""Finds the rows of a frame that may change an alert, by columns.

Every other row is OK in a group that is OK, or has the same level in a group whose alert
sends changes only. Such a row is not converted to a point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.frames import Frame
from runtime.nodes.alert.levels import CRITICAL, OK, Condition, Levels

Mask = NDArray[np.bool_]


class Screen:
    """The conditions of an alert node as columns of one frame.

    Masks are computed on first use.
    """

    def __init__(self, levels: Levels, frame: Frame) -> None:
        self._levels = levels
        self._frame = frame
        self._leaving: dict[int, Mask | None] = {}
        self._columns: dict[int, tuple[Mask, Mask | None] | None] = {}

    def fires(self) -> Mask | None:
        """The rows that may leave OK in a group that is OK.

        None if a lambda has to be evaluated row by row.
        """
        return self.leaves(OK)

    def leaves(self, level: int) -> Mask | None:
        """The rows that may leave `level` in a group of that level.

        None if a lambda has to be evaluated row by row.
        """
        if level not in self._leaving:
            made = self._fires() if level == OK else self._leaves(level)
            self._leaving[level] = made
        return self._leaving[level]

    def _fires(self) -> Mask | None:
        mask: Mask | None = None
        for condition in self._levels.conditions:
            if condition is None:
                continue
            column = self._column(condition)
            if column is None:
                return None
            true, valid = column
            # rows in which the condition fails are included, to report the failure
            each = true if valid is None else true | ~valid
            mask = each if mask is None else mask | each
        return mask

    def _leaves(self, level: int) -> Mask | None:
        size = len(self._frame)
        higher = np.zeros(size, dtype=np.bool_)
        for above in range(level + 1, CRITICAL + 1):
            # levels without a condition never hold
            column = self._of(self._levels.conditions[above])
            if column is None:
                return None
            true, valid = column
            higher |= true if valid is None else true | ~valid
        own = self._of(self._levels.conditions[level])
        reset = self._of(self._levels.resets[level], absent=True)
        if own is None or reset is None:
            return None
        # the level stays if its own lambda is true, or its reset is false
        is_true = own[0] if own[1] is None else own[0] & own[1]
        kept = ~reset[0] if reset[1] is None else ~reset[0] & reset[1]
        # a failure of the level's own lambda must be reported
        if own[1] is not None:
            kept &= own[1]
        return higher | ~(is_true | kept)

    def _of(
        self, condition: Condition | None, *, absent: bool = False
    ) -> tuple[Mask, Mask | None] | None:
        if condition is None:
            return np.full(len(self._frame), absent, dtype=np.bool_), None
        return self._column(condition)

    def _column(self, condition: Condition) -> tuple[Mask, Mask | None] | None:
        # the id is unique, as conditions live as long as the node
        key = id(condition)
        if key not in self._columns:
            self._columns[key] = self._made(condition)
        return self._columns[key]

    def _made(self, condition: Condition) -> tuple[Mask, Mask | None] | None:
        column = condition.function.columns(self._frame)
        if column is None or column.kind != "bool":
            return None
        values = column.values
        if not isinstance(values, np.ndarray):
            values = np.full(len(self._frame), bool(values))
        return values, column.valid
