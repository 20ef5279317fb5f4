"""Long writes in parts of some milliseconds, however much the tasks make of a point."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import ceil

from runtime.line_protocol import Write

# Points of the first part of the first write of a measurement: some milliseconds even
# if each point becomes an event. Later writes begin with the size that earlier ones led
# to.
_FIRST = 128
# The same, while a single point may take some task as long as all of those.
_FIRST_HEAVY = 2
_MOST = 8192
# Target for the longest step of a part. Other work runs between the steps, so the whole
# part may take longer. With many tasks, each of them a step, smaller parts would only
# repeat the fixed cost of each task.
_STEP_S = 0.02
# Beyond this many measurements, of a write or known, they are not distinguished.
_MOST_NAMES = 64
_MOST_KNOWN = 10_000
# Maximum growth from one part to the next, whose points may take longer.
_MOST_GROWTH = 16


class Pace:
    """Measures the longest step of one part.

    Only the time of this thread counts. Smaller parts while other programs use the
    processor would add work just when there is the least time for it.
    """

    __slots__ = ("_since_s", "longest_s")

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._since_s = time.thread_time()

    def pause(self) -> None:
        """Pause the measurement."""
        self.longest_s = max(self.longest_s, time.thread_time() - self._since_s)

    def resume(self) -> None:
        """Resume the measurement."""
        self._since_s = time.thread_time()


class Parts:
    """Splits writes into parts, sized by how long earlier parts took."""

    def __init__(self) -> None:
        # by measurement: a point of one may be a thousand times the work of another
        self._sizes: dict[str, int] = {}

    def forget(self) -> None:
        """Start over: other tasks may take longer for the same points."""
        self._sizes.clear()

    def of(
        self, write: Write, *, is_heavy: bool = False
    ) -> Iterator[tuple[Write, Pace]]:
        """The parts of a write in order, each with the `Pace` that measures its work.

        Args:
            write: the write.
            is_heavy: True if a single point may be long work.
        """
        total, start = len(write), 0
        size = self._first(write, _FIRST_HEAVY if is_heavy else _FIRST)
        if total <= size:
            pace = Pace()
            yield write, pace
            pace.pause()
            if pace.longest_s > _STEP_S:
                self._learn(write, int(total * _STEP_S / pace.longest_s))
            return
        while start < total:
            # in equal parts: a short last part would cost each task almost as much as a
            # full one
            left, pace = total - start, Pace()
            end = start + ceil(left / ceil(left / size))
            yield write.part(start, end), pace
            pace.pause()
            growth = min(_STEP_S / max(pace.longest_s, 1e-6), _MOST_GROWTH)
            size = max(1, min(round((end - start) * growth), _MOST))
            start = end
        self._learn(write, size)

    def _first(self, write: Write, unknown: int) -> int:
        """Points of the first part of a write, for its heaviest measurement."""
        known = (self._sizes.get(name, unknown) for name in _names(write))
        return max(1, min(known, default=unknown))

    def _learn(self, write: Write, size: int) -> None:
        """Begin the next writes of these measurements with this many points."""
        if len(self._sizes) > _MOST_KNOWN:
            self._sizes.clear()
        for name in _names(write):
            self._sizes[name] = size


def _names(write: Write) -> list[str]:
    if len(write.frames) > _MOST_NAMES:
        return [""]
    return [frame.name for frame in write.frames]
