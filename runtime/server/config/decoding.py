"""Strict decoding of TOML values into configuration dataclasses."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from runtime.alert.templates import Template
from runtime.errors import ConfigError
from runtime.golang.durations import parse_go
from runtime.golang.printing import text
from runtime.golang.templates import TemplateError
from runtime.secrets import Secret
from runtime.secrets.mappings import unknown
from runtime.secrets.names import HIDDEN
from runtime.secrets.references import read, reference
from runtime.secrets.texts import check_placeholder, written, written_url
from runtime.secrets.urls import is_url_name
from runtime.settings import FormerName, is_required, key_of, present_keys
from runtime.suggestions import suggestion
from runtime.toml_lines import Path, Positions, dotted
from runtime.units import Duration

T = TypeVar("T")

# names of types in Kapacitor's TOML library
_FOUND: dict[type, str] = {
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}


def hints(cls: Any) -> dict[str, Any]:
    """The annotations of a dataclass's fields, resolved."""
    return _hints(cls)


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


class Decoder:
    """Decodes the values of one document.

    Attributes:
        positions: positions of its keys.
    """

    def __init__(self, positions: Positions) -> None:
        self.positions = positions
        self._warnings: list[tuple[int, str]] = []

    def table(self, default: T, table: Mapping[str, Any], path: Path) -> T:
        """`default`, a dataclass, with the values of `table`.

        Names match in any case; an exact match wins.
        An unknown key is a warning, and so is a former name.

        Raises:
            ConfigError: a value has the wrong type, or a setting has two names.

        Source: BurntSushi/toml decode.go, unifyStruct.
        """
        changes = self._changes(type(default), default, table, path)
        made: T = dataclasses.replace(default, **changes)  # type: ignore[type-var] # T is a dataclass
        return made

    def _record(self, cls: type[Any], table: Mapping[str, Any], path: Path) -> Any:
        """A new value of a dataclass, whose fields without default are required."""
        changes = self._changes(cls, None, table, path)
        for field in dataclasses.fields(cls):
            if is_required(field) and field.name not in changes:
                raise self.fault(path, f"{key_of(field)} is required")
        return cls(**changes)

    def _changes(
        self, cls: type[Any], default: Any, table: Mapping[str, Any], path: Path
    ) -> dict[str, Any]:
        """The fields of a dataclass that a table gives, by their Python names."""
        fields = {key_of(each): each for each in dataclasses.fields(cls)}
        ignored: Collection[str] = getattr(cls, "IGNORED", ())
        former = present_keys(cls)
        changes: dict[str, Any] = {}
        for key, value in exact_last(table, fields):
            where = (*path, key)
            name = matching(key, fields)
            if name is None and (old := matching(key, former)):
                name = former[old]
                self._former_name(where, name, table, former)
            if name:
                field = fields[name].name
                start = changes.get(field, getattr(default, field, None))
                changes[field] = self.value(hints(cls)[field], value, where, start)
            elif not matching(key, ignored):
                self.unknown(where, [*fields, *ignored])
        return changes

    def value(self, hint: Any, value: Any, path: Path, default: Any = None) -> Any:
        """`value`, decoded as the type `hint`."""
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            found, path = self._only(value, path)
            table = self._is(dict, "table", found, path)
            if isinstance(default, hint):
                return self.table(default, table, path)
            return self._record(hint, table, path)
        origin = typing.get_origin(hint)
        if origin is tuple:
            return self._items(typing.get_args(hint)[0], value, path)
        if origin is not None and issubclass(origin, Mapping):
            return self._entries(typing.get_args(hint)[1], value, path, default)
        if origin in (typing.Union, types.UnionType):
            [inner] = [each for each in typing.get_args(hint) if each is not type(None)]
            return self.value(inner, value, path, default)
        return self._scalar(hint, value, path, default)

    def _former_name(
        self,
        path: Path,
        new: str,
        table: Mapping[str, Any],
        former: Mapping[str, str],
    ) -> None:
        """Note a former name, unless the setting is present by another name."""
        used = FormerName(dotted(path), dotted((*path[:-1], new)))
        names = [new, *(old for old, each in former.items() if each == new)]
        if any(matching(key, names) and key != path[-1] for key in table):
            raise self.fault(path, used.conflict)
        self.warn(path, used.deprecation)

    def _only(self, value: Any, path: Path) -> tuple[Any, Path]:
        """The table of a list `[[x]]` that is in force."""
        if not isinstance(value, list) or not value:
            return value, path
        indexes = list(range(len(value)))
        if len(value) > 1:
            indexes = [index for index in indexes if is_enabled(value[index])]
        if len(indexes) > 1:
            name = dotted(path)
            raise self.fault(
                (*path, indexes[1]),
                f"a second [[{name}]] is enabled, and this server has one {name}",
            )
        if not indexes:
            # none is enabled: the first one counts, and others that are not off are
            # reported
            indexes = [0]
            for index, table in enumerate(value[1:], 1):
                if not is_off(table):
                    text = f"a further [[{dotted(path)}]] has no effect"
                    self.warn((*path, index), text)
        return value[indexes[0]], (*path, indexes[0])

    def _entries(self, inner: Any, value: Any, path: Path, default: Any) -> Any:
        if not isinstance(value, dict):
            # as in Kapacitor, whose library skips it silently
            self.warn(path, f"{dotted(path)} has no effect: it must be a section")
            return default
        if inner is Template:
            # values that are not strings are printed
            value = {key: text(each) for key, each in value.items()}
        found = {
            key: self.value(inner, each, (*path, key)) for key, each in value.items()
        }
        for name in unknown(found):
            raise self.fault(
                (*path, name), f"{HIDDEN} is a placeholder: write the secret itself"
            )
        return found

    def _items(self, inner: Any, value: Any, path: Path) -> tuple[Any, ...]:
        # a list with one table may be written as a table
        if dataclasses.is_dataclass(inner) and isinstance(value, dict):
            return (self.value(inner, value, path),)
        items = self._is(list, "slice", value, path)
        return tuple(
            self.value(inner, each, (*path, index)) for index, each in enumerate(items)
        )

    def _scalar(self, hint: Any, value: Any, path: Path, default: Any) -> Any:
        if hint is object:
            return self._any(value, path)
        if hint is str:
            return self._string(value, path)
        if hint is Secret:
            return self._secret(value, path)
        if hint is Template:
            return self._template(value, path)
        if hint is bool:
            return self._is(bool, "boolean", value, path)
        if hint is Duration:
            return self._duration(value, path, default)
        if hint is int:
            number = self._is(int, "integer", value, path)
            if not -(1 << 63) <= number < 1 << 63:
                raise self.fault(path, f"{number} is out of range for int64")
            return number
        if hint is float:
            if type(value) is int:
                return float(value)
            return self._is(float, "float", value, path)
        raise TypeError(f"no TOML form for {hint!r}")

    def _any(self, value: Any, path: Path) -> Any:
        """A value of any type, if JSON can hold it."""
        match value:
            case dict():
                return self._entries(object, value, path, {})
            case list():
                return [
                    self._any(each, (*path, index)) for index, each in enumerate(value)
                ]
            case bool() | str():
                return value
            case int():
                return self._scalar(int, value, path, None)
            case float() if math.isfinite(value):
                return value
            case float():
                raise self.fault(path, f"{value} is not a number that JSON can hold")
        raise self.fault(path, "a date or time must be in quotes here")

    def _string(self, value: Any, path: Path) -> str:
        text = self._is(str, "string", value, path)
        # the elements of a list have its name
        name = next(each for each in reversed(path) if isinstance(each, str))
        if not is_url_name(name):
            return text
        try:
            return written_url(text)
        except ConfigError as error:
            raise self.fault(path, str(error)) from None

    def _template(self, value: Any, path: Path) -> Template:
        source = self._is(str, "string", value, path)
        try:
            return Template(source, name=str(path[-1]))
        except TemplateError as error:
            raise self.fault(path, str(error)) from None

    def _secret(self, value: Any, path: Path) -> Secret:
        found = reference(value)
        text = "" if found else self._is(str, "string", value, path)
        try:
            if found:
                return read(found)
            check_placeholder(text)
            return written(text)
        except ConfigError as error:
            raise self.fault(path, str(error)) from None

    def _duration(self, value: Any, path: Path, default: Any) -> Any:
        text = str(value) if type(value) in (int, float) else value
        if text == "":
            # as in Kapacitor, an empty text leaves the default
            return default
        try:
            return Duration(parse_go(self._is(str, "string", text, path)))
        except ValueError as error:
            raise self.fault(path, str(error)) from None

    def _is(self, wanted: type[T], name: str, value: Any, path: Path) -> T:
        # not isinstance: a bool is not an integer here
        if type(value) is wanted:
            return value
        found = _FOUND.get(type(value), "time.Time")
        raise self.fault(
            path,
            f"incompatible types: TOML value has type {found}; "
            f"destination has type {name}",
        )

    def unknown(self, path: Path, known: Collection[str]) -> None:
        """Note an unknown key."""
        hint = suggestion(str(path[-1]), known)
        self.warn(path, f"unknown key {dotted(path)} has no effect{hint}")

    def warn(self, path: Path, text: str) -> None:
        """Note a warning about the key at `path`."""
        self._warnings.append((self.positions.line(path), text))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about settings, in the order of the document."""
        return tuple(f"line {line}: {text}" for line, text in sorted(self._warnings))

    def fault(self, path: Path, text: str) -> ConfigError:
        """An error about the key at `path`."""
        line = self.positions.line(path)
        return ConfigError(f'toml: line {line} (last key "{dotted(path)}"): {text}')


def matching(name: str, known: Iterable[str]) -> str | None:
    """Name of `known` that equals `name` in any case."""
    if name in known:
        return name
    folded = name.casefold()
    return next((each for each in known if each.casefold() == folded), None)


def is_enabled(table: object) -> bool:
    """True if a table of the file has `enabled`, and anything but `false` for it."""
    return isinstance(table, Mapping) and any(
        value is not False and key.casefold() == "enabled"
        for key, value in table.items()
    )


def is_off(table: object) -> bool:
    """True if a table of the file has `enabled = false`."""
    return isinstance(table, Mapping) and any(
        value is False and key.casefold() == "enabled" for key, value in table.items()
    )


def exact_last(
    table: Mapping[str, Any], known: Collection[str]
) -> list[tuple[str, Any]]:
    """The pairs of `table`, with exact names of `known` last."""
    return sorted(table.items(), key=lambda pair: pair[0] in known)
