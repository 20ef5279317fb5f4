"""TOML values decoded onto configuration dataclasses, strictly."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from runtime.errors import ConfigError
from runtime.golang.durations import parse_go
from runtime.secret_references import read, reference
from runtime.secrets import Secret
from runtime.server.toml_lines import Path, Positions, dotted
from runtime.settings import key_of
from runtime.units import Duration

T = TypeVar("T")

# how Kapacitor's TOML library calls what it finds and what it wants
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
    return typing.get_type_hints(cls)


class Decoder:
    """Decodes the values of one text.

    Attributes:
        positions: where its keys stand.
    """

    def __init__(self, positions: Positions) -> None:
        self.positions = positions

    def table(self, default: T, table: Mapping[str, Any], path: Path) -> T:
        """`default`, a dataclass, with the values of `table`.

        Raises:
            ConfigError: a key is unknown, or a value has the wrong type.
        """
        cls = type(default)
        fields = {key_of(each): each for each in dataclasses.fields(default)}  # type: ignore[arg-type] # T is a dataclass
        ignored: Collection[str] = getattr(cls, "IGNORED", ())
        changes: dict[str, Any] = {}
        for key, value in table.items():
            where = (*path, key)
            if key in fields:
                name = fields[key].name
                hint = hints(cls)[name]
                changes[name] = self.value(hint, value, where, getattr(default, name))
            elif key not in ignored:
                raise self.unknown(where, [*fields, *ignored])
        made: T = dataclasses.replace(default, **changes)  # type: ignore[type-var] # the same
        return made

    def value(self, hint: Any, value: Any, path: Path, default: Any = None) -> Any:
        """`value` as the type that `hint` names."""
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            start = default if isinstance(default, hint) else hint()
            return self.table(start, self._is(dict, "table", value, path), path)
        origin = typing.get_origin(hint)
        if origin is tuple:
            return self._items(typing.get_args(hint)[0], value, path)
        if origin is not None and issubclass(origin, Mapping):
            _, inner = typing.get_args(hint)
            items = self._is(dict, "map", value, path).items()
            return {key: self.value(inner, each, (*path, key)) for key, each in items}
        if origin in (typing.Union, types.UnionType):
            [inner] = [each for each in typing.get_args(hint) if each is not type(None)]
            return self.value(inner, value, path, default)
        return self._scalar(hint, value, path)

    def _items(self, inner: Any, value: Any, path: Path) -> tuple[Any, ...]:
        # a list of tables may be written as the one table it often is
        if dataclasses.is_dataclass(inner) and isinstance(value, dict):
            return (self.value(inner, value, path),)
        items = self._is(list, "slice", value, path)
        return tuple(
            self.value(inner, each, (*path, index)) for index, each in enumerate(items)
        )

    def _scalar(self, hint: Any, value: Any, path: Path) -> Any:
        if hint is str:
            return self._is(str, "string", value, path)
        if hint is Secret:
            return self._secret(value, path)
        if hint is bool:
            return self._is(bool, "boolean", value, path)
        if hint is Duration:
            return self._duration(value, path)
        if hint is int:
            return self._is(int, "integer", value, path)
        if hint is float:
            if type(value) is int:
                return float(value)
            return self._is(float, "float", value, path)
        raise TypeError(f"no TOML form for {hint!r}")

    def _secret(self, value: Any, path: Path) -> Secret:
        found = reference(value)
        if found is None:
            return Secret(self._is(str, "string", value, path))
        try:
            return read(found)
        except ConfigError as error:
            raise self.fault(path, str(error)) from None

    def _duration(self, value: Any, path: Path) -> Duration:
        text = str(value) if type(value) in (int, float) else value
        try:
            return Duration(parse_go(self._is(str, "string", text, path)))
        except ValueError as error:
            raise self.fault(path, str(error)) from None

    def _is(self, wanted: type[T], name: str, value: Any, path: Path) -> T:
        # not isinstance: a bool is no integer here
        if type(value) is wanted:
            return value
        found = _FOUND.get(type(value), "time.Time")
        raise self.fault(
            path,
            f"incompatible types: TOML value has type {found}; "
            f"destination has type {name}",
        )

    def unknown(self, path: Path, known: Collection[str]) -> ConfigError:
        """What to raise for a key that nobody knows."""
        return self.fault(path, f"unknown key{suggestion(str(path[-1]), known)}")

    def fault(self, path: Path, text: str) -> ConfigError:
        """What to raise for the key at `path`."""
        line = self.positions.line(path)
        return ConfigError(f'toml: line {line} (last key "{dotted(path)}"): {text}')


def suggestion(name: str, known: Collection[str]) -> str:
    """`; did you mean "room"?`, or nothing where no known name is like `name`."""
    # only what is wrong needs it
    import difflib

    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
