"""Literals of queries, with their ranges and signs."""

from __future__ import annotations

import math
import re

from runtime.golang.durations import INFLUX_UNITS
from runtime.golang.numbers import integer
from runtime.influxql import lexer
from runtime.influxql.lexer import Token
from runtime.influxql.tokens import ParseError, Tokens
from runtime.influxql.tree import (
    Binary,
    Boolean,
    Duration,
    Expression,
    Integer,
    Number,
    String,
)
from runtime.units import Nanoseconds

INT64 = 2**63 - 1
_UINT64 = 2**64 - 1

_DURATION_PART = re.compile(r"(\d+)(ns|ms|[uµsmhdw])", re.ASCII)


def literal(tokens: Tokens, token: Token) -> Expression | None:
    """The literal that `token` is, or None.

    Raises:
        ParseError: its value is out of range.
    """
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
            tokens.fail("unable to parse integer", token.at)
        return Integer(value)
    if kind == lexer.NUMBER:
        number = float(text)
        if math.isinf(number):
            tokens.fail("unable to parse number", token.at)
        return Number(number)
    return None


def signed(factor: int, operand: Expression) -> Expression:
    """An operand behind a sign: a literal with it, anything else multiplied by 1 or -1.

    Raises:
        ParseError: an integer is too small.
    """
    if isinstance(operand, Integer):
        if factor < 0 and operand.value > INT64 + 1:
            raise ParseError(f"constant -{operand.value} underflows int64")
        return Integer(factor * operand.value)
    if isinstance(operand, Number):
        return Number(factor * operand.value)
    if isinstance(operand, Duration):
        return Duration(factor * operand.value)
    return Binary("*", Integer(factor), operand)


def _duration(text: str) -> Nanoseconds:
    total = end = 0
    measure, unit = "", ""
    for part in _DURATION_PART.finditer(text):
        if part.start() != end or integer(part[1]) > INT64:
            break
        measure, unit = part.groups()
        total += integer(measure) * INFLUX_UNITS[unit]
        end = part.end()
    if end != len(text):
        raise ParseError("invalid duration")
    if total > INT64:
        raise ParseError(
            f"overflowed duration {integer(measure)}{unit}:"
            " choose a smaller duration or INF"
        )
    return total
