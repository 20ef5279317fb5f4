"""Fields of dataclasses and their documentation, as lines of code."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable
from typing import Any

from runtime.units import HOUR, MILLISECOND, MINUTE, SECOND, go_duration
from scaffold.expressions.code import Type
from scaffold.layout.printer import statement
from scaffold.layout.style import DEFAULT_LENGTH
from scaffold.prose import docstring
from scaffold.spec.model import Setting
from scaffold.spec.toml import toml_text

_UNITS = (
    ("HOUR", HOUR),
    ("MINUTE", MINUTE),
    ("SECOND", SECOND),
    ("MILLISECOND", MILLISECOND),
)


def attributes(entries: Iterable[tuple[str, str]]) -> list[str]:
    """Lines of an `Attributes:` section; entries without text are left out."""
    lines = []
    for name, doc in entries:
        if doc:
            lines += textwrap.wrap(
                f"{name}: {docstring(doc)}",
                DEFAULT_LENGTH,
                initial_indent=" " * 8,
                subsequent_indent=" " * 12,
                break_long_words=False,
                break_on_hyphens=False,
            )
    return lines


def declaration(field: Setting) -> str:
    """A field of a dataclass with its default."""
    start = f"{field.name}: {field.type.annotation} = "
    odd_key = field.name.rstrip("_").replace("_", "-") != field.key
    key = ast.Constant(field.key)
    node = default_node(field)
    if field.type.base is Type.MAP:
        factory: ast.expr = ast.Name("dict")
        if field.default:
            factory = ast.Attribute(node, "copy")
        keywords = [ast.keyword("default_factory", factory)]
        if odd_key:
            metadata = ast.Dict([ast.Constant("key")], [key])
            keywords.append(ast.keyword("metadata", metadata))
        node = ast.Call(ast.Name("field"), [], keywords)
    elif odd_key:
        node = ast.Call(ast.Name("setting"), [node], [ast.keyword("key", key)])
    elif field.type.base is Type.DURATION:
        node = ast.Call(ast.Name("field"), [], [ast.keyword("default", node)])
    return statement(start, node)


def default_node(field: Setting) -> ast.expr:
    """The default of a field, as code."""
    match field.type.base:
        case Type.SECRET:
            return ast.Name("NO_SECRET")
        case Type.DURATION:
            return duration_node(field.default)
        case Type.LIST:
            return ast.Tuple([ast.Constant(each) for each in field.default])
        case Type.MAP:
            keys: list[ast.expr | None] = [ast.Constant(key) for key in field.default]
            return ast.Dict(
                keys, [ast.Constant(each) for each in field.default.values()]
            )
        case Type.LEVEL:
            return ast.Attribute(ast.Name("Level"), field.default)
    return ast.Constant(field.default)


def duration_node(value: int) -> ast.expr:
    """A duration as `Duration(90 * SECOND)`."""
    amount: ast.expr = ast.Constant(value)
    for name, size in _UNITS:
        if value and value % size == 0:
            amount = ast.Name(name)
            if value != size:
                amount = ast.BinOp(ast.Constant(value // size), ast.Mult(), amount)
            break
    return ast.Call(ast.Name("Duration"), [amount], [])


def toml_literal(field: Setting) -> str:
    """The default of a field in TOML."""
    return toml_value(field, field.default)


def toml_value(field: Setting, value: Any) -> str:
    """A value of a field in TOML."""
    if field.type.base is Type.DURATION:
        return toml_text(go_duration(value))
    return toml_text(list(value) if isinstance(value, tuple) else value)
