"""Strings of a script, by the property of a handler or `|httpPost()` they reach.

They are found by syntax alone, so also in scripts that cannot be run and in templates
without values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from runtime.pipeline.alert import AlertNode
from runtime.pipeline.node import Node
from runtime.pipeline.output import HTTPPostNode
from runtime.pipeline.properties import (
    HandlerProperties,
    Kind,
    Names,
    Property,
    names_of,
)
from runtime.tick import ast
from runtime.tick.format import expression_text

_NODES: Names[type[Node]] = Names(
    {"alert": AlertNode, "deadman": AlertNode, "httpPost": HTTPPostNode}
)


@dataclass(frozen=True, slots=True)
class Value:
    """The strings of which a value in a script is composed.

    Attributes:
        literals: the strings, in order.
        variables: variables through which they are passed.
        others: parts other than strings, as written in the script.
        is_whole: True if each string is a value by itself, not only a part of one.
    """

    literals: tuple[ast.StringNode, ...] = ()
    variables: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    is_whole: bool = True

    @property
    def text(self) -> str:
        """Its strings, joined."""
        return "".join(each.value for each in self.literals)


@dataclass(frozen=True, slots=True)
class Use:
    """A value of a property in a script.

    Attributes:
        owner: class of the node or handler with the property.
        number: number that distinguishes the handlers and nodes of a script.
        field: the property's field; "" for an argument of the handler's own call.
        name: name in the script: `hipChat.token`.
        key: name in a pair, else "".
        value: parts of the value.
    """

    owner: type
    number: int
    field: str
    name: str
    key: str
    value: Value


def uses(program: ast.ProgramNode, handlers: HandlerProperties) -> list[Use]:
    """The values in a script for its handlers and `|httpPost()` nodes, in order."""
    reader = _Reader(handlers)
    for statement in program.statements:
        reader.statement(statement)
    return reader.uses


def declared(program: ast.ProgramNode) -> dict[int, tuple[str, int]]:
    """Variables with strings: by the position of a literal, their name and its index."""
    return {
        literal.position: (statement.name, place)
        for statement in program.statements
        if isinstance(statement, ast.DeclarationNode)
        for place, literal in enumerate(_literals(statement.value))
    }


def _literals(node: ast.Expression) -> list[ast.StringNode]:
    match node:
        case ast.StringNode():
            return [node]
        case ast.BinaryNode():
            return [*_literals(node.left), *_literals(node.right)]
        case ast.ListNode():
            return [each for item in node.items for each in _literals(item)]
        case _:
            return []


@dataclass(frozen=True, slots=True)
class _Object:
    """A handler, or a node that may have handlers."""

    owner: type
    number: int


class _Reader:
    def __init__(self, handlers: HandlerProperties) -> None:
        self._handlers = handlers
        self.uses: list[Use] = []
        self._values: dict[str, Value] = {}
        self._objects: dict[str, _Object] = {}
        self._count = 0

    def statement(self, node: ast.Statement) -> None:
        match node:
            case ast.DeclarationNode():
                found = self._object(node.value)
                if found is not None:
                    self._objects[node.name] = found
                value = self._value(node.value)
                named = (node.name, *value.variables)
                self._values[node.name] = dataclasses.replace(value, variables=named)
            case ast.TypeDeclarationNode():
                self._values[node.name] = Value((), (node.name,))
            case ast.ChainNode():
                self._chain(node)

    def _object(self, node: ast.Expression) -> _Object | None:
        match node:
            case ast.ChainNode():
                return self._chain(node)
            case ast.IdentifierNode():
                return self._objects.get(node.name)
            case _:
                return None

    def _chain(self, chain: ast.ChainNode) -> _Object | None:
        """Read a chain; return the target at its end."""
        first, links = chain.links()
        found = self._object(first)
        for link in links:
            found = self._link(found, link)
        return found

    def _link(self, target: _Object | None, link: ast.ChainNode) -> _Object | None:
        call = link.right
        if isinstance(call, ast.IdentifierNode):
            return None
        # an argument may be a chain itself
        for argument in call.arguments:
            if isinstance(argument, ast.ChainNode):
                self._chain(argument)
        if link.operator == "|":
            owner = _NODES.find(call.name)
            return None if owner is None else self._made(owner, call.arguments)
        if link.operator == "@" or target is None:
            return None
        return self._property(target, call)

    def _made(self, owner: type, arguments: Iterable[ast.Expression]) -> _Object:
        self._count += 1
        made = _Object(owner, self._count)
        for each in arguments:
            self._use(made, "", "", each)
        return made

    def _property(self, target: _Object, call: ast.FunctionNode) -> _Object:
        # a handler's own properties hide those of its alert node
        owners = dict.fromkeys((target.owner, AlertNode))
        names = [self._names_of(each) for each in owners]
        found = next(
            filter(None, (each.exact(call.name) for each in names)), None
        ) or next(filter(None, (each.tolerant(call.name) for each in names)), None)
        if found is None:
            return target
        if found.handler is not None:
            return self._made(found.handler, call.arguments)
        if target.owner is AlertNode:
            return target
        arguments = list(call.arguments)
        key = ""
        if found.kind is Kind.PAIRS and len(arguments) > 1:
            key = self._value(arguments.pop(0)).text
        for each in arguments:
            self._use(target, found.attribute, found.name, each, key)
        if not arguments:
            self._use(target, found.attribute, found.name)
        return target

    def _names_of(self, owner: type) -> Names[Property]:
        if owner is AlertNode:
            return self._handlers.names_of(owner)
        return names_of(owner)

    def _name_of(self, owner: type) -> str:
        if owner is HTTPPostNode:
            return "httpPost"
        return "alert" if owner is AlertNode else self._handlers.name_of(owner)

    def _use(
        self,
        made: _Object,
        field: str,
        name: str,
        argument: ast.Expression | None = None,
        key: str = "",
    ) -> None:
        value = Value() if argument is None else self._value(argument)
        known = self._name_of(made.owner)
        shown = f"{known}.{name}" if name else known
        self.uses.append(Use(made.owner, made.number, field, shown, key, value))

    def _value(self, node: ast.Expression) -> Value:
        match node:
            case ast.StringNode():
                return Value((node,))
            case ast.IdentifierNode():
                return self._values.get(node.name, Value())
            case ast.BinaryNode():
                parts = (self._value(node.left), self._value(node.right))
                return _joined(parts, is_whole=False)
            case ast.ListNode():
                return _joined(map(self._value, node.items), is_whole=True)
            case ast.ChainNode():
                return Value()
            case _:
                return Value(others=(expression_text(node),))


def _joined(parts: Iterable[Value], *, is_whole: bool) -> Value:
    found = list(parts)
    # by position, as equal literals may occur in different places
    literals = {each.position: each for value in found for each in value.literals}
    return Value(
        tuple(literals.values()),
        tuple(dict.fromkeys(name for each in found for name in each.variables)),
        tuple(text for each in found for text in each.others),
        is_whole and all(each.is_whole for each in found),
    )
