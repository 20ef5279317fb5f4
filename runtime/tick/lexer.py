"""Cuts a TICKscript into tokens."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import NamedTuple

from runtime.errors import ScriptError

EOF = "EOF"
ERROR = "ERR"
NUMBER = "number"
STRING = "string"
DURATION = "duration"
IDENTIFIER = "identifier"
REFERENCE = "reference"
REGEX = "regex"
LAMBDA = "lambda"

_KEYWORDS = frozenset({"var", "dbrp", "AND", "OR", "TRUE", "FALSE"})
# Binary operators are recognized after one of these only. Elsewhere `/` starts a regular
# expression, and the others are not tokens.
_OPERANDS = frozenset(
    {IDENTIFIER, NUMBER, STRING, DURATION, REFERENCE, LAMBDA, ")"} | _KEYWORDS
)
_BINARY = frozenset({"+", "%", "<", ">", "<=", ">=", "=", "==", "!=", "=~", "!~"})

# Possessive quantifiers (`*+`) keep an escaped quote from closing its string.
_TOKEN = re.compile(
    r"""
      (?P<blank>\s+)
    | //(?P<comment>[^\n]*)
    | (?P<lambda>lambda:)
    | (?P<identifier>[^\W\d_]\w*)
    | (?P<reference>"(?:[^"\\]|\\"?+)*+")
    | (?P<string>'''[\s\S]*?'''|'(?!'')(?:[^'\\]|\\'?+)*+')
    | (?P<duration>\d+(?:ms|[uµsmhdw]))
    | (?P<number>\d+\.?\d*|\.\d+)
    | (?P<punctuation>[()\[\],.|@+\-*%]|=~|!~|==|!=|<=|>=|[<>=!])
    """,
    re.VERBOSE,
)
_REGEX = re.compile(r"/(?:[^/\\]|\\/?+)*+/")
_UNTERMINATED = {
    "'": "unterminated string",
    '"': "unterminated field reference",
}


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: name of the kind in error texts; keywords, operators and brackets are
            their own kind.
        text: its spelling; for `ERR` the error.
        start: offset of its first character, in characters.
        end: offset behind its last character.
        comments: the lines of the comments before it, without `//` and a space; `"\\n"`
            is an empty line between two.
    """

    kind: str
    text: str
    start: int
    end: int
    comments: tuple[str, ...] = ()


# Far more than a person writes; they take half a second.
_MAX_TOKENS = 100_000


def tokens(source: str) -> list[Token]:
    """The tokens of `source`; the last one is `EOF`, or `ERR` at an error.

    Raises:
        ScriptError: the script has too many tokens.
    """
    found: list[Token] = []
    comments: list[str] = []
    position, commented, previous, size = 0, 0, "", len(source)
    match_token = _TOKEN.match
    while position < size:
        match = match_token(source, position)
        kind = match.lastgroup if match is not None else None
        if match is None or kind is None:
            token = _odd_token(source, position, previous)
        else:
            end = match.end()
            if kind == "blank":
                position = end
                continue
            if kind == "comment":
                if comments and source.count("\n", commented, position) > 1:
                    comments.append("\n")
                comments.append(match["comment"].rstrip().removeprefix(" "))
                position = commented = end
                continue
            text = match.group()
            if text in _BINARY and previous not in _OPERANDS:
                token = _misplaced(source, text, position)
            else:
                token = _named_token(source, kind, text, position, end)
        if comments:
            token = token._replace(comments=tuple(comments))
            comments.clear()
        found.append(token)
        if len(found) > _MAX_TOKENS:
            raise ScriptError("parser: script is too long")
        previous, position = token.kind, token.end
        if previous == ERROR:
            return found
    found.append(Token(EOF, "", size, size, tuple(comments)))
    return found


def _named_token(source: str, kind: str, text: str, start: int, end: int) -> Token:
    if kind == "punctuation" or (kind == IDENTIFIER and text in _KEYWORDS):
        return Token(text, text, start, end)
    if kind == NUMBER and "." in text and source.startswith(".", end):
        return Token(ERROR, "multiple decimals in number", start, end)
    return Token(kind, text, start, end)


def _misplaced(source: str, operator: str, start: int) -> Token:
    """The token for a binary operator that does not follow an operand."""
    if operator[0] == "!":
        return Token("!", "!", start, start + 1)
    return Token(ERROR, _unknown(operator[0]), start, len(source))


def _unknown(first: str) -> str:
    return f"unknown state, last char: {_quoted(first)}"


def _odd_token(source: str, start: int, previous: str) -> Token:
    """A division, a regular expression, or an illegal character."""
    first = source[start]
    if first == "/":
        if previous in _OPERANDS:
            return Token("/", "/", start, start + 1)
        match = _REGEX.match(source, start)
        if match is not None:
            return Token(REGEX, match.group(), start, match.end())
        return Token(ERROR, "unterminated regex", start, len(source))
    text = _UNTERMINATED.get(first)
    if text is None:
        text = _unknown(first)
    return Token(ERROR, text, start, len(source))


def _quoted(character: str) -> str:
    if character == "\\":
        return r"'\\'"
    if character.isprintable():
        return f"'{character}'"
    code = ord(character)
    if code < 0x80:
        return f"'\\x{code:02x}'"
    return f"'\\u{code:04x}'" if code < 0x10000 else f"'\\U{code:08x}'"


class ByteOffsets:
    """Turns offsets in characters into offsets in bytes of the UTF-8 source."""

    def __init__(self, source: str) -> None:
        self._table: list[int] | None = None
        if not source.isascii():
            sizes = (len(c.encode("utf-8", "surrogatepass")) for c in source)
            self._table = list(accumulate(sizes, initial=0))

    def of(self, offset: int) -> int:
        """The offset in bytes of the character at `offset`."""
        return offset if self._table is None else self._table[offset]


def location(source: str, position: int) -> tuple[int, int]:
    """Line and column, from 1, of the byte at `position`; columns count bytes."""
    before = source.encode("utf-8", "surrogatepass")[:position]
    return before.count(b"\n") + 1, position - before.rfind(b"\n")
