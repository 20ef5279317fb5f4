"""JSON as Go's decoder reads it: lenient about names, with Go's texts on failure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from runtime.golang.json_syntax import syntax_error
from runtime.golang.utf8 import decoded, scrub

# Deeper than any real document, and shallow enough for recursive functions in Python.
_MAX_DEPTH = 100
_TOO_DEEP = "exceeded max depth"
# Far more than the largest task has. The parser, which is written in C, blocks all
# threads; it takes a few milliseconds for these numbers of values.
_MAX_CONTAINERS = 50_000
_MAX_COMMAS = 100_000
_TOO_MANY = "too many values"
# also a string without an end, so that the search never backtracks
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)

Reader = Callable[[Any, str, Any], Any]
"""Takes a raw value, its name in messages and the value so far; returns the new value."""


class JsonError(ValueError):
    """The text is not JSON, or not of the expected shape; the message is Go's."""


class JsonTypeError(JsonError):
    """A value has the wrong type; the first such error is reported after all values."""


class Pairs(list[tuple[str, Any]]):
    """The keys and values of an object, in order and with duplicates."""

    __slots__ = ()


class ParsedBody(bytes):
    """A body whose first value has been parsed.

    Attributes:
        value: the value.
        error: the error if the body has no valid value, or None.
    """

    value: Any = None
    error: JsonError | None = None

    @classmethod
    def of(cls, body: bytes) -> ParsedBody:
        """Parse `body`, on any thread; long bodies take a while."""
        parsed = cls(body)
        try:
            parsed.value = first_value(body)
        except JsonError as error:
            parsed.error = error
        return parsed


def first_value(body: bytes) -> Any:
    """The first JSON value of `body`, objects as `Pairs`; the rest is ignored.

    Raises:
        JsonError: the body has no valid JSON value.

    Source: Go encoding/json, Decoder.Decode.
    """
    if isinstance(body, ParsedBody):
        if body.error is not None:
            raise body.error
        return body.value
    text = decoded(body).lstrip(" \t\r\n")
    containers, commas = _counts(text)
    if containers > _MAX_CONTAINERS or commas > _MAX_COMMAS:
        # brackets and commas may be part of a script in a string
        containers, commas = _counts(_STRING.sub("", text))
        if containers > _MAX_CONTAINERS or commas > _MAX_COMMAS:
            raise JsonError(_TOO_MANY)
    try:
        value, _ = _DECODER.raw_decode(text)
    except RecursionError:
        raise JsonError(_TOO_DEEP) from None
    except ValueError:
        raise JsonError(syntax_error(text)) from None
    if containers > _MAX_DEPTH and _is_deep(value):
        raise JsonError(_TOO_DEEP)
    # a lone surrogate can occur only as an escape
    return _cleaned(value) if "\\u" in text else value


def _counts(text: str) -> tuple[int, int]:
    """The numbers of opening brackets and of commas."""
    return text.count("[") + text.count("{"), text.count(",")


def decode(body: bytes, reader: Reader, default: Any = None) -> Any:
    """The first value of `body` as read by `reader`, over `default`.

    Raises:
        JsonError: the body is not JSON or has another shape.
    """
    value = first_value(body)
    return default if value is None else reader(value, "", default)


def plain(value: Any) -> Any:
    """A raw value with dictionaries instead of `Pairs`; the last duplicate wins.

    Numbers are floats, as Go has them in untyped values.
    """
    return _data(value, float)


def anything(value: Any, name: str, before: Any) -> Any:
    """Reads any value; objects merge into earlier ones, and integers stay integers."""
    if isinstance(value, Pairs) and isinstance(before, dict):
        return before | _data(value, int)
    return _data(value, int)


def _data(value: Any, number: type[float]) -> Any:
    if isinstance(value, Pairs):
        return {key: _data(each, number) for key, each in value}
    if isinstance(value, list):
        return [_data(each, number) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    return value


def string(value: Any, name: str, before: Any) -> str:
    """Reads a string."""
    if isinstance(value, str):
        return value
    raise mismatch(value, name, "string")


def one_of(words: Collection[str], what: str) -> Reader:
    """Reads one of some words; `what` is their type in the error of another one."""

    def read(value: Any, name: str, before: Any) -> str:
        word = string(value, name, before)
        if word not in words:
            raise JsonError(f"unknown {what} {word}")
        return word

    return read


def boolean(value: Any, name: str, before: Any) -> bool:
    """Reads a boolean."""
    if isinstance(value, bool):
        return value
    raise mismatch(value, name, "bool")


def integer(go_type: str = "int") -> Reader:
    """Reads an integer."""

    def read(value: Any, name: str, before: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float):
            raise mismatch(value, name, go_type, f"number {value!r}")
        raise mismatch(value, name, go_type)

    return read


def floating(value: Any, name: str, before: Any) -> float:
    """Reads a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise mismatch(value, name, "float64")


def sequence(item: Reader, go_type: str) -> Reader:
    """Reads a list; null items become the empty value of `item`."""

    def read(value: Any, name: str, before: Any) -> list[Any]:
        if isinstance(value, Pairs) or not isinstance(value, list):
            raise mismatch(value, name, go_type)
        return [None if each is None else item(each, name, None) for each in value]

    return read


def mapping(item: Reader, go_type: str) -> Reader:
    """Reads an object of any keys; a second object merges into the first."""

    def read(value: Any, name: str, before: Any) -> dict[str, Any]:
        if not isinstance(value, Pairs):
            raise mismatch(value, name, go_type)
        found = dict(before or {})
        for key, each in value:
            found[key] = None if each is None else item(each, name, None)
        return found

    return read


def struct(go_type: str, fields: Mapping[str, Reader]) -> Reader:
    """Reads an object of known keys into a dictionary; unknown ones are ignored.

    Keys match exactly or regardless of case; null leaves the old value. The first value
    of a wrong type is reported after all have been read; a string outside an
    enumeration is reported at once.

    Args:
        go_type: Go's name of the type, `config.updateAction`.
        fields: reader by key.
    """
    short = go_type.rpartition(".")[2]
    folded: dict[str, str] = {key.lower(): key for key in reversed(list(fields))}

    def read(value: Any, name: str, before: Any) -> dict[str, Any]:
        if not isinstance(value, Pairs):
            raise mismatch(value, name, go_type)
        found = dict(before or {})
        first: JsonTypeError | None = None
        for key, each in value:
            known = key if key in fields else folded.get(key.lower())
            if known is None or each is None:
                continue
            try:
                path = f"{name}.{known}" if name else f"{short}.{known}"
                found[known] = fields[known](each, path, found.get(known))
            except JsonTypeError as error:
                first = first or error
        if first is not None:
            raise first
        return found

    return read


def mismatch(
    value: Any, name: str, go_type: str, found: str | None = None
) -> JsonTypeError:
    """The error for a value of the wrong type.

    Source: Go encoding/json, UnmarshalTypeError.
    """
    where = f"struct field {name}" if name else "value"
    return JsonTypeError(
        f"json: cannot unmarshal {found or _kind(value)} "
        f"into Go {where} of type {go_type}"
    )


def _kind(value: Any) -> str:
    if isinstance(value, Pairs):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "number"


def _is_deep(value: Any) -> bool:
    level = [value] if isinstance(value, list) else []
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for each in level
            for inner in _inside(each)
            if isinstance(inner, list)
        ]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    return (inner for _, inner in value) if isinstance(value, Pairs) else value


def _cleaned(value: Any) -> Any:
    """`value` with U+FFFD for each lone surrogate."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Pairs):
        return Pairs([(scrub(key), _cleaned(each)) for key, each in value])
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not valid JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=Pairs, parse_constant=_refuse)
