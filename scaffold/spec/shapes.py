"""The forms of values in specs: their TOML types and JSON Schema, and nouns for messages."""

from __future__ import annotations

from typing import Any, NamedTuple

from scaffold.spec.model.settings import RECORD_TYPES


class Shape(NamedTuple):
    """The form of a value.

    Attributes:
        noun: noun with its article, for messages: `a string`.
        types: the TOML types that it may have; none: any.
        schema: its JSON Schema.
        items: type of the items of a list, or None for any.
    """

    noun: str
    types: tuple[type, ...]
    schema: dict[str, Any]
    items: type | None = None


SCALAR_SCHEMA = {"type": ["string", "integer", "number", "boolean"]}
FLOWING = {"$ref": "#/$defs/flowing"}
"""A value with `${…}` in its strings, defined in the schema."""

STRING = Shape("a string", (str,), {"type": "string"})
EXPRESSION = Shape("an expression in quotes", (str,), {"type": "string"})
INTEGER = Shape("an integer", (int,), {"type": "integer"})
BOOLEAN = Shape("true or false", (bool,), {"type": "boolean"})
STRINGS = Shape(
    "a list of strings", (list,), {"type": "array", "items": {"type": "string"}}, str
)
PROSE = Shape("a string", (str,), {"$ref": "#/$defs/prose"})
TEXT = Shape("a string", (str, int, float, bool), SCALAR_SCHEMA)
ANYTHING = Shape("a value", (), {})
VALUE = Shape("a value", (), FLOWING)
TABLE = Shape("a table", (dict,), {"type": "object"})
RECORD = Shape(
    "a table of types",
    (dict,),
    {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "enum": [f"{name}{end}" for name in RECORD_TYPES for end in ("", "?")]
        },
    },
)
TABLES = Shape("a list of tables", (list,), {"type": "array"})
VALUES = Shape("a table", (dict,), {"type": "object", "additionalProperties": FLOWING})
STRING_MAP = Shape(
    "a table",
    (dict,),
    {"type": "object", "additionalProperties": {"type": "string"}},
)
HEADERS = Shape("a table", (dict,), {"$ref": "#/$defs/headers"})
STATUSES = Shape(
    "a list of HTTP statuses",
    (list,),
    {"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}},
    int,
)
PROPERTY = Shape(
    "a name, or false for none",
    (str, bool),
    {
        "anyOf": [
            {"type": "string", "pattern": "^[a-zA-Z][a-zA-Z0-9]{0,39}$"},
            {"const": False},
        ]
    },
)
ALIASES = Shape(
    "a name or a list of names",
    (str, list),
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    str,
)
PARTS = Shape(
    "a string or a list of parts",
    (str, list),
    {"anyOf": [{"type": "string"}, {"type": "array", "items": SCALAR_SCHEMA}]},
)
PAIR = Shape(
    "a list of two expressions",
    (list,),
    {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 2,
        "maxItems": 2,
    },
    str,
)
