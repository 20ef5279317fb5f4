"""Timeline of the server's running time."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from runtime.units import SECOND, Clock, Nanoseconds

# maximum number of runs whose wall clock times are kept
MAX_RUNS = 1000


class Run(NamedTuple):
    """One run of the server.

    Attributes:
        seen: start of the run on the timeline.
        clock: wall clock at that start, in ns since 1970 UTC.
    """

    seen: Nanoseconds
    clock: Nanoseconds


class Timeline:
    """Time that advances only while the server runs, and never jumps.

    Ages and delays of deliveries are measured on it, so a wrong clock after a restart
    neither ages nor delays them. It begins with the time of day of the first run.

    Attributes:
        runs: the runs with their starts, oldest first; this one is the last.
        away: downtime before this run, according to the wall clock.
    """

    def __init__(
        self,
        runs: Sequence[Run] = (),
        seen: Nanoseconds | None = None,
        *,
        clock: Clock = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Continue after the end of the last run.

        Args:
            runs: earlier runs, oldest first.
            seen: last known time of the previous run on the timeline; None if this is
                the first run.
            clock: wall clock, in ns since 1970 UTC; read once.
            monotonic: monotonic clock, in seconds.
        """
        now = clock()
        self._monotonic = monotonic
        self.away = 0
        # the clock is read here and never again: later changes of it have no effect
        if seen is None:
            seen = now
        elif runs:
            self.away = max(0, now - _shown(runs, seen))
        self._epoch = seen - int(monotonic() * SECOND)
        self.runs = (*runs[1 - MAX_RUNS :], Run(seen, now))

    def now(self) -> Nanoseconds:
        """The current end."""
        return self._epoch + int(self._monotonic() * SECOND)

    def shown(self, moment: Nanoseconds) -> Nanoseconds:
        """A time on it as wall clock time of its run, in ns since 1970 UTC."""
        return _shown(self.runs, moment)

    def left_s(self, due: Nanoseconds) -> float:
        """Remaining delay of a message that was scheduled before this run."""
        # the downtime counts for a delay, but not for an age: waiting longer does not
        # help
        return max(0.0, (due - self.now() - self.away) / SECOND)


def _shown(runs: Sequence[Run], moment: Nanoseconds) -> Nanoseconds:
    place = bisect_right(runs, moment, key=lambda run: run.seen)
    run = runs[max(0, place - 1)]
    return moment - run.seen + run.clock
