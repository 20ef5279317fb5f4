"""Values written as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_table(header: str, table: Mapping[str, Any]) -> str:
    """A table with a header line, one line for each key."""
    lines = [header]
    lines += [f"{_key(key)} = {toml_text(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


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
            items = [f"{_key(key)} = {toml_text(each)}" for key, each in value.items()]
            return f"{{ {', '.join(items)} }}" if items else "{}"
    return _string(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
