"""Values of literals, from their spelling."""

from __future__ import annotations

from collections.abc import Callable

from runtime.errors import ScriptError
from runtime.golang import regex
from runtime.golang.durations import INFLUX_UNITS
from runtime.golang.numbers import integer
from runtime.tick import ast, lexer

_MAX_INT = 2**63 - 1
# scripts spell durations as InfluxDB does, except nanoseconds
_UNITS = {unit: size for unit, size in INFLUX_UNITS.items() if unit != "ns"}

_Comments = tuple[str, ...]


def _number(text: str, position: int, comments: _Comments) -> ast.NumberNode:
    try:
        value = _number_value(text)
    except ValueError:
        raise ScriptError(f'parser: illegal number syntax: "{text}"') from None
    return ast.NumberNode(value, text, position=position, comments=comments)


def _number_value(text: str) -> int | float:
    if not text.isascii():
        raise ValueError(text)
    if "." in text:
        return float(text)
    octal = len(text) > 1 and text.startswith("0")
    value = int(text, 8 if octal else 10)
    if value > _MAX_INT:
        raise ValueError(text)
    return value


def _duration(text: str, position: int, comments: _Comments) -> ast.DurationNode:
    digits = text[:-2] if text.endswith("ms") else text[:-1]
    value = integer(digits) * _UNITS[text[len(digits) :]]
    if value > _MAX_INT:
        raise ScriptError(f"parser: overflowed duration {text}")
    return ast.DurationNode(value, text, position=position, comments=comments)


def _string(text: str, position: int, comments: _Comments) -> ast.StringNode:
    triple = text.startswith("'''")
    value = text[3:-3] if triple else text[1:-1].replace("\\'", "'")
    return ast.StringNode(value, triple, position=position, comments=comments)


def reference(text: str, position: int, comments: _Comments) -> ast.ReferenceNode:
    """A field or tag, `"name"`."""
    name = text[1:-1].replace('\\"', '"')
    return ast.ReferenceNode(name, position=position, comments=comments)


def _regex(text: str, position: int, comments: _Comments) -> ast.RegexNode:
    pattern = text[1:-1].replace("\\/", "/")
    try:
        regex.compile(pattern)
    except ValueError as error:
        raise ScriptError(f"parser: {error}") from error
    return ast.RegexNode(pattern, position=position, comments=comments)


def _bool(text: str, position: int, comments: _Comments) -> ast.BoolNode:
    return ast.BoolNode(text == "TRUE", position=position, comments=comments)


def _star(_: str, position: int, comments: _Comments) -> ast.StarNode:
    return ast.StarNode(position=position, comments=comments)


LITERALS: dict[str, Callable[[str, int, _Comments], ast.Expression]] = {
    lexer.NUMBER: _number,
    lexer.STRING: _string,
    lexer.DURATION: _duration,
    lexer.REFERENCE: reference,
    lexer.REGEX: _regex,
    "TRUE": _bool,
    "FALSE": _bool,
    "*": _star,
}
