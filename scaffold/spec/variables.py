"""The variables that a spec makes, and the names that they cannot have."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.expressions.functions import FUNCTIONS, RUNTIME
from scaffold.names import identifier, words

LOOP = "@for"
"""Key of a loop."""
RESERVED = words("""
    self config options event body headers query response text encode join dumps get
    opt level server delivery now let status reply error str len url request form below go_duration
    bool render_all render_values
    """) | {*FUNCTIONS, *RUNTIME}
"""Names that the methods that send and read use already."""


def variables(value: object) -> Iterator[str]:
    """The variables that a spec makes: its lets, steps, and the names of its loops."""
    if isinstance(value, dict):
        lets = value.get("let", {})
        yield from map(identifier, lets if isinstance(lets, dict) else ())
        yield from _steps(value.get("request"))
        if "remember" in value:
            yield "memory"
        loop = value.get(LOOP)
        if isinstance(loop, str):
            yield from loop_names(loop)
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from variables(each)


def loop_names(text: str) -> list[str]:
    """The names that a loop defines: `x`, or `k` and `v`."""
    return [each.strip() for each in text.strip().partition(" in ")[0].split(",")]


def _steps(tables: object) -> Iterator[str]:
    for each in tables if isinstance(tables, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            yield identifier(each["name"])
