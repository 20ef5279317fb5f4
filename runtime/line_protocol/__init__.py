"""Line protocol, as InfluxDB's clients write it, to frames."""

from __future__ import annotations

from runtime.errors import LineProtocolError
from runtime.line_protocol.rows import parse_rows
from runtime.line_protocol.times import times
from runtime.line_protocol.write import Write, write_of_rows
from runtime.units import Nanoseconds

__all__ = ["LineProtocolError", "Write", "parse"]


def parse(
    body: bytes, *, precision: str = "", now: Nanoseconds, db: str = "", rp: str = ""
) -> Write:
    """The points of a write's body.

    Args:
        body: `cpu,host=a usage_idle=5,up=t 1700000000000000000`, a point per line.
        precision: `ns`, `u`, `ms`, `s`, `m`, `h`; anything else is ns.
        now: the time of points that bring none, cut to the precision.
        db: the database that the points are written to.
        rp: its retention policy.

    Raises:
        LineProtocolError: some line does not parse; it has a message for each.
    """
    rows = parse_rows(body.decode("utf-8", "replace"), times(precision, now))
    return write_of_rows(rows, db, rp)
