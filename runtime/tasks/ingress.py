"""Counts of received points, by destination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from runtime.frames import Frame

# A client that makes up measurements must not fill the memory.
_MOST = 10_000


class PointDestination(NamedTuple):
    """A destination of points.

    Attributes:
        database: database of the write.
        retention_policy: retention policy of the write.
        measurement: measurement; "" for all beyond the limit of names.
    """

    database: str
    retention_policy: str
    measurement: str


class Ingress:
    """Counts points, on the compute thread; any thread may read the counts."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}

    def __iter__(self) -> Iterator[tuple[PointDestination, int]]:
        return iter(
            [(PointDestination(*key), count) for key, count in [*self._counts.items()]]
        )

    def add(self, frames: Iterable[Frame], database: str, policy: str) -> None:
        """Count the points of a write."""
        self.count(((frame.name, len(frame)) for frame in frames), database, policy)

    def count(
        self, points: Iterable[tuple[str, int]], database: str, policy: str
    ) -> None:
        """Count points, given as measurements with their numbers of points."""
        counts = self._counts
        for name, number in points:
            key = database, policy, name
            if key not in counts and len(counts) >= _MOST:
                key = database, policy, ""
            counts[key] = counts.get(key, 0) + number
