"""Go values that Python has no type for: structs, string maps, times, plain ints."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from runtime.units import ZERO_TIME, Duration, Nanoseconds, rfc3339

_EPOCH = datetime.datetime(1970, 1, 1)


class Int(int):
    """Go's `int`, the type of literals in templates; a Python int represents `int64`."""

    __slots__ = ()


class Struct:
    """A struct: a closed set of fields in a fixed order.

    Attributes:
        type_name: name in Go, `kapacitor.messageInfo`.
        fields: values by name, in the order of declaration, those of `embedded` first.
        embedded: a struct whose fields are also fields of this one.
    """

    __slots__ = ("embedded", "fields", "type_name")

    def __init__(
        self,
        type_name: str,
        fields: Mapping[str, object],
        embedded: Struct | None = None,
    ) -> None:
        self.type_name = type_name
        self.fields: Mapping[str, object] = (
            fields if embedded is None else {**embedded.fields, **fields}
        )
        self.embedded = embedded

    def members(self) -> list[tuple[str, object]]:
        """Names and values as declared: an embedded struct is one of them."""
        if self.embedded is None:
            return list(self.fields.items())
        inner = self.embedded
        own = list(self.fields.items())[len(inner.fields) :]
        return [(inner.type_name.rpartition(".")[2], inner), *own]


class StringMap(dict[str, str]):
    """`map[string]string`, whose missing elements are empty strings."""


class Time(int):
    """A moment in UTC: ns since 1970."""

    __slots__ = ()

    def __str__(self) -> str:
        """As Go prints it: `2017-07-14 02:40:00.5 +0000 UTC`."""
        return rfc3339(self).replace("T", " ").replace("Z", " +0000 UTC")

    def moment(self) -> datetime.datetime:
        """The time as a `datetime`, truncated to microseconds."""
        return _EPOCH + datetime.timedelta(microseconds=int(self) // 1000)

    @property
    def is_zero(self) -> bool:
        """True if it is Go's zero time, the start of year 1."""
        return int(self) == ZERO_TIME


def type_name(value: object) -> str:
    """The Go type of a value, as error texts spell it."""
    if value is None:
        return "<nil>"
    if isinstance(value, Struct):
        return value.type_name
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return type(value).__name__


_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (Int, "int"),
    (Time, "time.Time"),
    (Duration, "time.Duration"),
    (int, "int64"),
    (float, "float64"),
    (str, "string"),
    (StringMap, "map[string]string"),
    (Mapping, "map[string]interface {}"),
    (list, "[]interface {}"),
    (tuple, "[]interface {}"),
)

# layouts are spelled with Go's reference time, Mon Jan 2 15:04:05 MST 2006
_LAYOUT = (
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("2006", "%Y"),
    ("Z07:00", "Z"),
    ("-07:00", "+00:00"),
    ("-0700", "+0000"),
    ("MST", "UTC"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
)
_SHORT = {"1": "month", "2": "day", "3": "hour12", "4": "minute", "5": "second"}


def format_time(time: Nanoseconds, layout: str) -> str:
    """`time` in UTC by a Go layout such as `2006-01-02 15:04:05.000`.

    Source: Go time.Time.Format.
    """
    moment = Time(time).moment()
    out: list[str] = []
    while layout:
        text, layout = _next_piece(time, moment, layout, after_second=out[-1:] != [])
        out.append(text)
    return "".join(out)


def _next_piece(
    time: Nanoseconds, moment: datetime.datetime, layout: str, *, after_second: bool
) -> tuple[str, str]:
    for name, code in _LAYOUT:
        if layout.startswith(name):
            return _rendered(moment, code), layout[len(name) :]
    if layout.startswith("_2"):
        return f"{moment.day:2d}", layout[2:]
    if after_second and layout[0] in ".," and layout[1:2] in ("0", "9"):
        digit = layout[1]
        length = len(layout[1:]) - len(layout[1:].lstrip(digit))
        if not layout[1 + length : 2 + length].isdigit():
            return _fraction(time, layout[0], digit, length), layout[1 + length :]
    part = _SHORT.get(layout[0])
    if part:
        return _short(moment, part), layout[1:]
    return layout[0], layout[1:]


def _rendered(moment: datetime.datetime, code: str) -> str:
    if code == "%Y":
        return f"{moment.year:04d}"
    if code == "%P":
        return moment.strftime("%p").lower()
    return moment.strftime(code) if code.startswith("%") else code


def _short(moment: datetime.datetime, part: str) -> str:
    if part == "hour12":
        return str(moment.hour % 12 or 12)
    return str(getattr(moment, part))


def _fraction(time: Nanoseconds, point: str, digit: str, length: int) -> str:
    digits = f"{time % 1_000_000_000:09d}"[:length]
    if digit == "0":
        return point + digits
    digits = digits.rstrip("0")
    return point + digits if digits else ""
