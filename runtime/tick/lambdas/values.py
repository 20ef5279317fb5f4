"""The values of lambda expressions, their types, and Kapacitor's names of types."""

from __future__ import annotations

from typing import Any, Final

from runtime.tick.lambdas.regex import Regex
from runtime.units import Duration

# Values are Python's float, int, str and bool, a Regex, Time or Duration, or MISSING.
# Types are compared by `type(value)`: neither a bool nor a Duration is an int here.
LambdaValue = Any
Type = type[Any]


class Time(int):
    """A moment in nanoseconds since 1970 UTC; distinct from an integer."""

    __slots__ = ()


class Missing:
    """The type of `MISSING`, the value of a reference that the point lacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing()
INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1

NAMES: Final[dict[Type, str]] = {
    float: "float",
    int: "int",
    str: "string",
    bool: "boolean",
    Regex: "regex",
    Time: "time",
    Duration: "duration",
    Missing: "missing",
}
# Possible types of a lambda's result: all but times and regular expressions
RESULTS: Final[frozenset[Type]] = frozenset((float, int, str, bool, Duration))


def truncated(value: float) -> int:
    """The int64 that Go's conversion makes of a float; the smallest one if out of range."""
    if -(2.0**63) <= value < 2.0**63:
        return int(value)
    return INT_MIN


def octets(text: str) -> bytes:
    """The string in UTF-8, on which Go's functions work.

    Bytes that are not UTF-8 may be in the string as surrogate escapes.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="surrogateescape")


def from_octets(data: bytes) -> str:
    """The inverse of `octets`."""
    return data.decode(errors="surrogateescape")
