"""Work on many rows in slices of a fixed time, independent of the speed of the disk."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

# A small write may wait for a slice, its commit included.
AIM_S = 0.015
FEWEST = 10
MOST = 250


class Slices:
    """The size of slices, adapted to the time that earlier ones took.

    Attributes:
        size: rows of the next slice.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.size = 50
        self._clock = clock

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """Measure the work on a slice."""
        begin = self._clock()
        yield
        growth = AIM_S / max(self._clock() - begin, 1e-6)
        size = int(self.size * min(max(growth, 0.25), 2.0))
        self.size = min(max(size, FEWEST), MOST)
