"""Cron expressions with five to seven fields, in local time.

Source: Kapacitor's documentation of `cron`, and github.com/gorhill/cronexpr with its
error texts.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from runtime.errors import TaskError
from runtime.units import SECOND, Nanoseconds

_MONTHS = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_LONG_MONTHS = [name.lower() for name in calendar.month_name[1:]]
_LONG_DAYS = ["sunday", *(name.lower() for name in calendar.day_name[:6])]
_ALIASES = {
    "@yearly": "0 0 0 1 1 * *",
    "@annually": "0 0 0 1 1 * *",
    "@monthly": "0 0 0 1 * * *",
    "@weekly": "0 0 0 * * 0 *",
    "@daily": "0 0 0 * * * *",
    "@hourly": "0 0 * * * * *",
}
_STEP = re.compile(r"(\*|[^/-]+(?:-[^/-]+)?)/(\d+)")


def _names(short: list[str], long: list[str], first: int) -> dict[str, int]:
    found = {name: number for number, name in enumerate(short, first)}
    return found | {name: number for number, name in enumerate(long, first)}


class _Field(NamedTuple):
    """A field of an expression.

    Attributes:
        name: its name in error texts.
        low: its lowest value.
        high: its highest value.
        names: names of values.
        top: the highest number that may be written.
    """

    name: str
    low: int
    high: int
    names: dict[str, int]
    top: int

    def number(self, text: str) -> int | None:
        """The value of a number or name; None for other texts."""
        if text in self.names:
            return self.names[text]
        if not re.fullmatch(r"\d{1,4}", text):
            return None
        return int(text) if self.low <= int(text) <= self.top else None

    def values(self, entry: str) -> set[int] | None:
        """The values of `*`, `5`, `5-20` and these with a step; None for other texts.

        Raises:
            TaskError: the step is out of range.
        """
        text, step = entry, 1
        is_stepped = _STEP.fullmatch(entry)
        if is_stepped:
            text, step = is_stepped[1], int(is_stepped[2])
        if text == "*" or (text == "?" and not is_stepped):
            first, last = self.low, self.high
        else:
            start, dash, end = text.partition("-")
            low, high = self.number(start), self.number(end if dash else start)
            if low is None or high is None:
                return None
            first, last = low, self.high if is_stepped and not dash else high
        if is_stepped and not 1 <= step <= self.high:
            raise TaskError(f"invalid interval {entry}")
        # day 7 of a week is day 0
        found = {
            value if value <= self.high else self.low
            for value in range(first, last + 1, step)
        }
        # empty if a range ends before it begins
        return found or None


_SECOND = _Field("second", 0, 59, {}, 59)
_MINUTE = _Field("minute", 0, 59, {}, 59)
_HOUR = _Field("hour", 0, 23, {}, 23)
_DAY = _Field("day-of-month", 1, 31, {}, 31)
_MONTH = _Field("month", 1, 12, _names(_MONTHS, _LONG_MONTHS, 1), 12)
_WEEKDAY = _Field("day-of-week", 0, 6, _names(_DAYS, _LONG_DAYS, 0), 7)
_YEAR = _Field("year", 1970, 2099, {}, 2099)

# returns the matching days of a month, given by its year and month
_DaysOf = Callable[[int, int], set[int]]


class Cron:
    """A schedule such as `*/10 * * * *` or `0 30 1 L * * *`."""

    def __init__(self, text: str) -> None:
        """Parse an expression.

        Raises:
            TaskError: a field is missing or invalid.
        """
        self.text = text
        for alias, meaning in _ALIASES.items():
            text = text.replace(alias, meaning)
        fields = text.lower().split()[:7]
        if len(fields) < 5:
            raise TaskError("missing field(s)")
        if len(fields) < 7:
            fields.insert(0, "0")
        second, minute, hour, day, month, weekday, *year = fields
        self._seconds = _sorted(second, _SECOND)
        self._minutes = _sorted(minute, _MINUTE)
        self._hours = _sorted(hour, _HOUR)
        self._months = _sorted(month, _MONTH)
        self._years = _sorted(year[0] if year else "*", _YEAR)
        self._days_of = _days(_entries(day, _DAY), _entries(weekday, _WEEKDAY))

    def next(self, after: Nanoseconds) -> Nanoseconds | None:
        """The first time after `after`, in ns since 1970 UTC; None if there is none."""
        second = after // SECOND
        local = datetime.datetime.fromtimestamp(second)
        found = self._first(local, second, fold=0)
        # "every hour" includes the repeated hour when the clock is set back
        if found is not None and len(self._hours) == _HOUR.high + 1:
            repeated = _offset(second) - _offset(found)
            if repeated > datetime.timedelta(0):
                found = self._first(local - repeated, second, fold=1)
        return None if found is None else found * SECOND

    def _first(
        self, start: datetime.datetime, second: int, *, fold: Literal[0, 1]
    ) -> int | None:
        """The first matching time from `start` on that is after the epoch's `second`."""
        for moment in self._from(start.replace(fold=0)):
            found = int(moment.replace(fold=fold).timestamp())
            if found > second:
                return found
        return None

    def _from(self, start: datetime.datetime) -> Iterator[datetime.datetime]:
        """The matching local times from `start` on, in order."""
        for date in self._dates(start.date()):
            is_first = date == start.date()
            for hour in self._hours:
                if is_first and hour < start.hour:
                    continue
                for minute in self._minutes:
                    if is_first and (hour, minute) < (start.hour, start.minute):
                        continue
                    for second in self._seconds:
                        moment = datetime.datetime(
                            *(date.year, date.month, date.day, hour, minute, second)
                        )
                        if moment >= start:
                            yield moment

    def _dates(self, start: datetime.date) -> Iterator[datetime.date]:
        for year in self._years:
            if year < start.year:
                continue
            for month in self._months:
                if (year, month) < (start.year, start.month):
                    continue
                for day in sorted(self._days_of(year, month)):
                    date = datetime.date(year, month, day)
                    if date >= start:
                        yield date


def _offset(second: int) -> datetime.timedelta:
    """The offset of local time from UTC at a second of the epoch."""
    offset = datetime.datetime.fromtimestamp(second).astimezone().utcoffset()
    assert offset is not None
    return offset


def _entries(text: str, field: _Field) -> list[str]:
    entries = [entry for entry in text.split(",") if entry]
    if not entries:
        raise TaskError(f"{field.name} field: missing directive")
    return entries


def _sorted(text: str, field: _Field) -> list[int]:
    found: set[int] = set()
    for entry in _entries(text, field):
        values = field.values(entry)
        if values is None:
            raise _invalid(field, entry)
        found |= values
    return sorted(found)


def _invalid(field: _Field, entry: str) -> TaskError:
    return TaskError(f"syntax error in {field.name} field: '{entry}'")


def _days(days: list[str], weekdays: list[str]) -> _DaysOf:
    """The days of a month that match either field, ignoring a field with `*`."""
    of_day = [_of_month(entry) for entry in days]
    of_week = [_of_week(entry) for entry in weekdays]
    by_day = not {"*", "?"} & {*days}
    by_week = not {"*", "?"} & {*weekdays}
    rules = of_day * by_day + of_week * by_week
    if not rules:
        return lambda year, month: {*range(1, _length(year, month) + 1)}

    def days_of(year: int, month: int) -> set[int]:
        found = set().union(*(rule(year, month) for rule in rules))
        return {day for day in found if day <= _length(year, month)}

    return days_of


def _of_month(entry: str) -> _DaysOf:
    """The days that match an entry such as `15`, `L`, `LW` or `15W`."""
    if entry == "l":
        return lambda year, month: {_length(year, month)}
    if entry == "lw":
        return lambda year, month: {_workday(year, month, _length(year, month))}
    values = _DAY.values(entry)
    if values is not None:
        return lambda year, month: values
    day = _DAY.number(entry.removesuffix("w"))
    if day is None:
        raise _invalid(_DAY, entry)
    return lambda year, month: (
        {_workday(year, month, day)} if day <= _length(year, month) else set()
    )


def _of_week(entry: str) -> _DaysOf:
    """The days that match an entry such as `1-5`, `5L` or `5#3`."""
    values = _WEEKDAY.values(entry)
    if values is not None:
        days = {value % 7 for value in values}
        return lambda year, month: {
            day
            for day in range(1, _length(year, month) + 1)
            if _weekday(year, month, day) in days
        }
    name, hash_, week = entry.partition("#")
    number = _WEEKDAY.number(name if hash_ else entry.removesuffix("l"))
    if number is None or (hash_ and week not in {*"12345"}):
        raise _invalid(_WEEKDAY, entry)

    def one(year: int, month: int) -> set[int]:
        length = _length(year, month)
        each = [
            day
            for day in range(1, length + 1)
            if _weekday(year, month, day) == number % 7
        ]
        place = int(week) - 1 if hash_ else -1
        return {*each[place:][:1]}

    return one


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _weekday(year: int, month: int, day: int) -> int:
    """The day of the week; 0 is Sunday."""
    return (calendar.weekday(year, month, day) + 1) % 7


def _workday(year: int, month: int, day: int) -> int:
    """The nearest working day in the same month."""
    weekday = _weekday(year, month, day)
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < _length(year, month) else day - 2
    return day
