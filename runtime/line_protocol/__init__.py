"""Line protocol, as written by InfluxDB's clients, to frames."""

from __future__ import annotations

from collections.abc import Collection

from runtime.errors import LineProtocolError
from runtime.golang.utf8 import decoded
from runtime.line_protocol.blocks import parse_columns
from runtime.line_protocol.rows import parse_rows
from runtime.line_protocol.selection import Selection
from runtime.line_protocol.times import Times
from runtime.line_protocol.write import Write, write_of_rows
from runtime.units import Nanoseconds

__all__ = ["LineProtocolError", "Write", "parse"]

_LARGE = 24_000
"""Bytes of a body from which on columns are faster than rows; see bench/."""


def parse(
    body: bytes,
    *,
    precision: str = "",
    now: Nanoseconds,
    db: str = "",
    rp: str = "",
    wanted: Collection[str] | None = None,
) -> Write:
    """The points of a write's body.

    Args:
        body: `cpu,host=a usage_idle=5,up=t 1700000000000000000`, a point per line.
        precision: `ns`, `u`, `ms`, `s`, `m`, `h`; anything else is ns.
        now: the time of points without a timestamp, truncated to the precision.
        db: the database that the points are written to.
        rp: its retention policy.
        wanted: the measurements that are kept; points of others are only checked and
            counted. None keeps all.

    Raises:
        LineProtocolError: a line does not parse; the text has a message for each.
    """
    times = Times.of(precision, now)
    selection = Selection(wanted)
    if len(body) >= _LARGE:
        return parse_columns(body, times, db, rp, selection=selection)
    rows = parse_rows(decoded(body), times, selection)
    return write_of_rows(rows, db, rp, selection.skipped)
