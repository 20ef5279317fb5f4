"""A pipeline as JSON: its nodes with everything they say, and the edges between them.

All of it follows from the declared fields and from the pipeline's handlers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from runtime.pipeline.alert import AlertNode
from runtime.pipeline.handler import AlertHandler
from runtime.pipeline.node import Node, Pipeline
from runtime.pipeline.source import StatsNode
from runtime.settings import tick_of
from runtime.tick import ast
from runtime.tick.format import expression_text
from runtime.units import Duration, influx_duration

_COMMON = frozenset(field.name for field in dataclasses.fields(Node))


def pipeline_data(pipeline: Pipeline) -> dict[str, object]:
    """The whole pipeline; nodes are referred to by their number, as text."""
    numbers = {id(node): str(n) for n, node in enumerate(pipeline.nodes)}
    edges = [
        {"parent": numbers[id(parent)], "child": numbers[id(node)]}
        for node in pipeline.nodes
        for parent in node.parents
    ]
    nodes = []
    for node in pipeline.nodes:
        data = node_data(node, numbers[id(node)])
        if isinstance(node, StatsNode) and node.source is not None:
            data["source"] = numbers[id(node.source)]
        nodes.append(data)
    return {"nodes": nodes, "edges": edges}


def node_data(node: Node, number: str = "0") -> dict[str, object]:
    """One node; an alert node has a key for each kind of handler."""
    data: dict[str, object] = {"typeOf": node.call or node.kind, "id": number}
    for field in dataclasses.fields(node):
        if field.name not in _COMMON and not field.metadata.get("hidden"):
            data[_key(field)] = _encoded(getattr(node, field.name))
    if node.quiet:
        data["quiet"] = True
    if isinstance(node, AlertNode) and node.pipeline is not None:
        for name, kind in node.pipeline.handlers.classes.items():
            data[name] = [handler_data(h) for h in node.handlers_of(kind)] or None
    return data


def handler_data(handler: AlertHandler) -> dict[str, object]:
    """What one handler says."""
    return {
        _key(field): _encoded(getattr(handler, field.name))
        for field in dataclasses.fields(handler)
        if field.name != "node"
    }


def _key(field: dataclasses.Field[Any]) -> str:
    key = field.metadata.get("key")
    return str(key) if key else tick_of(field)


def _encoded(value: object) -> object:
    match value:
        case Duration():
            return influx_duration(value)
        case ast.LambdaNode():
            return f"lambda: {expression_text(value.expression)}"
        case ast.StarNode() | ast.FunctionNode() | ast.RegexNode():
            return expression_text(value)
        case tuple() | list():
            return [_encoded(item) for item in value] or None
        case Mapping():
            return {k: _encoded(v) for k, v in value.items()} or None
        case _:
            return value
