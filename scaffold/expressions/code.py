"""A piece of generated code: a syntax tree with its type."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from runtime.golang.printing import text

LEVELS = ("OK", "INFO", "WARNING", "CRITICAL")
"""The levels of alerts by name, the lowest first."""


class ExpressionError(Exception):
    """An expression or value of a spec is wrong.

    Attributes:
        allowed: the alternatives, or "".
        suggestion: the probable intent, or "".
    """

    def __init__(self, problem: str, allowed: str = "", suggestion: str = "") -> None:
        super().__init__(problem)
        self.allowed = allowed
        self.suggestion = suggestion


class Type(StrEnum):
    """The type of a value, as messages name it."""

    STR = "string"
    INT = "integer"
    FLOAT = "number"
    BOOL = "boolean"
    DURATION = "duration"
    TIME = "time"
    SECRET = "secret"
    LIST = "list of strings"
    VALUES = "list"
    MAP = "map of strings"
    FIELDS = "map"
    LEVEL = "level"
    TEMPLATE = "template"
    TEMPLATES = "collection of templates"
    RECORDS = "list of records"
    ANY = "value of any type"

    @property
    def noun(self) -> str:
        """The type with its article."""
        return f"an {self}" if self is Type.INT else f"a {self}"


class UnresolvedError(ExpressionError):
    """An expression uses a name whose definition has a fault."""


class Item(NamedTuple):
    """A field of the records in a list.

    Attributes:
        name: its name in expressions.
        attribute: its name in Python.
        type: its type.
        scope: the constant with the names that its template may use, or "".
    """

    name: str
    attribute: str
    type: Type
    scope: str = ""


_INTEGER_BITS = 64
_MAX_WEIGHT = 50_000

# functions that print values of a type
_PRINTERS = {Type.INT: "str", Type.DURATION: "go_duration", Type.TIME: "rfc3339"}


class Entry(NamedTuple):
    """An entry of a table.

    Attributes:
        key: its key.
        type: type of its value.
        is_optional: True if it is left out when empty.
    """

    key: str
    type: Type
    is_optional: bool


@dataclass(frozen=True)
class Code:
    """An expression of the generated code.

    Attributes:
        node: its syntax tree.
        type: type of its value.
        reads: the keys of the spec that it reads: `config.room`.
        entries: entries of a table, without those of merged maps.
        is_open: True for a table that other maps are merged into.
        weight: approximate number of values that it holds, those of `[let]` included.
        bits: maximum number of bits of an integer.
        items: the fields of the records in a list.
    """

    node: ast.expr
    type: Type
    reads: frozenset[str] = frozenset()
    entries: tuple[Entry, ...] = ()
    is_open: bool = False
    weight: int = 1
    bits: int = _INTEGER_BITS
    items: tuple[Item, ...] = ()

    def names(self) -> set[str]:
        """The names in its Python."""
        return {each.id for each in ast.walk(self.node) if isinstance(each, ast.Name)}

    def using(self, *others: Code) -> Code:
        """This code, with the keys and the weights of `others`, which it contains."""
        reads = self.reads.union(*(each.reads for each in others))
        weight = self.weight + sum(each.weight for each in others)
        return replace(self, reads=reads, weight=weight)

    def times(self, factor: int) -> Code:
        """This code, with each of its values repeated `factor` times."""
        return replace(self, weight=self.weight * factor)

    def bounded(self) -> Code:
        """This code.

        Raises:
            ExpressionError: its value would have too many parts.
        """
        if self.weight > _MAX_WEIGHT:
            raise ExpressionError(
                f"makes a value of more than {_MAX_WEIGHT} parts; "
                "values of [let] that contain each other multiply"
            )
        return self

    def revealed(self) -> Code:
        """A value as it is sent: a secret revealed, a level as its word.

        Raises:
            ExpressionError: it cannot be sent as a whole.
        """
        if self.type is Type.SECRET:
            return replace(self, node=method(self.node, "reveal"), type=Type.STR)
        if self.type is Type.LEVEL:
            made = ast.Call(name_node("str"), [self.node], [])
            return replace(self, node=made, type=Type.STR)
        if self.type is Type.TEMPLATE:
            source = ast.Attribute(self.node, "source", ast.Load())
            return replace(self, node=source, type=Type.STR)
        if self.type is Type.RECORDS:
            raise ExpressionError(
                f"{self.type.noun} has no form of its own; write a loop over it, "
                '[{ "@for" = "x in …", key = "${x.NAME}" }], or count it with len(…)'
            )
        if self.type is Type.TEMPLATES:
            raise ExpressionError(f"{self.type.noun} is rendered for each event only")
        return self

    def as_text(self) -> Code:
        """A value as a string, printed as Go prints it."""
        shown = self.revealed()
        if shown.type is Type.STR:
            return shown
        match shown.node:
            case ast.Constant(value=bool() | int() | float() as value):
                return replace(shown, node=ast.Constant(text(value)), type=Type.STR)
        function = _PRINTERS.get(shown.type, "text")
        made = ast.Call(name_node(function), [shown.node], [])
        return replace(shown, node=made, type=Type.STR)


FAILED = Code(ast.Constant(""), Type.ANY)
"""Stands for a name whose own definition is wrong."""


def rendered(node: ast.expr, type_: Type, scope: str = "") -> Code:
    """Templates for the event that is sent.

    Args:
        node: a template, or a list or a map of them.
        type_: type of the text or texts.
        scope: the constant with the names that they may use, or "".
    """
    arguments: list[ast.expr] = [name_node("event")]
    arguments += [name_node(scope)] if scope else []
    if type_ is Type.STR:
        return Code(method(node, "render", *arguments), type_)
    function = "render_all" if type_ is Type.LIST else "render_values"
    return Code(ast.Call(name_node(function), [node, *arguments], []), type_)


def name_node(name: str) -> ast.Name:
    """A name."""
    return ast.Name(name, ast.Load())


def dotted(path: str) -> ast.expr:
    """`event.state.id` as a tree."""
    first, *rest = path.split(".")
    node: ast.expr = name_node(first)
    for part in rest:
        node = ast.Attribute(node, part, ast.Load())
    return node


def called(name: str, code: Code, type_: Type) -> Code:
    """Code that calls a function of the runtime with a value."""
    made = ast.Call(name_node(name), [code.node], [])
    return Code(made, type_).using(code)


def method(node: ast.expr, name: str, *arguments: ast.expr) -> ast.expr:
    """A call of a method."""
    return ast.Call(ast.Attribute(node, name, ast.Load()), list(arguments), [])
