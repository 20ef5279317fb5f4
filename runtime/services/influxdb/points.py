"""Points waiting for a cluster, as bodies of requests."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runtime.errors import DeliveryError, KapacitorError
from runtime.golang.utf8 import scrub

# Limits of one body. InfluxDB recommends 5,000 to 10,000 points, and accepts 25 MB.
BODY_POINTS = 5_000
BODY_BYTES = 4 << 20
# A body that is too large for a server is split between pieces.
PIECE_POINTS = 500
# Memory of a piece beyond its lines.
_OVERHEAD = 200
# Points are repetitive, so the fastest compression is nearly the best.
_LEVEL = 1

_DROPPED = re.compile(r"\bdropped=(\d+)")
# reasons for refusals, by InfluxDB's texts
_REASONS = (
    ("type_conflict", re.compile("field type conflict")),
    ("outside_retention", re.compile("beyond retention policy")),
    ("no_database", re.compile("database not found|database is required")),
    ("no_retention_policy", re.compile("retention policy not found")),
    ("over_limit", re.compile("limit exceeded")),
)
_UNAUTHORIZED, _FORBIDDEN, _TOO_LARGE = 401, 403, 413


class Target(NamedTuple):
    """The destination of points in a cluster."""

    database: str
    retention_policy: str


class Refusal(NamedTuple):
    """An answer that refuses points.

    Attributes:
        reason: reason in one word, which ends the name of a counter.
        points: number of refused points; None for all points of the request.
    """

    reason: str
    points: int | None = None


def refusal(error: KapacitorError) -> Refusal | None:
    """The refusal in an error; None if a retry may succeed.

    Wrong credentials are retried: they concern all points, until the configuration is
    corrected.
    """
    if not isinstance(error, DeliveryError) or error.status == _UNAUTHORIZED:
        return None
    text, status = str(error), error.status
    reason = next((name for name, words in _REASONS if words.search(text)), "")
    # InfluxDB answers 500 if a retention policy is missing
    if not reason and error.retry:
        return None
    if not reason:
        reason = {_FORBIDDEN: "forbidden", _TOO_LARGE: "too_large"}.get(
            status or 0, "invalid" if status else "unsendable"
        )
    return Refusal(reason, _dropped(text))


def _dropped(text: str) -> int | None:
    """Number of points that a partial write refused; None if it is unknown."""
    if "partial write" not in text:
        return None
    # lines that do not parse are listed instead of counted
    count = sum(int(number) for number in _DROPPED.findall(text))
    return count + text.count("unable to parse") or None


class Piece(NamedTuple):
    """A group of lines.

    Attributes:
        data: the lines, perhaps compressed.
        points: number of points; strings in lines may contain newlines.
        length: bytes of the lines.
    """

    data: bytes
    points: int
    length: int

    @classmethod
    def of(cls, text: bytes, points: int) -> Piece:
        """A piece that is not compressed."""
        return cls(text, points, len(text))

    @property
    def text(self) -> bytes:
        """The lines."""
        return zlib.decompress(self.data) if self.is_packed else self.data

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return len(self.data) + _OVERHEAD

    @property
    def is_packed(self) -> bool:
        """True if the lines are compressed."""
        return len(self.data) != self.length


def pieces(lines: Sequence[str]) -> Iterator[Piece]:
    """The lines, grouped into pieces."""
    for start in range(0, len(lines), PIECE_POINTS):
        some = lines[start : start + PIECE_POINTS]
        yield Piece.of(scrub("".join(some)).encode(), len(some))


def _packed(some: Sequence[Piece]) -> Piece:
    """The pieces as one, compressed to about a tenth of the memory."""
    text = b"".join([piece.text for piece in some])
    points = sum(piece.points for piece in some)
    packed = zlib.compress(text, _LEVEL)
    return Piece(packed if len(packed) < len(text) else text, points, len(text))


@dataclass(slots=True, eq=False)
class Body:
    """Points for one request.

    Attributes:
        target: database and retention policy of the points.
        pieces: lines of the points.
        size: bytes in memory.
        length: bytes of the lines.
        points: number of points.
        is_sent: True while its request is running.
        failing_since: time of the first answer that was an error, in seconds.
        was_missing: True if its database was created after an attempt.
    """

    target: Target
    pieces: list[Piece] = field(default_factory=list)
    size: int = 0
    length: int = 0
    points: int = 0
    is_sent: bool = False
    failing_since: float | None = None
    was_missing: bool = False

    def add(self, piece: Piece) -> None:
        """Add lines at the end."""
        self.pieces.append(piece)
        self.size += piece.size
        self.length += piece.length
        self.points += piece.points

    def packed(self) -> Body:
        """The same points, compressed."""
        made = Body(self.target)
        some: list[Piece] = []
        count = 0
        for piece in self.pieces:
            if some and (piece.is_packed or count >= PIECE_POINTS):
                made.add(_packed(some))
                some, count = [], 0
            if piece.is_packed:
                made.add(piece)
            else:
                some.append(piece)
                count += piece.points
        if some:
            made.add(_packed(some))
        return made

    @property
    def text(self) -> bytes:
        """The lines of all points."""
        return b"".join([piece.text for piece in self.pieces])

    def has_room_for(self, other: Body) -> bool:
        """True if both fit in one request."""
        return (
            self.target == other.target
            and not self.is_sent
            and self.points + other.points <= BODY_POINTS
            and self.length + other.length <= BODY_BYTES
        )

    def absorb(self, other: Body) -> None:
        """Append the points of another body."""
        for piece in other.pieces:
            self.add(piece)

    def halves(self) -> tuple[Body, Body] | None:
        """The points as two bodies; None if they cannot be split."""
        middle = len(self.pieces) // 2
        if not middle:
            return None
        first, second = Body(self.target), Body(self.target)
        for number, piece in enumerate(self.pieces):
            (first if number < middle else second).add(piece)
        return first, second
