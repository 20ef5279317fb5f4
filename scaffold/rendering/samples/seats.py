"""Values of an event that conditions depend on and that a test can choose."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runtime.alert.types import Event
from runtime.testing.events import changed_event, sample_event
from scaffold.expressions.code import LEVELS, Type
from scaffold.rendering.samples.candidates import candidates
from scaffold.rendering.samples.values import Seat, Values

_TEXTS = ("id", "message", "details", "topic", "name", "task", "category", "group")
_TIMES = ("time", "duration")
_KEYS = {
    "event.topic": "topic",
    "event.data.task_name": "task",
    **{f"event.data.{key}": key for key in ("name", "category", "group")},
    **{
        f"event.state.{key}": key
        for key in ("id", "message", "details", "level", *_TIMES)
    },
}


def event_seats(nodes: Iterable[ast.AST]) -> Iterator[Seat]:
    """Parts of an event that nodes read, besides tags and fields."""
    for node in nodes:
        key = _KEYS.get(ast.unparse(node)) if isinstance(node, ast.Attribute) else None
        if key:
            yield "event", key


def data_seats(nodes: Iterable[ast.AST]) -> Iterator[Seat]:
    """The tags and fields that nodes read by name."""
    for node in nodes:
        match node:
            case ast.Call(
                func=ast.Attribute(value=holder, attr="get"),
                args=[ast.Constant(value=str() as key), *_],
            ) | ast.Call(
                func=ast.Name(id="get"),
                args=[holder, ast.Constant(value=str() as key), *_],
            ):
                _, _, table = ast.unparse(holder).rpartition("event.data.")
                if table in ("tags", "fields"):
                    yield table, key


def event_candidates(key: str, values: Values, nodes: Sequence[ast.expr]) -> list[Any]:
    """Values for a part of an event, its present value first."""
    event = changed_event(sample_event(), values.changes)
    if key == "level":
        own = str(event.state.level)
        return [own, *(each for each in reversed(LEVELS) if each != own)]
    if key in _TEXTS:
        return candidates(Type.STR, nodes, [_part(event, key)])
    found = candidates(Type.INT, nodes, [_part(event, key)])
    return [each for each in found if each >= 0]


def _part(event: Event, key: str) -> Any:
    if key == "topic":
        return event.topic
    if key in ("name", "task", "category", "group"):
        return getattr(event.data, "task_name" if key == "task" else key)
    return getattr(event.state, key)
