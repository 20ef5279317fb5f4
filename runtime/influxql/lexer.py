"""Cuts InfluxQL into tokens.

Source: influxql.Scanner, whose positions are part of every error text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from runtime.influxql.spelling import is_keyword

# kinds; a keyword, an operator or a bracket is a kind of its own
EOF = "EOF"
ILLEGAL = "ILLEGAL"
WHITESPACE = "WS"
COMMENT = "COMMENT"
IDENTIFIER = "IDENT"
PARAMETER = "BOUNDPARAM"
NUMBER = "NUMBER"
INTEGER = "INTEGER"
DURATION = "DURATIONVAL"
STRING = "STRING"
BAD_STRING = "BADSTRING"
BAD_ESCAPE = "BADESCAPE"
REGEX = "REGEX"
BAD_REGEX = "BADREGEX"

_WHITESPACE = re.compile(r"[ \t\n]+")
_WORD = re.compile(r"[A-Za-z0-9_]+")
_DIGITS = re.compile(r"[0-9]+")
_FRACTION = re.compile(r"\.[0-9]*")
_UNITS = re.compile(r"[A-Za-zµ][A-Za-z0-9µ]*")
_OPERATOR = re.compile(r"=~|!=|!~|>=|<=|<>|::|[+\-*/%&|^=<>(),;:.]")
_LINE = re.compile(r"[^\n]*")
# up to the next character that is special in a string or regular expression
_PLAIN = re.compile(r"""[^\\\n"']+""")
_PLAIN_REGEX = re.compile(r"[^\\\n/]+")
_ESCAPED = {"n": "\n", "\\": "\\", '"': '"', "'": "'"}


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: its kind.
        text: its value, without quotes; "" for keywords, operators and brackets.
        at: offset of the character that errors point at.
    """

    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        return self.text or _SHOWN.get(self.kind, self.kind)


# these kinds have no name in error texts
_SHOWN = {COMMENT: "", PARAMETER: "", INTEGER: "", BAD_REGEX: ""}


class Lexer:
    """Reads tokens off a text, one at a time.

    Attributes:
        text: the source; line ends are `\\n`.
        at: offset of the next character. It can pass the end of the text, which influxql
            reads as a character.
    """

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.at = 0

    def peek(self) -> str:
        """The next character, or "" at the end, which is then passed."""
        char = self.text[self.at : self.at + 1]
        if not char:
            self.at += 1
        return char

    def line_and_column(self, at: int) -> tuple[int, int]:
        """The position of an offset, both counted from 1."""
        at = min(at, len(self.text) + 1)
        start = self.text.rfind("\n", 0, at) + 1
        return self.text.count("\n", 0, at) + 1, at - start + 1

    def next(self) -> Token:
        """The next token, white space and comments included."""
        at = self.at
        char = self.text[at : at + 1]
        if not char:
            self.at += 1
            return Token(EOF, "", at)
        if char in " \t\n":
            return Token(WHITESPACE, self._run(_WHITESPACE), at)
        if char == '"' or char == "_" or _is_letter(char):
            return self._identifier(at, is_reserved=True)
        if _is_digit(char):
            return self._number(at)
        if char == "'":
            return self._string(at)
        if char == "$":
            self.at += 1
            token = self._identifier(at, is_reserved=False)
            kind = PARAMETER if token.kind == IDENTIFIER else token.kind
            return Token(kind, f"${token.text}", at)
        return self._operator(char, at)

    def regex(self) -> Token:
        """The regular expression that starts at the next slash."""
        text, before = self.text, max(self.at - 1, 0)
        self.at += 1
        parts: list[str] = []
        while True:
            plain = _PLAIN_REGEX.match(text, self.at)
            if plain:
                parts.append(plain[0])
                self.at = plain.end()
            char = text[self.at : self.at + 1]
            self.at += 1
            if char == "/":
                return Token(REGEX, "".join(parts), before)
            if char == "\\":
                is_slash = text.startswith("/", self.at)
                parts.append("/" if is_slash else char)
                self.at += is_slash
            else:
                return Token(BAD_REGEX, "", before)

    def _run(self, pattern: re.Pattern[str]) -> str:
        """The next characters that match; the end of the text is passed after them."""
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end() + (match.end() == len(self.text))
        return match[0]

    def _operator(self, char: str, at: int) -> Token:
        if self.text.startswith("--", at):
            self._run(_LINE)
            self.at += self.text.startswith("\n", self.at)
            return Token(COMMENT, "", at)
        if self.text.startswith("/*", at):
            end = self.text.find("*/", at + 2)
            self.at = end + 2 if end >= 0 else len(self.text) + 1
            return Token(COMMENT if end >= 0 else ILLEGAL, "", at)
        if char == "." and _is_digit(self.text[at + 1 : at + 2]):
            return self._number(at)
        match = _OPERATOR.match(self.text, at)
        if match is None:
            self.at += 1
            return Token(ILLEGAL, char, at)
        self.at = match.end()
        return Token("!=" if match[0] == "<>" else match[0], "", at)

    def _identifier(self, at: int, *, is_reserved: bool) -> Token:
        name = self._run(_WORD)
        if self.text.startswith('"', self.at):
            # influxql drops a name right before the quote
            token = self._string(self.at)
            return token if token.kind != STRING else Token(IDENTIFIER, token.text, at)
        if is_reserved and is_keyword(name):
            return Token(name.upper(), "", at)
        return Token(IDENTIFIER, name, at)

    def _string(self, at: int) -> Token:
        text, quote, before = self.text, self.text[at], max(at - 1, 0)
        self.at = at + 1
        parts: list[str] = []
        while True:
            plain = _PLAIN.match(text, self.at)
            if plain:
                parts.append(plain[0])
                self.at = plain.end()
            char = text[self.at : self.at + 1]
            self.at += 1
            if char == quote:
                return Token(STRING, "".join(parts), before)
            if char in ("", "\n"):
                return Token(BAD_STRING, "".join(parts), before)
            if char == "\\":
                escape = text[self.at : self.at + 1]
                self.at += 1
                if escape not in _ESCAPED:
                    shown = f"\\{escape}" if escape else "\\\0"
                    return Token(BAD_ESCAPE, shown, self.at - 1)
                char = _ESCAPED[escape]
            parts.append(char)

    def _number(self, at: int) -> Token:
        text = self.text
        whole = _DIGITS.match(text, at)
        end = whole.end() if whole else at
        fraction = _FRACTION.match(text, end)
        units = None if fraction else _UNITS.match(text, end)
        last = fraction or units
        self.at = last.end() if last else end
        if units:
            return Token(DURATION, text[at : self.at], at)
        if fraction:
            return Token(NUMBER, text[at : self.at].removesuffix("."), at)
        return Token(INTEGER, text[at : self.at], at)


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _is_digit(char: str) -> bool:
    return char.isascii() and char.isdigit()
