"""Events and rows as the JSON that handlers write and services send."""

from __future__ import annotations

from typing import Any

from runtime.alert.types import Event, Row
from runtime.golang.json import encode
from runtime.units import rfc3339


def event_line(event: Event) -> bytes:
    """`event` as one line of JSON with a newline: as log, exec, tcp and post send it.

    Source: Kapacitor alert.Data.
    """
    state = event.state
    tree = {
        "id": state.id,
        "message": state.message,
        "details": state.details,
        "time": rfc3339(state.time),
        "duration": state.duration,
        "level": str(state.level),
        "data": {"series": [row_tree(row) for row in event.data.result] or None},
        "previousLevel": str(event.previous_level),
        "recoverable": event.data.recoverable,
    }
    return encode(tree, newline=True)


def row_line(row: Row) -> bytes:
    """One series as a result, a line of JSON, in the form that `httpPost` nodes post."""
    return encode({"series": [row_tree(row)]}, newline=True)


def row_tree(row: Row) -> dict[str, Any]:
    """One series as a tree of JSON values; empty parts are left out."""
    tree: dict[str, Any] = {"name": row.name}
    if row.tags:
        tree["tags"] = dict(sorted(row.tags.items()))
    if row.columns:
        tree["columns"] = list(row.columns)
    if row.values:
        tree["values"] = [[rfc3339(int(time or 0)), *v] for time, *v in row.values]
    return tree
