"""The calendar functions, in the time zone of the server."""

from __future__ import annotations

import time

from runtime.tick.lambdas.values import Time
from runtime.units import SECOND


def _local(moment: Time) -> time.struct_time:
    return time.localtime(int(moment) // SECOND)


def now() -> Time:
    """The wall clock."""
    return Time(time.time_ns())


def unix_nano(moment: Time) -> int:
    """Nanoseconds since 1970 UTC."""
    return int(moment)


def minute(moment: Time) -> int:
    """0 to 59."""
    return _local(moment).tm_min


def hour(moment: Time) -> int:
    """0 to 23."""
    return _local(moment).tm_hour


def weekday(moment: Time) -> int:
    """0, Sunday, to 6."""
    return (_local(moment).tm_wday + 1) % 7


def day(moment: Time) -> int:
    """1 to 31."""
    return _local(moment).tm_mday


def month(moment: Time) -> int:
    """1 to 12."""
    return _local(moment).tm_mon


def year(moment: Time) -> int:
    """The year."""
    return _local(moment).tm_year
