"""Finding, reading and writing the configuration file."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runtime.errors import ConfigError
from runtime.golang.json import quote
from runtime.secret_references import literal
from runtime.secrets import Secret
from runtime.server.config import Config
from runtime.server.decoding import Decoder, suggestion
from runtime.server.toml_lines import positions
from runtime.settings import key_of
from runtime.units import Duration, go_duration

# Tables of Kapacitor's file that this server may lack. Where an integration exists
# here, its field in `AlertHandlers` comes first.
ELSEWHERE = frozenset(
    [
        "alerta",
        "azure",
        "bigpanda",
        "collectd",
        "consul",
        "discord",
        "dns",
        "ec2",
        "file-discovery",
        "fluxtask",
        "gce",
        "graphite",
        "hipchat",
        "httppost",
        "influxdb",
        "kafka",
        "kubernetes",
        "marathon",
        "mqtt",
        "nerve",
        "opentsdb",
        "opsgenie",
        "opsgenie2",
        "pagerduty",
        "pagerduty2",
        "pushover",
        "reporting",
        "scraper",
        "sensu",
        "serverset",
        "servicenow",
        "sideload",
        "slack",
        "smtp",
        "snmptrap",
        "static-discovery",
        "stats",
        "swarm",
        "talk",
        "teams",
        "telegram",
        "tls",
        "triton",
        "udf",
        "udp",
        "victorops",
        "zenoss",
    ]
)
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Loaded(NamedTuple):
    """What a file said.

    Attributes:
        config: the defaults with the file's values.
        warnings: one line per table that does nothing here.
    """

    config: Config
    warnings: tuple[str, ...] = ()


def find(flag: str, environ: Mapping[str, str], home: Path, etc: Path) -> Path | None:
    """The path of the file to read, or None for the built-in defaults.

    Args:
        flag: value of `-config`; `/dev/null` means that there is to be no file.
        environ: where `KAPACITOR_CONFIG_PATH` is looked for.
        home: the user's home directory.
        etc: the system's configuration directory, `/etc`.

    Source: Kapacitor cmd/kapacitord/run/command.go, FindConfigPath.
    """
    if flag:
        return None if flag == "/dev/null" else Path(flag)
    if named := environ.get("KAPACITOR_CONFIG_PATH"):
        return Path(named)
    candidates = (
        home / ".kapacitor" / "kapacitor.conf",
        etc / "kapacitor" / "kapacitor.conf",
    )
    for path in candidates:
        if path.is_file() and path.stat().st_size:
            return path
    return None


def read(path: Path, defaults: Config) -> Loaded:
    """The configuration in the file at `path`, over `defaults`.

    Raises:
        ConfigError: the file cannot be read, or says what it must not.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"parse config: open {path}: no such file or directory"
        ) from None
    except OSError as error:
        reason = str(error.strerror).lower()
        raise ConfigError(f"parse config: open {path}: {reason}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"parse config: {path} is not UTF-8 text") from error
    try:
        return decode(text, defaults)
    except ConfigError as error:
        raise ConfigError(f"parse config: {error}") from None


def decode(text: str, defaults: Config) -> Loaded:
    """The configuration in a TOML text, over `defaults`.

    Raises:
        ConfigError: the text is no TOML, holds an unknown key or a value of the wrong
            type; with the line.
    """
    decoder = Decoder(positions(text))
    own: dict[str, Any] = {}
    handlers: dict[str, Any] = {}
    warnings: list[str] = []
    known_own = {
        key_of(each) for each in dataclasses.fields(defaults) if each.name != "handlers"
    }
    known_handlers = {key_of(each) for each in dataclasses.fields(defaults.handlers)}
    for key, value in _tables(text, decoder).items():
        if key in known_own:
            own[key] = value
        elif key in known_handlers:
            handlers[key] = value
        elif key in ELSEWHERE:
            line = decoder.positions.line((key,))
            warnings.append(
                f"line {line}: the section [{key}] has no effect on this server"
            )
        else:
            raise _unknown_section(
                decoder, key, value, known_own | known_handlers | ELSEWHERE
            )
    config = decoder.table(defaults, own, ())
    config.handlers = decoder.table(defaults.handlers, handlers, ())
    return Loaded(config, tuple(warnings))


def _unknown_section(
    decoder: Decoder, key: str, value: object, known: frozenset[str] | set[str]
) -> ConfigError:
    table = isinstance(value, dict) or (
        isinstance(value, list) and all(isinstance(each, dict) for each in value)
    )
    if not table:
        return decoder.unknown((key,), known)
    return ConfigError(
        f"toml: line {decoder.positions.line((key,))}: "
        f"unknown section [{key}]{suggestion(key, known)}"
    )


def _tables(text: str, decoder: Decoder) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        twice = decoder.positions.duplicate
        if twice is not None:
            key = f' (last key "{twice.path}")' if twice.kind == "key" else ""
            raise ConfigError(
                f"toml: line {twice.line}{key}: "
                f"Key '{twice.path}' has already been defined."
            ) from None
        message = str(error)
        at = _AT_LINE.search(message)
        line = (at[1] if at else None) or text.count("\n") + 1
        raise ConfigError(f"toml: line {line}: {_AT_LINE.sub('', message)}") from None


def dump(config: Config) -> str:
    """`config` as the text of a file; secrets as a file has them: in clear, or where."""
    return "".join(_dump(config)) + "\n"


def _dump(config: Config) -> Iterator[str]:
    own = [each for each in dataclasses.fields(config) if each.name != "handlers"]
    values = [(key_of(each), getattr(config, each.name)) for each in own]
    for key, value in values:
        if not dataclasses.is_dataclass(value):
            yield f"{key} = {_literal(value)}\n"
    for key, value in values:
        if dataclasses.is_dataclass(value):
            yield from _table(key, value, "[{}]")
    for field in dataclasses.fields(config.handlers):
        value = getattr(config.handlers, field.name)
        if isinstance(value, tuple):
            for element in value:
                yield from _table(key_of(field), element, "[[{}]]")
        else:
            yield from _table(key_of(field), value, "[{}]")


def _table(path: str, table: Any, header: str) -> Iterator[str]:
    depth = path.count(".")
    outer = "  " * depth
    yield f"\n{outer}{header.format(path)}\n"
    inner: list[tuple[str, Any]] = []
    for field in dataclasses.fields(table):
        value = getattr(table, field.name)
        if dataclasses.is_dataclass(value) or isinstance(value, Mapping):
            inner.append((f"{path}.{_key(key_of(field))}", value))
        elif value is not None:
            yield f"{outer}  {_key(key_of(field))} = {_literal(value)}\n"
    for name, value in inner:
        if isinstance(value, Mapping):
            yield f"\n{outer}  [{name}]\n"
            for key in sorted(value):
                yield f"{outer}    {_key(key)} = {_literal(value[key])}\n"
        else:
            yield from _table(name, value, "[{}]")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key, re.ASCII) else quote(key)


def _literal(value: Any) -> str:
    if isinstance(value, Secret):
        return _literal(literal(value))
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_literal(each)}" for key, each in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Duration):
        return quote(go_duration(value))
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)
