"""The leaves of a one-line statement, with the properties that black's rules depend on.

Black puts invisible parentheses around some expressions; they become visible where a
statement is split at them. They are leaves with an empty text here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

COMPREHENSION, COMMA, TERNARY, LOGIC, COMPARATOR, DOT = 20, 18, 16, 14, 10, 1
_MATH = {"|": 9, "^": 8, "&": 7, "<<": 6, ">>": 6, "+": 5, "-": 5}
_MATH |= dict.fromkeys(("*", "/", "//", "%", "@"), 4)
_COMPARATORS = ("==", "!=", "<", "<=", ">", ">=")
CLOSERS = {"(": ")", "[": "]", "{": "}"}

_TOKEN = re.compile(
    r"""
    (?P<prefix>\ ?)
    (?:
      (?P<string>[A-Za-z]{0,2}(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')) (?!["'])
    | (?P<name>[^\W\d]\w*)
    | (?P<number>\d[\w.]*(?:(?<=e)[+-]\d+)?)
    | (?P<sign>->|\*\*|//|<<|>>|[=!<>]=|[-+*/%@&|^<>=.,:()\[\]{}](?![=]))
    )
    """,
    re.VERBOSE,
)
# statements and forms that are left to black
_FOREIGN = frozenset(
    [
        "async",
        "await",
        "class",
        "del",
        "except",
        "from",
        "global",
        "import",
        "nonlocal",
        "try",
        "while",
        "with",
        "yield",
    ]
)
_WORDS = frozenset(
    [
        "and",
        "assert",
        "elif",
        "else",
        "for",
        "if",
        "in",
        "is",
        "lambda",
        "not",
        "or",
        "raise",
        "return",
    ]
)


class DeclinedError(Exception):
    """A statement has a form that is left to black."""


@dataclass(eq=False, slots=True)
class Leaf:
    """A token.

    Attributes:
        text: its spelling; "" for an invisible parenthesis.
        kind: `string`, `name`, `number`, `sign`; brackets have theirs: `(`, `)`, `[`, ….
        prefix: the text before it on its line: a blank, or nothing.
        opening: the opening bracket of a closing one.
        is_trailer: True for a bracket of a call or subscript, and for a star inside
            one.
        is_atom: True for a bracket whose content is split into its items at once.
        before: black's preference for a break before it; 0: not at all.
    """

    text: str
    kind: str
    prefix: str = ""
    opening: Leaf | None = None
    is_trailer: bool = False
    is_atom: bool = False
    before: int = 0

    @property
    def opens(self) -> bool:
        """True if it is an opening bracket."""
        return self.kind in CLOSERS

    @property
    def closes(self) -> bool:
        """True if it is a closing bracket."""
        return self.kind in ")]}"

    @property
    def size(self) -> int:
        """Its length in characters, with its prefix."""
        return len(self.prefix) + len(self.text)


def leaves_of(statement: str, *, is_item: bool = False) -> list[Leaf]:
    """The leaves of a statement.

    Args:        statement: statement on one line, without indentation.
        is_item: True for an item of a bracketed list, False for a statement.

    Raises:
        DeclinedError: it has a form that is left to black.
    """
    leaves = _tokens(statement)
    _pair(leaves)
    _weigh(leaves)
    if not is_item:
        leaves = _with_optional_parentheses(leaves)
    return _with_ternaries(leaves)


def _tokens(statement: str) -> list[Leaf]:
    leaves: list[Leaf] = []
    at = 0
    while at < len(statement):
        found = _TOKEN.match(statement, at)
        if found is None:
            raise DeclinedError(statement)
        text = found[0][len(found["prefix"]) :]
        kind = text if text in ("(", ")", "[", "]", "{", "}") else str(found.lastgroup)
        is_joined = kind == "string" and leaves and leaves[-1].kind == "string"
        if is_joined or (kind == "name" and text in _FOREIGN):
            raise DeclinedError(statement)
        leaves.append(Leaf(text, kind, found["prefix"]))
        at = found.end()
    if not leaves or leaves[0].text == "for":
        raise DeclinedError(statement)
    return leaves


def _ends_operand(leaf: Leaf | None) -> bool:
    """True if an operand ends with it, so that a sign that follows is binary."""
    if leaf is None:
        return False
    is_word = leaf.kind == "name" and leaf.text in _WORDS
    return leaf.closes or (leaf.kind in ("name", "number", "string") and not is_word)


def _pair(leaves: Sequence[Leaf]) -> None:
    """Connect brackets. A trailing comma that is not a one-tuple's is left to black."""
    open_: list[tuple[Leaf, int]] = []
    previous: Leaf | None = None
    commas = 0
    for leaf in leaves:
        if leaf.opens:
            leaf.is_trailer = _ends_operand(previous)
            leaf.is_atom = not leaf.is_trailer
            open_.append((leaf, commas))
            commas = 0
        elif leaf.closes:
            leaf.opening, before = open_.pop()
            leaf.is_trailer = leaf.opening.is_trailer
            is_one_tuple = leaf.kind == ")" and commas == 1 and not leaf.is_trailer
            if previous is not None and previous.text == "," and not is_one_tuple:
                raise DeclinedError("a trailing comma")
            commas = before
        elif leaf.text == ",":
            commas += 1
        elif leaf.text in ("*", "**") and open_:
            bracket = open_[-1][0]
            leaf.is_trailer = bracket.kind == "(" and bracket.is_trailer
        previous = leaf


def _weigh(leaves: Sequence[Leaf]) -> None:
    """Find black's preferred breaks, from the surroundings of each leaf."""
    followers = [*leaves[1:], None]
    previous: Leaf | None = None
    fors: list[int] = []  # `for` and `in` of comprehensions, by open bracket
    for leaf, following in zip(leaves, followers, strict=True):
        if leaf.opens:
            fors.append(0)
        elif leaf.closes:
            fors.pop()
        if leaf.kind == "name" and leaf.text in _WORDS:
            leaf.before = _word_weight(leaf.text, previous, following, fors)
        elif leaf.text in _COMPARATORS and leaf.kind == "sign":
            leaf.before = COMPARATOR
        elif leaf.kind == "sign" and leaf.text in _MATH and _ends_operand(previous):
            leaf.before = _MATH[leaf.text]
        elif leaf.text == "**" and _ends_operand(previous):
            raise DeclinedError("a power")
        elif leaf.text == "." and (previous is None or previous.closes):
            leaf.before = DOT
        previous = leaf


def _word_weight(
    word: str, previous: Leaf | None, following: Leaf | None, fors: list[int]
) -> int:
    before = previous.text if previous is not None else ""
    if word in ("and", "or"):
        return LOGIC
    if word == "is":
        return COMPARATOR
    if word == "not":
        is_not_in = following is not None and following.text == "in"
        return COMPARATOR if is_not_in else 0
    if word == "for":
        fors[-1] += 1
        return COMPREHENSION
    if word == "in":
        if fors and fors[-1] % 2:  # of the comprehension
            fors[-1] += 1
            return 0
        return 0 if before == "not" else COMPARATOR
    if word == "if" and fors and fors[-1]:
        return COMPREHENSION
    return TERNARY if word in ("if", "else") and previous is not None else 0


def _with_ternaries(leaves: list[Leaf]) -> list[Leaf]:
    """The leaves with invisible parentheses around each `a if b else c`.

    Raises:
        DeclinedError: one is the condition of another, or inside a lambda or a
            comprehension.
    """
    made = leaves
    for leaf in leaves:
        if leaf.text != "else" or leaf.kind != "name":
            continue
        at = made.index(leaf)
        start, stop = _bounds(made, at)
        inner = list(_top_level(made[start:stop]))
        words = [each.text for each in inner if each.kind == "name"]
        branches = [each for each in words if each in ("if", "else")]
        if branches != ["if", "else"] * words.count("else") or "lambda" in words:
            raise DeclinedError("a conditional expression in another form")
        if "for" in words or start == 0:
            raise DeclinedError("a conditional expression in a comprehension")
        # `else a if b else c` is one of its own
        outer = [each for each in inner if each.text == "else" and each.kind == "name"]
        if outer[0] is not leaf:
            start = made.index(outer[outer.index(leaf) - 1]) + 1
        is_enclosed = made[start - 1].kind == "(" and made[stop : stop + 1]
        if not (is_enclosed and made[stop].opening is made[start - 1]):
            made = _wrapped(made, start, stop, is_atom=False)
    return made


def _bounds(leaves: Sequence[Leaf], at: int) -> tuple[int, int]:
    """The first and last leaf of the item that the leaf at `at` belongs to."""
    start, depth = at, 0
    while start > 0:
        before = leaves[start - 1]
        if depth == 0 and (before.opens or _separates(before)):
            break
        depth += before.closes - before.opens
        start -= 1
    stop, depth = at, 0
    while stop < len(leaves):
        leaf = leaves[stop]
        if depth == 0 and (leaf.closes or leaf.text in (",", ":")):
            break
        depth += leaf.opens - leaf.closes
        stop += 1
    return start, stop


def _separates(leaf: Leaf) -> bool:
    if leaf.kind == "name":
        return leaf.text in ("return", "assert", "raise")
    return leaf.kind == "sign" and leaf.text in (",", ":", "=")


def _top_level(leaves: Sequence[Leaf]) -> Iterator[Leaf]:
    depth = 0
    for leaf in leaves:
        depth -= leaf.closes
        if depth == 0:
            yield leaf
        depth += leaf.opens


def _with_optional_parentheses(leaves: list[Leaf]) -> list[Leaf]:
    """The leaves with the invisible parentheses of the statement.

    Raises:
        DeclinedError: the statement is one that is left to black.
    """
    first = leaves[0].text if leaves[0].kind == "name" else ""
    if first in ("return", "if", "elif"):
        stop = len(leaves) - (first != "return")
        return _optional(leaves, 1, stop) if stop > 1 else leaves
    if first == "assert":
        return _assertion(leaves)
    if first in ("raise", "def", "lambda") or leaves[0].text == "@":
        return leaves
    top = list(_top_level(leaves))
    equals = [each for each in top if each.text == "=" and each.kind == "sign"]
    if not equals:
        if any(each.before or each.text == "," for each in top):
            raise DeclinedError("an expression that is not a call")
        return leaves
    at = leaves.index(equals[0])
    names = [each.text for each in top[: top.index(equals[0])]]
    if len(equals) > 1 or "," in names or leaves[0].opens:
        raise DeclinedError("an assignment in another form")
    made = _optional(leaves, at + 1, len(leaves))
    colon = next((each for each in top if each.text == ":"), None)
    if colon is not None and made.index(colon) < at:
        made = _optional(made, made.index(colon) + 1, at)
    return made


def _assertion(leaves: list[Leaf]) -> list[Leaf]:
    comma = next((each for each in _top_level(leaves) if each.text == ","), None)
    if comma is None:
        return _optional(leaves, 1, len(leaves))
    at = leaves.index(comma)
    return _optional(_optional(leaves, at + 1, len(leaves)), 1, at)


def _optional(leaves: list[Leaf], start: int, stop: int) -> list[Leaf]:
    """`leaves` with invisible parentheses from `start` to `stop`."""
    first, last = leaves[start], leaves[stop - 1]
    if first.kind == "(" and last.opening is first:
        inner = _top_level(leaves[start + 1 : stop - 1])
        if stop - start > 2 and not any(each.text == "," for each in inner):
            raise DeclinedError("parentheses that black would remove")
        if stop - start > 2:
            return leaves
    return _wrapped(leaves, start, stop, is_atom=True)


def _wrapped(leaves: list[Leaf], start: int, stop: int, *, is_atom: bool) -> list[Leaf]:
    opening = Leaf("", "(", leaves[start].prefix, is_atom=is_atom)
    closing = Leaf("", ")", opening=opening)
    leaves[start].prefix = ""
    return [*leaves[:start], opening, *leaves[start:stop], closing, *leaves[stop:]]
