"""The functions every template may call.

Source: Go text/template/funcs.go.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from runtime.golang import json
from runtime.golang.printing import WidthError, sprint, sprintf, sprintln
from runtime.golang.templates.escaping import html, js_text
from runtime.golang.utf8 import decoded
from runtime.golang.values import Int, StringMap, Struct, Time, type_name
from runtime.units import Duration, rfc3339


class CallError(ValueError):
    """A function refuses its arguments; the text is Go's."""


class Function(NamedTuple):
    """A callable with the number of its arguments: at least `least`, at most `most`."""

    call: Callable[..., object]
    least: int
    most: int | None = None


class JavaScript(str):
    """Text that is a JavaScript value already."""

    __slots__ = ()


def true(value: object) -> bool:
    """True if Go's `if` accepts the value: it is not false, 0, nil or empty."""
    return isinstance(value, Struct | Time) or bool(value)


def compare(left: object, right: object) -> int:
    """-1, 0 or 1 for two ordered values of one basic kind.

    Raises:
        CallError: their kinds differ or have no order.
    """
    kinds = {_kind(left), _kind(right)}
    if not kinds <= {"bool", "int", "float", "string"}:
        raise CallError("invalid type for comparison")
    if len(kinds) > 1:
        raise _incompatible(left, right)
    if kinds == {"bool"}:
        raise CallError("invalid type for comparison")
    a, b = cast("float", left), cast("float", right)
    return (a > b) - (a < b)


def equal(first: object, *others: object) -> bool:
    """True if `first` equals any of the others.

    Raises:
        CallError: the values are of different kinds, or cannot be compared.
    """
    if not others:
        raise CallError("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    if _basic(left) != _basic(right):
        raise _incompatible(left, right)
    for value in (left, right):
        if isinstance(value, Mapping | list | tuple):
            raise CallError("non-comparable type " + _shown(value))
    if isinstance(left, Struct) and isinstance(right, Struct):
        return left.fields == right.fields
    return left == right


def _incompatible(left: object, right: object) -> CallError:
    names = f"{type_name(left)} and {type_name(right)}"
    return CallError(f"incompatible types for comparison: {names}")


def _basic(value: object) -> str:
    """Go's basic kind of a value; "" for structs, maps and slices."""
    kind = _kind(value)
    return kind if kind in ("bool", "int", "float", "string") else ""


def _shown(value: object) -> str:
    return f"{sprint(value)}: {type_name(value)}"


def _kind(value: object) -> str:
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return type_name(value)


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (Time, "time"),
    (int, "int"),
    (float, "float"),
    (str, "string"),
)


def _index(value: object, *indexes: object) -> object:
    for index in indexes:
        value = _element(value, index)
    return value


def _element(value: object, index: object) -> object:
    if value is None:
        raise CallError("index of untyped nil")
    if isinstance(value, Mapping):
        if not isinstance(index, str):
            raise CallError(
                "value is nil; should be of type string"
                if index is None
                else f"value has type {type_name(index)}; should be string"
            )
        return value.get(index, "" if isinstance(value, StringMap) else None)
    if isinstance(value, str | Sequence):
        at = _position(index, len(_sized(value)), "index")
        return _sized(value)[at]
    raise CallError(f"can't index item of type {type_name(value)}")


def _sized(value: object) -> Sequence[object]:
    """A list, or the bytes of a string."""
    if isinstance(value, str):
        return list(value.encode())
    return cast("Sequence[object]", value)


def _position(index: object, size: int, what: str, *, most: int = -1) -> int:
    if isinstance(index, bool) or not isinstance(index, int):
        if index is None:
            raise CallError(f"cannot {what} slice/array with nil")
        raise CallError(f"cannot {what} slice/array with type {type_name(index)}")
    if not 0 <= index <= size + most:
        raise CallError(f"index out of range: {int(index)}")
    return int(index)


def _slice(value: object, *bounds: object) -> object:
    if value is None:
        raise CallError("slice of untyped nil")
    if len(bounds) > 3:
        raise CallError(f"too many slice indexes: {len(bounds)}")
    if not isinstance(value, str | Sequence):
        raise CallError(f"can't slice item of type {type_name(value)}")
    if isinstance(value, str) and len(bounds) == 3:
        raise CallError("cannot 3-index slice a string")
    items = value.encode() if isinstance(value, str) else value
    at = [_position(bound, len(items), "index", most=0) for bound in bounds]
    low = at[0] if at else 0
    high = at[1] if len(at) > 1 else len(items)
    if low > high:
        raise CallError(f"invalid slice index: {low} > {high}")
    part = items[low:high]
    return decoded(part) if isinstance(part, bytes) else part


def _len(value: object) -> Int:
    if value is None:
        raise CallError("len of nil pointer")
    if isinstance(value, str):
        return Int(len(value.encode()))
    if isinstance(value, Mapping | Sequence):
        return Int(len(value))
    raise CallError(f"len of type {type_name(value)}")


def _joined(*values: object) -> str:
    """The arguments of an escaper as one string."""
    return sprint(*("<no value>" if value is None else value for value in values))


def _printf(layout: str, *values: object) -> str:
    try:
        return sprintf(layout, *values)
    except WidthError as error:
        raise CallError(str(error)) from error


def _call(callee: str, value: object, *_arguments: object) -> object:
    # no value of a template is a function, so `call` always fails
    if value is None:
        raise CallError("call of nil")
    shown = callee or sprint(value)
    raise CallError(f"non-function {shown} of type {type_name(value)}")


def _not_equal(left: object, right: object) -> bool:
    return not equal(left, right)


BUILTINS: Mapping[str, Function] = {
    # `and` and `or` are evaluated lazily by the executor; these are their fallbacks
    "and": Function(
        lambda *values: next((v for v in values if not true(v)), values[-1]), 1
    ),
    "or": Function(lambda *values: next((v for v in values if true(v)), values[-1]), 1),
    "not": Function(lambda value: not true(value), 1, 1),
    "call": Function(_call, 1),
    "eq": Function(equal, 1),
    "ne": Function(_not_equal, 2, 2),
    "lt": Function(lambda a, b: compare(a, b) < 0, 2, 2),
    "le": Function(lambda a, b: compare(a, b) <= 0, 2, 2),
    "gt": Function(lambda a, b: compare(a, b) > 0, 2, 2),
    "ge": Function(lambda a, b: compare(a, b) >= 0, 2, 2),
    "index": Function(_index, 1),
    "slice": Function(_slice, 1),
    "len": Function(_len, 1, 1),
    "html": Function(lambda *values: html(_joined(*values), plus=False), 0),
    "js": Function(lambda *values: js_text(_joined(*values)), 0),
    "urlquery": Function(lambda *values: urllib.parse.quote_plus(_joined(*values)), 0),
    "print": Function(sprint, 0),
    "printf": Function(_printf, 1),
    "println": Function(sprintln, 0),
}


def to_json(value: object, *, newline: bool) -> JavaScript:
    """The value as JSON.

    Source: Kapacitor's `json` and `jsonCompact` template functions, which return "" for a value that JSON cannot represent.
    """
    return JavaScript(json.dumps(_jsonable(value), newline=newline))


def _jsonable(value: object) -> object:
    if isinstance(value, Time):
        return rfc3339(value)
    if isinstance(value, Duration):
        return int(value)
    if isinstance(value, Struct):
        return {name: _jsonable(each) for name, each in value.fields.items()}
    if isinstance(value, Mapping):
        return {key: _jsonable(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_jsonable(each) for each in value]
    return value
