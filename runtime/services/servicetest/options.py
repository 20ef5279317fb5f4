"""The options of a service test, read from and written to JSON."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from runtime.alert.templates import Template
from runtime.alert.types import Level
from runtime.errors import ConfigError
from runtime.golang.json_decode import (
    JsonError,
    Pairs,
    Reader,
    anything,
    boolean,
    decode,
    first_value,
    floating,
    integer,
    mapping,
    mismatch,
    sequence,
    string,
    struct,
)
from runtime.golang.printing import text
from runtime.golang.templates import TemplateError
from runtime.secrets import Secret
from runtime.secrets.names import HIDDEN, is_placeholder
from runtime.secrets.texts import written
from runtime.secrets.urls import hidden_url, is_url_name
from runtime.settings import is_required, key_of
from runtime.units import Duration

T = TypeVar("T")


def shown(options: Any) -> dict[str, Any]:
    """Test options as JSON, in the order of their declaration."""
    return {
        key_of(field): _shown(field.name, getattr(options, field.name))
        for field in dataclasses.fields(options)
    }


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, Secret):
        return HIDDEN if value else ""
    if isinstance(value, Template):
        value = value.source
    if isinstance(value, str) and is_url_name(name):
        return hidden_url(value)
    if isinstance(value, Level):
        return str(value)
    if dataclasses.is_dataclass(value):
        return shown(value)
    if isinstance(value, tuple | list):
        return [_shown(name, each) for each in value] or None
    if isinstance(value, Mapping):
        return {key: _shown(key, each) for key, each in sorted(value.items())} or None
    return value


def merged(body: bytes, defaults: T, type_name: str) -> T:
    """`defaults`, a dataclass, with the options in `body`.

    Args:
        body: JSON.
        defaults: current test options of the service.
        type_name: name of the options in error texts: `foo.testOptions`.

    Raises:
        JsonError: the body is not JSON, or an option has the wrong type.
    """
    found = decode(body, _reader(type(defaults), type_name), {})
    return typing.cast(T, _replaced(defaults, found))


def ignored(body: bytes, options: Any) -> list[str]:
    """The keys of a body that are not options, sorted; names match as in Go.

    Args:
        body: JSON that `merged` has accepted.
        options: a dataclass of the service's test options.
    """
    return sorted(set(_unknown(first_value(body), options, "")))


def _unknown(value: Any, options: Any, prefix: str) -> Iterator[str]:
    known = {key_of(field).casefold(): field for field in dataclasses.fields(options)}
    for key, inner in value if isinstance(value, Pairs) else ():
        field = known.get(key.casefold())
        if field is None:
            yield prefix + key
        elif dataclasses.is_dataclass(nested := getattr(options, field.name)):
            yield from _unknown(inner, nested, f"{prefix}{key}.")


def _replaced(onto: Any, found: Mapping[str, Any]) -> Any:
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(onto):
        if key_of(field) not in found:
            continue
        before, value = getattr(onto, field.name), found[key_of(field)]
        if dataclasses.is_dataclass(before):
            changes[field.name] = _replaced(before, value)
        elif isinstance(before, Secret):
            changes[field.name] = before if is_placeholder(value) else _secret(value)
        elif value == _shown(field.name, before):
            # a redacted URL that is sent back means that the URL is unchanged
            changes[field.name] = before
        elif isinstance(before, Duration):
            changes[field.name] = Duration(value)
        elif isinstance(before, tuple):
            changes[field.name] = tuple(value)
        else:
            changes[field.name] = value
    return dataclasses.replace(onto, **changes)


def _secret(text: str) -> Secret:
    try:
        return written(text)
    except ConfigError as error:
        raise JsonError(str(error)) from None


def _reader(options: type[Any], type_name: str) -> Reader:
    hints = typing.get_type_hints(options)
    fields = {
        key_of(field): _field_reader(hints[field.name], type_name)
        for field in dataclasses.fields(options)
    }
    return struct(type_name, fields)


def _field_reader(hint: Any, type_name: str) -> Reader:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and dataclasses.is_dataclass(arguments[0]):
        record = typing.cast(type[Any], arguments[0])
        return sequence(_record_reader(record, type_name), f"[]{record.__name__}")
    if origin is tuple:
        return sequence(_field_reader(arguments[0], type_name), "[]string")
    if origin is not None and issubclass(origin, Mapping):
        is_template = arguments[1] is Template
        inner = _printed if is_template else _field_reader(arguments[1], type_name)
        return mapping(inner, "map[string]string")
    if dataclasses.is_dataclass(hint):
        package = type_name.partition(".")[0]
        return _reader(
            typing.cast(type[Any], hint),
            f"{package}.{typing.cast(type[Any], hint).__name__}",
        )
    return _SCALARS[hint]


def _record_reader(record: type[Any], type_name: str) -> Reader:
    """Reads an object as a new value of a dataclass."""
    read_fields = _reader(record, f"{type_name.partition('.')[0]}.{record.__name__}")

    def read(value: Any, name: str, before: Any) -> Any:
        found = read_fields(value, name, None)
        for field in dataclasses.fields(record):
            if is_required(field) and key_of(field) not in found:
                raise JsonError(f"json: {name} lacks {key_of(field)}")
        names = {key_of(field): field.name for field in dataclasses.fields(record)}
        return record(**{names[key]: each for key, each in found.items()})

    return read


def _printed(value: Any, name: str, before: Any) -> Template:
    """Reads a template; values other than strings are printed."""
    return _template(text(anything(value, name, None)), name, before)


def _level(value: Any, name: str, before: Any) -> Level:
    if not isinstance(value, str):
        raise mismatch(value, name, "alert.Level")
    try:
        return level(value)
    except ValueError as error:
        raise JsonError(str(error)) from None


def level(text: str) -> Level:
    """The level named by a string in upper case, possibly abbreviated; "" is OK.

    Kapacitor searches for the text in the concatenated names of the levels, at the
    start of a level. So `C`, `CRIT` and even `OKINFO` are levels, but `ING` is not.
    `RECOVERY`, from Opsgenie's tests, is OK.

    Raises:
        ValueError: the string names no level.

    Source: Kapacitor alert/types.go, Level.UnmarshalText.
    """
    if text == "RECOVERY":
        return Level.OK
    run_on = "".join(map(str, Level))
    start = 0
    for each in Level:
        if run_on.startswith(text, start):
            return each
        start += len(str(each))
    raise ValueError(f"unknown alert level '{text}'")


def _template(value: Any, name: str, before: Any) -> Template:
    try:
        return Template(string(value, name, before), name=name.rpartition(".")[2])
    except TemplateError as error:
        raise JsonError(str(error)) from None


_SCALARS: dict[Any, Callable[[Any, str, Any], Any]] = {
    object: anything,
    Template: _template,
    str: string,
    Secret: string,
    bool: boolean,
    int: integer(),
    float: floating,
    Duration: integer("time.Duration"),
    Level: _level,
}
