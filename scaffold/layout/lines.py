"""Lines that may have to be split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scaffold.layout.leaves import COMMA, Leaf
from scaffold.layout.width import fits


class CannotSplitError(Exception):
    """A way to split does not apply to a line."""


class Line:
    """A line that may have to be split.

    Attributes:
        leaves: its tokens.
        depth: its indentation, in steps of four blanks.
        is_inside: True for the content of a pair of brackets, or a part of it.
        is_whole: True for the statement itself.
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

    def copy(self) -> Line:
        """The line with leaves of its own, whose brackets can be made visible."""
        copies: dict[int, Leaf] = {}
        for leaf in self.leaves:
            opening = copies.get(id(leaf.opening))
            copies[id(leaf)] = replace(leaf, opening=opening)
        return Line(
            [*copies.values()],
            self.depth,
            is_inside=self.is_inside,
            is_whole=self.is_whole,
            must_split=self.must_split,
        )

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
        """The priorities of possible breaks, by the index of the leaf before each."""
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
