"""Conversions between types, with the error texts of Go's strconv."""

from __future__ import annotations

import math
import re
from typing import Final

from runtime.golang.durations import parse_influx
from runtime.golang.numbers import general, plain, wrapped
from runtime.golang.quoting import quote
from runtime.tick.lambdas.faults import CallError
from runtime.tick.lambdas.values import (
    INT_MAX,
    INT_MIN,
    truncated,
)
from runtime.units import Duration, influx_duration

_BOOLS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_INT: Final = re.compile(r"[+-]?[0-9]+")
# underscores are allowed between digits, and after the prefix of a hexadecimal number
_DIGITS: Final = "[0-9](?:_?[0-9])*"
_HEX_DIGITS: Final = "[0-9a-fA-F](?:_?[0-9a-fA-F])*"
_FLOAT: Final = re.compile(
    rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?"
)
_HEX_FLOAT: Final = re.compile(
    rf"[+-]?0[xX](?:_?{_HEX_DIGITS}(?:\.(?:{_HEX_DIGITS})?)?|\.{_HEX_DIGITS})"
    rf"[pP][+-]?{_DIGITS}"
)
_INFINITE: Final = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE | re.ASCII)
_SIZES: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def _syntax(function: str, text: str) -> CallError:
    return CallError(f"strconv.{function}: parsing {quote(text)}: invalid syntax")


def _range(function: str, text: str) -> CallError:
    return CallError(f"strconv.{function}: parsing {quote(text)}: value out of range")


def bool_of_text(text: str) -> bool:
    """The boolean that a text spells."""
    try:
        return _BOOLS[text]
    except KeyError:
        raise _syntax("ParseBool", text) from None


def bool_of_number(value: float) -> bool:
    """The boolean of 0 or 1."""
    if value in (0, 1):
        return value == 1
    text = general(value) if isinstance(value, float) else str(value)
    raise CallError(f"cannot convert {text} to boolean")


def int_of_text(text: str) -> int:
    """The decimal integer that a text spells."""
    if not _INT.fullmatch(text):
        raise _syntax("ParseInt", text)
    # Python refuses thousands of digits; such numbers are out of range anyway
    value = int(text) if len(text) < 400 or not text.strip("+-0") else INT_MAX + 1
    if not INT_MIN <= value <= INT_MAX:
        raise _range("ParseInt", text)
    return value


def float_of_text(text: str) -> float:
    """The float that a text spells, as Go's ParseFloat reads it."""
    if _FLOAT.fullmatch(text):
        value = float(text.replace("_", ""))
    elif _HEX_FLOAT.fullmatch(text):
        try:
            value = float.fromhex(text.replace("_", ""))
        except OverflowError:
            raise _range("ParseFloat", text) from None
    elif _INFINITE.fullmatch(text):
        return -math.inf if text[0] == "-" else math.inf
    elif text.lower() == "nan":
        return math.nan
    else:
        raise _syntax("ParseFloat", text)
    if math.isinf(value):
        raise _range("ParseFloat", text)
    return value


def float_of_bool(value: bool) -> float:
    """1.0 or 0.0."""
    return 1.0 if value else 0.0


def int_of_bool(value: bool) -> int:
    """1 or 0."""
    return 1 if value else 0


def text_of_bool(value: bool) -> str:
    """`true` or `false`."""
    return "true" if value else "false"


def text_of_float(value: float) -> str:
    """The float without an exponent."""
    return plain(value)


def text_of_duration(value: Duration) -> str:
    """The duration in its largest exact unit."""
    return influx_duration(int(value))


def duration_of_int(value: int, unit: Duration) -> Duration:
    """A number of units."""
    return Duration(wrapped(value * int(unit)))


def duration_of_float(value: float, unit: Duration) -> Duration:
    """A number of units, with a fraction."""
    return Duration(truncated(value * float(int(unit))))


def duration_of_text(text: str, unit: Duration) -> Duration:
    """The duration that a text with units spells; `unit` is ignored."""
    try:
        return Duration(parse_influx(text))
    except ValueError:
        raise CallError(f"invalid duration string {quote(text)}") from None


def human_bytes(value: float) -> str:
    """A size as people read it: `83 MB`, `1.0 kB`, `0 B`.

    Source: go-humanize Bytes; it takes unsigned numbers, so negative ones become huge.
    """
    size = truncated(value) if isinstance(value, float) else value
    size &= 2**64 - 1
    if size < 10:
        return f"{size} B"
    exponent = math.floor(math.log(float(size)) / math.log(1000.0))
    scaled = math.floor(float(size) / math.pow(1000.0, exponent) * 10 + 0.5) / 10
    return f"{scaled:.{1 if scaled < 10 else 0}f} {_SIZES[exponent]}"
