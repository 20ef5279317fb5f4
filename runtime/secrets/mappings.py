"""Mappings whose values are secret by their names, such as headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runtime.secrets.names import HIDDEN, is_placeholder, is_secret_name
from runtime.secrets.urls import hidden_url, is_url_name


def hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values`, sorted, with `***` for values that are secret by name, and in URLs."""
    return {name: _hidden(name, value) for name, value in sorted(values.items())}


def restored(
    values: Mapping[str, Any], before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """`values` with secrets of `before` in place of the placeholders that a client sent back."""
    known = before or {}
    return {
        name: (
            known[name]
            if name in known
            and (
                value == _hidden(name, known[name])
                or value == HIDDEN
                or (is_placeholder(value) and is_secret_name(name))
            )
            else value
        )
        for name, value in values.items()
    }


def unknown(values: Mapping[str, Any]) -> Iterator[str]:
    """The names of `values` that still contain placeholders."""
    for name, value in values.items():
        if is_secret_name(name):
            is_hidden = is_placeholder(value)
        else:
            is_hidden = isinstance(value, str) and HIDDEN in value and is_url_name(name)
        if is_hidden:
            yield name


def _hidden(name: str, value: Any) -> Any:
    if value and is_secret_name(name):
        return HIDDEN
    return hidden_url(value) if isinstance(value, str) and is_url_name(name) else value
