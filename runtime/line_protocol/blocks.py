"""Line protocol to columns: all lines of a body at once.

Lines are sorted by shape and checked a column at a time. Lines without a common shape
(escapes, exponents, errors, rare shapes) go to the row parser one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.golang.utf8 import decoded
from runtime.line_protocol import numbers, scanner
from runtime.line_protocol.columns import BlockColumns, ParsedRows
from runtime.line_protocol.rows import (
    LONGEST,
    MOST_ERRORS,
    bad_line,
    parse_row,
    parse_rows,
    refused,
)
from runtime.line_protocol.scanner import BadLineError, Row
from runtime.line_protocol.selection import Selection
from runtime.line_protocol.shapes import Block, Shape, match, shape_of, valid
from runtime.line_protocol.text import BACK, FRONT, Mask, Positions, Text
from runtime.line_protocol.times import Times
from runtime.line_protocol.write import Part, Write, assemble, write_of_rows
from runtime.units import LATEST

_MARKS = b"\n ,="
_QUOTE = ord('"')
_NEWLINE = ord("\n")
FEWEST = 48
"""From this number of lines of a shape, columns are faster than rows."""
_PATIENCE = 4
"""Number of shapes with few lines after which the search for shapes ends."""


# bytes that are searched for marks at a time: their masks fit the processor's cache
_STRETCH = 65_536
_COMMA = ord(",")
_EQUALS = ord("=")
_IS_MARK = np.array([byte in _MARKS for byte in range(256)])
_IS_MARK_OR_QUOTE = np.array([byte in _MARKS + b'"' for byte in range(256)])


@dataclass(frozen=True, slots=True)
class Lines:
    """The positions of the lines of a text.

    Attributes:
        marks: the positions of all marks: separators, newlines included.
        first: index in `marks` of the first mark of each line.
        counts: number of marks of each line; the last is its newline.
        starts: start of each line.
        ends: position of each line's newline.
    """

    marks: Positions
    first: Positions
    counts: Positions
    starts: Positions
    ends: Positions


class Dated(NamedTuple):
    """A block, the times of its lines, and a mask of the lines that are points."""

    block: Block
    time: NDArray[np.int64]
    good: Mask


def parse_columns(
    body: bytes,
    times: Times,
    db: str,
    rp: str,
    *,
    fewest: int = FEWEST,
    selection: Selection | None = None,
) -> Write:
    """The points of a body.

    Args:
        body: line protocol.
        times: unit of its timestamps.
        db: the database that the points are written to.
        rp: its retention policy.
        fewest: smallest number of lines of a shape that are parsed as columns.
        selection: decides which points are kept; None keeps all.

    Raises:
        LineProtocolError: a line does not parse.
    """
    selection = selection or Selection()
    # NUL pads words (see `codes`), and decoding may make two invalid texts equal
    if b"\0" in body or not _is_utf8(body):
        kept = parse_rows(decoded(body), times, selection)
        return write_of_rows(kept, db, rp, selection.skipped)
    text = Text(body)
    lines = _find_lines(text, quotes=b'"' in body)
    plain = _plain(text, lines, escapes=b"\\" in body)
    blocks, others = _sort(text, lines, plain, fewest)
    dated = _date(blocks, times)
    bad = [block.lines[~good] for block, _, good in dated]
    others = np.sort(np.concatenate([others, *bad]))
    rows, covered = _parse_others(body, lines, others, times, selection)
    parts = _row_parts(rows)
    for block, time, good in dated:
        if covered is not None:
            good &= ~covered[block.lines]
        if not good.all():
            block, time = block.take(np.flatnonzero(good)), time[good]
        if len(block) and selection.keeps(block.shape.name, len(block)):
            name = block.shape.name
            parts.append(Part(name, block.lines, time, BlockColumns(block)))
    return assemble(parts, len(lines.starts), db, rp, selection.skipped)


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _find_lines(text: Text, *, quotes: bool) -> Lines:
    marks = _find_marks(text.raw)
    kinds = text.raw[marks]
    sure = (_IS_MARK_OR_QUOTE if quotes else _IS_MARK)[kinds]
    if not sure.all():
        marks, kinds = marks[sure], kinds[sure]
    if quotes:
        outside = _outside_quotes(kinds)
        marks, kinds = marks[outside], kinds[outside]
    last = np.flatnonzero(kinds == _NEWLINE)
    first = np.concatenate([[0], last[:-1] + 1])
    ends = marks[last]
    starts = np.concatenate([[FRONT], ends[:-1] + 1])
    return Lines(marks, first, last - first + 1, starts, ends)


def _find_marks(raw: NDArray[np.uint8]) -> Positions:
    """Candidate positions of marks: most bytes up to the comma are marks."""
    found = []
    below = np.empty(_STRETCH, dtype=np.bool_)
    equal = np.empty(_STRETCH, dtype=np.bool_)
    for start in range(FRONT, len(raw) - BACK, _STRETCH):
        stretch = raw[start : min(start + _STRETCH, len(raw) - BACK)]
        mask, other = below[: len(stretch)], equal[: len(stretch)]
        np.less_equal(stretch, _COMMA, out=mask)
        np.equal(stretch, _EQUALS, out=other)
        mask |= other
        found.append(np.flatnonzero(mask) + start)
    return np.concatenate(found)


def _outside_quotes(kinds: NDArray[np.uint8]) -> Mask:
    """Select the marks that are not between an opening and a closing quote."""
    quote = kinds == _QUOTE
    newline = kinds == _NEWLINE
    passed = np.cumsum(quote)
    last = np.flatnonzero(newline)
    at_start = np.concatenate([[0], passed[last[:-1]]])
    sizes = np.diff(last, prepend=-1)
    inside = (passed[: last[-1] + 1] - np.repeat(at_start, sizes)) & 1
    outside: Mask = quote | newline | (inside == 0)
    return outside


def _plain(text: Text, lines: Lines, *, escapes: bool) -> Mask:
    """Select the lines that may have a shape."""
    plain = lines.ends - lines.starts <= LONGEST
    if escapes:
        found = np.flatnonzero(text.raw == ord("\\"))
        plain[np.searchsorted(lines.ends, found)] = False
    return plain


class Group(NamedTuple):
    """Lines with equally many marks; see `Block`."""

    lines: Positions
    starts: Positions
    marks: Positions

    def take(self, which: Positions | slice) -> Group:
        """Some of the lines."""
        return Group(self.lines[which], self.starts[which], self.marks[:, which])


def _sort(
    text: Text, lines: Lines, plain: Mask, fewest: int
) -> tuple[list[Block], Positions]:
    """Sort lines into blocks by shape; return these and the remaining lines."""
    blocks: list[Block] = []
    others = [np.flatnonzero(~plain)]
    counts = lines.counts
    alike = counts.min() == counts.max() and plain.all()
    for count in [int(counts[0])] if alike else np.unique(counts[plain]).tolist():
        if alike:
            some = np.arange(len(counts))
            marks = lines.marks.reshape(-1, count).T.copy()
        else:
            some = np.flatnonzero(plain & (counts == count))
            first = lines.first[some]
            marks = np.stack([lines.marks[first + number] for number in range(count)])
        group = Group(some, lines.starts[some], marks)
        others.append(_sort_alike(text, group, fewest, blocks))
    return blocks, np.concatenate(others)


def _sort_alike(
    text: Text, group: Group, fewest: int, blocks: list[Block]
) -> Positions:
    """Sort lines with equally many marks into blocks; return the remaining lines."""
    over: list[int] = []
    patience = _PATIENCE
    while len(group.lines) >= fewest and patience:
        shape = _shape_at(text, int(group.starts[0]), group.marks[:, 0].tolist())
        if shape is None:
            over.append(int(group.lines[0]))
            group = group.take(slice(1, None))
            patience -= 1
            continue
        block = match(Block(text, shape, *group))
        if len(block) < fewest:
            patience -= 1
            over.extend(block.lines.tolist())
        else:
            blocks.append(block)
        if len(block) == len(group.lines):
            return np.array(over, dtype=np.intp)
        taken = np.zeros(int(group.lines[-1]) + 1, dtype=np.bool_)
        taken[block.lines] = True
        group = group.take(np.flatnonzero(~taken[group.lines]))
    return np.concatenate([np.array(over, dtype=np.intp), group.lines])


def _shape_at(text: Text, start: int, marks: list[int]) -> Shape | None:
    try:
        row = parse_row(text.slice(start, marks[-1]), Times(step=1, default=0))
    except BadLineError:
        return None
    return None if row is None else shape_of(text, start, marks, row)


def _date(blocks: list[Block], times: Times) -> list[Dated]:
    """Check the lines of blocks, and read the timestamps of all blocks at once."""
    spans = [b.span(b.shape.time) for b in blocks if b.shape.time is not None]
    if spans:
        starts, ends = map(np.concatenate, zip(*spans, strict=True))
        time, in_time = numbers.timestamps(
            blocks[0].text, starts, ends, LATEST // times.step
        )
        if times.step > 1:
            time *= times.step
    dated = []
    done = 0
    for block in blocks:
        good = valid(block)
        if block.shape.time is None:
            own = np.full(len(block), times.default, dtype=np.int64)
        else:
            here = slice(done, done + len(block))
            done += len(block)
            own = time[here]
            if in_time is not None:
                good &= in_time[here]
        dated.append(Dated(block, own, good))
    return dated


def _parse_others(
    body: bytes,
    lines: Lines,
    others: Positions,
    times: Times,
    selection: Selection,
) -> tuple[list[tuple[int, Row]], Mask | None]:
    """The points of single lines, and a mask of the lines that continue an earlier one.

    The mask is None if no line does.
    """
    rows: list[tuple[int, Row]] = []
    errors: list[str] = []
    covered: Mask | None = None
    resume = 0
    escapes = b"\\" in body or b'"' in body
    # one character per byte, so that positions stay valid
    characters = body.decode("latin-1") if escapes and len(others) else ""
    for line in others.tolist():
        start = int(lines.starts[line]) - FRONT
        end = int(lines.ends[line]) - FRONT
        if start < resume:
            continue
        if characters:
            end = scanner.line_end(characters, start)
            resume = end + 1
            if end > lines.ends[line] - FRONT:
                if covered is None:
                    covered = np.zeros(len(lines.starts), dtype=np.bool_)
                after = np.searchsorted(lines.starts, resume + FRONT)
                covered[line + 1 : after] = True
        piece = body[start:end].decode().removesuffix("\n")
        try:
            row = parse_row(piece, times)
        except BadLineError as error:
            errors.append(bad_line(piece, error))
            if len(errors) == MOST_ERRORS:
                break
            continue
        if row is not None and selection.keeps(row[0]):
            rows.append((line, row))
    if errors:
        raise refused(errors)
    return rows, covered


def _row_parts(rows: list[tuple[int, Row]]) -> list[Part]:
    by_name: dict[str, list[tuple[int, Row]]] = {}
    for line, row in rows:
        by_name.setdefault(row[0], []).append((line, row))
    return [
        Part(
            name,
            np.array([line for line, _ in some], dtype=np.intp),
            np.array([row[3] for _, row in some], dtype=np.int64),
            ParsedRows([row for _, row in some]),
        )
        for name, some in by_name.items()
    ]
