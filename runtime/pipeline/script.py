"""A pipeline written back as TICKscript.

All of it follows from the declared properties and from the pipeline's handlers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runtime.pipeline.alert import AlertNode
from runtime.pipeline.handler import AlertHandler
from runtime.pipeline.node import Node, Pipeline
from runtime.pipeline.properties import Kind, properties_of
from runtime.pipeline.source import BatchNode, NoOpNode, StatsNode, StreamNode
from runtime.pipeline.unsupported import UDFNode
from runtime.tick import ast
from runtime.tick.format import expression_text, number_text, string_text
from runtime.units import Duration, influx_duration

_LINK = "    "
_PROPERTY = "        "


def script(pipeline: Pipeline) -> str:
    """A script that makes a pipeline like this one, laid out as scripts are."""
    return "\n".join(f"{text}\n" for text in _statements(pipeline))


def _statements(pipeline: Pipeline) -> Iterator[str]:
    """One chain for each run of nodes that nothing but the next node refers to."""
    watched = {id(n.source) for n in pipeline.nodes if isinstance(n, StatsNode)}
    for node in pipeline.nodes:
        if isinstance(node, NoOpNode | StreamNode | BatchNode):
            continue
        if _follows(node, watched) is not None:
            continue  # its parent's statement goes on with it
        lines = [_start(node), *_lines(node)]
        last = node
        while (following := _next(last, watched)) is not None:
            lines.extend(_lines(following))
            last = following
        prefix = f"var {last.name} = " if _named(last, watched) else ""
        yield prefix + "\n".join(lines)


def _start(node: Node) -> str:
    if isinstance(node, StatsNode) and node.source is not None:
        return _reference(node.source)
    return _reference(node.followed)


def _reference(node: Node) -> str:
    """How another statement names `node`."""
    return node.kind if isinstance(node, StreamNode | BatchNode) else node.name


def _children(node: Node) -> list[Node]:
    return [child for child in node.children if not isinstance(child, NoOpNode)]


def _named(node: Node, watched: set[int]) -> bool:
    """True if other statements need a name for `node`."""
    return bool(_children(node)) or id(node) in watched


def _next(node: Node, watched: set[int]) -> Node | None:
    """The node whose call stands directly after that of `node`."""
    children = _children(node)
    if len(children) != 1 or id(node) in watched:
        return None
    [child] = children
    return child if len(child.parents) == 1 else None


def _follows(node: Node, watched: set[int]) -> Node | None:
    """The node whose statement goes on with `node`."""
    if len(node.parents) != 1 or isinstance(node.parents[0], StreamNode | BatchNode):
        return None
    [parent] = node.parents
    return parent if _next(parent, watched) is node else None


def _lines(node: Node) -> Iterator[str]:
    if isinstance(node, UDFNode):
        yield from _udf_lines(node)
        return
    yield f"{_LINK}|{node.call or node.kind}({_arguments(node.call_arguments())})"
    yield from _property_lines(node)
    if isinstance(node, AlertNode) and node.pipeline is not None:
        for name, kind in node.pipeline.handlers.classes.items():
            for handler in node.handlers_of(kind):
                yield from _handler_lines(name, handler)


def _property_lines(
    owner: Node | AlertHandler, skip: Iterable[str] = ()
) -> Iterator[str]:
    owner_type: type = type(owner)
    for name, found in properties_of(owner_type).items():
        if found.kind is Kind.HANDLER or found.attribute in skip:
            continue
        for arguments in found.calls(owner):
            yield f"{_PROPERTY}.{name}({_arguments(arguments)})"


def _handler_lines(name: str, handler: AlertHandler) -> Iterator[str]:
    """The call that makes a handler, then a call for each of its properties."""
    arguments: list[object] = []
    for field in handler.call_fields:
        value = getattr(handler, field)
        arguments.extend(value if isinstance(value, tuple) else (value,))
    yield f"{_PROPERTY}.{name}({_arguments(arguments)})"
    yield from _property_lines(handler, handler.call_fields)


def _udf_lines(node: UDFNode) -> Iterator[str]:
    options = list(node.options)
    called = options.pop(0)[1] if options and not options[0][0] else ()
    yield f"{_LINK}@{node.function}({_arguments(called)})"
    for name, arguments in options:
        yield f"{_PROPERTY}.{name}({_arguments(arguments)})"


def _arguments(values: Sequence[object]) -> str:
    return ", ".join(map(_text, values))


def _text(value: object) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case Duration():
            return influx_duration(value)
        case int() | float():
            return number_text(value)
        case str():
            return string_text(value)
        case ast.LambdaNode():
            return f"lambda: {expression_text(value.expression)}"
        case Node():
            return _reference(value)
        case list() | tuple():
            return f"[{_arguments(value)}]"
        case ast.StarNode() | ast.FunctionNode() | ast.RegexNode():
            return expression_text(value)
        case _:
            return "*"
