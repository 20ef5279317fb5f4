"""Limits of the strings of lambdas, and of the work for them.

Work is counted instead of timed, so that a lambda fails on every machine or on none.
Kapacitor has no such limits, but its tasks do not delay each other. Only searches are
timed as well, as they may read far beyond their match, and RE2 does not report how far.
"""

from __future__ import annotations

import threading
import time

from runtime.tick.lambdas.faults import TooMuchError

# Maximum length of a string that an expression creates, in characters.
LONGEST = 1 << 20
# Characters that one evaluation of an expression may handle …
WORK = 8 << 20
# … each match of a regular expression costs this much.
MATCH = 512
# … and this many steps of a search cost 1. A column is one evaluation: if its searches
# may take long, rows are used instead, and the task's budget is checked between them.
STEPS = 16
# Seconds of the thread's time in which one evaluation may replace matches. That is far
# more than `WORK` allows for searches that end soon after their match.
_TIME_S = 2.0


class _Allowance(threading.local):
    left = WORK
    time_s = _TIME_S


_allowance = _Allowance()


def begin() -> None:
    """Begin an evaluation."""
    _allowance.left = WORK
    _allowance.time_s = _TIME_S


def spend(work: int) -> None:
    """Count work.

    Raises:
        TooMuchError: the limit is exceeded.
    """
    _allowance.left -= work
    if _allowance.left < 0:
        raise TooMuchError("the expression takes too much work with strings")


def spend_time(since_s: float) -> float:
    """Count the time since `since_s`; return the present `time.thread_time`.

    Raises:
        TooMuchError: the limit is exceeded.
    """
    now_s = time.thread_time()
    _allowance.time_s -= now_s - since_s
    if _allowance.time_s < 0:
        raise TooMuchError("the expression searches strings for too long")
    return now_s


def check(length: int) -> None:
    """Check that a string of that length may be created.

    Raises:
        TooMuchError: it is too long.
    """
    if length > LONGEST:
        raise TooMuchError(f"the string is longer than {LONGEST} characters")
