"""Option values from JSON, converted as Kapacitor's override API converts them."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from runtime.alert.templates import Template
from runtime.errors import ConfigError, OptionsError
from runtime.golang.durations import parse_go
from runtime.golang.printing import text
from runtime.golang.quoting import quote
from runtime.golang.templates import TemplateError
from runtime.secrets import Secret
from runtime.secrets.mappings import restored
from runtime.secrets.references import read, reference
from runtime.secrets.texts import shown, written
from runtime.services.options import decode, decode_record
from runtime.units import Duration


def converted(hint: Any, value: Any, before: Any) -> Any:
    """`value` converted for an option of type `hint` with the value `before`.

    Raises:
        ConfigError: the value cannot be converted; the text is Kapacitor's.

    Source: Kapacitor services/config/override/override.go, setValue.
    """
    if hint is object:
        return value
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        [hint] = [each for each in typing.get_args(hint) if each is not type(None)]
        origin = typing.get_origin(hint)
    if origin is tuple:
        return _items(typing.get_args(hint)[0], value)
    if origin is not None and issubclass(origin, Mapping):
        inner = typing.get_args(hint)[1]
        if inner is Template and isinstance(value, Mapping):
            value = {key: text(each) for key, each in value.items()}
        entries = _entries(inner, value)
        return restored(entries, before)
    if dataclasses.is_dataclass(hint):
        return _nested(hint, value, before)
    if hint is Secret:
        found = reference(value)
        return read(found) if found else written(_exactly(str, "string", value))
    if hint is Template:
        return _template(_exactly(str, "string", value))
    if hint is str:
        return _exactly(str, "string", value)
    if hint is bool:
        return _exactly(bool, "bool", value)
    if hint is Duration:
        return _duration(value)
    return _number(hint, value)


def _template(source: str) -> Template:
    try:
        return Template(source)
    except TemplateError as error:
        raise ConfigError(str(error)) from None


def _exactly(wanted: type[Any], name: str, value: Any) -> Any:
    if isinstance(value, wanted):
        return value
    raise ConfigError(_wrong_kind(value, name))


def _wrong_kind(value: Any, wanted: str) -> str:
    # ": false" is a part of Kapacitor's text
    return f"wrong kind {kind(value)}, expected value of kind {wanted}: false"


def kind(value: Any) -> str:
    """Go's name for the kind of a decoded JSON value."""
    if value is None:
        return "invalid"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "float64"
    if isinstance(value, str):
        return "string"
    return "map" if isinstance(value, Mapping) else "slice"


def _number(hint: Any, value: Any) -> int | float:
    name = "int" if hint is int else "float64"
    if isinstance(value, bool):
        raise ConfigError(f"cannot convert bool into {name}")
    if isinstance(value, str):
        try:
            return int(value, 0) if hint is int else float(value)
        except ValueError:
            raise ConfigError(
                f"cannot convert string {quote(shown(value))} into {name}"
            ) from None
    if isinstance(value, int | float):
        if hint is float:
            return float(value)
        # Kapacitor stores a fraction but cannot read it back, so it is refused here
        if value != int(value):
            raise ConfigError(f'cannot convert string "{value}" into {name}')
        return int(value)
    raise ConfigError(_wrong_kind(value, name))


def _duration(value: Any) -> Duration:
    if isinstance(value, str):
        try:
            return Duration(parse_go(value))
        except ValueError as error:
            raise ConfigError(str(error)) from None
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ConfigError("cannot unmarshal float64 into int64")
    raise ConfigError(_wrong_kind(value, "int64"))


def _items(inner: Any, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ConfigError(_wrong_kind(value, "slice"))
    try:
        return tuple(converted(inner, each, None) for each in value)
    except ConfigError as error:
        raise ConfigError(f"failed to copy slice value: {error}") from None


def _entries(inner: Any, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(_wrong_kind(value, "map"))
    try:
        return {key: converted(inner, each, None) for key, each in value.items()}
    except ConfigError as error:
        raise ConfigError(f"failed to copy map value: {error}") from None


def _nested(hint: Any, value: Any, before: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ConfigError(_wrong_kind(value, "struct"))
    package = hint.__module__.split(".")[-2]
    name = f"*{package}.{hint.__name__}"
    try:
        if before:
            return decode(value, before, type_name=name)
        return decode_record(value, hint, type_name=name)
    except OptionsError as error:
        raise ConfigError(str(error)) from None
