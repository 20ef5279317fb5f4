"""Variables of scripts: their types, their values, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.errors import ScriptError
from runtime.golang import durations, regex
from runtime.tick import ast
from runtime.tick.format import expression_text
from runtime.tick.parser import parse_lambda
from runtime.units import Duration

TYPES = (
    "bool",
    "int",
    "float",
    "string",
    "regex",
    "duration",
    "lambda",
    "list",
    "star",
)

_OF_VALUE: dict[type, str] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "string",
    ast.RegexNode: "regex",
    Duration: "duration",
    ast.LambdaNode: "lambda",
    list: "list",
    ast.StarNode: "star",
}

_ZERO: dict[str, object] = {
    "bool": False,
    "int": 0,
    "float": 0.0,
    "string": "",
    "regex": ast.RegexNode(""),
    "duration": Duration(0),
    "lambda": ast.LambdaNode(ast.BoolNode(False)),
    "list": (),
    "star": ast.StarNode(),
}


@dataclass(frozen=True, slots=True)
class Var:
    """A variable's type with its value.

    Attributes:
        type: one of `TYPES`.
        value: bool, int, float, str, Duration, `ast.RegexNode`, `ast.LambdaNode`,
            `ast.StarNode`, or a tuple of `Var` for a list; None if it has no value yet.
        description: the comment above it.
    """

    type: str
    value: object = None
    description: str = ""


def type_of(value: object) -> str | None:
    """The type of a script's value; None if tasks cannot set variables of that type."""
    return _OF_VALUE.get(type(value))


def shown_type(name: str | None) -> str:
    """A type as error texts name it."""
    if name is None:
        return "invalid type"
    return "boolean" if name == "bool" else name


Vars = Mapping[str, Var]


def to_var(value: object, description: str = "") -> Var:
    """A script's value as a variable; items of lists are variables too."""
    kind = type_of(value)
    if isinstance(value, list):
        value = tuple(to_var(item) for item in value)
    return Var(kind or "", value, description)


def to_value(var: Var) -> object:
    """The value of a variable in a script."""
    if var.type == "list" and isinstance(var.value, tuple):
        return [to_value(item) for item in var.value]
    return zero(var.type) if var.value is None else var.value


def zero(kind: str) -> object:
    """The placeholder value of a template's variable until a task sets it."""
    value = _ZERO[kind]
    return [] if value == () else value


def encode(var: Var) -> dict[str, object]:
    """A variable as the API shows it; durations in nanoseconds."""
    return {
        "type": var.type,
        "value": _encoded(var.value),
        "description": var.description,
    }


def _encoded(value: object) -> object:
    match value:
        case ast.RegexNode():
            return value.pattern
        case ast.LambdaNode():
            return expression_text(value.expression)
        case ast.StarNode():
            return None
        case Duration():
            return int(value)
        case tuple():
            return [{"type": v.type, "value": _encoded(v.value)} for v in value]
        case _:
            return value


def decode(name: str, data: Mapping[str, object]) -> Var:
    """The variable that the API was given under `name`.

    Raises:
        ScriptError: type and value do not fit, as
            `invalid var a: unexpected var type bool, value is a string`.
    """
    kind = data.get("type")
    if kind not in TYPES:
        raise ScriptError(f'unknown VarType "{kind or ""}"')
    assert isinstance(kind, str)
    value = data.get("value")
    description = data.get("description", "")
    text = description if isinstance(description, str) else ""
    if value is None:
        return Var(kind, ast.StarNode() if kind == "star" else None, text)
    return Var(kind, _decoded(name, kind, value), text)


def _decoded(name: str, kind: str, value: object) -> object:
    match kind, value:
        case "bool", bool():
            return value
        case "int", int() if not isinstance(value, bool):
            return value
        case "float", int() | float() if not isinstance(value, bool):
            return float(value)
        case "string", str():
            return value
        case "duration", int() if not isinstance(value, bool):
            return Duration(value)
        case ("duration" | "regex" | "lambda"), str():
            return _parsed(name, kind, value)
        case "list", list():
            return tuple(decode(name, item) for item in value if isinstance(item, dict))
        case "star", _:
            return ast.StarNode()
    raise ScriptError(
        f"invalid var {name}: unexpected var type {kind}, value is a {_json_type(value)}"
    )


def _parsed(name: str, kind: str, text: str) -> object:
    try:
        if kind == "duration":
            return Duration(durations.parse_influx(text))
        if kind == "lambda":
            return parse_lambda(text)
        regex.compile(text)
    except (ValueError, ScriptError) as error:
        raise ScriptError(f"invalid var {name}: {error}") from error
    return ast.RegexNode(text)


def _json_type(value: object) -> str:
    """The type that Go's JSON decoder gives a value."""
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "json.Number"
        case list():
            return "[]interface {}"
        case _:
            return "map[string]interface {}"
