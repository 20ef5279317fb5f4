"""Points of recordings as line protocol, from which the same points are read again.

`line_protocol.lines` writes for InfluxDB, which reads some escapes of names
differently.
"""

from __future__ import annotations

from runtime.frames import Point
from runtime.line_protocol.values import field_text

# escapes in names of measurements and fields
_NAME = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", '"': '\\"'})
_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})


def line_of(point: Point) -> str:
    """`point` as a line with its time in nanoseconds, which parses to the same point.

    Fields that the protocol cannot express, infinities and NaN, are left out; without
    other fields the line is "".
    """
    tags = "".join(
        f",{name.translate(_TAG)}={value.translate(_TAG)}"
        for name, value in sorted(point.tags.items())
        if value
    )
    fields = ",".join(
        f"{name.translate(_NAME)}={text}"
        for name, value in sorted(point.fields.items())
        if (text := field_text(value))
    )
    if not fields:
        return ""
    return f"{point.name.translate(_NAME)}{tags} {fields} {int(point.time)}"


def is_complete(line: str) -> bool:
    """True if `line` is a whole point; False for a part, up to a newline in a string.

    Quotes have a meaning only after the first space that is not escaped.
    """
    at, is_quoted = _end_of_key(line), False
    while at < len(line):
        if line[at] == "\\":
            at += 1
        elif line[at] == '"':
            is_quoted = not is_quoted
        at += 1
    return not is_quoted


def _end_of_key(line: str) -> int:
    at = line.find(" ")
    while at > 0 and line[at - 1] == "\\":
        at = line.find(" ", at + 1)
    return at if at >= 0 else len(line)
