"""Black's way to split a line at one of its last brackets.

Closing brackets are left out of the search until the text before the pair fits. Names are
those of black's `linegen.py` and `brackets.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from scaffold.layout.leaves import COMMA, DOT, Leaf
from scaffold.layout.lines import CannotSplitError, Line


class _Split(NamedTuple):
    """A line, split at a pair of brackets."""

    head: Line
    body: Line
    tail: Line
    opening: Leaf
    closing: Leaf

    def lines(self) -> list[Line]:
        """The lines, with the brackets visible."""
        self.opening.text, self.closing.text = self.opening.kind, self.closing.kind
        return [each for each in (self.head, self.body, self.tail) if each.leaves]


def right_hand_split(line: Line, limit: int, is_forced: bool) -> list[Line]:
    """The line, split at one of its last brackets (`right_hand_split_with_omits`)."""
    first: list[Line] | None = None
    lengths: dict[int, int] = {}
    length = 4 * line.depth
    for leaf in line.leaves:
        lengths[id(leaf)] = length
        length += leaf.size
    for omit in _trailers_to_omit(line, limit):
        if omit:
            closers = [x for x in line.leaves if x.closes and id(x) not in omit]
            target = closers[-1].opening if closers else None
            if target is not None and target.text and lengths[id(target)] > limit:
                continue
        lines = _split_at(line, limit, omit, is_forced=is_forced)
        if first is None and not omit:
            first = lines
        if lines[0].fits(limit):
            return lines
    if first is not None:
        return first
    return _split_at(line, limit, frozenset(), is_forced=is_forced)


def _split_at(
    line: Line, limit: int, omit: frozenset[int], *, is_forced: bool
) -> list[Line]:
    return _without_optional(
        line, _last_brackets(line, omit), limit, omit, is_forced=is_forced
    )


def _last_brackets(line: Line, omit: frozenset[int]) -> _Split:
    """Black's `_first_right_hand_split`."""
    tail: list[Leaf] = []
    body: list[Leaf] = []
    head: list[Leaf] = []
    current = tail
    opening: Leaf | None = None
    closing: Leaf | None = None
    for leaf in reversed(line.leaves):
        if current is body and leaf is opening:
            current = head if body else tail
        current.append(leaf)
        if current is tail and leaf.closes and id(leaf) not in omit:
            opening, closing = leaf.opening, leaf
            current = body
    if opening is None or closing is None or not head:
        raise CannotSplitError
    for each in (tail, body, head):
        each.reverse()
    inner = Line(body, line.depth + 1, is_inside=True)
    best = inner.best_delimiter()
    inner.must_split = best == COMMA and opening.is_atom
    if not body and len("".join(x.prefix + x.text for x in tail).strip()) < 3:
        raise CannotSplitError
    return _Split(
        Line(head, line.depth), inner, Line(tail, line.depth), opening, closing
    )


def _without_optional(
    line: Line,
    found: _Split,
    limit: int,
    omit: frozenset[int],
    *,
    is_forced: bool,
) -> list[Line]:
    """Black's `_maybe_split_omitting_optional_parens`."""
    is_optional = found.opening.kind == "(" and not found.opening.text
    is_optional = is_optional and not found.closing.text
    if not is_forced and is_optional and _can_omit(found, limit):
        fewer = frozenset({id(found.closing), *omit})
        try:
            other = _last_brackets(line, fewer)
            if _prefers(other, found, limit):
                return _without_optional(line, other, limit, fewer, is_forced=is_forced)
        except CannotSplitError:
            if not _can_be_split(found.body) and not found.body.fits(limit):
                raise
    return found.lines()


def _prefers(other: _Split, found: _Split, limit: int) -> bool:
    """Black's `_prefer_split_rhs_oop_over_rhs`."""
    head = found.head.leaves
    if not (len(head) >= 2 and head[-2].text == "="):
        return True
    if not any(each.opens or each.closes for each in head[:-1]):
        return True
    if not found.head.fits(limit - 1):
        return True
    for leaf in reversed(other.head.leaves):
        if leaf.text == "=":
            break
        if leaf.closes:
            return True
    has_equal = any(each.text == "=" for each in other.head.leaves)
    return has_equal and other.head.fits(limit)


def _can_omit(found: _Split, limit: int) -> bool:
    """Black's `can_omit_invisible_parens`."""
    line = found.body
    delimiters = line.delimiters()
    if not delimiters:
        return True
    best = max(delimiters.values())
    if list(delimiters.values()).count(best) > 1:
        return False
    if best == DOT:
        return True
    first, second = line.leaves[:2]
    if first.opens and not second.closes and _can_omit_opening(line, first, limit):
        return True
    last = line.leaves[-1]
    if last.kind in ")}" or (last.kind == "]" and not last.is_trailer):
        if line.leaves[-2].opens:
            return False
        return _can_omit_closing(line, last, limit)
    return False


def _can_omit_opening(line: Line, first: Leaf, limit: int) -> bool:
    length, is_behind = 4 * line.depth, False
    for leaf in line.leaves:
        is_behind = is_behind or leaf.opening is first
        if is_behind:
            length += leaf.size
            if length > limit:
                return False
            if leaf.opens:
                is_behind = False
    return True


def _can_omit_closing(line: Line, last: Leaf, limit: int) -> bool:
    length, has_others = 4 * line.depth, False
    for leaf in line.leaves:
        length += leaf.size
        if leaf is last.opening:
            if has_others or length <= limit:
                return True
        elif leaf.opens:
            has_others = True
    return False


def _can_be_split(line: Line) -> bool:
    """Black's `can_be_split`: false only where it is certain."""
    leaves = line.leaves
    if len(leaves) < 2:
        return False
    if leaves[0].kind != "string" or leaves[1].text != ".":
        return True
    calls = dots = 0
    following = leaves[-1]
    for leaf in leaves[-2::-1]:
        if leaf.opens:
            if not following.closes:
                return False
            calls += 1
        elif leaf.text == ".":
            dots += 1
        elif leaf.kind == "name":
            if not (following.text == "." or following.opens):
                return False
        elif not leaf.closes:
            return False
        if dots > 1 and calls > 1:
            return False
    return True


def _trailers_to_omit(line: Line, limit: int) -> Iterator[frozenset[int]]:
    """Black's `generate_trailers_to_omit`: sets of closing brackets not to split at."""
    omit: set[int] = set()
    yield frozenset()
    length = 4 * line.depth
    opening: Leaf | None = None
    closing: Leaf | None = None
    inner: set[int] = set()
    for at in range(len(line.leaves) - 1, -1, -1):
        leaf = line.leaves[at]
        length += leaf.size
        if length > limit:
            return
        if opening is not None:
            if leaf is opening:
                opening = None
            elif leaf.closes:
                inner.add(id(leaf))
        elif leaf.closes:
            if at and line.leaves[at - 1].opens:
                inner.add(id(leaf))
                continue
            if closing is not None:
                omit |= {id(closing), *inner}
                inner.clear()
                yield frozenset(omit)
            if leaf.text:
                opening, closing = leaf.opening, leaf
