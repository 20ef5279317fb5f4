"""Environment variables laid over the configuration: `KAPACITOR_HIPCHAT_ROOM`."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from runtime.errors import ConfigError
from runtime.golang.durations import parse_go
from runtime.secrets import Secret
from runtime.server.config import Config
from runtime.server.decoding import hints
from runtime.settings import key_of
from runtime.units import Duration

T = TypeVar("T")

_PREFIX = "KAPACITOR"
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_INTEGER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|\d+)", re.ASCII
)
_INITIALISMS = frozenset(
    ("url", "id", "http", "https", "ssl", "tls", "ca", "api", "tcp")
)


def apply(config: Config, environ: Mapping[str, str]) -> Config:
    """`config` with the values of the environment.

    Empty values and unknown names are ignored.

    Raises:
        ConfigError: a value is not of its key's type.

    Source: Kapacitor cmd/kapacitord/run/command.go, Config.ApplyEnvOverrides.
    """
    names = {name: value for name, value in environ.items() if value}
    over = _Environment(names)
    try:
        changed = over.table(config, _PREFIX)
        changed.handlers = over.table(changed.handlers, _PREFIX)
    except ConfigError as error:
        raise ConfigError(f"apply env config: {error}") from None
    return changed


def overlaid(table: T, prefix: str, values: Mapping[str, str]) -> T:
    """`table`, a dataclass, with the values whose names begin with `prefix`.

    Raises:
        ConfigError: a value is not of its key's type.
    """
    return _Environment(values).table(table, prefix)


class _Environment:
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def table(self, table: T, prefix: str) -> T:
        changes = {}
        for field in dataclasses.fields(table):  # type: ignore[arg-type] # T is a dataclass
            if field.name == "handlers" and isinstance(table, Config):
                continue
            before = getattr(table, field.name)
            name = f"{prefix}_{key_of(field).upper().replace('-', '_')}"
            hint = hints(type(table))[field.name]
            after = self._value(hint, before, name, go_name(field.name))
            if after is not before:
                changes[field.name] = after
        made: T = dataclasses.replace(table, **changes)  # type: ignore[type-var] # the same
        return made

    def _value(self, hint: Any, before: Any, name: str, field: str) -> Any:
        if dataclasses.is_dataclass(before):
            return self.table(before, name)
        if isinstance(before, tuple):
            return self._items(hint, before, name, field)
        if isinstance(before, Mapping):
            return self._entries(before, name)
        text = self._values.get(name)
        return before if text is None else _scalar(hint, text, name, field)

    def _items(
        self, hint: Any, before: tuple[Any, ...], name: str, field: str
    ) -> tuple[Any, ...]:
        inner = typing.get_args(hint)[0]
        after = tuple(
            self._value(inner, item, f"{name}_{index}", field)
            for index, item in enumerate(before)
        )
        same = all(old is new for old, new in zip(before, after, strict=True))
        return before if same else after

    def _entries(self, before: Mapping[str, str], name: str) -> Mapping[str, str]:
        start = f"{name}_"
        found = {
            key.removeprefix(start): value
            for key, value in self._values.items()
            if key.startswith(start)
        }
        return {**before, **found} if found else before


def go_name(name: str) -> str:
    """How Kapacitor's Go code calls a field: `state_changes_only` → `StateChangesOnly`."""
    parts = name.rstrip("_").split("_")
    return "".join(
        part.upper() if part in _INITIALISMS else part.capitalize() for part in parts
    )


def _scalar(hint: Any, text: str, name: str, field: str) -> Any:
    if hint is str:
        return text
    if hint is Secret:
        return Secret(text)
    if hint is Duration:
        try:
            return Duration(parse_go(text))
        except ValueError as error:
            raise ConfigError(f"failed to unmarshal env var: {error}") from None
    if hint is bool and text in _TRUE | _FALSE:
        return text in _TRUE
    try:
        if hint is int and _INTEGER.fullmatch(text):
            return _integer(text)
        if hint is float:
            return float(text)
    except ValueError:
        pass
    kind = {bool: "bool", int: "int", float: "float64"}.get(hint, "string")
    raise ConfigError(
        f"failed to apply {name} to {field} using type {kind} and value '{text}'"
    )


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    # Go reads a leading 0 as octal, Python refuses it
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return int(text, 8 if octal else 0)
