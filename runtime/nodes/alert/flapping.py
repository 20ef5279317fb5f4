"""Flapping: levels that change too often to report every change."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from runtime.alert.types import Level

MIN_HISTORY = 2
# Longer histories keep their changes only, so that memory depends on the changes.
SPARSE_FROM = 256
_OK = int(Level.OK)
# The weights of changes grow with their index, from `_BASE` to `_BASE + _RANGE`.
_BASE = 0.8
_RANGE = 0.4


class History(Protocol):
    """The last levels of a group; it starts with OK."""

    @property
    def is_quiescent(self) -> bool:
        """True if all levels are OK."""

    def push(self, level: int) -> None:
        """Make `level` the newest one."""

    def share(self) -> float:
        """The share of changes, newer ones weighted more.

        Source: Kapacitor alertState.percentChange. Its sum starts at the newest level and
        continues with the oldest. So it never compares the newest pair but one, and
        compares the oldest level with the newest.
        """


class Flapping:
    """Decides from the last levels of a group if they flap."""

    __slots__ = ("_high", "_history", "_low", "is_on")

    def __init__(self, low: float, high: float, history: int) -> None:
        """Begin with a history of OK.

        Args:
            low: share of changes below which flapping ends.
            high: share of changes above which flapping begins.
            history: number of levels to consider; at least 2.
        """
        size = max(history, MIN_HISTORY)
        self._low = low
        self._high = high
        self._history: History = Ring(size) if size < SPARSE_FROM else Changes(size)
        self.is_on = False

    @property
    def is_quiescent(self) -> bool:
        """True if another OK would have no effect."""
        return not self.is_on and self._history.is_quiescent

    def push(self, level: int) -> None:
        """Take the next level into account."""
        self._history.push(level)
        share = self._history.share()
        if self.is_on:
            self.is_on = share >= self._low
        else:
            self.is_on = share > self._high


class Ring:
    """A short history, with every level."""

    __slots__ = ("_levels", "_newest", "_weights")

    def __init__(self, size: int) -> None:
        self._levels = [_OK] * size
        self._newest = 0
        step = _RANGE / (size - 1)
        self._weights = [_BASE + each * step for each in range(size - 1)]

    @property
    def is_quiescent(self) -> bool:
        """True if all levels are OK."""
        return not any(self._levels)

    def push(self, level: int) -> None:
        """Make `level` the newest one."""
        self._newest = (self._newest + 1) % len(self._levels)
        self._levels[self._newest] = level

    def share(self) -> float:
        """The share of changes."""
        levels, newest, size = self._levels, self._newest, len(self._levels)
        changes = 0.0
        for index, weight in enumerate(self._weights):
            # negative indices wrap around by themselves
            if levels[(newest + index) % size] != levels[(newest + index) % size - 1]:
                changes += weight
        return changes / (size - 1)


class Changes:
    """A long history: its changes only, with sums that make each push cheap.

    Levels are numbered in order of arrival; the newest is number `_at`. A change at `p`
    is between the levels `p - 1` and `p`; its index in the sum is `p - _at + _size`.
    """

    __slots__ = ("_at", "_changes", "_level", "_oldest", "_recent", "_size", "_sum")

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0
        self._level = _OK
        self._oldest = _OK
        # (position, level) of the changes that are compared, and the sum of positions
        self._changes: deque[tuple[int, int]] = deque()
        self._sum = 0
        # changes at the last two positions
        self._recent: deque[tuple[int, int]] = deque()

    @property
    def is_quiescent(self) -> bool:
        """True if all levels are OK."""
        return (self._level, self._oldest) == (_OK, _OK) and not (
            self._changes or self._recent
        )

    def push(self, level: int) -> None:
        """Make `level` the newest one."""
        self._at += 1
        if level != self._level:
            self._level = level
            self._recent.append((self._at, level))
        while self._recent and self._recent[0][0] <= self._at - 2:
            change = self._recent.popleft()
            self._changes.append(change)
            self._sum += change[0]
        while self._changes and self._changes[0][0] <= self._at - self._size + 1:
            position, self._oldest = self._changes.popleft()
            self._sum -= position

    def share(self) -> float:
        """The share of changes."""
        number = len(self._changes)
        indices = self._sum - number * (self._at - self._size)
        if self._oldest != self._level:
            number, indices = number + 1, indices + 1
        if self._recent and self._recent[-1][0] == self._at:
            number += 1
        changes = number * _BASE + indices * (_RANGE / (self._size - 1))
        return changes / (self._size - 1)
