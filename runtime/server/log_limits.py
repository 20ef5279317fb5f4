"""Limits on repeated log lines: a failing task must not fill the disk."""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

# Of complaints of the same kind, at most this many are written …
MOST = 20
# … in this time.
SPAN_S = 10.0
# Maximum number of kinds; all further ones are counted as one.
_KINDS = 1000
# Attributes that distinguish complaints with the same text.
_PARTS = ("task_master", "task", "node", "topic", "handler", "service")


@dataclass(slots=True)
class _Kind:
    end: float
    first: logging.LogRecord
    written: int = 0
    left_out: int = 0


class Repeats(logging.Filter):
    """Passes warnings and errors, at most `MOST` of each kind in `SPAN_S`.

    The number of omitted lines is logged after that time, as `suppressed`.
    """

    def __init__(
        self,
        write: Callable[[logging.LogRecord], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create a filter that has not counted anything yet.

        Args:
            write: writes the lines about omitted lines.
            clock: monotonic clock, in seconds.
        """
        super().__init__()
        self._write = write
        self._clock = clock
        self._kinds: dict[Hashable, _Kind] = {}
        self._look_at = 0.0
        # each thread calls the filter before it waits to write
        self._lock = threading.Lock()

    def takes(self, logger: str, message: str, parts: Mapping[str, object]) -> bool:
        """True if the line would be written; see `runtime.trouble`."""
        kind = self._kind(_key(logger, message, parts))
        return kind is None or kind.written < MOST or kind.end <= self._clock()

    def leave_out(self, logger: str, message: str, parts: Mapping[str, object]) -> None:
        """Count an omitted line."""
        with self._lock:
            if kind := self._kind(_key(logger, message, parts)):
                kind.left_out += 1

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True to write `record`, after lines about omitted ones."""
        if hasattr(record, "suppressed"):
            return True
        now = self._clock()
        for summary in self._left_out(now):
            self._write(summary)
        # output of a script about its points is not a complaint
        if record.levelno < logging.WARNING or hasattr(record, "parts"):
            return True
        with self._lock:
            return self._counts(record, now)

    def _counts(self, record: logging.LogRecord, now: float) -> bool:
        key = _key(record.name, record.msg, vars(record))
        kind = self._kind(key)
        if kind is None:
            key = () if len(self._kinds) >= _KINDS else key
            kind = self._kinds[key] = _Kind(now + SPAN_S, record)
        if kind.written < MOST:
            kind.written += 1
            return True
        kind.left_out += 1
        return False

    def _kind(self, key: Hashable) -> _Kind | None:
        kind = self._kinds.get(key)
        if kind is None and len(self._kinds) >= _KINDS:
            return self._kinds.get(())
        return kind

    def _left_out(self, now: float) -> list[logging.LogRecord]:
        """Lines with the numbers of omitted lines, for the kinds whose time is over."""
        if now < self._look_at:
            return []
        with self._lock:
            self._look_at = now + 1.0
            ended = [key for key, kind in self._kinds.items() if kind.end <= now]
            kinds = [self._kinds.pop(key) for key in ended]
        return [_summary(kind) for kind in kinds if kind.left_out]


def _key(logger: str, message: object, parts: Mapping[str, object]) -> Hashable:
    return (logger, message, *(str(parts.get(name)) for name in _PARTS))


def _summary(kind: _Kind) -> logging.LogRecord:
    summary = copy.copy(kind.first)
    summary.created = time.time()
    summary.suppressed = kind.left_out
    return summary
