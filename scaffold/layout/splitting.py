"""Black's way to split a line that is too long, for lines without comments.

The code follows black decision by decision, so that its many rules need not be
reworded; names are those of its `linegen.py`. A property test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from scaffold.layout.leaves import COMMA, DOT, DeclinedError, Leaf, leaves_of
from scaffold.layout.width import fits


class _CannotSplitError(Exception):
    """A way to split leads nowhere."""


class _Line:
    """A line that may have to be split.

    Attributes:
        leaves: its tokens.
        depth: its indentation, in steps of four blanks.
        is_inside: it is what a pair of brackets encloses, or a part of that.
        is_whole: it is the statement itself.
        must_split: each item needs a line of its own.
    """

    def __init__(
        self,
        leaves: Sequence[Leaf],
        depth: int,
        *,
        is_inside: bool = False,
        is_whole: bool = False,
        must_split: bool = False,
    ) -> None:
        self.leaves = list(leaves)
        self.depth = depth
        self.is_inside = is_inside
        self.is_whole = is_whole
        self.must_split = must_split

    @property
    def text(self) -> str:
        """The line as it is written."""
        rest = "".join(each.prefix + each.text for each in self.leaves[1:])
        return "    " * self.depth + self.leaves[0].text + rest

    def fits(self, limit: int) -> bool:
        """True if it is short enough."""
        return fits(self.text, limit) if self.leaves else True

    def depths(self) -> list[int]:
        """The bracket depth of each leaf; the names of a `for` or `lambda` count as one."""
        found = []
        depth = 0
        names: list[tuple[str, int]] = []
        for leaf in self.leaves:
            is_end = leaf.text == ("in" if names and names[-1][0] == "for" else ":")
            if names and names[-1][1] == depth and is_end:
                names.pop()
                depth -= 1
            if leaf.closes:
                depth -= 1
            found.append(depth)
            if leaf.opens:
                depth += 1
            if leaf.kind == "name" and leaf.text in ("for", "lambda"):
                depth += 1
                names.append((leaf.text, depth))
        return found

    def delimiters(self) -> dict[int, int]:
        """Behind which leaves, by index, a break may come, and how much it is liked."""
        depths = self.depths()
        found = {}
        for at, leaf in enumerate(self.leaves):
            if depths[at] != 0:
                continue
            if leaf.before and at:
                found[at - 1] = leaf.before
            elif leaf.text == "," and leaf.kind == "sign":
                found[at] = COMMA
        return found

    def best_delimiter(self) -> int:
        """The highest priority of the breaks before the last leaf."""
        last = len(self.leaves) - 1
        found = self.delimiters().items()
        return max((liking for at, liking in found if at != last), default=0)


_Way = Callable[[_Line, int, bool], list[_Line]]
"""A way to split: takes a line, the limit, and true to make brackets visible."""


class _Split(NamedTuple):
    """A line, split at a pair of brackets."""

    head: _Line
    body: _Line
    tail: _Line
    opening: Leaf
    closing: Leaf

    def lines(self) -> list[_Line]:
        """The lines, with the brackets visible."""
        self.opening.text, self.closing.text = self.opening.kind, self.closing.kind
        return [each for each in (self.head, self.body, self.tail) if each.leaves]


def split(statement: str, depth: int, limit: int, *, is_item: bool = False) -> str:
    """A statement that is too long, as black lays it out.

    Args:
        statement: on one line, without indentation. A compound statement is its head.
        depth: its indentation, in steps of four blanks.
        limit: maximum width of a line, indentation included.
        is_item: it is an item of a bracketed list, with its comma.

    Raises:
        DeclinedError: its form is left to black.
        UncertainWidthError: versions of black differ about its width.
    """
    leaves = leaves_of(statement, is_item=is_item)
    line = _Line(leaves, depth, is_inside=is_item, is_whole=True)
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
    body = _Line(leaves[start + 1 : stop], depth + 1, is_inside=True, must_split=True)
    lines = [
        _Line(leaves[: start + 1], depth),
        *_transform(body, limit),
        _Line(leaves[stop:], depth),
    ]
    return "\n".join(each.text for each in lines)


def _opening(closing: Leaf) -> Leaf:
    if closing.opening is None:
        raise DeclinedError("a bracket without its partner")
    return closing.opening


def _transform(line: _Line, limit: int, *, is_forced: bool = False) -> list[_Line]:
    """Black's `transform_line`."""
    if not line.must_split and line.fits(limit):
        return [line]
    if line.is_whole and line.leaves[0].text == "def":
        ways: list[_Way] = [_left_hand_split]
    elif line.is_inside:
        ways = [_delimiter_split, _right_hand_split]
    else:
        ways = [_right_hand_split]
    for way in ways:
        try:
            return _run(line, way, limit, is_forced=is_forced)
        except _CannotSplitError:
            continue
    return [line]


def _run(line: _Line, way: _Way, limit: int, *, is_forced: bool) -> list[_Line]:
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
    result: list[_Line] = []
    for each in way(line, limit, is_forced):
        if each.text == text:
            raise _CannotSplitError
        result += _transform(each, limit, is_forced=is_forced)
    if (
        is_forced
        or way is not _right_hand_split
        or not optional
        or any(each.text for each in outer)
        or result[0].fits(limit)
    ):
        return result
    second = _run(_copy(line), way, limit, is_forced=True)
    return second if all(each.fits(limit) for each in second) else result


def _copy(line: _Line) -> _Line:
    copies: dict[int, Leaf] = {}
    for leaf in line.leaves:
        opening = copies.get(id(leaf.opening))
        copies[id(leaf)] = Leaf(
            leaf.text,
            leaf.kind,
            leaf.prefix,
            opening,
            leaf.is_trailer,
            leaf.is_atom,
            leaf.before,
        )
    made = list(copies.values())
    return _Line(
        made,
        line.depth,
        is_inside=line.is_inside,
        is_whole=line.is_whole,
        must_split=line.must_split,
    )


def _left_hand_split(line: _Line, limit: int, is_forced: bool) -> list[_Line]:
    """The head of a function, split at its parameters."""
    start = next(at for at, each in enumerate(line.leaves) if each.text == "(")
    opening = line.leaves[start]
    stop = next(at for at, each in enumerate(line.leaves) if each.opening is opening)
    if stop == start + 1:
        raise _CannotSplitError
    body = line.leaves[start + 1 : stop]
    if not any(each.text == "," for each in body):
        body = [*body, Leaf(",", "sign")]
    tail = _Line(line.leaves[stop:], line.depth)
    if not tail.fits(limit):
        raise DeclinedError("a long annotation of what a function returns")
    return [
        _Line(line.leaves[: start + 1], line.depth),
        _Line(body, line.depth + 1, is_inside=True),
        tail,
    ]


def _delimiter_split(line: _Line, limit: int, is_forced: bool) -> list[_Line]:
    """The line, broken at the delimiters that are liked best."""
    delimiters = line.delimiters()
    last = len(line.leaves) - 1
    best = line.best_delimiter()
    if not best or (best == DOT and list(delimiters.values()).count(DOT) == 1):
        raise _CannotSplitError
    made: list[_Line] = []
    start = 0
    for at in [at for at, each in delimiters.items() if each == best] + [last]:
        if start <= at:
            part = line.leaves[start : at + 1]
            made.append(_Line(part, line.depth, is_inside=True))
        start = at + 1
    end = made[-1].leaves
    if best == COMMA and end[-1].text != ",":
        # a comma may follow in some versions of Python only
        first = [each.leaves[0] for each in made]
        if any(each.text in ("*", "**") and each.is_trailer for each in first):
            raise DeclinedError("a list that is unpacked into arguments")
        end.append(Leaf(",", "sign"))
    return made


def _right_hand_split(line: _Line, limit: int, is_forced: bool) -> list[_Line]:
    """The line, split at one of its last brackets (`right_hand_split_with_omits`)."""
    first: list[_Line] | None = None
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
    line: _Line, limit: int, omit: frozenset[int], *, is_forced: bool
) -> list[_Line]:
    return _without_optional(
        line, _last_brackets(line, omit), limit, omit, is_forced=is_forced
    )


def _last_brackets(line: _Line, omit: frozenset[int]) -> _Split:
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
        raise _CannotSplitError
    for each in (tail, body, head):
        each.reverse()
    inner = _Line(body, line.depth + 1, is_inside=True)
    best = inner.best_delimiter()
    inner.must_split = best == COMMA and opening.is_atom
    if not body and len("".join(x.prefix + x.text for x in tail).strip()) < 3:
        raise _CannotSplitError
    return _Split(
        _Line(head, line.depth), inner, _Line(tail, line.depth), opening, closing
    )


def _without_optional(
    line: _Line,
    found: _Split,
    limit: int,
    omit: frozenset[int],
    *,
    is_forced: bool,
) -> list[_Line]:
    """Black's `_maybe_split_omitting_optional_parens`."""
    is_optional = found.opening.kind == "(" and not found.opening.text
    is_optional = is_optional and not found.closing.text
    if not is_forced and is_optional and _can_omit(found, limit):
        fewer = frozenset({id(found.closing), *omit})
        try:
            other = _last_brackets(line, fewer)
            if _prefers(other, found, limit):
                return _without_optional(line, other, limit, fewer, is_forced=is_forced)
        except _CannotSplitError:
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


def _can_omit_opening(line: _Line, first: Leaf, limit: int) -> bool:
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


def _can_omit_closing(line: _Line, last: Leaf, limit: int) -> bool:
    length, has_others = 4 * line.depth, False
    for leaf in line.leaves:
        length += leaf.size
        if leaf is last.opening:
            if has_others or length <= limit:
                return True
        elif leaf.opens:
            has_others = True
    return False


def _can_be_split(line: _Line) -> bool:
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


def _trailers_to_omit(line: _Line, limit: int) -> Iterator[frozenset[int]]:
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
