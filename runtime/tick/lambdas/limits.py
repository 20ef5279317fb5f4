"""Limits of the strings of lambdas, and of the work that goes into them.

What a lambda does is counted instead of timed, so that it fails on every machine or on
none. Kapacitor has no limits; there a task delays no other.
"""

from __future__ import annotations

import threading

from runtime.tick.lambdas.faults import TooMuchError

# Characters of a string that an expression makes.
LONGEST = 1 << 20
# Characters that one evaluation of an expression may handle …
WORK = 8 << 20
# … where each match of a regular expression counts for so many.
MATCH = 128


class _Allowance(threading.local):
    left = WORK


_allowance = _Allowance()


def begin() -> None:
    """Begin an evaluation."""
    _allowance.left = WORK


def spend(work: int) -> None:
    """Do so much.

    Raises:
        TooMuchError: that is too much.
    """
    _allowance.left -= work
    if _allowance.left < 0:
        raise TooMuchError("the expression does too much with strings")


def check(length: int) -> None:
    """Look whether a string of that length may be made.

    Raises:
        TooMuchError: it is too long.
    """
    if length > LONGEST:
        raise TooMuchError(f"the string is longer than {LONGEST} characters")
