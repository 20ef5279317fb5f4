"""Recurring errors, logged at growing intervals."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from runtime.errors import KapacitorError

_ROOT = logging.getLogger("kapacitor")
# The second line comes this long after the first, the third after twice as long, …
FIRST_S = 10.0
# … at most after this.
MOST_S = 3600.0


class Trouble:
    """The log entries of an operation that is repeated and may keep failing.

    The first failure is logged, then failures at growing intervals with their number so
    far, then the first success: a full disk must not be filled by its own errors.
    """

    def __init__(
        self,
        log: logging.Logger,
        failed: str,
        succeeded: str,
        *,
        level: int = logging.ERROR,
        clock: Callable[[], float] = time.monotonic,
        context: Mapping[str, object] | None = None,
    ) -> None:
        """Begin without a failure.

        Args:
            log: logger of the entries.
            failed: message of a failure.
            succeeded: message of the first success after a failure.
            level: level of failures; successes are `INFO`.
            clock: a monotonic clock, in seconds.
            context: further attributes of the log entries.
        """
        self._log = log
        self._context = dict(context or {})
        self._failed = failed
        self._succeeded = succeeded
        self._level = level
        self._clock = clock
        self._count = 0
        self._since = 0.0
        self._is_logged = False
        self._interval = FIRST_S
        # time of the next failure that is logged, even if attempts succeed until then
        self._next = -FIRST_S

    def failed(self, error: Exception, **more: object) -> None:
        """Note a failure; unexpected errors are logged with their traceback.

        Args:
            error: the cause.
            more: further attributes of the log entry.
        """
        now = self._clock()
        self._count += 1
        if self._count == 1:
            self._since = now
        if now < self._next:
            return
        is_new = now >= self._next + self._interval
        self._interval = FIRST_S if is_new else min(2 * self._interval, MOST_S)
        self._next = now + self._interval
        self._is_logged = True
        extra = {**self._context, **more, "err": str(error)}
        if self._count > 1:
            extra["failures"] = str(self._count)
        import sqlite3  # here: `kapacitord config` does without a database

        known = isinstance(error, KapacitorError | OSError | sqlite3.Error)
        self._log.log(
            self._level, self._failed, extra=extra, exc_info=None if known else error
        )

    def ended(self) -> None:
        """Note a success."""
        if not self._is_logged:
            return
        lasted = f"{self._clock() - self._since:.0f}s"
        extra = {**self._context, "failures": str(self._count), "lasted": lasted}
        self._count, self._is_logged = 0, False
        self._log.info(self._succeeded, extra=extra)


class Limit(Protocol):
    """A filter of a log handler that leaves out errors which occur too often."""

    def takes(self, logger: str, message: str, parts: Mapping[str, object]) -> bool:
        """True if the line of an error would be written."""

    def leave_out(self, logger: str, message: str, parts: Mapping[str, object]) -> None:
        """Count a line that is left out."""


def complain(log: logging.Logger, message: str, parts: Mapping[str, object]) -> None:
    """Log an error, unless every handler would leave it out.

    A record takes some 20 µs before a filter sees it, more than the point that failed.

    Args:
        log: logger below the runtime's root.
        message: the same for all errors of a kind.
        parts: further parts of the line.
    """
    if not log.isEnabledFor(logging.ERROR):
        return
    limits = _limits()
    if limits and not any(each.takes(log.name, message, parts) for each in limits):
        for each in limits:
            each.leave_out(log.name, message, parts)
        return
    log.error(message, extra=dict(parts))


def _limits() -> list[Limit]:
    """The limits of all log handlers; empty if a handler has none."""
    if _ROOT.propagate:
        return []
    found: list[Limit] = []
    for handler in _ROOT.handlers:
        own = [each for each in handler.filters if hasattr(each, "leave_out")]
        if not own:
            return []
        found += cast(list[Limit], own)
    return found
