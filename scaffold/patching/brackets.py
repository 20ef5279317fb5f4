"""Entries between brackets as libcst nodes: put in, replaced, taken out, laid out.

Between two entries is a gap: the comma's white space, with the comments in
it. A new entry splits the gap that it is put into, so that the comment beside an entry
stays beside it and those above an entry stay above it; taking it out joins the two again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

Gap = cst.BaseParenthesizableWhitespace
Node = (
    cst.DictElement
    | cst.StarredDictElement
    | cst.Element
    | cst.StarredElement
    | cst.Arg
    | cst.ImportAlias
)
Container = cst.Dict | cst.Set | cst.List | cst.Tuple | cst.Call | cst.ImportFrom

_NONE = cst.SimpleWhitespace("")
_BLANK = cst.SimpleWhitespace(" ")


class Contents(NamedTuple):
    """Contents of a pair of brackets.

    Attributes:
        nodes: the entries, without their commas.
        before: the white space before each comma.
        gaps: the white space around them, one more than there are entries; the first
            follows the opening bracket, the last comes before the closing one.
        is_closed: true if a comma follows the last entry.
    """

    nodes: tuple[Node, ...]
    before: tuple[Gap, ...]
    gaps: tuple[Gap, ...]
    is_closed: bool

    @property
    def is_exploded(self) -> bool:
        """True if each entry has lines of its own."""
        return bool(self.nodes) and all(map(breaks, self.gaps))

    @property
    def is_inline(self) -> bool:
        """True if all entries are on one line."""
        return not any(map(breaks, self.gaps))


def contents(container: Container) -> Contents:
    """Contents of the brackets of a container."""
    nodes = _nodes(container)
    opening, closing = _ends(container)
    gaps = [opening]
    before: list[Gap] = []
    for node in nodes:
        comma = node.comma
        if isinstance(comma, cst.Comma):
            before.append(comma.whitespace_before)
            gaps.append(comma.whitespace_after)
        else:
            before.append(_NONE)
            gaps.append(_NONE)
    last = nodes[-1] if nodes else None
    is_closed = last is not None and isinstance(last.comma, cst.Comma)
    if isinstance(last, cst.Arg):
        if not is_closed:
            gaps[-1] = last.whitespace_after_arg
    elif nodes and not (is_closed and isinstance(container, cst.ImportFrom)):
        gaps[-1] = closing
    bare = tuple(_without_comma(node) for node in nodes)
    return Contents(bare, tuple(before), tuple(gaps), is_closed)


def filled(container: Container, inside: Contents) -> Container:
    """The container with other contents, each white space where the parser has it."""
    nodes: list[Node] = []
    last = len(inside.nodes) - 1
    for index, node in enumerate(inside.nodes):
        after = inside.gaps[index + 1]
        is_call = isinstance(container, cst.Call)
        if index < last or inside.is_closed:
            owns = index < last or isinstance(container, cst.Call | cst.ImportFrom)
            comma = cst.Comma(inside.before[index], after if owns else _NONE)
            nodes.append(node.with_changes(comma=comma))
        else:
            changes = {"whitespace_after_arg": after} if is_call else {}
            nodes.append(node.with_changes(**changes))
    closing = inside.gaps[-1]
    if not nodes or (inside.is_closed and isinstance(container, cst.ImportFrom)):
        closing = _NONE
    if isinstance(container, cst.Tuple) and not (nodes or container.lpar):
        container = container.with_changes(
            lpar=[cst.LeftParen()], rpar=[cst.RightParen()]
        )
    return _with_ends(_with_nodes(container, nodes), inside.gaps[0], closing)


def inserted(
    inside: Contents, index: int, node: Node, indent: str, *, is_tuple: bool
) -> Contents:
    """The contents with one more entry.

    Args:
        inside: the contents.
        index: index of the new entry.
        node: the entry.
        indent: indentation of lines between the brackets, if none shows it.
        is_tuple: true if a comma makes the brackets a tuple.
    """
    count = len(inside.nodes)
    before, after = _split(inside, index, indent)
    is_closed = inside.is_closed if count else breaks(after)
    if is_tuple and count == 1 and inside.is_inline:
        is_closed = False
    return Contents(
        (*inside.nodes[:index], _without_comma(node), *inside.nodes[index:]),
        (*inside.before[:index], _NONE, *inside.before[index:]),
        (*inside.gaps[:index], before, after, *inside.gaps[index + 1 :]),
        is_closed,
    )


def removed(inside: Contents, index: int, *, is_tuple: bool) -> Contents:
    """The contents without one entry and the comment beside it; comments around it stay."""
    joined = _join(
        inside.gaps[index],
        inside.gaps[index + 1],
        is_first=index == 0,
        is_last=index == len(inside.nodes) - 1,
    )
    nodes = (*inside.nodes[:index], *inside.nodes[index + 1 :])
    is_closed = inside.is_closed and bool(nodes)
    return Contents(
        nodes,
        (*inside.before[:index], *inside.before[index + 1 :]),
        (*inside.gaps[:index], joined, *inside.gaps[index + 2 :]),
        is_closed or (is_tuple and len(nodes) == 1),
    )


def replaced(inside: Contents, index: int, node: Node) -> Contents:
    """The contents with another entry in place of one."""
    nodes = list(inside.nodes)
    nodes[index] = _without_comma(node)
    return inside._replace(nodes=tuple(nodes))


def exploded(inside: Contents, inner: str, outer: str) -> Contents:
    """The contents with a line for each entry, and a comma after the last one."""
    *gaps, closing = inside.gaps
    return inside._replace(
        gaps=(*(_line(gap, inner) for gap in gaps), _line(closing, outer)),
        is_closed=True,
    )


def collapsed(inside: Contents) -> Contents:
    """The contents on one line, without a comma after the last entry."""
    between = (_BLANK,) * (len(inside.nodes) - 1)
    gaps = (_NONE, *between, _NONE) if inside.nodes else (_NONE,)
    return inside._replace(gaps=gaps, is_closed=False)


def has_comments(inside: Contents) -> bool:
    """True if there are comments between the entries."""
    return any(map(_has_comment, (*inside.gaps, *inside.before)))


def broken(inside: Contents, index: int) -> Contents:
    """The contents with a line end as the gap between two entries, as other gaps are."""
    inner = inside.gaps[1:-1]
    pattern = next((gap for gap in inner if breaks(gap)), inside.gaps[0])
    gaps = list(inside.gaps)
    if breaks(pattern) and 0 < index < len(inside.nodes):
        gaps[index] = _bare(pattern)
    return inside._replace(gaps=tuple(gaps))


def unbroken(inside: Contents, index: int) -> Contents:
    """The contents with two entries on one line."""
    gaps = list(inside.gaps)
    if 0 < index < len(inside.nodes):
        gaps[index] = _BLANK
    return inside._replace(gaps=tuple(gaps))


def _split(inside: Contents, index: int, indent: str) -> tuple[Gap, Gap]:
    """The gaps before and after a new entry."""
    count, gap = len(inside.nodes), inside.gaps[index]
    if not count:
        if not isinstance(gap, cst.ParenthesizedWhitespace):
            return gap, _NONE
        opening = gap.with_changes(last_line=cst.SimpleWhitespace(indent))
        return opening, _bare(gap)
    separator = _separator(inside, index, indent)
    if not isinstance(gap, cst.ParenthesizedWhitespace):
        return (gap, separator) if index < count else (separator, gap)
    if index == count:
        if isinstance(separator, cst.ParenthesizedWhitespace):
            beside = separator.with_changes(first_line=gap.first_line)
        elif gap.first_line.comment:
            # nothing can follow the comment on its line
            beside = gap.with_changes(
                empty_lines=[], last_line=cst.SimpleWhitespace(indent)
            )
        else:
            return separator, gap
        return beside, gap.with_changes(first_line=_newline(gap))
    if index and separator is _BLANK and not _has_comment(gap):
        # entries fill lines, and this is where one line ends
        return separator, gap
    above = gap.with_changes(empty_lines=[])
    if index == 0 and not gap.empty_lines and not breaks(separator):
        return above, separator
    return above, gap.with_changes(first_line=_newline(gap))


def _separator(inside: Contents, index: int, indent: str) -> Gap:
    """The gap between two entries, without comments."""
    count = len(inside.nodes)
    if count > 1:
        inner = inside.gaps[1:-1]
        if len({breaks(gap) for gap in inner}) > 1:
            # lines are filled with as many entries as fit
            return _BLANK
        return _bare(inner[min(max(index, 1), count - 1) - 1])
    opening = inside.gaps[0]
    return _line(_bare(opening), indent) if breaks(opening) else _BLANK


def _join(before: Gap, after: Gap, *, is_last: bool, is_first: bool) -> Gap:
    """The gap that is left in place of an entry."""
    if isinstance(before, cst.ParenthesizedWhitespace) and isinstance(
        after, cst.ParenthesizedWhitespace
    ):
        return before.with_changes(
            empty_lines=[*before.empty_lines, *after.empty_lines],
            last_line=after.last_line,
            indent=after.indent,
        )
    kept, other = (after, before) if is_last and not is_first else (before, after)
    is_inner = not (is_first or is_last)
    if isinstance(other, cst.ParenthesizedWhitespace):
        has_comment = other.first_line.comment and other is before
        if is_inner or has_comment or any(each.comment for each in other.empty_lines):
            return other
    return kept


def _has_comment(gap: Gap) -> bool:
    return "#" in _code(gap)


def _newline(gap: cst.ParenthesizedWhitespace) -> cst.TrailingWhitespace:
    return gap.first_line.with_changes(comment=None, whitespace=_NONE)


def _line(gap: Gap, indent: str) -> Gap:
    """A gap that ends a line, with its comments."""
    last = cst.SimpleWhitespace(indent)
    if isinstance(gap, cst.ParenthesizedWhitespace):
        lines = [
            (each.with_changes(whitespace=last, indent=False) if each.comment else each)
            for each in gap.empty_lines
        ]
        return gap.with_changes(empty_lines=lines, last_line=last, indent=False)
    return cst.ParenthesizedWhitespace(
        first_line=cst.TrailingWhitespace(), last_line=last
    )


def _bare(gap: Gap) -> Gap:
    if isinstance(gap, cst.ParenthesizedWhitespace):
        return gap.with_changes(first_line=_newline(gap), empty_lines=[])
    return gap


def breaks(gap: Gap) -> bool:
    """True if it contains a line end."""
    return isinstance(gap, cst.ParenthesizedWhitespace)


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def _nodes(container: Container) -> Sequence[Node]:
    if isinstance(container, cst.Call):
        return container.args
    if isinstance(container, cst.ImportFrom):
        names = container.names
        return () if isinstance(names, cst.ImportStar) else names
    return container.elements  # type: ignore[return-value]  # the only ones there are


def _with_nodes(container: Container, nodes: Sequence[Node]) -> Container:
    if isinstance(container, cst.Call):
        return container.with_changes(args=nodes)
    if isinstance(container, cst.ImportFrom):
        return container.with_changes(names=nodes)
    return container.with_changes(elements=nodes)


def _without_comma(node: Node) -> Node:
    changes = {"whitespace_after_arg": _NONE} if isinstance(node, cst.Arg) else {}
    return node.with_changes(comma=cst.MaybeSentinel.DEFAULT, **changes)


def _ends(container: Container) -> tuple[Gap, Gap]:
    """The white space inside the two brackets."""
    if isinstance(container, cst.Call):
        return container.whitespace_before_args, _NONE
    if isinstance(container, cst.Dict | cst.Set):
        return container.lbrace.whitespace_after, container.rbrace.whitespace_before
    if isinstance(container, cst.List):
        opening, closing = container.lbracket, container.rbracket
        return opening.whitespace_after, closing.whitespace_before
    if isinstance(container, cst.ImportFrom):
        if container.lpar is None or container.rpar is None:
            return _NONE, _NONE
        return container.lpar.whitespace_after, container.rpar.whitespace_before
    if not container.lpar:
        return _NONE, _NONE
    return container.lpar[-1].whitespace_after, container.rpar[0].whitespace_before


def _with_ends(container: Container, opening: Gap, closing: Gap) -> Container:
    if isinstance(container, cst.Call):
        return container.with_changes(whitespace_before_args=opening)
    if isinstance(container, cst.Dict | cst.Set):
        return container.with_changes(
            lbrace=container.lbrace.with_changes(whitespace_after=opening),
            rbrace=container.rbrace.with_changes(whitespace_before=closing),
        )
    if isinstance(container, cst.List):
        return container.with_changes(
            lbracket=container.lbracket.with_changes(whitespace_after=opening),
            rbracket=container.rbracket.with_changes(whitespace_before=closing),
        )
    left = cst.LeftParen(whitespace_after=opening)
    right = cst.RightParen(whitespace_before=closing)
    if isinstance(container, cst.ImportFrom):
        if container.lpar is None and not breaks(opening):
            return container
        return container.with_changes(lpar=left, rpar=right)
    if container.lpar:
        left = container.lpar[-1].with_changes(whitespace_after=opening)
        right = container.rpar[0].with_changes(whitespace_before=closing)
        return container.with_changes(
            lpar=[*container.lpar[:-1], left], rpar=[right, *container.rpar[1:]]
        )
    if breaks(opening):
        return container.with_changes(lpar=[left], rpar=[right])
    return container
