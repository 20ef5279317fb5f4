"""Points as lines for InfluxDB: a frame's columns at once, or points one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from runtime.frames import FieldColumn, Frame, Point, Rows, TagColumn
from runtime.frames.numbering import numbered
from runtime.line_protocol.values import bool_text, field_text, string_text
from runtime.units import HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND, Nanoseconds

PRECISIONS: Mapping[str, Nanoseconds] = {
    "ns": 1,
    "u": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
"""Precisions of times, as InfluxDB spells them."""

# Names and tags cannot contain a newline: it would end the line.
_LINE_END = {"\n": "\\n", "\r": "\\r"}
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ ", **_LINE_END})
_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", **_LINE_END})
_FIELD = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", '"': '\\"', **_LINE_END})
# backslashes that InfluxDB would read as escapes of the next character
_LOST = re.compile(r"\\+(?=[,= ])")
# Average number of rows with the same fields below which rows are faster than columns.
_ROWS_EACH = 8
# Number of series whose written measurement and tags are cached.
_REMEMBERED = 10_000
# several times as fast as Python; floats are written in their shortest form
_json = msgspec.json.Encoder().encode


class Lines:
    """Writes points as lines, each with its newline.

    Fields that the protocol cannot express, infinities and NaN, are left out. A point
    without other fields has no line. Tags and fields are sorted, and empty tags left out.
    A newline in a name or tag becomes `\\n`, and backslashes at their ends are dropped:
    both would damage the rest of the line.
    """

    def __init__(
        self,
        measurement: str = "",
        tags: Mapping[str, str] | None = None,
        unit: Nanoseconds = 1,
    ) -> None:
        """Set the common properties of all lines.

        Args:
            measurement: the measurement; "" for the point's own.
            tags: tags of every point; they replace its own of the same name.
            unit: unit of the times in ns, as in `PRECISIONS`.
        """
        self._measurement = measurement
        self._tags = dict(tags or {})
        self._unit = unit
        # cached series by measurement and tag names, then by tag values
        self._known: dict[tuple[str, ...], dict[tuple[str, ...], str]] = {}
        self._size = 0

    def of_point(self, point: Point, name: str = "") -> str:
        """A point's line, or "" if it has none.

        Args:
            point: the point.
            name: the measurement to write; "" for the point's own.
        """
        fields = [
            f"{_field_name(key)}={text}"
            for key, value in sorted(point.fields.items())
            if (text := field_text(value))
        ]
        if not fields:
            return ""
        tags = point.tags
        names, values = (name or point.name, *tags), tuple(tags.values())
        known = self._known.get(names)
        key = (known and known.get(values)) or self._remember(names, values)
        time = abs(point.time) // self._unit * (-1 if point.time < 0 else 1)
        return f"{key} {','.join(fields)} {time}\n"

    def of_frame(self, frame: Frame) -> Sequence[str]:
        """The lines of a frame's points, in their order."""
        size = len(frame)
        columns = sorted(frame.all_fields().items())
        masks = [_present(column) for _, column in columns]
        codes, first = numbered(
            [mask.astype(np.int32) for mask in masks if mask is not None], size
        )
        if len(first) * _ROWS_EACH > max(size, _ROWS_EACH):
            some = (self.of_point(point) for point in frame.points())
            return [line for line in some if line]
        keys, times = self._keys(frame), self._times(frame.time)
        lines = np.full(size, "", dtype=object)
        for number, row in enumerate(first.tolist()):
            here = [
                column
                for column, mask in zip(columns, masks, strict=True)
                if mask is None or mask[row]
            ]
            if len(first) == 1:
                return _joined(keys, here, times, None)
            rows = np.flatnonzero(codes == number)
            lines[rows] = (
                _joined(_picked(keys, rows), here, _picked(times, rows), rows) or ""
            )
        return [line for line in lines.tolist() if line]

    def _keys(self, frame: Frame) -> Sequence[str]:
        """Measurement and tags of each row, written once for equal tags."""
        tags = frame.all_tags()
        codes, first = numbered([each.codes for each in tags.values()], len(frame))
        names = (frame.name, *tags)
        known = self._known.get(names, {})
        values = [_values(column, first) for column in tags.values()]
        of_first = zip(*values, strict=True) if values else [()] * len(first)
        keys = [known.get(each) or self._remember(names, each) for each in of_first]
        if len(keys) == 1:
            return keys * len(frame)
        return [keys[code] for code in codes.tolist()]

    def _remember(self, names: tuple[str, ...], values: tuple[str, ...]) -> str:
        if self._size >= _REMEMBERED:
            self._size = 0
            self._known.clear()
        self._size += 1
        tags = dict(zip(names[1:], values, strict=True))
        key = self._key(names[0], {**tags, **self._tags})
        self._known.setdefault(names, {})[values] = key
        return key

    def _key(self, name: str, tags: Mapping[str, str]) -> str:
        pairs = [_name(self._measurement or name, _MEASUREMENT)]
        for key, value in sorted(tags.items()):
            known, text = _name(key, _TAG), _name(value, _TAG)
            if known and text:
                pairs.append(f"{known}={text}")
        return ",".join(pairs)

    def _times(self, times: NDArray[np.int64]) -> Sequence[str]:
        if self._unit > 1:
            # towards 0, as Go divides
            times = (times - np.fmod(times, self._unit)) // self._unit
        return _numbers(times)


def _values(column: TagColumn, rows: Rows) -> Sequence[str]:
    """The tag's values in some rows; "" where it is absent."""
    codes = column.codes[rows].tolist()
    return [column.values[code] if code >= 0 else "" for code in codes]


def _joined(
    keys: Sequence[str],
    columns: Sequence[tuple[str, FieldColumn]],
    times: Sequence[str],
    rows: Rows | None,
) -> list[str]:
    """Lines of rows that all have the same fields; no lines if they have no fields."""
    if not columns:
        return []
    parts: list[Sequence[str] | repeat[str]] = [keys]
    for number, (name, column) in enumerate(columns):
        parts += [
            repeat(f"{',' if number else ' '}{_field_name(name)}="),
            _texts(column, rows),
        ]
    ends = (repeat(" "), times, repeat("\n"))
    return list(map("".join, zip(*parts, *ends, strict=False)))


def _texts(column: FieldColumn, rows: Rows | None) -> Sequence[str]:
    values = column.values if rows is None else column.values[rows]
    write: Callable[..., str] = field_text
    match column.kind:
        case "float":
            return _numbers(values)
        case "int":
            return _numbers(values, "i")
        case "bool":
            write = bool_text
        case "string":
            write = string_text
    return list(map(write, values.tolist()))


def _numbers(values: NDArray[Any], suffix: str = "") -> Sequence[str]:
    texts = _json(values.tolist())[1:-1].decode()
    if suffix:
        texts = texts.replace(",", f"{suffix},") + suffix
    return texts.split(",")


def _present(column: FieldColumn) -> NDArray[np.bool_] | None:
    """The rows whose field can be written; None for all."""
    mask = column.present
    if column.kind == "float":
        finite = np.isfinite(column.values.astype(np.float64, copy=False))
        if not finite.all():
            mask = finite if mask is None else mask & finite
    elif column.kind == "mixed":
        mask = np.array([field_text(each) != "" for each in column.values.tolist()])
    return None if mask is None or mask.all() else mask


def _picked(texts: Sequence[str], rows: Rows) -> Sequence[str]:
    return [texts[row] for row in rows.tolist()]


def _field_name(text: str) -> str:
    if "\\" in text:
        text = _LOST.sub("", text)
    return _name(text, _FIELD)


def _name(text: str, escapes: Mapping[int, str]) -> str:
    # true for most names, which need no escapes: translating them is slow
    if text.isidentifier():
        return text
    return text.translate(escapes).rstrip("\\")
