"""The JSON Schema of specs, so that editors complete and check them.

Keys and descriptions are from `keys.py`, forms of values from `shapes.py`. This module adds
the rules between keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from scaffold import names
from scaffold.spec import keys
from scaffold.spec.cases import EVENT_FEEDS
from scaffold.spec.connection import TLS_SETTINGS
from scaffold.spec.handler import DOC_LENGTH, TITLE_LENGTH
from scaffold.spec.instances import FLAG_KEY
from scaffold.spec.keys import Key
from scaffold.spec.requests import HEADER, RESERVED_HEADERS
from scaffold.spec.settings import IMPORTED, RESERVED_CONFIG
from scaffold.spec.shapes import FLOWING, SCALAR_SCHEMA, STRINGS
from scaffold.spec.variables import RESERVED

_NAME = "^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$"
# control characters but white space, and those that change the direction of text
_PRINTED = (
    "^[^\\u0000-\\u0008\\u000e-\\u001f\\u007f-\\u0084\\u0086-\\u009f"
    "\\u202a-\\u202e\\u2066-\\u2069]*$"
)
_VALUES: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "url": {"type": "string", "pattern": "^$|^https?://[^@{}\\s]+$"},
    "int": {"type": "integer", "minimum": -(1 << 63), "maximum": (1 << 63) - 1},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "flag": {"type": "boolean"},
    "duration": {"type": ["string", "integer"]},
    "list[str]": {"type": "array", "items": {"type": "string"}},
    "map[str]": {"type": "object", "additionalProperties": {"type": "string"}},
    "any": {},
    "list[any]": {"type": "array"},
    "map[any]": {"type": "object"},
    "template": {"type": "string"},
    "list[template]": {"type": "array", "items": {"type": "string"}},
    "map[template]": {"type": "object", "additionalProperties": {"type": "string"}},
}
_ALIASES = {"str": "string", "list[str]": "list", "map[str]": "map"}


def schema() -> dict[str, Any]:
    """The schema, as JSON data."""
    spec = table(keys.SPEC)
    properties = spec["properties"]
    inner = {
        "handler": _handler(),
        "instances": _instances(),
        "config": _named(_config(), RESERVED_CONFIG),
        "option": _named(_option()),
        "level": _named(_level(), IMPORTED),
        "let": _named(FLOWING, RESERVED),
        "check": {"items": table(keys.CHECK)},
        "request": {"items": _request(), "minItems": 1},
        "connection": table(keys.CONNECTION),
        "response": table(keys.RESPONSE),
        "remember": {
            **_named({"type": "string"}),
            "minProperties": 1,
            "maxProperties": 20,
        },
        "hook": table(keys.HOOK),
        "test": _named(_test()),
        "example": {"items": _example()},
    }
    for name, rules in inner.items():
        description = properties[name]["description"]
        properties[name] = {**properties[name], **rules, "description": description}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Handler spec",
        "description": "Description of one alert handler.",
        **spec,
        "allOf": [_tls(), *_with_instances()],
        "$defs": {
            "flowing": {
                "anyOf": [
                    SCALAR_SCHEMA,
                    {"type": "array", "items": FLOWING},
                    {"type": "object", "additionalProperties": FLOWING},
                ],
            },
            "prose": {"type": "string", "maxLength": DOC_LENGTH, "pattern": _PRINTED},
            "headers": _headers(),
        },
    }


def table(known: Sequence[Key]) -> dict[str, Any]:
    """The schema of a table with these keys."""
    made: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _property(key) for key in known},
    }
    required = [key.name for key in known if key.required]
    return {**made, "required": required} if required else made


def _property(key: Key) -> dict[str, Any]:
    made = {**key.shape.schema, "description": key.meaning}
    if key.choices and key.shape is STRINGS:
        return {**made, "items": {"enum": list(key.choices)}}
    return {**made, "enum": list(key.choices)} if key.choices else made


def _named(entry: dict[str, Any], reserved: Iterable[str] = ()) -> dict[str, Any]:
    """A table whose keys are names that the author gives."""
    rule: dict[str, Any] = {"pattern": _NAME, "maxLength": 40}
    taken = sorted(reserved)
    spellings = {name.rstrip("_").replace("_", mark) for name in taken for mark in "-_"}
    spellings |= {name for name in taken if not name.endswith("_")}
    if spellings:
        rule["not"] = {"enum": sorted(spellings)}
    return {"type": "object", "propertyNames": rule, "additionalProperties": entry}


def _handler() -> dict[str, Any]:
    made = table(keys.HANDLER)
    properties = made["properties"]
    properties["name"] |= {
        "pattern": "^(?!.*__)[a-z](?:[a-z0-9_]{0,38}[a-z0-9])?$",
        "not": {"enum": names.reserved_kinds()},
    }
    properties["title"] |= {"maxLength": TITLE_LENGTH, "pattern": _PRINTED}
    properties["property"] |= {"pattern": "^[a-z][A-Za-z0-9]{0,39}$"}
    needs_global = {
        "if": {"contains": {"const": "state-changes-only"}},
        "then": {"contains": {"const": "global"}},
    }
    properties["flags"] |= needs_global
    properties["wrap"] |= table(keys.WRAP)
    return made


def _instances() -> dict[str, Any]:
    made = table(keys.INSTANCES)
    for name in ("key", "option"):
        made["properties"][name] |= {"pattern": _NAME, "maxLength": 40}
    return made


def _with_instances() -> Iterable[dict[str, Any]]:
    """Rules that follow from the default of `[instances]`."""
    flagged = {
        "required": ["key"],
        "properties": {"default": {"const": "flag"}},
    }
    without = {"required": ["default"], "properties": {"default": {"const": "none"}}}
    flags = {"not": {"contains": {"const": "global"}}}
    rules: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
        ({}, {"option": {"additionalProperties": _without_bind()}}),
        (flagged, {"config": {"propertyNames": {"not": {"const": FLAG_KEY}}}}),
        (without, {"handler": {"properties": {"flags": flags}}}),
    )
    for condition, properties in rules:
        yield {
            "if": {"properties": {"instances": condition}, "required": ["instances"]},
            "then": {"properties": properties},
        }


def _without_bind() -> dict[str, Any]:
    return {"properties": {"bind": {"const": "send"}}}


def _tls() -> dict[str, Any]:
    """Rule against settings that `tls = true` adds."""
    handler = {"properties": {"tls": {"const": True}}, "required": ["tls"]}
    settings = {"propertyNames": {"not": {"enum": [*TLS_SETTINGS]}}}
    connection = {"propertyNames": {"enum": ["limit", "proxy"]}}
    return {
        "if": {"properties": {"handler": handler}, "required": ["handler"]},
        "then": {"properties": {"config": settings, "connection": connection}},
    }


def _if_type(name: str, *keys_: str) -> dict[str, Any]:
    """The rule for the values of some keys, which depends on the type."""
    spellings = [name, *([_ALIASES[name]] if name in _ALIASES else [])]
    return {
        "if": {
            "properties": {"type": {"enum": spellings}, "of": False},
            "required": ["type"],
        },
        "then": {"properties": dict.fromkeys(keys_, _VALUES[name])},
    }


def _config() -> dict[str, Any]:
    secret = {
        "anyOf": [
            {"properties": {"type": {"const": "secret"}}, "required": ["type"]},
            {"properties": {"secret": {"const": True}}, "required": ["secret"]},
        ]
    }
    is_text = {"properties": {"type": {"enum": ["str", "string", "url", "secret"]}}}
    has_rule = {
        "anyOf": [
            {"required": ["check"]},
            {"properties": {"type": {"const": "url"}}, "required": ["type"]},
        ]
    }
    return {
        **table(keys.CONFIG),
        "dependentRequired": {"error": ["required"]},
        "dependentSchemas": {"check_error": has_rule},
        "allOf": [
            *(
                _if_type(name, "default", "examples")
                for name in _VALUES
                if name != "flag"
            ),
            _of_records("default", "examples"),
            {"if": secret, "then": {"not": {"required": ["default"]}, **is_text}},
            {
                "if": {
                    "properties": {"check": {"const": "url"}},
                    "required": ["check"],
                },
                "then": is_text,
            },
        ],
    }


def _option() -> dict[str, Any]:
    early = {"properties": {"bind": {"const": "create"}}, "required": ["bind"]}
    secret = {"properties": {"type": {"const": "secret"}}, "required": ["type"]}
    without_initial = {"not": {"required": ["initial"]}}
    return {
        **table(keys.OPTION),
        "allOf": [
            *(_if_type(name, "initial", "examples") for name in _VALUES),
            _of_records("initial", "examples"),
            {"if": early, "then": {"required": ["default"], **without_initial}},
            {"if": secret, "then": without_initial},
        ],
    }


def _of_records(*keys_: str) -> dict[str, Any]:
    """Rules for a list of records: its type, and its values."""
    records = {"type": "array", "items": {"type": "object"}}
    is_list = {"type": {"const": "list"}, **dict.fromkeys(keys_, records)}
    return {"if": {"required": ["of"]}, "then": {"properties": is_list}}


def _level() -> dict[str, Any]:
    kinds = ("string", "number", "boolean")
    return {
        **table(keys.LEVEL),
        "minProperties": 1,
        "anyOf": [
            {"properties": {key.name: {"type": kind} for key in keys.LEVEL}}
            for kind in kinds
        ],
    }


def _request() -> dict[str, Any]:
    made = table(keys.REQUEST)
    made["properties"]["auth"] = {
        **_auth(),
        "description": made["properties"]["auth"]["description"],
    }
    made["properties"]["name"] |= {"pattern": _NAME, "maxLength": 40}
    bodies = [{"required": [body]} for body in keys.BODIES]
    authorization = {"pattern": _any_case(["authorization"], "[?]?")}
    return {
        **made,
        "dependentRequired": {
            **{"sorted": ["json"], "newline": ["json"]},
            **{key: ["name"] for key in ("keep", "that", "accepted")},
        },
        "dependentSchemas": {
            "@for": {"not": {"required": ["name"]}},
            "auth": {
                "properties": {"headers": {"propertyNames": {"not": authorization}}}
            },
        },
        "allOf": [
            {"anyOf": [{"required": [key]} for key in ("url", "to", "data")]},
            {"anyOf": [{"not": {"anyOf": bodies}}, {"oneOf": bodies}]},
            {
                "if": {
                    "properties": {"method": {"const": "GET"}},
                    "required": ["method"],
                },
                "then": {"not": {"anyOf": bodies}},
            },
        ],
    }


def _auth() -> dict[str, Any]:
    """Either a token with a scheme, or user and password."""
    made = table(keys.AUTH)
    return {
        **made,
        "oneOf": [
            {"maxProperties": 0},
            {"required": ["token"], "not": {"required": ["basic"]}},
            {"required": ["basic"], "maxProperties": 1},
        ],
    }


def _any_case(words: Iterable[str], end: str = "") -> str:
    """A pattern for words in upper or lower case; JSON Schema has no flag for it."""
    spelled = [
        "".join(
            f"[{char.upper()}{char}]" if char.isalpha() else re.escape(char)
            for char in word
        )
        for word in sorted(words)
    ]
    return f"^(?:{'|'.join(spelled)}){end}$"


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "propertyNames": {
            "pattern": f"^(?:{HEADER.pattern}[?]?|[.]{{3}})$",
            "not": {"pattern": _any_case(RESERVED_HEADERS, "[?]?")},
        },
        "properties": {"...": FLOWING},
        "additionalProperties": {**SCALAR_SCHEMA, "pattern": "^[^\\r\\n\\u0000]*$"},
        "patternProperties": {
            _any_case(["authorization"], "[?]?"): {
                "type": "string",
                "pattern": "[$][{]",
            }
        },
    }


def _test() -> dict[str, Any]:
    feeds = "|".join(re.escape(each) for each in EVENT_FEEDS)
    made = table(keys.TEST)
    made["properties"]["feeds"]["pattern"] = f"^(?:{feeds}|opt[.].+)$"
    return {"anyOf": [SCALAR_SCHEMA, {"type": "array"}, made]}


def _example() -> dict[str, Any]:
    made = table(keys.EXAMPLE)
    for name, known in (("event", keys.EXAMPLE_EVENT), ("want", keys.EXAMPLE_WANT)):
        inner = made["properties"][name]
        made["properties"][name] = {**inner, **table(known)}
    return made
