"""Applies a script's calls to nodes and handlers, with Kapacitor's error texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from runtime.errors import ScriptError
from runtime.pipeline.alert import AlertNode, AlertNodeData
from runtime.pipeline.chain import methods_of
from runtime.pipeline.handler import AlertHandler
from runtime.pipeline.missing_handlers import advice, section_of
from runtime.pipeline.node import Node, link
from runtime.pipeline.properties import (
    DoubleQuotesError,
    Kind,
    Names,
    Property,
    go_type,
    names_of,
    signature_of,
    upper_first,
)
from runtime.pipeline.unsupported import UDFNode

T = TypeVar("T")
Object = Node | AlertNodeData | AlertHandler

# The properties after which the chain continues with the alert node.
_ALERT_METHODS = (Kind.METHOD, Kind.FLAG)


def node_of(target: Object) -> Node:
    """The node behind the target of a chain."""
    return target if isinstance(target, Node) else target.node


def call_chain(target: Object, name: str, arguments: Sequence[object]) -> Node:
    """`target|name(arguments)`: a new node.

    Raises:
        ScriptError: the node cannot follow, or an argument is wrong.
    """
    node = node_of(target)
    method = methods_of(node).find(name)
    if method is None:
        raise _misplaced(target, "chaining method", name)
    # A handler or alert as an argument stands for its node.
    values = [node_of(a) if isinstance(a, Object) else a for a in arguments]

    def call() -> Node:
        signature_of(method).check(values)
        return method(node, *values)

    return _explained(call, target, name)


def call_property(target: Object, name: str, arguments: Sequence[object]) -> Object:
    """`target.name(arguments)`: the target of the next call in the chain.

    Raises:
        ScriptError: the property is unknown, or an argument is wrong.
    """
    if isinstance(target, UDFNode):
        target.options.append((name, tuple(arguments)))
        return target
    owner, found = _property(target, name)
    if found is None:
        raise _misplaced(target, "property method", name)
    if found.kind is Kind.VALUE and len(arguments) != 1:
        raise ScriptError(
            f"too many arguments to set property {upper_first(found.name)}"
            f" on {target.go_type}"
        )
    result = _explained(lambda: found.apply(owner, arguments), target, name)
    if isinstance(owner, AlertHandler) and owner.node.pipeline is not None:
        owner.node.pipeline.note(owner.node, owner, found)
    if isinstance(result, AlertHandler):
        return result
    if isinstance(owner, AlertNode) and found.kind in _ALERT_METHODS:
        return target if found.name == "quiet" else AlertNodeData(owner)
    return target


def call_dynamic(target: Object, name: str, arguments: Sequence[object]) -> Node:
    """`target@name(arguments)`: a user defined function, which a task cannot start with.

    Raises:
        ScriptError: the name is that of a node or property.
    """
    node = node_of(target)
    if methods_of(node).exact(name) is not None:
        raise _hint("dynamic method", name, target, "chaining method", "|")
    if _property(target, name)[1] is not None:
        raise _hint("dynamic method", name, target, "property", ".")
    made = UDFNode(name)
    made.options.extend([("", tuple(arguments))] if arguments else [])
    return link(made, node)


def read_property(target: object, name: str) -> object:
    """`target.name` without brackets.

    Raises:
        ScriptError: the value is unknown.
    """
    if isinstance(target, Object):
        owner, found = _property(target, name)
        if found is not None and found.kind is Kind.VALUE:
            value: object = getattr(owner, found.attribute)
            return value
    raise ScriptError(f"object {go_type(target)} has no property {name}")


def _property(target: Object, name: str) -> tuple[object, Property | None]:
    """The property `name` of `target`, with the object that it is set on."""
    owners = _owners(target)
    for owner in owners:
        if (found := _names(owner).exact(name)) is not None:
            return owner, found
    for owner in owners:
        if (found := _names(owner).tolerant(name)) is not None:
            return owner, found
    return target, None


def _owners(target: Object) -> tuple[Node | AlertHandler, ...]:
    if isinstance(target, AlertHandler):
        # Its own properties hide those of its alert node.
        return (target, target.node)
    return (target.node,) if isinstance(target, AlertNodeData) else (target,)


def _names(owner: Node | AlertHandler) -> Names[Property]:
    owner_type: type = type(owner)
    if isinstance(owner, AlertNode) and owner.pipeline is not None:
        return owner.pipeline.handlers.names_of(owner_type)
    return names_of(owner_type)


def _explained(call: Callable[[], T], target: Object, name: str) -> T:
    try:
        return call()
    except DoubleQuotesError:
        raise
    except ScriptError as error:
        raise ScriptError(
            f'error calling func "{name}" on obj {target.go_type}: {error}'
        ) from error


def _misplaced(target: Object, wanted: str, name: str) -> ScriptError:
    """The error for an unknown name, with a hint if it exists for another operator."""
    if wanted == "chaining method" and _property(target, name)[1] is not None:
        return _hint(wanted, name, target, "property", ".")
    if wanted == "property method" and methods_of(node_of(target)).find(name):
        return _hint(wanted, name, target, "chaining method", "|")
    on_alert = isinstance(target, AlertNode | AlertNodeData | AlertHandler)
    how = advice(section_of(name)) if on_alert and wanted == "property method" else ""
    return ScriptError(f'no method or property "{name}" on {target.go_type}{how}')


def _hint(
    wanted: str, name: str, target: Object, existing: str, operator: str
) -> ScriptError:
    return ScriptError(
        f'no {wanted} "{name}" on {target.go_type}, but {existing} does exist.'
        f" Use '{operator}' operator instead: 'node{operator}{name}(..)'."
    )
