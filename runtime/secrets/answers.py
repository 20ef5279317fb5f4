"""Secrets at unknown places in answers of endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runtime.secrets.secret import Secret

# shorter strings are words, which errors need
_LENGTH = 8


def tokens_in(tree: Any) -> Iterator[Secret]:
    """The strings of a JSON tree, except keys, that are as long as tokens."""
    parts = [tree]
    while parts:
        match parts.pop():
            case str(text) if len(text) >= _LENGTH:
                yield Secret(text)
            case dict(table):
                parts += table.values()
            case list(items):
                parts += items
