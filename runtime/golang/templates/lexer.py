"""Template source to tokens.

Source: Go text/template/parse/lex.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

KEYWORDS = frozenset(
    [
        "block",
        "break",
        "continue",
        "define",
        "else",
        "end",
        "if",
        "nil",
        "range",
        "template",
        "with",
    ]
)
_SPACES = " \t\r\n"
_LEFT = re.compile(r"\{\{(?:-(?=[ \t\r\n]))?")
_COMMENT = re.compile(r"[ \t\r\n]*/\*")
_TOKENS = re.compile(
    r"""
    (?P<right>(?:[ \t\r\n]+-)?\}\})
  | (?P<space>[ \t\r\n]+)
  | (?P<declare>:=)
  | (?P<assign>=)
  | (?P<pipe>\|)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<raw>`[^`]*`)
  | (?P<character>'(?:[^'\\\n]|\\.)*')
  | (?P<variable>\$\w*)
  | (?P<field>\.[^\W\d]\w*)
  | (?P<number>[+-]?(?:0[xXoObB][0-9a-fA-F_]+|\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\w*)
  | (?P<dot>\.)
  | (?P<word>[^\W\d]\w*)
  | (?P<left_paren>\()
  | (?P<right_paren>\))
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of the source.

    Attributes:
        kind: `text`, `left`, `right`, `error`, `EOF`, … or the keyword itself.
        text: its spelling; for `error` the message.
        position: offset in characters.
        line: 1-based.
    """

    kind: str
    text: str
    position: int
    line: int

    def __str__(self) -> str:
        """As error texts show it."""
        if self.kind == "EOF":
            return "EOF"
        if self.kind == "error":
            return self.text
        if self.kind in KEYWORDS:
            return f"<{self.text}>"
        if len(self.text) > 10:
            return f'"{self.text[:10]}"...'
        return '"' + self.text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def tokens(source: str) -> Iterator[Token]:
    """The tokens of `source`, `EOF` or `error` last."""
    position = 0
    trim = False
    while True:
        left = _LEFT.search(source, position)
        end = left.start() if left else len(source)
        text = source[position:end]
        start = position
        if trim:
            start += len(text) - len(text.lstrip(_SPACES))
            text = text.lstrip(_SPACES)
        if left and left[0].endswith("-"):
            text = text.rstrip(_SPACES)
        if text:
            yield Token("text", text, start, _line(source, start))
        if left is None:
            yield Token("EOF", "", len(source), _line(source, len(source)))
            return
        comment = _COMMENT.match(source, left.end())
        if comment:
            fault, position, trim = _after_comment(source, comment.end())
            if fault:
                yield Token("error", fault, left.end(), _line(source, left.end()))
                return
            continue
        yield Token("left", left[0], left.start(), _line(source, left.start()))
        last = None
        for last in _action(source, left.end()):
            yield last
        if last is None or last.kind != "right":
            return
        position = last.position + len(last.text)
        trim = "-" in last.text


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


def _after_comment(source: str, start: int) -> tuple[str, int, bool]:
    end = source.find("*/", start)
    if end < 0:
        return "unclosed comment", start, False
    rest = re.compile(r"([ \t\r\n]+-)?\}\}").match(source, end + 2)
    if rest is None:
        return "comment ends before closing delimiter", start, False
    return "", rest.end(), bool(rest[1])


def _action(source: str, position: int) -> Iterator[Token]:
    depth = 0
    while True:
        line = _line(source, position)
        if position >= len(source):
            yield Token("error", "unclosed action", position, line)
            return
        found = _TOKENS.match(source, position)
        if found is None:
            fault = _fault(source, position)
            yield fault._replace(line=line)
            if fault.kind == "error":
                return
            position += 1
            continue
        kind = str(found.lastgroup)
        text = found[0]
        if kind == "number" and not _NUMBER.fullmatch(text):
            yield Token("error", f'bad number syntax: "{text}"', position, line)
            return
        if kind == "word":
            kind = text if text in KEYWORDS else "identifier"
            kind = "bool" if text in ("true", "false") else kind
        depth += {"left_paren": 1, "right_paren": -1}.get(kind, 0)
        if depth < 0:
            yield Token("error", "unexpected right paren", position, line)
            return
        if kind == "right" and depth:
            yield Token("error", "unclosed left paren", position, line)
            return
        yield Token(kind, text, position, line)
        if kind == "right":
            return
        position = found.end()


_NUMBER = re.compile(
    r"[+-]?(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)"
)


def _fault(source: str, position: int) -> Token:
    char = source[position]
    if char == '"':
        return Token("error", "unterminated quoted string", position, 0)
    if char == "`":
        return Token("error", "unterminated raw quoted string", position, 0)
    if char == "'":
        return Token("error", "unterminated character constant", position, 0)
    if char.isascii() and char.isprintable():
        return Token("character_token", char, position, 0)
    text = f"unrecognized character in action: U+{ord(char):04X}"
    if char.isprintable():
        text += f" '{char}'"
    return Token("error", text, position, 0)
