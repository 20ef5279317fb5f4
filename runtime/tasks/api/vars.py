"""Variables of tasks, from the API's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.golang.json_decode import JsonError, Pairs, mapping, string, struct
from runtime.tick.variables import TYPES, Var, decode


def _type(value: Any, name: str, before: Any) -> str:
    if value not in TYPES:
        raise JsonError(f"unknown VarType {value!r}")
    return string(value, name, before)


def _value(value: Any, name: str, before: Any) -> Any:
    return _tree(value)


def _tree(value: Any) -> Any:
    """A raw value with dictionaries; numbers as they were written."""
    if isinstance(value, Pairs):
        return {key: _tree(each) for key, each in value}
    return [_tree(each) for each in value] if isinstance(value, list) else value


read_vars = mapping(
    struct("client.Var", {"type": _type, "value": _value, "description": string}),
    "client.Vars",
)


def vars_of(trees: Mapping[str, Any]) -> dict[str, Var]:
    """The variables that a request sets.

    Raises:
        ScriptError: a value is not of its type: `invalid var a: unexpected var type …`.
    """
    return {name: decode(name, tree or {}) for name, tree in trees.items()}
