"""Decodes the options of a handler onto its default configuration, strictly.

Source: mapstructure 1.5.0 with ErrorUnused, as Kapacitor uses it; its error texts.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from runtime.alert.templates import Template
from runtime.alert.types import Level
from runtime.errors import ConfigError, OptionsError
from runtime.golang.printing import sprint
from runtime.golang.templates import TemplateError
from runtime.secrets import NO_SECRET, Secret
from runtime.secrets.mappings import hidden
from runtime.secrets.names import HIDDEN, is_secret_name
from runtime.secrets.references import read, reference
from runtime.secrets.texts import shown, written
from runtime.secrets.urls import is_url_name
from runtime.settings import FormerName, former_names, is_required, key_of
from runtime.units import Duration

# longest part of a wrong value that an error shows
_SHOWN_CHARACTERS = 200

T = TypeVar("T")
Options = Mapping[str, Any]


class FileMode(int):
    """The permissions of a file, as `0o600`."""

    __slots__ = ()


_GO_NAMES: dict[type, str] = {
    str: "string",
    Secret: "string",
    Template: "string",
    bool: "bool",
    int: "int",
    float: "float64",
    Duration: "time.Duration",
    FileMode: "fs.FileMode",
    Level: "alert.Level",
}


def decode(options: Options | None, onto: T, *, type_name: str) -> T:
    """`onto`, a frozen dataclass, with the values of `options` over its own.

    Keys are the fields' outside names or former names, in any case. A null keeps the
    field's value. Values are not converted, except that numbers are truncated where
    integers are wanted.

    Args:
        options: options of a handler, decoded from JSON.
        onto: the handler's default configuration.
        type_name: type name in error texts: `*foo.HandlerConfig`.

    Raises:
        OptionsError: keys are unknown, two keys name one option, or values have the
            wrong type. The text lists every problem.
    """
    problems: list[str] = []
    decoded = _structure("", options or {}, onto, problems)
    _check(problems, type_name)
    return typing.cast(T, decoded)


def decode_record(options: Options, wanted: type[T], *, type_name: str) -> T:
    """A value of `wanted`, a dataclass whose fields without default are required.

    Raises:
        OptionsError: as `decode`.
    """
    problems: list[str] = []
    decoded = _record("", options, wanted, problems)
    _check(problems, type_name)
    return typing.cast(T, decoded)


def validate(options: object) -> None:
    """Check the requirements of options beyond their types; most options have none.

    Raises:
        OptionsError: a requirement is not met.
    """
    # a runtime-checkable protocol would cache its answer for the class
    check = getattr(options, "validate", None)
    if check is not None:
        check()


def _check(problems: list[str], type_name: str) -> None:
    if problems:
        lines = "\n".join(f"* {problem}" for problem in sorted(problems))
        raise OptionsError(
            f"failed to decode options into {type_name}: "
            f"{len(problems)} error(s) decoding:\n\n{lines}"
        )


class _MismatchError(Exception):
    """A value is of another type than the option."""


def _structure(name: str, data: Any, onto: Any, problems: list[str]) -> Any:
    changes = _changes(name, data, type(onto), problems)
    return onto if problems else dataclasses.replace(onto, **changes)


def _record(name: str, data: Any, wanted: Any, problems: list[str]) -> Any:
    """A new value of a dataclass, whose fields without default are required."""
    found = _changes(name, data, wanted, problems)
    unset = [
        key_of(field)
        for field in dataclasses.fields(wanted)
        if is_required(field) and field.name not in found
    ]
    if unset and isinstance(data, Mapping):
        problems.append(f"'{name}' has unset fields: {', '.join(unset)}")
    return None if problems else wanted(**found)


def _changes(
    name: str, data: Any, wanted: type[Any], problems: list[str]
) -> dict[str, Any]:
    """The values in a map for the fields of a dataclass, by their Python names."""
    changes: dict[str, Any] = {}
    if not isinstance(data, Mapping):
        problems.append(f"'{name}' expected a map, got '{_kind(data)}'")
        return changes
    unused = set(data)
    for field, annotation in _fields(wanted):
        for option, key in _find_all(field, data):
            unused.discard(key)
            if data[key] is None:
                continue
            path = f"{name}.{option}" if name else option
            if field.name in changes:
                problem = FormerName(option, key_of(field)).conflict
                problems.append(f"'{name}': {problem}")
            changes[field.name] = _value(path, data[key], annotation, problems)
    if unused:
        keys = ", ".join(_short(key) for key in sorted(unused))
        problems.append(f"'{name}' has invalid keys: {keys}")
    return changes


def _find_all(
    field: dataclasses.Field[Any], data: Options
) -> Iterator[tuple[str, str]]:
    """The given names of an option, each with its key in the data."""
    for name in (key_of(field), *former_names(field)):
        key = _find(name, data)
        if key is not None:
            yield name, key


def _find(key: str, data: Options) -> str | None:
    if key in data:
        return key
    folded = key.casefold()
    return next((each for each in data if each.casefold() == folded), None)


def _fields(config: type[Any]) -> list[tuple[dataclasses.Field[Any], Any]]:
    hints = typing.get_type_hints(config)
    return [
        (field, _without_none(hints[field.name]))
        for field in dataclasses.fields(config)
        if field.init
    ]


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    [kept] = [each for each in typing.get_args(annotation) if each is not type(None)]
    return kept


def _value(name: str, data: Any, annotation: Any, problems: list[str]) -> Any:
    if annotation is object:
        return data
    origin = typing.get_origin(annotation)
    if origin in (tuple, list):
        return _sequence(name, data, annotation, problems)
    if origin in (dict, Mapping):
        return _mapping(name, data, annotation, problems)
    if dataclasses.is_dataclass(annotation):
        return _record(name, data, annotation, problems)
    if annotation is Level and isinstance(data, str):
        return _level(name, data, problems)
    if annotation is Secret and (isinstance(data, str) or reference(data)):
        return _secret(name, data, problems)
    if annotation is Template and isinstance(data, str):
        return _template(name, data, problems)
    try:
        return _scalar(data, annotation)
    except _MismatchError:
        value = HIDDEN if annotation is Secret else _shown(name, data)
        problems.append(
            f"'{name}' expected type '{_GO_NAMES[annotation]}', got unconvertible "
            f"type '{_go_type(data)}', value: '{value}'"
        )
        return None


def _template(name: str, source: str, problems: list[str]) -> Template | None:
    try:
        return Template(source, name=name.rpartition(".")[2])
    except TemplateError as error:
        problems.append(f"error decoding '{name}': {error}")
        return None


def _secret(name: str, data: Any, problems: list[str]) -> Secret:
    found = reference(data)
    try:
        return read(found) if found else written(data)
    except ConfigError as error:
        problems.append(f"error decoding '{name}': {error}")
        return NO_SECRET


def _shown(name: str, data: Any) -> str:
    """A wrong value, shortened and without secrets."""
    if is_url_name(name) or is_secret_name(name):
        return HIDDEN
    return _short(sprint(_as_json(_without_secrets(data))))


def _without_secrets(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _without_secrets(value) for key, value in hidden(data).items()}
    if isinstance(data, list | tuple):
        return [_without_secrets(each) for each in data]
    return shown(data) if isinstance(data, str) else data


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _level(name: str, text: str, problems: list[str]) -> Level:
    try:
        return Level.parse(text)
    except ValueError as error:
        problems.append(f"error decoding '{name}': {error}")
        return Level.OK


def _scalar(data: Any, wanted: type[Any]) -> Any:
    if issubclass(wanted, (str, Secret, Template)):
        # strings for secrets and templates have been handled already
        if isinstance(data, str):
            return wanted(data)
    elif wanted is bool:
        if isinstance(data, bool):
            return data
    elif (
        wanted is not Level
        and isinstance(data, (int, float))
        and not isinstance(data, bool)
    ):
        if issubclass(wanted, int) and not _fits(data, wanted):
            raise _MismatchError
        return wanted(data)
    raise _MismatchError


def _fits(number: float, wanted: type[int]) -> bool:
    """True if a number is in the range of Go's type for `wanted`."""
    if wanted is FileMode:
        return 0 <= number < 1 << 32
    return -(1 << 63) <= number < 1 << 63


def _sequence(name: str, data: Any, annotation: Any, problems: list[str]) -> Any:
    if isinstance(data, str) or not isinstance(data, Sequence):
        problems.append(
            f"'{name}': source data must be an array or slice, got {_kind(data)}"
        )
        return ()
    made: Any = typing.get_origin(annotation)
    inner = typing.get_args(annotation)[0]
    return made(
        _value(f"{name}[{index}]", item, inner, problems)
        for index, item in enumerate(data)
    )


def _mapping(name: str, data: Any, annotation: Any, problems: list[str]) -> Any:
    if not isinstance(data, Mapping):
        problems.append(f"'{name}' expected a map, got '{_kind(data)}'")
        return {}
    inner = typing.get_args(annotation)[1]
    if inner is Template:
        # templates may be of any type: values other than strings are printed
        data = {key: sprint(_as_json(value)) for key, value in data.items()}
    return {
        key: _value(f"{name}[{key}]", value, inner, problems)
        for key, value in data.items()
    }


def _go_type(data: Any) -> str:
    return {"map": "map[string]interface {}", "slice": "[]interface {}"}.get(
        _kind(data), _kind(data)
    )


def _kind(data: Any) -> str:
    match data:
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "float64"
        case Mapping():
            return "map"
        case Sequence():
            return "slice"
        case _:
            return "invalid"


def _as_json(data: Any) -> Any:
    """`data` with all numbers as doubles, as Go's JSON decoder reads them."""
    match data:
        case bool() | str():
            return data
        case int():
            return float(data)
        case Mapping():
            return {key: _as_json(value) for key, value in data.items()}
        case Sequence():
            return [_as_json(value) for value in data]
        case _:
            return data
