"""Black's way to split a line that is too long, for lines without comments.

The code follows black decision by decision, so that its many rules need not be
restated; names are those of its `linegen.py`. A property test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable

from scaffold.layout.leaves import COMMA, DOT, DeclinedError, Leaf, leaves_of
from scaffold.layout.lines import CannotSplitError, Line
from scaffold.layout.right_hand import right_hand_split

_Way = Callable[[Line, int, bool], list[Line]]
"""A way to split: takes a line, the limit, and true to make brackets visible."""


def split(statement: str, depth: int, limit: int, *, is_item: bool = False) -> str:
    """A statement that is too long, as black lays it out.

    Args:
        statement: statement on one line, without indentation. A compound statement is
            its head.
        depth: its indentation, in steps of four blanks.
        limit: maximum width of a line, indentation included.
        is_item: True for an item of a bracketed list, with its comma.

    Raises:
        DeclinedError: its form is left to black.
        UncertainWidthError: versions of black differ about its width.
    """
    leaves = leaves_of(statement, is_item=is_item)
    line = Line(leaves, depth, is_inside=is_item, is_whole=True)
    return "\n".join(each.text for each in _transform(line, limit))


def exploded(statement: str, depth: int, limit: int) -> str:
    """A statement that ends in a call, with one argument to a line.

    Raises:
        DeclinedError: its form is left to black.
        UncertainWidthError: versions of black differ about its width.
    """
    leaves = leaves_of(statement)
    closing = next(each for each in reversed(leaves) if each.closes and each.text)
    start, stop = leaves.index(_opening(closing)), leaves.index(closing)
    body = Line(leaves[start + 1 : stop], depth + 1, is_inside=True, must_split=True)
    lines = [
        Line(leaves[: start + 1], depth),
        *_transform(body, limit),
        Line(leaves[stop:], depth),
    ]
    return "\n".join(each.text for each in lines)


def _opening(closing: Leaf) -> Leaf:
    if closing.opening is None:
        raise DeclinedError("a bracket without its partner")
    return closing.opening


def _transform(line: Line, limit: int, *, is_forced: bool = False) -> list[Line]:
    """Black's `transform_line`."""
    if not line.must_split and line.fits(limit):
        return [line]
    if line.is_whole and line.leaves[0].text == "def":
        ways: list[_Way] = [_left_hand_split]
    elif line.is_inside:
        ways = [_delimiter_split, right_hand_split]
    else:
        ways = [right_hand_split]
    for way in ways:
        try:
            return _run(line, way, limit, is_forced=is_forced)
        except CannotSplitError:
            continue
    return [line]


def _run(line: Line, way: _Way, limit: int, *, is_forced: bool) -> list[Line]:
    """Black's `run_transformer`, its second opinion included."""
    text = line.text
    depths = line.depths()
    optional = [
        leaf
        for leaf, depth in zip(line.leaves, depths, strict=True)
        if not leaf.text and (line.is_inside or line.is_whole)
    ]
    outer = [
        leaf
        for leaf, depth in zip(line.leaves, depths, strict=True)
        if leaf in optional and depth == 0
    ]
    result: list[Line] = []
    for each in way(line, limit, is_forced):
        if each.text == text:
            raise CannotSplitError
        result += _transform(each, limit, is_forced=is_forced)
    if (
        is_forced
        or way is not right_hand_split
        or not optional
        or any(each.text for each in outer)
        or result[0].fits(limit)
    ):
        return result
    second = _run(line.copy(), way, limit, is_forced=True)
    return second if all(each.fits(limit) for each in second) else result


def _left_hand_split(line: Line, limit: int, is_forced: bool) -> list[Line]:
    """The head of a function, split at its parameters."""
    start = next(at for at, each in enumerate(line.leaves) if each.text == "(")
    opening = line.leaves[start]
    stop = next(at for at, each in enumerate(line.leaves) if each.opening is opening)
    if stop == start + 1:
        raise CannotSplitError
    body = line.leaves[start + 1 : stop]
    if not any(each.text == "," for each in body):
        body = [*body, Leaf(",", "sign")]
    tail = Line(line.leaves[stop:], line.depth)
    if not tail.fits(limit):
        raise DeclinedError("a long return annotation")
    return [
        Line(line.leaves[: start + 1], line.depth),
        Line(body, line.depth + 1, is_inside=True),
        tail,
    ]


def _delimiter_split(line: Line, limit: int, is_forced: bool) -> list[Line]:
    """The line, broken at the delimiters of the highest priority."""
    delimiters = line.delimiters()
    last = len(line.leaves) - 1
    best = line.best_delimiter()
    if not best or (best == DOT and list(delimiters.values()).count(DOT) == 1):
        raise CannotSplitError
    made: list[Line] = []
    start = 0
    for at in [at for at, each in delimiters.items() if each == best] + [last]:
        if start <= at:
            part = line.leaves[start : at + 1]
            made.append(Line(part, line.depth, is_inside=True))
        start = at + 1
    end = made[-1].leaves
    if best == COMMA and end[-1].text != ",":
        # a comma may follow in some versions of Python only
        first = [each.leaves[0] for each in made]
        if any(each.text in ("*", "**") and each.is_trailer for each in first):
            raise DeclinedError("a list that is unpacked into arguments")
        end.append(Leaf(",", "sign"))
    return made
