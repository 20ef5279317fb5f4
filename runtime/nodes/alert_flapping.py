"""When a level changes so often that telling it every time helps nobody."""

from __future__ import annotations

from runtime.alert.types import Level

MIN_HISTORY = 2
_OK = int(Level.OK)


class Flapping:
    """The last levels of a group, and whether they flap.

    Source: Kapacitor alertState.percentChange. Its sum starts at the newest level and
    goes on with the oldest: the newest pair but one is never compared.
    """

    __slots__ = ("_high", "_levels", "_low", "_newest", "_weights", "is_on")

    def __init__(self, low: float, high: float, history: int) -> None:
        """Begin with a history of OK.

        Args:
            low: flapping ends when the share of changes falls below this.
            high: flapping begins when it exceeds this.
            history: how many levels are looked at; at least 2.
        """
        size = max(history, MIN_HISTORY)
        self._low = low
        self._high = high
        self._levels = [_OK] * size
        self._newest = 0
        self._weights = [0.8 + each * (0.4 / (size - 1)) for each in range(size - 1)]
        self.is_on = False

    @property
    def is_calm(self) -> bool:
        """Whether another OK would change nothing."""
        return not self.is_on and not any(self._levels)

    def push(self, level: int) -> None:
        """Take the next level into account."""
        size = len(self._levels)
        self._newest = newest = (self._newest + 1) % size
        self._levels[newest] = level
        share = self._share()
        if self.is_on:
            self.is_on = share >= self._low
        else:
            self.is_on = share > self._high

    def _share(self) -> float:
        levels, newest, size = self._levels, self._newest, len(self._levels)
        changes = 0.0
        for index, weight in enumerate(self._weights):
            # negative indices wrap around by themselves
            if levels[(newest + index) % size] != levels[(newest + index) % size - 1]:
                changes += weight
        return changes / (size - 1)
