"""The JSON Schema of specs, so that editors complete and check them."""

from __future__ import annotations

from typing import Any

from scaffold.spec.model import FLAGS, LEVELS, TYPE_ALIASES, TYPES

_NAME = "^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$"
_TEXT = {"type": "string"}
_BOOL = {"type": "boolean"}
_SCALAR = {"type": ["string", "integer", "number", "boolean"]}
_TEXTS = {"type": "array", "items": _TEXT}
_FLOWING = {"$ref": "#/$defs/flowing"}


def schema() -> dict[str, Any]:
    """The schema, as JSON data."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Handler spec",
        "description": "What differs between one alert handler and the next.",
        **_table(
            {
                "handler": _handler(),
                "config": _named(_config(), "A key of the handler's table."),
                "option": _named(_option(), "What an alert can say."),
                "level": _named(_level(), "A value per alert level."),
                "let": {"type": "object", "additionalProperties": _FLOWING},
                "check": {"type": "array", "items": _check()},
                "request": {"type": "array", "minItems": 1, "items": _request()},
                "response": _response(),
                "test": _named(_test(), "An option of the service test."),
                "example": {"type": "array", "items": _example()},
            },
            required=("handler", "request"),
        ),
        "$defs": {
            "flowing": {
                "description": "A value with ${…} in its texts.",
                "anyOf": [
                    _SCALAR,
                    {"type": "array", "items": _FLOWING},
                    {"type": "object", "additionalProperties": _FLOWING},
                ],
            }
        },
    }


def _table(
    properties: dict[str, Any], required: tuple[str, ...] = ()
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    if required:
        made["required"] = list(required)
    return made


def _named(entry: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "propertyNames": {"pattern": _NAME, "maxLength": 40},
        "additionalProperties": entry,
    }


def _handler() -> dict[str, Any]:
    return _table(
        {
            "name": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
            "title": {"type": "string", "maxLength": 60},
            "summary": {"type": "string", "maxLength": 500},
            "property": {"type": "string", "pattern": "^[a-z][A-Za-z0-9]{0,39}$"},
            "flags": {"type": "array", "items": {"enum": list(FLAGS)}},
        },
        required=("name",),
    )


def _type(*, with_flag: bool) -> dict[str, Any]:
    names = [name for name in TYPES if with_flag or name != "flag"]
    return {"enum": [*names, *TYPE_ALIASES]}


def _config() -> dict[str, Any]:
    return _table(
        {
            "type": _type(with_flag=False),
            "default": {},
            "doc": _TEXT,
            "secret": _BOOL,
            "required": {"enum": ["enabled", "always"]},
            "error": _TEXT,
            "check": {"type": "string", "description": "url, or an expression."},
            "check_error": _TEXT,
        }
    )


def _option() -> dict[str, Any]:
    return _table(
        {
            "type": _type(with_flag=True),
            "doc": _TEXT,
            "tick": {"anyOf": [_TEXT, {"const": False}]},
            "alias": {"anyOf": [_TEXT, _TEXTS]},
            "default": {"type": "string", "description": "An expression."},
            "bind": {"enum": ["create", "send"]},
            "initial": {},
        }
    )


def _level() -> dict[str, Any]:
    return _table(dict.fromkeys((*LEVELS, "default"), _SCALAR))


def _check() -> dict[str, Any]:
    return _table({"that": _TEXT, "error": _TEXT}, required=("that", "error"))


def _request() -> dict[str, Any]:
    texts = {"type": "object", "additionalProperties": _SCALAR}
    auth = {
        "scheme": _TEXT,
        "token": _TEXT,
        "optional": _BOOL,
        "basic": {**_TEXTS, "minItems": 2, "maxItems": 2},
    }
    return _table(
        {
            "when": _TEXT,
            "method": {"enum": ["POST", "PUT", "PATCH", "GET", "DELETE"]},
            "url": _TEXT,
            "path": {"anyOf": [_TEXT, {"type": "array", "items": _SCALAR}]},
            "query": {"type": "object", "additionalProperties": _FLOWING},
            "headers": texts,
            "auth": _table(auth),
            "json": _FLOWING,
            "form": {"type": "object", "additionalProperties": _FLOWING},
            "text": _TEXT,
            "sorted": _BOOL,
            "newline": _BOOL,
        },
        required=("url",),
    )


def _response() -> dict[str, Any]:
    status = {"type": "integer", "minimum": 100, "maximum": 599}
    return _table(
        {
            "ok": {"type": "array", "items": status},
            "that": _TEXT,
            "error": _TEXT,
            "message": _TEXT,
            "unparsable": _TEXT,
            "accepted": _TEXT,
        }
    )


def _test() -> dict[str, Any]:
    fed = _table({"value": {}, "feeds": _TEXT, "doc": _TEXT})
    return {"anyOf": [_SCALAR, {"type": "array"}, fed]}


def _example() -> dict[str, Any]:
    free = {"type": "object"}
    want = _table(
        {
            "method": _TEXT,
            "path": _TEXT,
            "query": free,
            "headers": free,
            "json": {},
            "form": free,
            "text": _TEXT,
            "error": _TEXT,
        }
    )
    return _table(
        {"name": _TEXT, "config": free, "options": free, "event": free, "want": want}
    )
