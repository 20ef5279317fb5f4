"""The methods templates may call on times and durations.

Source: Go time.Time and time.Duration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runtime.golang.templates.functions import CallError
from runtime.golang.values import Int, Time, format_time, type_name
from runtime.units import (
    HOUR,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    SECOND,
    Duration,
    between,
    round_half_up,
    saturated,
    truncate,
)
from runtime.units import go_duration as duration_text


def method(value: object, name: str) -> Callable[..., object] | None:
    """The method `name` of `value`, or None."""
    if isinstance(value, Time):
        return _bound(_TIME, value, name)
    if isinstance(value, Duration):
        return _bound(_DURATION, value, name)
    return None


def _bound(
    methods: Mapping[str, Callable[..., object]], value: object, name: str
) -> Callable[..., object] | None:
    found = methods.get(name)
    return None if found is None else lambda *arguments: found(value, *arguments)


def _format(time: Time, layout: object) -> str:
    if not isinstance(layout, str):
        text = f"wrong type for value; expected string; got {type_name(layout)}"
        raise CallError(text)
    return format_time(time, layout)


def _moment(part: Callable[[Any], int]) -> Callable[[Time], Int]:
    return lambda time: Int(part(time.moment()))


_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

_TIME: Mapping[str, Callable[..., object]] = {
    "Unix": lambda time: time // SECOND,
    "UnixMilli": lambda time: time // MILLISECOND,
    "UnixMicro": lambda time: time // MICROSECOND,
    "UnixNano": int,
    "UTC": Time,
    "Local": Time,
    "Format": _format,
    "String": str,
    "IsZero": lambda time: time.is_zero,
    "Nanosecond": lambda time: Int(time % SECOND),
    "Year": _moment(lambda moment: moment.year),
    "Month": lambda time: _MONTHS[time.moment().month - 1],
    "Day": _moment(lambda moment: moment.day),
    "Hour": _moment(lambda moment: moment.hour),
    "Minute": _moment(lambda moment: moment.minute),
    "Second": _moment(lambda moment: moment.second),
    "YearDay": _moment(lambda moment: moment.timetuple().tm_yday),
    "Weekday": lambda time: _DAYS[time.moment().weekday()],
    "Add": lambda time, duration: Time(saturated(int(time) + int(duration))),
    "Sub": lambda time, other: Duration(between(int(other), int(time))),
    "Before": lambda time, other: int(time) < int(other),
    "After": lambda time, other: int(time) > int(other),
    "Equal": lambda time, other: int(time) == int(other),
    "Truncate": lambda time, step: Time(truncate(int(time), int(step))),
    "Round": lambda time, step: Time(round_half_up(int(time), int(step))),
}
_DURATION: Mapping[str, Callable[..., object]] = {
    "Hours": lambda duration: duration / HOUR,
    "Minutes": lambda duration: duration / MINUTE,
    "Seconds": lambda duration: duration / SECOND,
    "Milliseconds": lambda duration: int(duration / MILLISECOND),
    "Microseconds": lambda duration: int(duration / MICROSECOND),
    "Nanoseconds": int,
    "String": duration_text,
    "Abs": lambda duration: Duration(min(abs(duration), 2**63 - 1)),
    "Truncate": lambda duration, step: Duration(_truncated(duration, step)),
}


def _truncated(duration: int, step: int) -> int:
    """Truncate to a multiple of `step`; unchanged if `step` is not positive."""
    if step <= 0:
        return duration
    rest = abs(duration) % step
    return duration - rest if duration >= 0 else duration + rest
