"""Limits of the strings of lambdas, and of the work that goes into them.

What a lambda does is counted instead of timed, so that it fails on every machine or on
none. Kapacitor has no limits; there a task delays no other. Only searches that look far
beyond their match are timed as well: RE2 does not say how far it looked.
"""

from __future__ import annotations

import threading
import time

from runtime.tick.lambdas.faults import TooMuchError

# Characters of a string that an expression makes.
LONGEST = 1 << 20
# Characters that one evaluation of an expression may handle …
WORK = 8 << 20
# … each match of a regular expression costs this much.
MATCH = 512
# … and this many steps of a search cost 1. A column is one evaluation: where its
# searches may take long it is given up, for rows between which the task's budget is seen.
STEPS = 16
# Seconds that one evaluation may replace matches, of the thread's own time: far more
# than what `WORK` allows takes where searches end soon after their match.
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
        raise TooMuchError("the expression does too much with strings")


def spend_time(since_s: float) -> float:
    """Note the time since then, and return the time now, both of `time.thread_time`.

    Raises:
        TooMuchError: the limit is exceeded.
    """
    now_s = time.thread_time()
    _allowance.time_s -= now_s - since_s
    if _allowance.time_s < 0:
        raise TooMuchError("the expression searches strings for too long")
    return now_s


def check(length: int) -> None:
    """Look whether a string of that length may be made.

    Raises:
        TooMuchError: it is too long.
    """
    if length > LONGEST:
        raise TooMuchError(f"the string is longer than {LONGEST} characters")
