"""Values written as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_table(header: str, table: Mapping[str, Any]) -> str:
    """A table with a header line, one line for each key."""
    lines = [header]
    lines += [f"{toml_key(key)} = {toml_text(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def toml_tree(path: Sequence[str], table: Mapping[str, Any], width: int = 88) -> str:
    """A table with its header; a table that is too wide for a line gets its own header.

    Keys with tables of their own come last, as TOML wants it.

    Args:
        path: keys of the header: `("request", "json")`.
        table: the table.
        width: length of the longest line.
    """
    header = ".".join(map(toml_key, path))
    return _tree(f"[{header}]", path, table, width)


def _tree(
    header: str, path: Sequence[str], table: Mapping[str, Any], width: int
) -> str:
    lines, below = {}, []
    for key, value in table.items():
        inner = (*path, key)
        name = ".".join(map(toml_key, inner))
        is_wide = len(f"{toml_key(key)} = {toml_text(value)}") > width
        if is_wide and isinstance(value, dict):
            below.append(_tree(f"[{name}]", inner, value, width))
        elif is_wide and _are_tables(value):
            below += [_tree(f"[[{name}]]", inner, each, width) for each in value]
        else:
            lines[key] = value
    # a header of a table with only tables in it is not needed
    own = toml_table(header, lines) if lines or not below or header[1] == "[" else ""
    return own + "".join(below)


def _are_tables(value: Any) -> bool:
    is_list = isinstance(value, list) and value
    return bool(is_list) and all(isinstance(each, dict) for each in value)


def toml_text(value: Any) -> str:
    """A value in TOML, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list():
            return f"[{', '.join(toml_text(each) for each in value)}]"
        case dict():
            items = [
                f"{toml_key(key)} = {toml_text(each)}" for key, each in value.items()
            ]
            return f"{{ {', '.join(items)} }}" if items else "{}"
    return _string(value)


def toml_key(key: str) -> str:
    """A key in TOML, in quotes where it needs them."""
    return key if _BARE.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
