"""Reads the `SELECT` statements of batch queries.

Source: influxql.Parser, whose order of reading decides which error is found first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from runtime.errors import ScriptError
from runtime.golang.numbers import integer
from runtime.golang.quoting import quote
from runtime.influxql import lexer, zones
from runtime.influxql.expressions import Expressions
from runtime.influxql.lexer import Token
from runtime.influxql.literals import INT64
from runtime.influxql.spelling import PRECEDENCE
from runtime.influxql.tokens import ParseError, Tokens
from runtime.influxql.tree import (
    FILLS,
    Binary,
    Call,
    Expression,
    Field,
    Integer,
    Measurement,
    Number,
    Paren,
    Select,
    String,
    Subquery,
)

_STATEMENTS = (
    *("SELECT", "DELETE", "SHOW", "CREATE", "DROP", "EXPLAIN", "GRANT", "REVOKE"),
    *("ALTER", "SET", "KILL"),
)
_BOOLEAN_OPERATORS = frozenset(
    operator for operator, binding in PRECEDENCE.items() if binding <= 3
)


def parse(text: str) -> Select:
    """Parse the statement of a query node.

    Raises:
        ScriptError: it is not a single `SELECT` statement. The text is Kapacitor's, with
            influxql's reason and position.
    """
    try:
        selects = _Statements(text).all()
    except ParseError as error:
        raise ScriptError(f"failed to parse InfluxQL query: {error}") from None
    if len(selects) != 1:
        raise ScriptError(
            f"query must be a single select statement, got {len(selects)} statements"
        )
    if selects[0] is None:
        raise ScriptError(f"query is not a select statement {quote(text.strip())}")
    return selects[0]


class _Statements:
    """Reader of the statements of a query, clause by clause."""

    def __init__(self, text: str) -> None:
        self._tokens = Tokens(text)
        self._expressions = Expressions(self._tokens)

    def all(self) -> list[Select | None]:
        """The statements between semicolons; None for any other than `SELECT`."""
        found: list[Select | None] = []
        is_separated = True
        while (token := self._tokens.next()).kind != lexer.EOF:
            if token.kind == ";":
                is_separated = True
                continue
            if not is_separated:
                self._tokens.unexpected(token, ";")
            found.append(self._statement(token))
            is_separated = False
        return found

    def _statement(self, first: Token) -> Select | None:
        if first.kind == "SELECT":
            return self._select()
        if first.kind not in _STATEMENTS:
            self._tokens.unexpected(first, *_STATEMENTS)
        while self._tokens.next().kind not in (";", lexer.EOF):
            continue
        self._tokens.unscan()
        return None

    def _select(self) -> Select:
        with self._tokens.nested():
            # arguments are read in the order of the clauses
            select = Select(
                fields=self._tokens.listed_here(self._field),
                target=self._target(),
                sources=self._sources(),
                condition=self._condition(),
                dimensions=self._dimensions(),
                fill=self._fill(),
            )
            sort_field, ascending = self._order()
            return dataclasses.replace(
                select,
                sort_field=sort_field,
                ascending=ascending,
                limit=self._count("LIMIT"),
                offset=self._count("OFFSET"),
                series_limit=self._count("SLIMIT"),
                series_offset=self._count("SOFFSET"),
                zone=self._zone(),
            )

    def _field(self) -> Field:
        expression: Expression | None = self._expressions.regex()
        if expression is None:
            start = self._tokens.next().at
            self._tokens.unscan()
            expression = self._expressions.expression()
            operator = _boolean_operator(expression)
            if operator is not None:
                self._tokens.fail(
                    f"invalid operator {operator} in SELECT clause",
                    start,
                    "; operator is intended for WHERE clause",
                )
        alias = self._expressions.identifier() if self._tokens.accept("AS") else ""
        self._tokens.accept_here(lexer.WHITESPACE)
        return Field(expression, alias)

    def _target(self) -> Measurement | None:
        if not self._tokens.accept("INTO"):
            return None
        names = self._expressions.segments()
        if len(names) < 3 and self._tokens.peek() == ":":
            self._tokens.expect(":")
            self._tokens.expect("MEASUREMENT")
            names.append("")
        return _measurement(names)

    def _sources(self) -> tuple[Measurement | Subquery, ...]:
        self._tokens.expect("FROM")
        return self._tokens.listed(self._source)

    def _source(self) -> Measurement | Subquery:
        found = self._expressions.regex()
        if found is not None:
            return Measurement(regex=found)
        if self._tokens.accept("("):
            self._tokens.expect("SELECT")
            select = self._select()
            self._tokens.expect(")")
            return Subquery(select)
        names = self._expressions.segments()
        if len(names) == 3:
            return _measurement(names)
        found = self._expressions.regex()
        if found is None:
            return _measurement(names)
        return dataclasses.replace(_measurement([*names, ""]), regex=found)

    def _condition(self) -> Expression | None:
        if not self._tokens.accept("WHERE"):
            return None
        return self._expressions.expression()

    def _dimensions(self) -> tuple[Expression, ...]:
        if not self._tokens.accept("GROUP"):
            return ()
        self._tokens.expect("BY")
        return self._tokens.listed_here(self._dimension)

    def _dimension(self) -> Expression:
        found = self._expressions.regex()
        if found is not None:
            return found
        expression = self._expressions.expression()
        self._tokens.accept_here(lexer.WHITESPACE)
        return expression

    def _fill(self) -> str | int | float | None:
        call = self._named_call("fill")
        if call is None:
            return None
        if len(call.arguments) != 1:
            raise ParseError(
                "fill requires an argument, e.g.: 0, null, none, previous, linear"
            )
        argument = call.arguments[0]
        if isinstance(argument, Integer | Number) and not _is_unsigned(argument):
            return argument.value
        word = str(argument)
        if word not in FILLS:
            raise ParseError("expected number argument in fill()")
        return None if word == "null" else word

    def _zone(self) -> str:
        call = self._named_call("tz")
        if call is None:
            return ""
        if len(call.arguments) != 1:
            raise ParseError("tz requires exactly one argument")
        name = call.arguments[0]
        if not isinstance(name, String):
            raise ParseError("expected string argument in tz()")
        if not zones.is_known(name.value):
            raise ParseError(f"unable to find time zone {name.value}")
        return name.value or "UTC"

    def _named_call(self, name: str) -> Call | None:
        """Read the call of a function `name` if it is next."""
        token = self._tokens.next()
        self._tokens.unscan()
        if token.kind != lexer.IDENTIFIER or token.text.lower() != name:
            return None
        call = self._expressions.expression()
        if not isinstance(call, Call):
            raise ParseError(f"{name} must be a function call")
        return call

    def _order(self) -> tuple[str, bool | None]:
        """The field of `ORDER BY`, or "", and True for ascending; None without one."""
        if not self._tokens.accept("ORDER"):
            return "", None
        self._tokens.expect("BY")
        first = self._first_sort_field()
        is_single = True
        while self._tokens.accept(","):
            self._sort_field()
            is_single = False
        if not is_single:
            raise ParseError("only ORDER BY time supported at this time")
        return first

    def _first_sort_field(self) -> tuple[str, bool]:
        token = self._tokens.next()
        if token.kind in ("ASC", "DESC"):
            return "", token.kind == "ASC"
        if token.kind != lexer.IDENTIFIER:
            self._tokens.unexpected(token, "identifier", "ASC", "DESC")
        self._tokens.unscan()
        name, ascending = self._sort_field()
        if name != "time":
            raise ParseError("only ORDER BY time supported at this time")
        return name, ascending

    def _sort_field(self) -> tuple[str, bool]:
        name = self._expressions.identifier()
        direction = self._tokens.accept("ASC", "DESC")
        return name, direction is None or direction.kind == "ASC"

    def _count(self, word: str) -> int:
        if not self._tokens.accept(word):
            return 0
        return min(integer(self._tokens.expect(lexer.INTEGER, "integer").text), INT64)


def _measurement(names: Sequence[str]) -> Measurement:
    database, policy, name = ("", "", *names)[-3:]
    return Measurement(name, database, policy)


def _is_unsigned(literal: Integer | Number) -> bool:
    return isinstance(literal, Integer) and literal.value > INT64


def _boolean_operator(expression: Expression) -> str | None:
    """An operator in `expression` whose result is a boolean: the last of the outermost."""
    found: str | None = None
    pending = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, Binary):
            if node.operator in _BOOLEAN_OPERATORS:
                found = node.operator
            else:
                pending += (node.right, node.left)
        elif isinstance(node, Paren):
            pending.append(node.inner)
        elif isinstance(node, Call):
            pending += reversed(node.arguments)
    return found
