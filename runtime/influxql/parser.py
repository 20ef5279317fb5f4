"""Reads the `SELECT` statements of batch queries.

Source: influxql.Parser, whose order of reading decides which error is found first.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from runtime.errors import ScriptError
from runtime.golang import regex
from runtime.golang.durations import INFLUX_UNITS
from runtime.golang.numbers import integer
from runtime.golang.quoting import quote
from runtime.influxql import lexer, zones
from runtime.influxql.lexer import Lexer, Token
from runtime.influxql.spelling import PRECEDENCE, always_quoted, identifier
from runtime.influxql.tree import (
    FILLS,
    Binary,
    Boolean,
    Call,
    Distinct,
    Duration,
    Expression,
    Field,
    Integer,
    Measurement,
    Number,
    Paren,
    Regex,
    Select,
    String,
    Subquery,
    Variable,
    Wildcard,
)
from runtime.units import Nanoseconds

# Far more than a person writes, and half a second of work at most.
LONGEST = 1 << 16
MAX_DEPTH = 50

_STATEMENTS = (
    *("SELECT", "DELETE", "SHOW", "CREATE", "DROP", "EXPLAIN", "GRANT", "REVOKE"),
    *("ALTER", "SET", "KILL"),
)
_BOOLEAN_OPERATORS = frozenset(
    operator for operator, binding in PRECEDENCE.items() if binding <= 3
)
_KINDS = ("float", "integer", "unsigned", "string", "boolean")
_INT64 = 2**63 - 1
_UINT64 = 2**64 - 1

_DURATION_PART = re.compile(r"(\d+)(ns|ms|[uµsmhdw])", re.ASCII)

_Item = TypeVar("_Item")


def parse(text: str) -> Select:
    """The one statement of a query node.

    Raises:
        ScriptError: it is not a single `SELECT` statement; the text is Kapacitor's, with
            influxql's reason and position.
    """
    try:
        selects = _Parser(text).query()
    except _ParseError as error:
        raise ScriptError(f"failed to parse InfluxQL query: {error}") from None
    if len(selects) != 1:
        raise ScriptError(
            f"query must be a single select statement, got {len(selects)} statements"
        )
    if selects[0] is None:
        raise ScriptError(f"query is not a select statement {quote(text.strip())}")
    return selects[0]


class _ParseError(Exception):
    """The text as influxql words it."""


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise _ParseError(f"query is longer than {LONGEST} characters")
        self._lexer = Lexer(text)
        # the last tokens, of which the last `_unread` are read again
        self._tokens: list[Token] = []
        self._unread = 0
        self._depth = 0

    # tokens

    def _scan(self, read: Callable[[], Token] | None = None) -> Token:
        if self._unread:
            self._unread -= 1
            return self._tokens[-1 - self._unread]
        token = (read or self._lexer.next)()
        del self._tokens[:-2]
        self._tokens.append(token)
        return token

    def _unscan(self) -> None:
        self._unread += 1

    def _next(self) -> Token:
        """The next token that is neither white space nor a comment."""
        while True:
            token = self._scan()
            if token.kind not in (lexer.WHITESPACE, lexer.COMMENT):
                return token

    def _accept(self, *kinds: str) -> Token | None:
        """The next token if it is of one of these kinds."""
        token = self._next()
        if token.kind in kinds:
            return token
        self._unscan()
        return None

    def _accept_here(self, kind: str) -> bool:
        """True if the next token, white space included, is of this kind; it is read."""
        if self._scan().kind == kind:
            return True
        self._unscan()
        return False

    def _expect(self, kind: str, name: str = "") -> Token:
        token = self._next()
        if token.kind != kind:
            self._unexpected(token, name or kind)
        return token

    def _unexpected(self, found: Token, *expected: str) -> NoReturn:
        self._fail(f"found {found}, expected {', '.join(expected)}", found.at)

    def _fail(self, text: str, at: int, advice: str = "") -> NoReturn:
        line, column = self._lexer.line_and_column(at)
        raise _ParseError(f"{text} at line {line}, char {column}{advice}")

    def _listed(self, item: Callable[[], _Item]) -> tuple[_Item, ...]:
        """One or more items with commas between them."""
        found = [item()]
        while self._accept(","):
            found.append(item())
        return tuple(found)

    def _deeper(self, steps: int = 1) -> None:
        self._depth += steps
        if self._depth > MAX_DEPTH:
            raise _ParseError("query is nested too deeply")

    # statements

    def query(self) -> list[Select | None]:
        """The statements between semicolons; None for any other than `SELECT`."""
        found: list[Select | None] = []
        is_separated = True
        while (token := self._next()).kind != lexer.EOF:
            if token.kind == ";":
                is_separated = True
                continue
            if not is_separated:
                self._unexpected(token, ";")
            found.append(self._statement(token))
            is_separated = False
        return found

    def _statement(self, first: Token) -> Select | None:
        if first.kind == "SELECT":
            return self._select()
        if first.kind not in _STATEMENTS:
            self._unexpected(first, *_STATEMENTS)
        while self._next().kind not in (";", lexer.EOF):
            continue
        self._unscan()
        return None

    def _select(self) -> Select:
        self._deeper()
        fields = self._fields()
        target = self._target()
        self._expect("FROM")
        select = Select(
            fields=fields,
            target=target,
            sources=self._listed(self._source),
            condition=self._expression() if self._accept("WHERE") else None,
            dimensions=self._dimensions(),
            fill=self._fill(),
        )
        if self._accept("ORDER"):
            sort_field, ascending = self._order()
            select = dataclasses.replace(
                select, sort_field=sort_field, ascending=ascending
            )
        select = dataclasses.replace(
            select,
            limit=self._count("LIMIT"),
            offset=self._count("OFFSET"),
            series_limit=self._count("SLIMIT"),
            series_offset=self._count("SOFFSET"),
            zone=self._zone(),
        )
        self._depth -= 1
        return select

    def _fields(self) -> tuple[Field, ...]:
        fields = [self._field()]
        while self._accept_here(","):
            fields.append(self._field())
        return tuple(fields)

    def _field(self) -> Field:
        expression: Expression | None = self._regex()
        if expression is None:
            start = self._next().at
            self._unscan()
            expression = self._expression()
            operator = _boolean_operator(expression)
            if operator is not None:
                self._fail(
                    f"invalid operator {operator} in SELECT clause",
                    start,
                    "; operator is intended for WHERE clause",
                )
        alias = self._identifier() if self._accept("AS") else ""
        self._accept_here(lexer.WHITESPACE)
        return Field(expression, alias)

    def _target(self) -> Measurement | None:
        if not self._accept("INTO"):
            return None
        names = self._segments()
        if len(names) < 3 and self._lexer.peek() == ":":
            self._expect(":")
            self._expect("MEASUREMENT")
            names.append("")
        return _measurement(names)

    def _source(self) -> Measurement | Subquery:
        found = self._regex()
        if found is not None:
            return Measurement(regex=found)
        if self._accept("("):
            self._expect("SELECT")
            select = self._select()
            self._expect(")")
            return Subquery(select)
        names = self._segments()
        if len(names) == 3:
            return _measurement(names)
        found = self._regex()
        if found is None:
            return _measurement(names)
        return dataclasses.replace(_measurement([*names, ""]), regex=found)

    def _dimensions(self) -> tuple[Expression, ...]:
        if not self._accept("GROUP"):
            return ()
        self._expect("BY")
        dimensions = [self._dimension()]
        while self._accept_here(","):
            dimensions.append(self._dimension())
        return tuple(dimensions)

    def _dimension(self) -> Expression:
        found = self._regex()
        if found is not None:
            return found
        expression = self._expression()
        self._accept_here(lexer.WHITESPACE)
        return expression

    def _fill(self) -> str | int | float | None:
        call = self._named_call("fill")
        if call is None:
            return None
        if len(call.arguments) != 1:
            raise _ParseError(
                "fill requires an argument, e.g.: 0, null, none, previous, linear"
            )
        argument = call.arguments[0]
        if isinstance(argument, Integer | Number) and not _is_unsigned(argument):
            return argument.value
        word = str(argument)
        if word not in FILLS:
            raise _ParseError("expected number argument in fill()")
        return None if word == "null" else word

    def _zone(self) -> str:
        call = self._named_call("tz")
        if call is None:
            return ""
        if len(call.arguments) != 1:
            raise _ParseError("tz requires exactly one argument")
        name = call.arguments[0]
        if not isinstance(name, String):
            raise _ParseError("expected string argument in tz()")
        if not zones.is_known(name.value):
            raise _ParseError(f"unable to find time zone {name.value}")
        return name.value or "UTC"

    def _named_call(self, name: str) -> Call | None:
        """The call that is next, if the next word is `name`."""
        token = self._next()
        self._unscan()
        if token.kind != lexer.IDENTIFIER or token.text.lower() != name:
            return None
        call = self._expression()
        if not isinstance(call, Call):
            raise _ParseError(f"{name} must be a function call")
        return call

    def _order(self) -> tuple[str, bool]:
        """The field of `ORDER BY`, or "", and True for ascending."""
        self._expect("BY")
        token = self._next()
        if token.kind in ("ASC", "DESC"):
            name, ascending = "", token.kind == "ASC"
        elif token.kind == lexer.IDENTIFIER:
            self._unscan()
            name, ascending = self._sort_field()
            if name != "time":
                raise _ParseError("only ORDER BY time supported at this time")
        else:
            self._unexpected(token, "identifier", "ASC", "DESC")
        is_single = True
        while self._accept(","):
            self._sort_field()
            is_single = False
        if not is_single:
            raise _ParseError("only ORDER BY time supported at this time")
        return name, ascending

    def _sort_field(self) -> tuple[str, bool]:
        name = self._identifier()
        direction = self._accept("ASC", "DESC")
        return name, direction is None or direction.kind == "ASC"

    def _count(self, word: str) -> int:
        if not self._accept(word):
            return 0
        return min(integer(self._expect(lexer.INTEGER, "integer").text), _INT64)

    # names

    def _identifier(self) -> str:
        return self._expect(lexer.IDENTIFIER, "identifier").text

    def _segments(self) -> list[str]:
        """Names with dots between them: `"db"."rp".m`, `db..m`."""
        names = [self._identifier()]
        while self._accept_here("."):
            char = self._lexer.peek()
            if char in ("/", ":"):
                break
            names.append("" if char == "." else self._identifier())
        if len(names) > 3:
            *first, last = names
            shown = [always_quoted(name) if name else "" for name in first]
            if not first[0]:
                shown[0] = '""'
            self._fail(
                f"too many segments in {'.'.join([*shown, identifier(last)])}", 0
            )
        return names

    def _variable(self) -> Variable:
        name = ".".join(self._segments())
        if not self._accept_here("::"):
            return Variable(name)
        token = self._scan()
        if token.kind in ("FIELD", "TAG"):
            return Variable(name, token.kind.lower())
        if token.kind == lexer.IDENTIFIER:
            kind = token.text.lower()
            if kind in _KINDS:
                return Variable(name, kind)
            self._unexpected(token, *_KINDS, "field", "tag")
        kinds = [kind for kind in _KINDS if kind != "unsigned"]
        return self._unexpected(token, *kinds, "field", "tag")

    # expressions

    def _expression(self) -> Expression:
        self._deeper()
        root = self._operand()
        while (token := self._next()).kind in PRECEDENCE:
            right: Expression | None
            if token.kind in ("=~", "!~"):
                right = self._regex()
                if right is None:
                    self._unexpected(self._next(), "regex")
            else:
                right = self._operand()
            root = _joined(root, token.kind, right)
        self._unscan()
        self._depth -= 1
        return root

    def _operand(self) -> Expression:
        token = self._next()
        kind, text = token.kind, token.text
        if kind in ("+", "-"):
            return self._signed(token)
        if kind == "(":
            inner = self._expression()
            self._expect(")")
            return Paren(inner)
        if kind == lexer.IDENTIFIER:
            if self._accept_here("("):
                return self._call(text)
            self._unscan()
            return self._variable()
        if kind == "DISTINCT":
            return self._distinct()
        if kind == "*":
            return self._wildcard()
        if kind == lexer.PARAMETER:
            name = text.removeprefix("$")
            raise _ParseError(
                f"missing parameter: {name}" if name else "empty bound parameter"
            )
        literal = self._literal(token)
        if literal is None:
            self._unexpected(token, "identifier", "string", "number", "bool")
        return literal

    def _literal(self, token: Token) -> Expression | None:
        kind, text = token.kind, token.text
        if kind == lexer.STRING:
            return String(text)
        if kind in ("TRUE", "FALSE"):
            return Boolean(kind == "TRUE")
        if kind == lexer.DURATION:
            return Duration(_duration(text))
        if kind == lexer.INTEGER:
            value = integer(text)
            if value > _UINT64:
                self._fail("unable to parse integer", token.at)
            return Integer(value)
        if kind == lexer.NUMBER:
            number = float(text)
            if math.isinf(number):
                self._fail("unable to parse number", token.at)
            return Number(number)
        return None

    def _signed(self, sign: Token) -> Expression:
        operands = (
            *(lexer.NUMBER, lexer.INTEGER, lexer.DURATION),
            *("(", lexer.IDENTIFIER),
        )
        token = self._next()
        if token.kind not in operands:
            self._unexpected(token, "identifier", "number", "duration", "(")
        self._unscan()
        # written back, these have parentheses
        depth = token.kind in ("(", lexer.IDENTIFIER)
        self._deeper(depth)
        operand = self._operand()
        self._depth -= depth
        factor = -1 if sign.kind == "-" else 1
        if isinstance(operand, Integer):
            if factor < 0 and operand.value > _INT64 + 1:
                raise _ParseError(f"constant -{operand.value} underflows int64")
            return Integer(factor * operand.value)
        if isinstance(operand, Number):
            return Number(factor * operand.value)
        if isinstance(operand, Duration):
            return Duration(factor * operand.value)
        return Binary("*", Integer(factor), operand)

    def _distinct(self) -> Expression:
        token = self._scan()
        if token.kind == "(":
            return self._call("distinct")
        if token.kind != lexer.WHITESPACE:
            self._unexpected(token, "(", "identifier")
        return Distinct(self._identifier())

    def _wildcard(self) -> Wildcard:
        if not self._accept_here("::"):
            return Wildcard()
        token = self._scan()
        if token.kind not in ("FIELD", "TAG"):
            self._unexpected(token, "field", "tag")
        return Wildcard(token.kind.lower())

    def _call(self, name: str) -> Call:
        """The function whose name and bracket are read."""
        name = name.lower()
        found = self._regex()
        if found is None and self._accept_here(")"):
            return Call(name)
        arguments: list[Expression] = [found or self._expression()]
        while self._accept(","):
            arguments.append(self._regex() or self._expression())
        token = self._scan()
        if token.kind != ")":
            self._unexpected(token, ")")
        return Call(name, tuple(arguments))

    def _regex(self) -> Regex | None:
        """The regular expression that is next, if a slash is."""
        char = self._lexer.peek()
        if char and char in " \t\n":
            self._accept_here(lexer.WHITESPACE)
            char = self._lexer.peek()
        if char != "/":
            return None
        token = self._scan(self._lexer.regex)
        if token.kind == lexer.BAD_REGEX:
            self._fail("bad regex: ", token.at)
        if token.kind != lexer.REGEX:
            self._unexpected(token, "regex")
        try:
            regex.compile(token.text)
        except ValueError as error:
            self._fail(str(error), token.at)
        return Regex(token.text)


def _measurement(names: Sequence[str]) -> Measurement:
    database, policy, name = ("", "", *names)[-3:]
    return Measurement(name, database, policy)


def _is_unsigned(literal: Integer | Number) -> bool:
    return isinstance(literal, Integer) and literal.value > _INT64


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


def _duration(text: str) -> Nanoseconds:
    total = end = 0
    measure, unit = "", ""
    for part in _DURATION_PART.finditer(text):
        if part.start() != end or integer(part[1]) > _INT64:
            break
        measure, unit = part.groups()
        total += integer(measure) * INFLUX_UNITS[unit]
        end = part.end()
    if end != len(text):
        raise _ParseError("invalid duration")
    if total > _INT64:
        raise _ParseError(
            f"overflowed duration {integer(measure)}{unit}:"
            " choose a smaller duration or INF"
        )
    return total
