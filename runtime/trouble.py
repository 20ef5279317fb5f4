"""Failures that last: what is logged of them, and how often."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable

from runtime.errors import KapacitorError

# After the first line comes the next after so long, then after twice as long, …
FIRST_S = 10.0
# … at most after this.
MOST_S = 3600.0


class Trouble:
    """Something that is tried again and again and may fail for long.

    The first failure is logged, then one at growing intervals with the number so far,
    and the end: a full disk must not be filled by complaints about it.
    """

    def __init__(
        self,
        log: logging.Logger,
        failed: str,
        succeeded: str,
        *,
        level: int = logging.ERROR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a trouble that is not there yet.

        Args:
            log: where to.
            failed: the line of a failure.
            succeeded: the line of its end.
            level: of failures; ends are `INFO`.
            clock: seconds that never go back.
        """
        self._log = log
        self._failed = failed
        self._succeeded = succeeded
        self._level = level
        self._clock = clock
        self._count = 0
        self._since = 0.0
        self._is_told = False
        self._interval = FIRST_S
        # not before is the next failure logged, whatever succeeds in between
        self._next = -FIRST_S

    def failed(self, error: Exception) -> None:
        """Note a failure; an error that is not the runtime's own has its traceback."""
        now = self._clock()
        self._count += 1
        if self._count == 1:
            self._since = now
        if now < self._next:
            return
        is_new = now >= self._next + self._interval
        self._interval = FIRST_S if is_new else min(2 * self._interval, MOST_S)
        self._next = now + self._interval
        self._is_told = True
        extra = {"err": str(error)}
        if self._count > 1:
            extra["failures"] = str(self._count)
        known = isinstance(error, KapacitorError | OSError | sqlite3.Error)
        self._log.log(
            self._level, self._failed, extra=extra, exc_info=None if known else error
        )

    def ended(self) -> None:
        """Note a success."""
        if not self._is_told:
            return
        lasted = f"{self._clock() - self._since:.0f}s"
        extra = {"failures": str(self._count), "lasted": lasted}
        self._count, self._is_told = 0, False
        self._log.info(self._succeeded, extra=extra)
