"""Members of a class as libcst nodes: put in, replaced, taken out."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

Line = cst.SimpleStatementLine | cst.BaseCompoundStatement
_BLANK = cst.EmptyLine(indent=False)


def inserted(
    owner: cst.ClassDef,
    new: Sequence[Line],
    index: int,
    *,
    gap: int,
    is_first: bool,
) -> tuple[cst.ClassDef, int]:
    """The class with one more member, and the number of that.

    Args:
        owner: the class.
        new: the member's lines.
        index: the member, by its number, that it goes before (`is_first`) or after; -1:
            it is the first statement of the body.
        gap: blank lines between two members.
        is_first: whether it goes before the first of its kind.
    """
    body = lines(owner)
    if not body:
        return with_lines(owner, new), 0
    blank = [_BLANK] * gap
    if index >= 0 and not is_first:
        at = _line_of(body, index) + 1
        while at < len(body) and _is_string(body[at]):
            at += 1
        head = new[0].with_changes(leading_lines=blank)
        changed = with_lines(owner, [*body[:at], head, *new[1:], *body[at:]])
        return changed, _count(body[:at])
    at = _line_of(body, index) if index >= 0 else 0
    below = body[at]
    above, comments = _blank_and_comments(below)
    if index < 0:
        blank = [_BLANK] if isinstance(below, cst.BaseCompoundStatement) else []
    head = new[0].with_changes(leading_lines=above)
    below = below.with_changes(leading_lines=[*blank, *comments])
    body = (*body[:at], head, *new[1:], below, *body[at + 1 :])
    return with_lines(owner, body), _count(body[:at])


def removed(owner: cst.ClassDef, index: int, *, is_first: bool) -> cst.ClassDef:
    """The class without one member; comments above it stay.

    Args:
        owner: the class.
        index: the member's number.
        is_first: whether another one of its kind follows, and none comes before.
    """
    body = lines(owner)
    at = _line_of(body, index)
    line = body[at]
    if isinstance(line, cst.SimpleStatementLine) and len(line.body) > 1:
        small = index - _count(body[:at])
        rest = [*line.body[:small], *line.body[small + 1 :]]
        rest[-1] = rest[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
        line = line.with_changes(body=rest)
        return with_lines(owner, [*body[:at], line, *body[at + 1 :]])
    _, end = _extent(body, index)
    below = list(body[end:])
    above, comments = _blank_and_comments(line)
    if below and (is_first or at == 0):
        _, others = _blank_and_comments(below[0])
        below[0] = below[0].with_changes(leading_lines=[*above, *comments, *others])
    elif comments and below:
        kept = [*above, *comments, *below[0].leading_lines]
        below[0] = below[0].with_changes(leading_lines=kept)
    return with_lines(owner, [*body[:at], *below])


def replaced(owner: cst.ClassDef, new: Sequence[Line], index: int) -> cst.ClassDef:
    """The class with another member in place of one; comments above it stay."""
    body = lines(owner)
    at, end = _extent(body, index)
    line = body[at]
    if isinstance(line, cst.SimpleStatementLine) and len(line.body) > 1:
        small = index - _count(body[:at])
        [statement] = new[0].body if len(new) == 1 else ()  # type: ignore[misc]
        inner = list(line.body)
        inner[small] = statement.with_changes(semicolon=inner[small].semicolon)
        head: Line = line.with_changes(body=inner)
        return with_lines(owner, [*body[:at], head, *body[at + 1 :]])
    head = new[0].with_changes(leading_lines=line.leading_lines)
    return with_lines(owner, [*body[:at], head, *new[1:], *body[end:]])


def restored(owner: cst.ClassDef, before: cst.ClassDef, index: int) -> cst.ClassDef:
    """The class with a replaced member as it was before."""
    body, was = lines(owner), lines(before)
    at, end = _extent(was, index)
    stop = len(body) - (len(was) - end)
    return with_lines(owner, [*body[:at], *was[at:end], *body[stop:]])


def lines(owner: cst.ClassDef) -> tuple[Line, ...]:
    """The lines of a class's body; none where it is `...` on the line of `class`."""
    suite = owner.body
    if isinstance(suite, cst.IndentedBlock):
        return tuple(suite.body)  # type: ignore[arg-type]  # what the parser gives
    assert isinstance(suite, cst.SimpleStatementSuite)
    if suite.deep_equals(
        _placeholder(suite.leading_whitespace, suite.trailing_whitespace)
    ):
        return ()
    return (cst.SimpleStatementLine(suite.body),)


def with_lines(owner: cst.ClassDef, body: Sequence[Line]) -> cst.ClassDef:
    """The class with another body; an empty one is `...` on the line of `class`."""
    suite = owner.body
    if isinstance(suite, cst.IndentedBlock):
        if body:
            return owner.with_changes(body=suite.with_changes(body=body))
        return owner.with_changes(
            body=_placeholder(cst.SimpleWhitespace(" "), suite.header)
        )
    assert isinstance(suite, cst.SimpleStatementSuite)
    block = cst.IndentedBlock(body, header=suite.trailing_whitespace)
    return owner.with_changes(body=block)


def _placeholder(
    above: cst.SimpleWhitespace, beside: cst.TrailingWhitespace
) -> cst.SimpleStatementSuite:
    return cst.SimpleStatementSuite(
        [cst.Expr(cst.Ellipsis())], leading_whitespace=above, trailing_whitespace=beside
    )


def _count(body: Sequence[Line]) -> int:
    return sum(
        len(line.body) if isinstance(line, cst.SimpleStatementLine) else 1
        for line in body
    )


def _line_of(body: Sequence[Line], index: int) -> int:
    """The line that the statement with a number, as `ast` counts, is on."""
    count = 0
    for at, line in enumerate(body):
        count += len(line.body) if isinstance(line, cst.SimpleStatementLine) else 1
        if index < count:
            return at
    raise IndexError(index)


def _extent(body: Sequence[Line], index: int) -> tuple[int, int]:
    """The lines of a member, with the string below a field that describes it."""
    at = _line_of(body, index)
    end = at + 1
    while _is_field(body[at]) and end < len(body) and _is_string(body[end]):
        end += 1
    return at, end


def _blank_and_comments(
    line: Line,
) -> tuple[list[cst.EmptyLine], list[cst.EmptyLine]]:
    """The blank lines above a member, and what follows the first comment there."""
    above = list(line.leading_lines)
    first = next((i for i, each in enumerate(above) if each.comment), len(above))
    return above[:first], above[first:]


def _is_string(line: Line) -> bool:
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return False
    [statement] = line.body
    return isinstance(statement, cst.Expr) and isinstance(
        statement.value, cst.SimpleString | cst.ConcatenatedString
    )


def _is_field(line: Line) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and isinstance(
        line.body[0], cst.AnnAssign | cst.Assign
    )
