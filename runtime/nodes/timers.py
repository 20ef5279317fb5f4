"""Calls at later times, all in one heap."""

from __future__ import annotations

import heapq
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass

from runtime.units import Clock, Nanoseconds


@dataclass(slots=True, eq=False)
class Timer:
    """A call at a later time.

    Attributes:
        due: its time by the clock of the timers.
        call: the function; None once it was called or cancelled.
    """

    due: Nanoseconds
    call: Callable[[], None] | None


class Timers:
    """Calls at later times, made on the compute thread.

    Attributes:
        clock: clock of the timers: a monotonic one, or the clock of a replay.
        earlier: called when a new timer is due before all others, on the compute thread
            or on a thread that works in its place.
        next_due: time of the first timer; None without timers.
    """

    def __init__(self, clock: Clock) -> None:
        """Make an empty heap."""
        self.clock = clock
        self.earlier: Callable[[], None] = lambda: None
        self.next_due: Nanoseconds | None = None
        self._heap: list[tuple[Nanoseconds, int, Timer]] = []
        self._serials = itertools.count()
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def after(self, delay: Nanoseconds, call: Callable[[], None]) -> Timer:
        """Call `call` once, after a delay."""
        return self.at(self.clock() + delay, call)

    def at(self, due: Nanoseconds, call: Callable[[], None]) -> Timer:
        """Call `call` once, at a time."""
        timer = Timer(due, call)
        # the serial number orders equal times, and so keeps timers from being compared
        heapq.heappush(self._heap, (due, next(self._serials), timer))
        if self.next_due is None or due < self.next_due:
            self.next_due = due
            self.earlier()
        return timer

    def cancel(self, timer: Timer) -> None:
        """Cancel a timer."""
        if timer.call is None:
            return
        timer.call = None
        self._cancelled += 1
        # cancelled timers stay in the heap until they are due, unless they are more than
        # half of it, as with barriers that each point postpones
        if self._cancelled > 100 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0
        self._settle()

    def run(self, most: int = sys.maxsize) -> None:
        """Make the first `most` of the calls that are due by now, in order."""
        now = self.clock()
        try:
            while most and self._heap and self._heap[0][0] <= now:
                most -= 1
                timer = heapq.heappop(self._heap)[2]
                # cleared before the call, as this may cancel the timer, or fail
                call, timer.call = timer.call, None
                if call is None:
                    self._cancelled -= 1
                else:
                    call()
        finally:
            self._settle()

    def _settle(self) -> None:
        while self._heap and self._heap[0][2].call is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        self.next_due = self._heap[0][0] if self._heap else None


def next_multiple(
    due: Nanoseconds, interval: Nanoseconds, now: Nanoseconds
) -> Nanoseconds:
    """The first time after `now` that is `due` plus a multiple of the interval.

    Missed times are skipped, as by Go's tickers.
    """
    return due + max((now - due) // interval + 1, 1) * interval
