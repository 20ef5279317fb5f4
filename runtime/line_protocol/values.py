"""Values of fields as line protocol writes them."""

from __future__ import annotations

import math

import msgspec

from runtime.frames import Value

# several times as fast as Python; floats are written in their shortest form
_json = msgspec.json.Encoder().encode


def field_text(value: Value) -> str:
    """A field's value; "" if the protocol cannot express it."""
    match value:
        case float():
            return _json(value).decode() if math.isfinite(value) else ""
        case str():
            return string_text(value)
        case bool():
            return bool_text(value)
        case int():
            return f"{value}i"
        case _:
            return ""


def bool_text(value: bool) -> str:
    """A boolean field."""
    return "true" if value else "false"


def string_text(text: str) -> str:
    """A string field, quoted."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    return f'"{text}"'
