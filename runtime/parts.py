"""Long writes in parts of some milliseconds, however much the tasks make of a point."""

from __future__ import annotations

import time
from collections.abc import Iterator

from runtime.line_protocol import Write

# A part of so many points takes well under 100 ms even if each becomes an event.
_FIRST = 512
_MOST = 8192
_FEWEST = 16
# Aim for the time that a part takes, all tasks together.
_PART_S = 0.02
# The points that follow may be more work than those before.
_MOST_GROWTH = 8


class Pace:
    """Measures the time that is spent on one part."""

    __slots__ = ("_since_s", "spent_s")

    def __init__(self) -> None:
        self.spent_s = 0.0
        self._since_s = time.monotonic()

    def pause(self) -> None:
        """Something else is done now."""
        self.spent_s += time.monotonic() - self._since_s

    def resume(self) -> None:
        """The part goes on."""
        self._since_s = time.monotonic()


def parts(write: Write) -> Iterator[tuple[Write, Pace]]:
    """The parts of a write, in order, each as long as the one before suggests."""
    total, start, size = len(write), 0, _FIRST
    if total <= size:
        yield write, Pace()
        return
    while start < total:
        end, pace = min(start + size, total), Pace()
        yield write.part(start, end), pace
        pace.pause()
        growth = min(_PART_S / max(pace.spent_s, 1e-6), _MOST_GROWTH)
        size = max(_FEWEST, min(int(size * growth), _MOST))
        start = end
