"""Selection of the points of a write that are kept."""

from __future__ import annotations

from collections.abc import Collection

# Number of unread measurements whose points are counted separately.
_MOST_NAMED = 10_000


class Selection:
    """Decides which points of a write are kept; the others are only counted.

    Attributes:
        skipped: number of points left out, by measurement; "" for all measurements
            beyond the first `_MOST_NAMED`.
    """

    def __init__(self, wanted: Collection[str] | None = None) -> None:
        """Keep the measurements `wanted`; None keeps all."""
        self._wanted = wanted
        self.skipped: dict[str, int] = {}

    def keeps(self, name: str, points: int = 1) -> bool:
        """True if points of the measurement `name` are kept; counts them if not."""
        if self._wanted is None or name in self._wanted:
            return True
        skipped = self.skipped
        if name not in skipped and len(skipped) >= _MOST_NAMED:
            name = ""
        skipped[name] = skipped.get(name, 0) + points
        return False
