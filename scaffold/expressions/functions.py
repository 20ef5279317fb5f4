"""The functions of expressions, each as the plain Python that it becomes.

A new one is an entry in `FUNCTIONS`, and a function of `runtime.services.expressions`
where Python has none; imports, samples and reserved names follow from these two.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from runtime.services import expressions
from scaffold.expressions.code import Code, ExpressionError, Type, method, name_node
from scaffold.names import closest

Arguments = Sequence[Code]

RUNTIME: dict[str, Callable[..., Any]] = {
    name: value
    for name, value in vars(expressions).items()
    if isinstance(value, FunctionType)
    and value.__module__ == expressions.__name__
    and not name.startswith("_")
}
"""The functions of the runtime that generated code calls, by name."""

# the sum of two times; Python's dates end there
_TIME_BITS = 65
_UNITS = ("characters", "bytes")


@dataclass(frozen=True)
class Function:
    """A function of the expression language.

    Attributes:
        signature: its call, for messages and docs.
        least: the smallest number of arguments.
        most: the largest number of arguments.
        build: makes the code of a call.
        meaning: its value, for the docs.
    """

    signature: str
    least: int
    most: int
    build: Callable[[Arguments], Code]
    meaning: str


def call(name: str, arguments: Arguments) -> Code:
    """The code of a call.

    Raises:
        ExpressionError: the function is unknown or takes other arguments.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise ExpressionError(
            f"unknown function {name!r}", listed(), closest(name, FUNCTIONS)
        )
    if not function.least <= len(arguments) <= function.most:
        raise ExpressionError(
            f"{name}() is called with {len(arguments)} arguments; "
            f"write {function.signature}"
        )
    return function.build(arguments)


def listed() -> str:
    """The names of all functions."""
    return ", ".join(sorted(FUNCTIONS))


def either(parts: Sequence[Code], operator: ast.boolop) -> Code:
    """`a or b`, `a and b`: of one type where both are."""
    if len({part.type for part in parts}) > 1:
        parts = [part.revealed() for part in parts]
    types = {part.type for part in parts}
    type_ = parts[0].type if len(types) == 1 else Type.ANY
    made = ast.BoolOp(operator, [part.node for part in parts])
    return Code(made, type_, items=parts[0].items).using(*parts)


_OPPOSITE: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.In: ast.NotIn(),
    ast.NotIn: ast.In(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
    ast.Lt: ast.GtE(),
    ast.LtE: ast.Gt(),
    ast.Gt: ast.LtE(),
    ast.GtE: ast.Lt(),
}


def negated(node: ast.expr) -> ast.expr:
    """The opposite of a condition, as a person would write it."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Compare(left=left, ops=[operator], comparators=right):
            return ast.Compare(left, [_OPPOSITE[type(operator)]], right)
        case ast.BoolOp(op=operator, values=values):
            other = ast.And() if isinstance(operator, ast.Or) else ast.Or()
            return ast.BoolOp(other, [negated(each) for each in values])
    return ast.UnaryOp(ast.Not(), node)


def is_truth(node: ast.expr) -> bool:
    """True if the value of an expression is certainly True or False."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp(values=values):
            return all(map(is_truth, values))
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in ("startswith", "endswith")
        case ast.Call(func=ast.Name(id=name)):
            return name == "matches"
    return False


def get(arguments: Arguments) -> Code:
    """`get(map, key, default)`: the value under a key, or the default."""
    holder, key = arguments[0], _text(arguments[1])
    default = arguments[2].revealed() if len(arguments) == 3 else None
    type_ = default.type if default else Type.STR
    if holder.type is Type.MAP:
        fallback = default or Code(ast.Constant(""), Type.STR)
        made = method(holder.node, "get", key.node, fallback.node)
        return Code(made, Type.STR if type_ is Type.STR else Type.ANY).using(
            holder, key, fallback
        )
    if holder.type not in (Type.ANY, Type.FIELDS):
        raise ExpressionError(f"get() takes a map, not {holder.type.noun}")
    nodes = [holder.node, key.node, *([default.node] if default else [])]
    return _run("get", nodes, Type.ANY).using(
        holder, key, *([default] if default else [])
    )


def _run(name: str, nodes: Sequence[ast.expr], type_: Type) -> Code:
    """A call of a function of the runtime."""
    return Code(ast.Call(name_node(name), list(nodes), []), type_)


def _text(code: Code) -> Code:
    """A value as a string."""
    return code.as_text()


def _of_text(name: str) -> Callable[[Arguments], Code]:
    """A function of the runtime from strings to a string."""

    def build(arguments: Arguments) -> Code:
        texts = [_text(each) for each in arguments]
        made = _run(name, [each.node for each in texts], Type.STR).using(*texts)
        return made.times(2)  # escapes make strings longer

    return build


def _method(name: str, type_: Type = Type.STR) -> Callable[[Arguments], Code]:
    """A method of strings."""

    def build(arguments: Arguments) -> Code:
        first, *rest = (_text(each) for each in arguments)
        made = method(first.node, name, *(each.node for each in rest))
        return Code(made, type_).using(first, *rest)

    return build


def _replace(arguments: Arguments) -> Code:
    new = arguments[2]
    return _method("replace")(arguments).times(new.weight)


def _json(arguments: Arguments) -> Code:
    value = arguments[0].revealed()
    # each quote and backslash gets another backslash
    return _run("dumps", [value.node], Type.STR).using(value).times(2)


def _time(name: str, type_: Type) -> Callable[[Arguments], Code]:
    shown = "duration" if name == "go_duration" else name

    def build(arguments: Arguments) -> Code:
        time, *rest = arguments
        if time.type not in (Type.TIME, Type.DURATION, Type.INT):
            raise ExpressionError(
                f"{shown}() takes a time or a duration, not {time.type.noun}",
                "event.time, event.duration, a duration of [config] or [option]",
            )
        if name == "rfc3339" and time.bits > _TIME_BITS:
            raise ExpressionError(f"{shown}() takes a time; this number can exceed it")
        _whole(shown, rest)
        nodes = [each.node for each in arguments]
        return _run(name, nodes, type_).using(*arguments)

    return build


def _whole(name: str, codes: Arguments) -> None:
    """Refuse other values than integers."""
    for code in codes:
        if code.type is not Type.INT:
            raise ExpressionError(f"{name}() takes an integer, not {code.type.noun}")


def _truncate(arguments: Arguments) -> Code:
    text, length, *rest = arguments
    text = _text(text)
    _whole("truncate", [length])
    match length.node:
        case ast.Constant() if not rest:
            made = ast.Subscript(text.node, ast.Slice(None, length.node, None))
            return Code(made, Type.STR).using(text, length)
    ends = [_text(each) for each in rest]
    for unit in ends[1:]:
        if not isinstance(unit.node, ast.Constant) or unit.node.value not in _UNITS:
            raise ExpressionError(
                "the last argument of truncate() is the unit of its length",
                " or ".join(map(repr, _UNITS)),
            )
    nodes = [text.node, length.node, *(each.node for each in ends)]
    return _run("truncated", nodes, Type.STR).using(text, length, *ends)


def _integer(arguments: Arguments) -> Code:
    [value] = arguments
    value = value.revealed()
    if value.type in (Type.LIST, Type.VALUES, Type.MAP, Type.FIELDS):
        raise ExpressionError(
            f"int() takes a number or a string, not {value.type.noun}"
        )
    return _run("integer", [value.node], Type.INT).using(value)


def _items(name: str, value: Code) -> Code:
    """A list as an argument; of a value of any type, its items."""
    if value.type is Type.ANY:
        return _run("items_of", [value.node], Type.VALUES).using(value)
    if value.type not in (Type.LIST, Type.VALUES):
        raise ExpressionError(f"{name}() takes a list, not {value.type.noun}")
    return value


def _first(arguments: Arguments) -> Code:
    items = _items("first", arguments[0])
    type_ = Type.STR if items.type is Type.LIST else Type.ANY
    return _run("first", [items.node], type_).using(items)


def _nonempty(arguments: Arguments) -> Code:
    items = _items("nonempty", arguments[0])
    return _run("nonempty", [items.node], items.type).using(items)


def _address_error(arguments: Arguments) -> Code:
    [value] = arguments
    if value.type is not Type.LIST:
        value = _text(value)
    return _run("address_error", [value.node], Type.STR).using(value).times(5)


def _join(arguments: Arguments) -> Code:
    items, between = arguments[0], _text(arguments[1])
    if items.type not in (Type.LIST, Type.VALUES, Type.ANY):
        raise ExpressionError(f"join() takes a list, not {items.type.noun}")
    if items.type is Type.LIST:
        made = Code(method(between.node, "join", items.node), Type.STR)
    else:  # its items may be anything
        made = _run("joined", [items.node, between.node], Type.STR)
    return made.using(items, between).times(between.weight)


def _length(arguments: Arguments) -> Code:
    value = arguments[0]
    if value.type not in (Type.RECORDS, Type.TEMPLATES):
        value = value.revealed()
    if value.type is Type.ANY:
        return _run("length", [value.node], Type.INT).using(value)
    if value.type in (Type.INT, Type.FLOAT, Type.BOOL, Type.TIME, Type.DURATION):
        raise ExpressionError(
            f"len() takes a string, a list or a map, not {value.type.noun}; "
            "len(text(…)) takes any value"
        )
    made = ast.Call(name_node("len"), [value.node], [])
    return Code(made, Type.INT).using(value)


def _matches(arguments: Arguments) -> Code:
    text, pattern = _text(arguments[0]), arguments[1]
    match pattern.node:
        case ast.Constant(value=str() as regex):
            # only for specs that use it: RE2 takes time to load
            from runtime.golang import regex as re2

            try:
                re2.compile(regex)
            except ValueError as error:
                problem = str(error).partition(": ")[2]
                raise ExpressionError(
                    f"{regex!r} is not an RE2 regular expression: {problem} "
                    "(RE2 has no look-around and no back-references)"
                ) from None
        case _:
            raise ExpressionError(
                "matches() takes a regular expression in quotes, not an expression"
            )
    nodes = [text.node, pattern.node]
    return _run("matches", nodes, Type.BOOL).using(text, pattern)


FUNCTIONS: dict[str, Function] = {
    "address_error": Function(
        "address_error(value)",
        1,
        1,
        _address_error,
        "First string of a list that is not an email address, quoted, with the reason: "
        '`"x", mail: missing \'@\' or angle-addr`; `""` if all are. Of a string, the same, '
        'but `""` may be empty.',
    ),
    "b64": Function("b64(text)", 1, 1, _of_text("b64"), "Base64 of a string."),
    "b64url": Function(
        "b64url(text)", 1, 1, _of_text("b64url"), "Base64 for URLs, without padding."
    ),
    "b64url_padded": Function(
        "b64url_padded(text)",
        1,
        1,
        _of_text("b64url_padded"),
        "Base64 for URLs, with padding.",
    ),
    "duration": Function(
        "duration(d)",
        1,
        1,
        _time("go_duration", Type.STR),
        "A duration as Go prints it: `1m30s`.",
    ),
    "endswith": Function(
        "endswith(text, end)",
        2,
        2,
        _method("endswith", Type.BOOL),
        "True if a string ends with another.",
    ),
    "first": Function(
        "first(list)", 1, 1, _first, 'First item of a list; `""` if there is none.'
    ),
    "fnv1a": Function(
        "fnv1a(text)",
        1,
        1,
        _of_text("fnv1a"),
        "64-bit FNV-1a of a string, as 16 hexadecimal digits.",
    ),
    "get": Function(
        "get(map, key[, default])", 2, 3, get, "Value of a key, or the default."
    ),
    "hmac_sha256": Function(
        "hmac_sha256(key, text)",
        2,
        2,
        _of_text("hmac_sha256"),
        "HMAC-SHA256 of a string, in Base64.",
    ),
    "hmac_sha256_hex": Function(
        "hmac_sha256_hex(key, text)",
        2,
        2,
        _of_text("hmac_sha256_hex"),
        "HMAC-SHA256 of a string, in hexadecimal.",
    ),
    "html": Function(
        "html(text)", 1, 1, _of_text("html"), "A string escaped for HTML."
    ),
    "int": Function(
        "int(value)",
        1,
        1,
        _integer,
        "A number, or a string with a decimal number, without decimals; 0 for anything "
        "else, or beyond 64 bits.",
    ),
    "join": Function("join(list, between)", 2, 2, _join, "Items of a list, joined."),
    "json": Function("json(value)", 1, 1, _json, "A value as JSON."),
    "len": Function("len(value)", 1, 1, _length, "Number of items or characters."),
    "lower": Function("lower(text)", 1, 1, _method("lower"), "A string in lower case."),
    "matches": Function(
        "matches(text, regex)",
        2,
        2,
        _matches,
        "True if a string contains a match of a regular expression.",
    ),
    "md5": Function(
        "md5(text)", 1, 1, _of_text("md5"), "MD5 of a string, in hexadecimal."
    ),
    "nonempty": Function(
        "nonempty(list)", 1, 1, _nonempty, "Items of a list that are not empty."
    ),
    "pick": Function(
        "pick(a, b, …)",
        2,
        9,
        lambda arguments: either(arguments, ast.Or()),
        "First argument that is not empty.",
    ),
    "quote": Function(
        "quote(text)", 1, 1, _of_text("quote"), "A string escaped for a part of a URL."
    ),
    "replace": Function(
        "replace(text, old, new)", 3, 3, _replace, "A string with each `old` replaced."
    ),
    "rfc3339": Function(
        "rfc3339(time[, digits])",
        1,
        2,
        _time("rfc3339", Type.STR),
        "A time as `2017-07-14T02:40:00Z`, with this many decimals.",
    ),
    "seconds": Function(
        "seconds(d)", 1, 1, _time("seconds", Type.FLOAT), "A duration in seconds."
    ),
    "sha256": Function(
        "sha256(text)", 1, 1, _of_text("sha256"), "SHA-256 of a string, in Base64."
    ),
    "sha256_hex": Function(
        "sha256_hex(text)",
        1,
        1,
        _of_text("sha256_hex"),
        "SHA-256 of a string, in hexadecimal.",
    ),
    "startswith": Function(
        "startswith(text, start)",
        2,
        2,
        _method("startswith", Type.BOOL),
        "True if a string starts with another.",
    ),
    "strip": Function(
        "strip(text)",
        1,
        1,
        _method("strip"),
        "A string without leading and trailing whitespace.",
    ),
    "text": Function(
        "text(value)",
        1,
        1,
        lambda arguments: _text(arguments[0]),
        "A value as Go prints it; a time as `rfc3339()` does.",
    ),
    "truncate": Function(
        "truncate(text, n[, end[, unit]])",
        2,
        4,
        _truncate,
        "A string of at most `n` characters; a longer one is cut, and ends with `end`, "
        "which counts. With the unit `'bytes'`, `n` bytes of UTF-8; no character is "
        "divided.",
    ),
    "unescape": Function(
        "unescape(text)",
        1,
        1,
        _of_text("unescape"),
        "A string with HTML's character references replaced: `&lt;` is `<`.",
    ),
    "unix": Function(
        "unix(time)", 1, 1, _time("unix", Type.INT), "A time in seconds since 1970."
    ),
    "unix_ms": Function(
        "unix_ms(time)",
        1,
        1,
        _time("unix_ms", Type.INT),
        "A time in milliseconds since 1970.",
    ),
    "upper": Function("upper(text)", 1, 1, _method("upper"), "A string in upper case."),
    "uuid": Function(
        "uuid(text)",
        1,
        1,
        _of_text("uuid"),
        "UUID (version 5, namespace URL) of a string, the same for the same string.",
    ),
}
