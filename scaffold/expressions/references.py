"""References to settings and options: the positions of their names in expressions."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from scaffold.expressions.interpolation import expressions, parsed

_LINE_END = re.compile(r"\r\n|\r|\n")
_TABLES = ("config", "opt")


class Reference(NamedTuple):
    """A name such as `room` in `config.room`.

    Attributes:
        table: `config` or `opt`.
        name: the Python name of the setting or option.
        start: position in the text of its first character.
        end: position after its last one.
    """

    table: str
    name: str
    start: int
    end: int


def in_string(text: str) -> Iterator[Reference]:
    """The references in the `${…}` of a string.

    Raises:
        ExpressionError: an expression is invalid.
    """
    for start, end, _ in expressions(text):
        yield from _moved(in_expression(text[start:end]), start)


def in_expression(text: str) -> Iterator[Reference]:
    """The references in a bare expression, or in the `${…}` around it.

    Raises:
        ExpressionError: it is invalid.
    """
    plain = text.strip()
    if plain.startswith("${"):
        yield from in_string(text)
        return
    indent = text.index(plain)
    starts = [0, *(found.end() for found in _LINE_END.finditer(plain))]
    for node in ast.walk(parsed(plain)):
        match node:
            case ast.Attribute(value=ast.Name(id=table), attr=name) if table in _TABLES:
                end = starts[(node.end_lineno or 1) - 1]
                end += _characters(plain[end:], node.end_col_offset or 0)
                start = _start(plain, end, name)
                yield Reference(table, name, start + indent, end + indent)


def in_loop(text: str) -> Iterator[Reference]:
    """The references in a loop, `x in EXPRESSION`.

    Raises:
        ExpressionError: the expression is invalid.
    """
    before, word, expression = text.partition(" in ")
    yield from _moved(in_expression(expression), len(before + word))


def _moved(references: Iterator[Reference], by: int) -> Iterator[Reference]:
    for each in references:
        yield each._replace(start=each.start + by, end=each.end + by)


def _characters(text: str, count: int) -> int:
    """The number of characters that the first bytes of a text are in UTF-8."""
    return len(text.encode()[:count].decode())


def _start(text: str, end: int, name: str) -> int:
    """The start of a name by its end; Python folds letters such as `ｒ`."""
    start = end - len(name)
    while unicodedata.normalize("NFKC", text[start:end]) != name and start > 0:
        start -= 1
    return start
