"""Points as lines for InfluxDB: a frame's columns at once, or points one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from runtime.frames import FieldColumn, Frame, Point, Rows, Value
from runtime.frames.numbering import numbered
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

# There is no form for a newline in names and tags: it would end the line.
_LINE_END = {"\n": "\\n", "\r": "\\r"}
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ ", **_LINE_END})
_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", **_LINE_END})
_FIELD = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", '"': '\\"', **_LINE_END})
# Rows that share their fields; where there are fewer each, rows are faster.
_ROWS_EACH = 8


@dataclass(frozen=True, slots=True)
class Lines:
    """Writes points as lines, each with its newline.

    Fields that the protocol has no form for, infinite ones and such that are not numbers,
    are left out. A point without any other has no line. Tags and fields are sorted, and
    empty tags left out. A newline in a name or tag becomes `\\n`, and backslashes at
    their ends are dropped: both would damage the rest of the line.

    Attributes:
        measurement: the measurement; "" for the point's own.
        tags: tags of every point; they replace its own of the same name.
        unit: unit of the times in ns, as in `PRECISIONS`.
    """

    measurement: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    unit: Nanoseconds = 1

    def of_point(self, point: Point, name: str = "") -> str:
        """A point's line, or "" if it has none.

        Args:
            point: the point.
            name: another measurement than its own.
        """
        fields = ",".join(
            f"{_name(key, _FIELD)}={_value(value)}"
            for key, value in sorted(point.fields.items())
            if _has_form(value)
        )
        if not fields:
            return ""
        key = self._key(name or point.name, {**point.tags, **self.tags})
        time = abs(point.time) // self.unit * (-1 if point.time < 0 else 1)
        return f"{key} {fields} {time}\n"

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
        """Measurement and tags of each row; of equal tags they are made once."""
        tags = {
            name: column
            for name, column in frame.all_tags().items()
            if name not in self.tags
        }
        codes, first = numbered([each.codes for each in tags.values()], len(frame))
        known = []
        for row in first.tolist():
            own = {
                name: column.values[code]
                for name, column in tags.items()
                if (code := column.codes[row]) >= 0
            }
            known.append(self._key(frame.name, {**own, **self.tags}))
        if len(known) == 1:
            return known * len(frame)
        return [known[code] for code in codes.tolist()]

    def _key(self, name: str, tags: Mapping[str, str]) -> str:
        pairs = [_name(self.measurement or name, _MEASUREMENT)]
        for key, value in sorted(tags.items()):
            known, text = _name(key, _TAG), _name(value, _TAG)
            if known and text:
                pairs.append(f"{known}={text}")
        return ",".join(pairs)

    def _times(self, times: NDArray[np.int64]) -> Sequence[str]:
        if self.unit > 1:
            # as Go divides: towards 0
            times = (times - np.fmod(times, self.unit)) // self.unit
        return list(map(str, times.tolist()))


def _joined(
    keys: Sequence[str],
    columns: Sequence[tuple[str, FieldColumn]],
    times: Sequence[str],
    rows: Rows | None,
) -> list[str]:
    """Lines of rows that all have the same fields; none if these are none."""
    if not columns:
        return []
    parts: list[Sequence[str] | repeat[str]] = [keys]
    for number, (name, column) in enumerate(columns):
        parts += [
            repeat(f"{',' if number else ' '}{_name(name, _FIELD)}="),
            _texts(column, rows),
        ]
    ends = (repeat(" "), times, repeat("\n"))
    return list(map("".join, zip(*parts, *ends, strict=False)))


def _texts(column: FieldColumn, rows: Rows | None) -> Sequence[str]:
    values = column.values if rows is None else column.values[rows]
    write: Callable[..., str] = _value
    match column.kind:
        case "float":
            write = repr
        case "int":
            write = "{}i".format
        case "bool":
            write = _bool
        case "string":
            write = _string
    return list(map(write, values.tolist()))


def _present(column: FieldColumn) -> NDArray[np.bool_] | None:
    """The rows whose field can be written; None for all."""
    mask = column.present
    if column.kind == "float":
        finite = np.isfinite(column.values.astype(np.float64, copy=False))
        if not finite.all():
            mask = finite if mask is None else mask & finite
    elif column.kind == "mixed":
        mask = np.fromiter(map(_has_form, column.values.tolist()), dtype=np.bool_)
    return None if mask is None or mask.all() else mask


def _picked(texts: Sequence[str], rows: Rows) -> Sequence[str]:
    return [texts[row] for row in rows.tolist()]


def _has_form(value: Value) -> bool:
    return value is not None and not (
        isinstance(value, float) and not math.isfinite(value)
    )


def _value(value: Value) -> str:
    match value:
        case bool():
            return _bool(value)
        case int():
            return f"{value}i"
        case str():
            return _string(value)
        case _:
            return repr(value)


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _string(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    return f'"{text}"'


def _name(text: str, escapes: Mapping[int, str]) -> str:
    # most names are, and translating them takes longer than the rest of a point
    if text.isidentifier():
        return text
    return text.translate(escapes).rstrip("\\")
