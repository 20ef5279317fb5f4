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
    """Calls at later times. Belongs to the compute thread.

    Attributes:
        clock: the time by which timers are due; one that never goes back, where it is
            not the clock of a replay.
        earlier: called when a timer is due before all others, by any thread that works
            for the compute thread.
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
        # the serial number keeps equal times in order, and timers from being compared
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
        # left in the heap, where they cost nothing until they are due; unless they are
        # most of it, as with barriers that each point puts off
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
                # before the call, which may cancel its own timer, or fail
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
