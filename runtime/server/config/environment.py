"""Environment variables applied to the configuration: `KAPACITOR_HIPCHAT_ROOM`."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from runtime.alert.templates import Template
from runtime.errors import ConfigError
from runtime.golang.durations import parse_go
from runtime.golang.templates import TemplateError
from runtime.lazy import given, with_given
from runtime.secrets import Secret, secrets_in
from runtime.secrets.texts import check_placeholder, shown, written, written_url
from runtime.secrets.urls import is_url_name
from runtime.server.config.absent import KNOWN, variables
from runtime.server.config.config import Config
from runtime.server.config.decoding import hints
from runtime.server.config.file import present
from runtime.services.influxdb.config import Config as InfluxDBConfig
from runtime.settings import FormerName, former_names, key_of
from runtime.suggestions import nearest
from runtime.units import Duration

T = TypeVar("T")

_PREFIX = "KAPACITOR"
_CLUSTER = "KAPACITOR_INFLUXDB_0_"
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_INTEGER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|\d+)", re.ASCII
)
_INDEX = re.compile(r"_(\d+)(?:_|$)", re.ASCII)
# variables of the client, of packages and images, and those that Kubernetes and Docker
# add for a service with the name kapacitor
_OTHERS = re.compile(
    r"KAPACITOR_(?:CONFIG_PATH|URL|UNSAFE_SSL|OPTS|VERSION|USER|GROUP|DAEMON|NAME|HOME"
    r"|SERVICE_(?:HOST|PORT\w*)|PORT(?:_\d+_(?:TCP|UDP)\w*)?)"
)
_INITIALISMS = frozenset(
    ("url", "id", "http", "https", "ssl", "tls", "ca", "api", "tcp")
)


def apply(config: Config, environ: Mapping[str, str]) -> Config:
    """`config` with the values of the environment.

    Empty values and unknown names are ignored; see `doubtful_names`.

    Raises:
        ConfigError: a value is not of its key's type, or a key is set by two names.

    Source: Kapacitor cmd/kapacitord/run/command.go, Config.ApplyEnvOverrides.
    """
    names = {name: value for name, value in environ.items() if value}
    if not config.influxdb and any(name.startswith(_CLUSTER) for name in names):
        # Kapacitor's defaults have this cluster
        config = dataclasses.replace(config, influxdb=(InfluxDBConfig(),))
    over = _Environment(names)
    try:
        changed = over.table(config, _PREFIX)
        tables = changed.handlers
        named = {name: tables[name] for name in tables if over.names_section(name)}
        changes = over.sections({**given(tables), **named})
        changed.handlers = with_given(tables, changes)
    except ConfigError as error:
        raise ConfigError(f"apply env config: {error}") from None
    return changed


def doubtful_names(config: Config, environ: Mapping[str, str]) -> Iterator[str]:
    """A warning for each `KAPACITOR_` variable that sets nothing or has a former name.

    Args:
        config: configuration with the variables applied.
        environ: environment variables.

    Variables of sections that this server lacks are not reported here; see `absent`.
    """
    over = _Environment({})
    over.table(config, _PREFIX)
    over.sections(given(config.handlers))
    in_force = dataclasses.replace(config, handlers=given(config.handlers))
    named = {
        secret.reference["env"]
        for secret in secrets_in(in_force)
        if secret.reference and "env" in secret.reference
    }
    absent = tuple(map(variables, KNOWN - present(config).all))
    ours = [each for each in environ if each.startswith(f"{_PREFIX}_")]
    is_complete = False
    for name in sorted(filter(environ.get, ours)):
        if former := over.former(name):
            yield former.deprecation
        elif not (name in named or name.startswith(absent) or _OTHERS.fullmatch(name)):
            if not (is_complete or over.knows(name)):
                # it may be a misspelled variable of any section
                over.sections(config.handlers)
                is_complete = True
            yield from over.complaint(name)


class _Environment:
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._known: set[str] = set()
        self._entries_of: list[str] = []
        self._lengths: dict[str, int] = {}
        self._former: list[tuple[_Environment, FormerName]] = []

    def knows(self, name: str) -> bool:
        """True if a variable of that name sets something."""
        return name in self._known or name.startswith(tuple(self._entries_of))

    def former(self, name: str) -> FormerName | None:
        """The name as a former name of a variable, or None."""
        if self.knows(name):
            return None
        for over, (old, new) in self._former:
            if over.knows(name):
                return FormerName(name, new + name.removeprefix(old))
        return None

    def complaint(self, name: str) -> Iterator[str]:
        """The reason why a name sets nothing."""
        if self.knows(name):
            return
        for start, length in self._lengths.items():
            index = name.startswith(start) and _INDEX.match(name, len(start))
            # a variable of an existing item may be misspelled; this one has no item
            if index and int(index[1]) >= length:
                yield (
                    f"{name} has no effect: the configuration file has {length} of "
                    f"{start}_0, {start}_1, …, and a variable adds none"
                )
                return
        near = nearest(name, self._known, cutoff=0.85)
        hint = f'; did you mean "{near}"?' if near else ""
        yield f"{name} has no effect{hint}"

    def table(self, table: T, prefix: str) -> T:
        changes = {}
        for field in dataclasses.fields(table):  # type: ignore[arg-type] # T is a dataclass
            if field.name == "handlers" and isinstance(table, Config):
                continue
            before = getattr(table, field.name)
            name = _variable(prefix, key_of(field))
            hint = hints(type(table))[field.name]
            after = self._value(hint, before, name, go_name(field.name))
            former = [
                FormerName(each, name)
                for each in (_variable(prefix, old) for old in former_names(field))
                if each != name  # `chat-id` and `chat_id` have one variable
            ]
            after = self._by_former_names(hint, after, former, go_name(field.name))
            if after is not getattr(table, field.name):
                changes[field.name] = after
        made: T = dataclasses.replace(table, **changes)  # type: ignore[type-var] # the same
        return made

    def _by_former_names(
        self, hint: Any, value: Any, names: Iterable[FormerName], field: str
    ) -> Any:
        """`value`, or the value of a variable with a former name."""
        has_parts = not isinstance(value, str | Secret | int | float)
        used: list[str] = []
        for old, new in names:
            over = _Environment(self._values)
            after = over._value(hint, value, old, field)
            self._former.append((over, FormerName(old, new)))
            used = used or self._setting(new, has_parts)
            if found := self._setting(old, has_parts):
                if used:
                    raise ConfigError(FormerName(found[0], new).conflict)
                used, value = found, after
        return value

    def _setting(self, name: str, has_parts: bool) -> list[str]:
        """The variables that set a key, or parts of it."""
        return [
            each
            for each in sorted(self._values)
            if each == name or (has_parts and each.startswith(f"{name}_"))
        ]

    def names_section(self, key: str) -> bool:
        """True if a variable has the name of a section, or of a key in it."""
        name = _variable(_PREFIX, key)
        return any(each == name or each.startswith(f"{name}_") for each in self._values)

    def sections(self, tables: Mapping[str, Any]) -> dict[str, Any]:
        """The sections of handlers."""
        return {key: self._section(key, value) for key, value in tables.items()}

    def _section(self, key: str, before: Any) -> Any:
        name = _variable(_PREFIX, key)
        if isinstance(before, tuple):
            # a single section also without its index, as people write it
            lone = tuple(self.table(each, name) for each in before if len(before) == 1)
            return self._items(tuple[Any, ...], lone or before, name, key)
        # also with the index 0, for sections that are lists in Kapacitor: `[[slack]]`
        return self.table(self.table(before, f"{name}_0"), name)

    def _value(self, hint: Any, before: Any, name: str, field: str) -> Any:
        if dataclasses.is_dataclass(before):
            return self.table(before, name)
        # a value of any type is set as a whole, in JSON
        if isinstance(before, tuple) and hint is not object:
            return self._items(hint, before, name, field)
        if isinstance(before, Mapping) and hint is not object:
            return self._entries(hint, before, name)
        self._known.add(name)
        text = self._values.get(name)
        return before if text is None else _scalar(hint, text, name, field)

    def _items(
        self, hint: Any, before: tuple[Any, ...], name: str, field: str
    ) -> tuple[Any, ...]:
        inner = typing.get_args(hint)[0]
        self._lengths[name] = len(before)
        after = tuple(
            self._value(inner, item, f"{name}_{index}", field)
            for index, item in enumerate(before)
        )
        same = all(old is new for old, new in zip(before, after, strict=True))
        return before if same else after

    def _entries(self, hint: Any, before: Mapping[str, Any], name: str) -> Any:
        inner = typing.get_args(hint)[-1]
        if typing.get_origin(inner) is tuple:
            return before  # no variable can hold a list
        start = f"{name}_"
        self._entries_of.append(start)
        found = {
            key.removeprefix(start): _entry(inner, value, key)
            for key, value in self._values.items()
            if key.startswith(start)
        }
        return {**before, **found} if found else before


def _variable(prefix: str, key: str) -> str:
    return f"{prefix}_{key.upper().replace('-', '_')}"


def go_name(name: str) -> str:
    """A field's name in Kapacitor's code: `state_changes_only` → `StateChangesOnly`."""
    parts = name.rstrip("_").split("_")
    return "".join(
        part.upper() if part in _INITIALISMS else part.capitalize() for part in parts
    )


def _scalar(hint: Any, text: str, name: str, field: str) -> Any:
    if hint is str:
        return _url(text, name) if is_url_name(name) else text
    if hint is object:
        return _data(text)
    if hint is Template:
        return _template(text, name)
    if hint is Secret:
        return _secret(text, name)
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
        f"failed to apply {name} to {field} using type {kind} and value '{shown(text)}'"
    )


def _entry(hint: Any, text: str, name: str) -> Any:
    """The value of a key of a map."""
    if hint is Template:
        return _template(text, name)
    return _data(text) if hint is object else text


def _template(source: str, name: str) -> Template:
    try:
        return Template(source)
    except TemplateError as error:
        raise ConfigError(f"{name}: {error}") from None


def _data(text: str) -> Any:
    """The value of a text in JSON, or the text itself if it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _url(text: str, name: str) -> str:
    try:
        return written_url(text)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None


def _secret(text: str, name: str) -> Secret:
    try:
        check_placeholder(text)
        secret = written(text)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    # printed as a reference, not as a value
    secret.reference = {"env": name}
    return secret


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    # Go reads a leading 0 as octal, Python refuses it
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return int(text, 8 if octal else 0)
