"""Shapes: the common part of lines that differ only in their values.

`cpu,host=§ usage=§,up=§ §` is a shape: the bytes around the values, and the kind of each
value. It is derived from a line that the row parser has accepted. Other lines with the
same bytes around their values are points too, if their values are valid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from runtime.line_protocol.numbers import valid_floats, valid_integers
from runtime.line_protocol.scanner import BOOLEANS, Row
from runtime.line_protocol.text import Mask, Positions, Text

_QUOTE = ord('"')
_SPACE = ord(" ")
_NEWLINE = ord("\n")
_LINE = re.compile(rb'(?:,=)* =(?:"")?(?:,=(?:"")?)* ?\n')
_KINDS: dict[type, str] = {float: "float", int: "int", bool: "bool", str: "string"}
_BOOLEANS = tuple(text.encode() for text in BOOLEANS)
_TRUE = tuple(text.encode() for text, value in BOOLEANS.items() if value)


@dataclass(frozen=True, slots=True)
class Piece:
    """A value's place in a shape.

    Attributes:
        before: the bytes between the previous value (or the line's start) and this one.
        first: the mark at which `before` begins; -1 for the line's start.
        last: the mark at which the value ends.
        kind: `tag`, `time`, or the kind of the field.
    """

    before: bytes
    first: int
    last: int
    kind: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of lines.

    Attributes:
        tags: indices of the pieces with tags.
        fields: indices of the pieces with fields.
        time: index of the piece with the timestamp, if any.
        end: the bytes behind the last value.
    """

    name: str
    pieces: tuple[Piece, ...]
    tags: dict[str, int]
    fields: dict[str, int]
    time: int | None
    end: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one shape.

    Attributes:
        lines: indices of the lines of the body, in order.
        starts: start of each line.
        marks: the positions of the marks, by mark and line.
    """

    text: Text
    shape: Shape
    lines: Positions
    starts: Positions
    marks: Positions

    def __len__(self) -> int:
        return len(self.lines)

    def begin(self, piece: Piece) -> Positions:
        """The start of the bytes before a value."""
        return self.starts if piece.first < 0 else self.marks[piece.first]

    def span(self, index: int) -> tuple[Positions, Positions]:
        """The bounds of the values of a piece."""
        piece = self.shape.pieces[index]
        return self.begin(piece) + len(piece.before), self.marks[piece.last]

    def spans(self, kind: str) -> tuple[Positions, Positions] | None:
        """The bounds of the values of all pieces of a kind, by piece and line."""
        found = [i for i, p in enumerate(self.shape.pieces) if p.kind == kind]
        if not found:
            return None
        if len(found) == 1:
            start, end = self.span(found[0])
            return start[np.newaxis], end[np.newaxis]
        starts, ends = zip(*map(self.span, found), strict=True)
        return np.stack(starts), np.stack(ends)

    def take(self, which: Mask | Positions) -> Block:
        """Some of the lines."""
        return Block(
            self.text,
            self.shape,
            self.lines[which],
            self.starts[which],
            self.marks[:, which],
        )


def shape_of(text: Text, start: int, marks: list[int], row: Row) -> Shape | None:
    """The shape of a line that parses as `row`; None if it is unusual."""
    buffer = text.buffer
    kinds = bytes([buffer[mark] for mark in marks])
    if _LINE.fullmatch(kinds) is None:
        return None
    tags: dict[str, int] = {}
    fields: dict[str, int] = {}
    pieces: list[Piece] = []
    time = None
    begin, first = start, -1
    at, in_fields = 0, False
    while kinds[at] != _NEWLINE:
        in_fields |= kinds[at] == _SPACE
        opened = at + 1
        if kinds[opened] == _NEWLINE:
            time = len(pieces)
            opened, kind = at, "time"
        else:
            key = text.slice(marks[at] + 1, marks[opened])
            (fields if in_fields else tags)[key] = len(pieces)
            kind = _KINDS.get(type(row[2].get(key)), "") if in_fields else "tag"
        quoted = kinds[opened + 1] == _QUOTE
        closed = opened + 1 + quoted
        opened += quoted
        pieces.append(Piece(buffer[begin : marks[opened] + 1], first, closed, kind))
        begin, first = marks[closed], closed
        at = closed + quoted
        if quoted and marks[at] != marks[closed] + 1:  # `"x"y` is a string as well
            return None
    # ignored blanks and duplicate keys are detected here
    same_name = text.slice(start, marks[0]) == row[0]
    if not same_name or [*tags] != [*row[1]] or [*fields] != [*row[2]]:
        return None
    if len(pieces) != len(tags) + len(fields) + (time is not None):
        return None
    end = buffer[begin : marks[-1] + 1]
    return Shape(row[0], tuple(pieces), tags, fields, time, end)


def match(block: Block) -> Block:
    """The lines of a block that match its shape around their values.

    All lines of the block have as many marks as the shape.
    """
    pieces = block.shape.pieces
    same = block.text.equal(block.begin(pieces[0]), pieces[0].before)
    if not same.all():
        block = block.take(np.flatnonzero(same))
        same = np.ones(len(block), dtype=np.bool_)
    for piece in pieces[1:]:
        same &= block.text.equal(block.begin(piece), piece.before)
    if len(block.shape.end) > 1:
        same &= block.text.equal(block.marks[pieces[-1].last], block.shape.end)
    return block if same.all() else block.take(np.flatnonzero(same))


def valid(block: Block) -> Mask:
    """Select the lines of a block with a value of the right kind in every piece."""
    text = block.text
    good = np.ones(len(block), dtype=np.bool_)
    if spans := block.spans("tag"):
        good &= (spans[1] > spans[0]).all(axis=0)
    if spans := block.spans("float"):
        good &= valid_floats(text, *spans).all(axis=0)
    if spans := block.spans("int"):
        starts, ends = spans
        good &= (valid_integers(text, starts, ends - 1)).all(axis=0)
        good &= (text.raw[ends - 1] == ord("i")).all(axis=0)
    if spans := block.spans("bool"):
        good &= is_one_of(text, *spans, _BOOLEANS).all(axis=0)
    return good


def booleans(text: Text, starts: Positions, ends: Positions) -> Mask:
    """The values of booleans that are valid."""
    return is_one_of(text, starts, ends, _TRUE)


def is_one_of(
    text: Text, starts: Positions, ends: Positions, words: tuple[bytes, ...]
) -> Mask:
    """Select the strings that are one of some short words."""
    sizes = ends - starts
    found = np.zeros(sizes.shape, dtype=np.bool_)
    for word in words:
        found |= (sizes == len(word)) & text.equal(starts, word)
    return found
