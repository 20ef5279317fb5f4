"""Durations read from text: InfluxDB's spelling (`1h30m`, `1w`) and Go's (`1.5s`)."""

from __future__ import annotations

import re

from runtime.golang.numbers import integer
from runtime.golang.quoting import quote
from runtime.units import (
    DAY,
    HOUR,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    SECOND,
    WEEK,
    Nanoseconds,
)

INFLUX_UNITS = {
    "ns": 1,
    "u": MICROSECOND,
    "µ": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
    "d": DAY,
    "w": WEEK,
}
_GO = {
    "ns": 1,
    "us": MICROSECOND,
    "µs": MICROSECOND,
    "μs": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
_INFLUX_PART = re.compile(r"(\d+)(ns|ms|[uµsmhdw])", re.ASCII)
_GO_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)", re.ASCII)
_MAX = 2**63 - 1
# Digits of a fraction that count; further ones are below a nanosecond.
_FRACTION_DIGITS = 40


def parse_influx(text: str) -> Nanoseconds:
    """`text` in nanoseconds: one or more integers with units, with an optional sign.

    Raises:
        ValueError: `invalid duration`.

    Source: influxql.ParseDuration.
    """
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text)
    total = 0
    end = 0
    for part in _INFLUX_PART.finditer(rest):
        if part.start() != end:
            break
        total += integer(part[1]) * INFLUX_UNITS[part[2]]
        end = part.end()
    if not rest or end != len(rest) or total > _MAX:
        raise ValueError("invalid duration")
    return sign * total


def parse_go(text: str) -> Nanoseconds:
    """`text` in nanoseconds: `1h30m`, `1.5s`, `0`.

    Raises:
        ValueError: `time: invalid duration "abc"`, `time: missing unit in duration "5"`
            or `time: unknown unit "x" in duration "5x"`.

    Source: Go time.ParseDuration.
    """
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    total = 0
    end = 0
    for part in _GO_PART.finditer(rest):
        if part.start() != end:
            break
        total += _go_part(part[1], part[2], text)
        end = part.end()
    if not rest or end != len(rest) or total > _MAX:
        raise ValueError(f"time: invalid duration {quote(text)}")
    return -total if text.startswith("-") else total


def _go_part(number: str, unit: str, text: str) -> int:
    if not unit:
        raise ValueError(f"time: missing unit in duration {quote(text)}")
    if unit not in _GO:
        raise ValueError(f"time: unknown unit {quote(unit)} in duration {quote(text)}")
    whole, _, fraction = number.partition(".")
    size = _GO[unit]
    fraction = fraction[:_FRACTION_DIGITS]
    scale: int = 10 ** len(fraction)
    part = int(fraction or 0) * size // scale
    return integer(whole) * size + part
