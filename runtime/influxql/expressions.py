"""Reads names and expressions of queries.

Source: influxql.Parser, whose order of reading decides which error is found first.
"""

from __future__ import annotations

from runtime.golang import regex
from runtime.influxql import lexer, literals
from runtime.influxql.lexer import Token
from runtime.influxql.spelling import PRECEDENCE, always_quoted, identifier
from runtime.influxql.tokens import ParseError, Tokens
from runtime.influxql.tree import (
    Binary,
    Call,
    Distinct,
    Expression,
    Paren,
    Regex,
    Variable,
    Wildcard,
)

# kinds of tokens after a sign
_SIGNED = (lexer.NUMBER, lexer.INTEGER, lexer.DURATION, "(", lexer.IDENTIFIER)
_KINDS = ("float", "integer", "unsigned", "string", "boolean")


class Expressions:
    """Reader of names and expressions from the tokens of a query.

    Its methods raise `ParseError` for anything else.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def identifier(self) -> str:
        """Read a name."""
        return self._tokens.expect(lexer.IDENTIFIER, "identifier").text

    def segments(self) -> list[str]:
        """Read names with dots between them: `"db"."rp".m`, `db..m`."""
        names = [self.identifier()]
        while self._tokens.accept_here("."):
            char = self._tokens.peek()
            if char in ("/", ":"):
                break
            names.append("" if char == "." else self.identifier())
        if len(names) > 3:
            *first, last = names
            shown = [always_quoted(name) if name else "" for name in first]
            if not first[0]:
                shown[0] = '""'
            self._tokens.fail(
                f"too many segments in {'.'.join([*shown, identifier(last)])}", 0
            )
        return names

    def regex(self) -> Regex | None:
        """Read a regular expression if the next character is a slash."""
        char = self._tokens.peek()
        if char and char in " \t\n":
            self._tokens.accept_here(lexer.WHITESPACE)
            char = self._tokens.peek()
        if char != "/":
            return None
        token = self._tokens.scan_regex()
        if token.kind == lexer.BAD_REGEX:
            self._tokens.fail("bad regex: ", token.at)
        if token.kind != lexer.REGEX:
            self._tokens.unexpected(token, "regex")
        try:
            regex.compile(token.text)
        except ValueError as error:
            self._tokens.fail(str(error), token.at)
        return Regex(token.text)

    def expression(self) -> Expression:
        """Read an expression."""
        with self._tokens.nested():
            root = self._operand()
            while (token := self._tokens.next()).kind in PRECEDENCE:
                root = _joined(root, token.kind, self._right(token.kind))
            self._tokens.unscan()
            return root

    def _right(self, operator: str) -> Expression:
        if operator not in ("=~", "!~"):
            return self._operand()
        found = self.regex()
        if found is None:
            self._tokens.unexpected(self._tokens.next(), "regex")
        return found

    def _operand(self) -> Expression:
        token = self._tokens.next()
        kind, text = token.kind, token.text
        if kind in ("+", "-"):
            return self._signed(token)
        if kind == "(":
            inner = self.expression()
            self._tokens.expect(")")
            return Paren(inner)
        if kind == lexer.IDENTIFIER:
            if self._tokens.accept_here("("):
                return self._call(text)
            self._tokens.unscan()
            return self._variable()
        if kind == "DISTINCT":
            return self._distinct()
        if kind == "*":
            return self._wildcard()
        if kind == lexer.PARAMETER:
            name = text.removeprefix("$")
            raise ParseError(
                f"missing parameter: {name}" if name else "empty bound parameter"
            )
        literal = literals.literal(self._tokens, token)
        if literal is None:
            self._tokens.unexpected(token, "identifier", "string", "number", "bool")
        return literal

    def _signed(self, sign: Token) -> Expression:
        token = self._tokens.next()
        if token.kind not in _SIGNED:
            self._tokens.unexpected(token, "identifier", "number", "duration", "(")
        self._tokens.unscan()
        factor = -1 if sign.kind == "-" else 1
        if token.kind not in ("(", lexer.IDENTIFIER):
            return literals.signed(factor, self._operand())
        # written back, these have parentheses
        with self._tokens.nested():
            return literals.signed(factor, self._operand())

    def _variable(self) -> Variable:
        name = ".".join(self.segments())
        if not self._tokens.accept_here("::"):
            return Variable(name)
        token = self._tokens.scan()
        if token.kind in ("FIELD", "TAG"):
            return Variable(name, token.kind.lower())
        if token.kind == lexer.IDENTIFIER:
            kind = token.text.lower()
            if kind in _KINDS:
                return Variable(name, kind)
            self._tokens.unexpected(token, *_KINDS, "field", "tag")
        kinds = [kind for kind in _KINDS if kind != "unsigned"]
        return self._tokens.unexpected(token, *kinds, "field", "tag")

    def _distinct(self) -> Expression:
        token = self._tokens.scan()
        if token.kind == "(":
            return self._call("distinct")
        if token.kind != lexer.WHITESPACE:
            self._tokens.unexpected(token, "(", "identifier")
        return Distinct(self.identifier())

    def _wildcard(self) -> Wildcard:
        if not self._tokens.accept_here("::"):
            return Wildcard()
        token = self._tokens.scan()
        if token.kind not in ("FIELD", "TAG"):
            self._tokens.unexpected(token, "field", "tag")
        return Wildcard(token.kind.lower())

    def _call(self, name: str) -> Call:
        """Read the arguments of a function, behind its opening bracket."""
        name = name.lower()
        found = self.regex()
        if found is None and self._tokens.accept_here(")"):
            return Call(name)
        arguments: list[Expression] = [found or self.expression()]
        while self._tokens.accept(","):
            arguments.append(self.regex() or self.expression())
        token = self._tokens.scan()
        if token.kind != ")":
            self._tokens.unexpected(token, ")")
        return Call(name, tuple(arguments))


def _joined(left: Expression, operator: str, right: Expression) -> Expression:
    """`left operator right`, where `left` gives its last operand to a tighter operator."""
    binding = PRECEDENCE[operator]
    if isinstance(left, Binary) and PRECEDENCE[left.operator] < binding:
        inner = _joined(left.right, operator, right)
        return Binary(left.operator, left.left, inner)
    if isinstance(right, Binary) and binding >= PRECEDENCE["*"]:
        # `a / -b`: without parentheses the minus, `-1 * b`, would be read as `(a / -1) * b`
        right = Paren(right)
    return Binary(operator, left, right)
