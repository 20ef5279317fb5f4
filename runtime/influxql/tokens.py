"""Tokens of a query, read in order, and errors at their positions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NoReturn, TypeVar

from runtime.influxql import lexer
from runtime.influxql.lexer import Lexer, Token

# Far more than a person writes, and half a second of work at most.
LONGEST = 1 << 16
MAX_DEPTH = 50

_Item = TypeVar("_Item")


class ParseError(Exception):
    """Error in a query, in influxql's words."""


class Tokens:
    """The tokens of a query, of which the last ones can be read again.

    Source: influxql.Parser, whose lookahead decides some of its errors: `peek` sees the
    text behind the tokens that are to be read again.
    """

    def __init__(self, text: str) -> None:
        """Start at the first token of `text`.

        Raises:
            ParseError: the text is too long.
        """
        if len(text) > LONGEST:
            raise ParseError(f"query is longer than {LONGEST} characters")
        self._lexer = Lexer(text)
        # the last tokens, of which the last `_unread` are read again
        self._tokens: list[Token] = []
        self._unread = 0
        self._depth = 0

    def peek(self) -> str:
        """The next character of the text; "" at the end, which this passes."""
        return self._lexer.peek()

    def scan(self) -> Token:
        """The next token, white space and comments included."""
        return self._scanned(self._lexer.next)

    def scan_regex(self) -> Token:
        """The next token, where the text has a regular expression."""
        return self._scanned(self._lexer.regex)

    def _scanned(self, read: Callable[[], Token]) -> Token:
        if self._unread:
            self._unread -= 1
            return self._tokens[-1 - self._unread]
        token = read()
        del self._tokens[:-2]
        self._tokens.append(token)
        return token

    def unscan(self) -> None:
        """Read the last token again."""
        self._unread += 1

    def next(self) -> Token:
        """The next token that is neither white space nor a comment."""
        while True:
            token = self.scan()
            if token.kind not in (lexer.WHITESPACE, lexer.COMMENT):
                return token

    def accept(self, *kinds: str) -> Token | None:
        """Read the next token if it is of one of these kinds."""
        token = self.next()
        if token.kind in kinds:
            return token
        self.unscan()
        return None

    def accept_here(self, kind: str) -> bool:
        """Read the next token, white space included, if it is of this kind.

        Returns:
            True if it was read.
        """
        if self.scan().kind == kind:
            return True
        self.unscan()
        return False

    def expect(self, kind: str, name: str = "") -> Token:
        """Read the next token, which must be of this kind.

        Args:
            kind: the kind.
            name: name of the kind in the error; "" for the kind itself.

        Raises:
            ParseError: the token is of another kind.
        """
        token = self.next()
        if token.kind != kind:
            self.unexpected(token, name or kind)
        return token

    def listed(self, item: Callable[[], _Item]) -> tuple[_Item, ...]:
        """Read one or more items with commas between them."""
        found = [item()]
        while self.accept(","):
            found.append(item())
        return tuple(found)

    def listed_here(self, item: Callable[[], _Item]) -> tuple[_Item, ...]:
        """Read one or more items with commas directly behind them."""
        found = [item()]
        while self.accept_here(","):
            found.append(item())
        return tuple(found)

    @contextlib.contextmanager
    def nested(self) -> Iterator[None]:
        """Count one level of nesting for what is read inside.

        Raises:
            ParseError: there are too many levels.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ParseError("query is nested too deeply")
        yield
        self._depth -= 1

    def unexpected(self, found: Token, *expected: str) -> NoReturn:
        """Raise the error of a token in place of those that are expected."""
        self.fail(f"found {found}, expected {', '.join(expected)}", found.at)

    def fail(self, text: str, at: int, advice: str = "") -> NoReturn:
        """Raise an error with the position of an offset."""
        line, column = self._lexer.line_and_column(at)
        raise ParseError(f"{text} at line {line}, char {column}{advice}")
