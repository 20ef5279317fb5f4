"""Time as the runtime counts it: integers of nanoseconds, text only at the edges."""

from __future__ import annotations

import datetime
from collections.abc import Callable

Nanoseconds = int
Clock = Callable[[], Nanoseconds]

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

# 0001-01-01T00:00:00Z, from which Kapacitor counts multiples of a duration, in
# nanoseconds since 1970. Go's zero time is the same instant.
ZERO_TIME: Nanoseconds = -62_135_596_800 * SECOND

# The times that a point can have. Two instants at either end of int64 are sentinels in
# InfluxDB's storage.
LATEST: Nanoseconds = 2**63 - 2
EARLIEST: Nanoseconds = -LATEST
# After every time that a point can have.
NEVER: Nanoseconds = 2**63 - 1

_EPOCH = datetime.datetime(1970, 1, 1)
_INFLUX_UNITS = (
    ("w", WEEK),
    ("d", DAY),
    ("h", HOUR),
    ("m", MINUTE),
    ("s", SECOND),
    ("ms", MILLISECOND),
    ("u", MICROSECOND),
    ("ns", 1),
)


class Duration(int):
    """A duration value inside expressions, in nanoseconds; distinct from an integer."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Duration({int(self)})"


def saturated(time: Nanoseconds) -> Nanoseconds:
    """`time`, clipped to the range of times that points can have.

    Kapacitor's times have no such bounds: Go counts seconds and nanoseconds separately.
    """
    if EARLIEST <= time <= LATEST:
        return time
    return LATEST if time > 0 else EARLIEST


def between(start: Nanoseconds, end: Nanoseconds) -> Nanoseconds:
    """The distance of two times, clipped to int64.

    Source: Go time.Time.Sub.
    """
    distance = end - start
    if -(2**63) <= distance < 2**63:
        return distance
    return 2**63 - 1 if distance > 0 else -(2**63)


def beyond_multiple(time: Nanoseconds, step: Nanoseconds) -> Nanoseconds:
    """Distance of `time` from the last multiple of `step`, from year 1 as in Go."""
    return (time - ZERO_TIME) % step


def truncate(time: Nanoseconds, step: Nanoseconds) -> Nanoseconds:
    """`time` floored to a multiple of `step`, counted from year 1 as Go does.

    Source: Go time.Time.Truncate.
    """
    if step <= 0:
        return time
    return saturated(time - beyond_multiple(time, step))


def round_half_up(time: Nanoseconds, step: Nanoseconds) -> Nanoseconds:
    """`time` rounded to the nearest multiple of `step`, halves up.

    Source: Go time.Time.Round.
    """
    if step <= 0:
        return time
    rest = beyond_multiple(time, step)
    return saturated(time - rest if rest + rest < step else time + (step - rest))


def rfc3339(time: Nanoseconds) -> str:
    """`time` in UTC with up to nine decimals, zeros trimmed: `2017-07-14T02:40:00.5Z`."""
    seconds, rest = divmod(time, SECOND)
    moment = _EPOCH + datetime.timedelta(seconds=seconds)
    # strftime("%Y") does not pad years below 1000 on Linux; isoformat does
    fraction = f".{rest:09d}".rstrip("0").rstrip(".") if rest else ""
    return f"{moment.isoformat()}{fraction}Z"


def influx_duration(value: Nanoseconds) -> str:
    """A duration as scripts write it: the largest single unit that divides, `90s`."""
    if value == 0:
        return "0s"
    for unit, size in _INFLUX_UNITS:
        if value % size == 0:
            return f"{value // size}{unit}"
    raise AssertionError("every integer is a multiple of 1ns")


def go_duration(value: Nanoseconds) -> str:
    """A duration as Go prints it: `1h0m0s`, `1.5s`, `100ms`, `0s`.

    Source: Go time.Duration.String.
    """
    if value == 0:
        return "0s"
    sign, rest = ("-", -value) if value < 0 else ("", value)
    if rest < SECOND:
        for unit, size in (("ms", MILLISECOND), ("µs", MICROSECOND), ("ns", 1)):
            if rest >= size:
                return f"{sign}{_decimal(rest, size)}{unit}"
    minutes, rest = divmod(rest, MINUTE)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, SECOND)}s"
    if hours:
        text = f"{hours}h{minutes}m{text}"
    elif minutes:
        text = f"{minutes}m{text}"
    return sign + text


def _decimal(value: int, size: int) -> str:
    whole, rest = divmod(value, size)
    if not rest:
        return str(whole)
    digits = len(str(size)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")
