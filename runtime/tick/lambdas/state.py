"""State of functions between the points of one expression."""

from __future__ import annotations

import math
from typing import NamedTuple


class Snapshot(NamedTuple):
    """The content of a `State`, from which it can be restored."""

    calls: int
    moments: tuple[int, float, float]
    bounds: tuple[float, float]


class State:
    """The state of each stateful function of an expression."""

    __slots__ = ("_bounds", "_calls", "_moments")

    def __init__(self) -> None:
        self._calls = 0
        self._moments = (0, 0.0, 0.0)
        self._bounds = (math.inf, -math.inf)

    def count(self) -> int:
        """The number of calls, this one included."""
        self._calls += 1
        return self._calls

    def sigma(self, value: float) -> float:
        """The distance of `value` from the mean so far, in standard deviations.

        The mean and the deviation include `value`. Source: Kapacitor's sigma, which
        uses Welford's recurrence.
        """
        count, mean, squares = self._moments
        count += 1
        delta = value - mean
        mean += delta / count
        squares += delta * (value - mean)
        self._moments = (count, mean, squares)
        if count < 2:
            return 0.0
        variance = squares / (count - 1)
        if variance == 0:
            return 0.0
        # a rounding error may make the variance negative; Go's square root is then NaN
        return abs(value - mean) / math.sqrt(variance) if variance > 0 else math.nan

    def spread(self, value: float) -> float:
        """The difference of the greatest and the least value so far."""
        low, high = self._bounds
        low = min(low, value)
        high = max(high, value)
        self._bounds = (low, high)
        return high - low

    def save(self) -> Snapshot:
        """The present content of the state."""
        return Snapshot(self._calls, self._moments, self._bounds)

    def restore(self, saved: Snapshot) -> None:
        """Restore a saved content."""
        self._calls, self._moments, self._bounds = saved
