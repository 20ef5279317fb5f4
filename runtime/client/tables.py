"""Values formatted for the terminal."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from runtime.golang.json import dumps
from runtime.golang.numbers import general

_BYTES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def row(widths: Sequence[int], cells: Sequence[object]) -> str:
    """Left-aligned cells with trailing spaces; a width of 0 adds none."""
    pairs = zip(cells, widths, strict=True)
    return "".join(str(cell).ljust(width) for cell, width in pairs)


def width(least: int, texts: Iterable[str]) -> int:
    """One more than the longest text, counted in bytes as Kapacitor does."""
    return max(least, *(len(text.encode()) for text in texts), 0) + 1


def yes(value: object) -> str:
    """`true` or `false`."""
    return "true" if value else "false"


def rfc822(time: str, *, local: bool = False, seconds: bool = False) -> str:
    """An RFC 3339 time as `02 Jan 06 15:04 UTC`, or `02 Jan 06 15:04:05 UTC`."""
    if time.startswith("0001-"):
        return "01 Jan 01 00:00 UTC"
    moment = datetime.datetime.fromisoformat(time[:19] + "+00:00")
    if local:
        moment = moment.astimezone()
    clock = "%H:%M:%S" if seconds else "%H:%M"
    return moment.strftime(f"%d %b %y {clock} ") + (moment.tzname() or "UTC")


def byte_count(size: int) -> str:
    """A size in readable form: `82 B`, `1.9 kB`, `12 MB`.

    Source: go-humanize, Bytes.
    """
    if size < 10:
        return f"{size} B"
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_BYTES) - 1:
        value, unit = value / 1000, unit + 1
    rounded = int(value * 10 + 0.5) / 10
    shown = f"{rounded:.1f}" if rounded < 10 and unit else f"{rounded:.0f}"
    return f"{shown} {_BYTES[unit]}"


def dbrps(pairs: Sequence[dict[str, str]]) -> str:
    """Databases and retention policies as text: `["d"."r" "e"."f"]`."""
    from runtime.golang.quoting import quote

    names = (f"{quote(each['db'])}.{quote(each['rp'])}" for each in pairs)
    return f"[{' '.join(names)}]"


def variable(var: dict[str, object]) -> str:
    """A task variable's value."""
    from runtime.units import go_duration

    value = var.get("value")
    if var.get("type") == "star":
        return "*"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return yes(value)
    if var.get("type") == "duration" and isinstance(value, int | float):
        return go_duration(int(value))
    if isinstance(value, list):
        return "[" + ", ".join(variable(each) for each in value) + "]"
    if isinstance(value, float):
        return general(value)
    return str(value)


def options(value: object) -> str:
    """A handler's options as compact JSON."""
    return dumps(value, sort_keys=True)
