"""Finding and reading the configuration file."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runtime.errors import ConfigError
from runtime.integration import Integrations, is_list
from runtime.server.config.absent import Absent, Present
from runtime.server.config.config import Config
from runtime.server.config.decoding import Decoder, exact_last, matching
from runtime.settings import key_of
from runtime.toml_lines import positions

_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Loaded(NamedTuple):
    """The content of a configuration file.

    Attributes:
        config: the defaults with the file's values.
        warnings: one line for each key that has no effect.
        absent: the sections that this server does not have.
    """

    config: Config
    warnings: tuple[str, ...] = ()
    absent: tuple[Absent, ...] = ()


def find(flag: str, environ: Mapping[str, str], home: Path, etc: Path) -> Path | None:
    """The path of the file to read, or None for the built-in defaults.

    Args:
        flag: value of `-config`; `/dev/null` for no file.
        environ: environment, for `KAPACITOR_CONFIG_PATH`.
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


def read(path: Path, integrations: Integrations) -> Loaded:
    """The configuration in the file at `path`, over the defaults.

    Raises:
        ConfigError: the file cannot be read, or has invalid content.
    """
    try:
        # as bytes: in text mode a bare carriage return would count as a line
        text = path.read_bytes().decode()
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
        return decode(text, integrations)
    except ConfigError as error:
        raise ConfigError(f"parse config: {error}") from None


def present(config: Config) -> Present:
    """The sections that this server has."""
    own = [each for each in dataclasses.fields(config) if each.name != "handlers"]
    return Present(
        frozenset(map(key_of, own)),
        frozenset(config.handlers),
    )


def decode(
    text: str, integrations: Integrations, defaults: Config | None = None
) -> Loaded:
    """The configuration in a TOML text, over the defaults.

    Args:
        text: content of the file.
        integrations: available handlers.
        defaults: defaults of the server's own sections, if different.

    Settings that Kapacitor would ignore are warnings, and so are unknown keys.

    Raises:
        ConfigError: invalid TOML, or a value of the wrong type; with the line.
    """
    text = text.removeprefix("\ufeff")
    decoder = Decoder(positions(text))
    defaults = dataclasses.replace(defaults or Config(), handlers=integrations.tables())
    here = present(defaults)
    own: dict[str, Any] = {}
    handlers: dict[str, Any] = {}
    absent: list[Absent] = []
    for key, value in _tables(text, decoder).items():
        if matching(key, here.own):
            own[key] = value
        elif matching(key, here.handlers):
            handlers[key] = value
        elif _is_section(value):
            absent.append(Absent.of(key, _lines(decoder, key, value), value))
        else:
            decoder.unknown((key,), here.own)
    config = decoder.table(defaults, own, ())
    config.handlers = _sections(decoder, handlers, integrations)
    return Loaded(config, decoder.warnings, tuple(absent))


def _sections(
    decoder: Decoder, given: Mapping[str, Any], integrations: Integrations
) -> Mapping[str, Any]:
    """The sections of handlers, over their defaults."""
    tables = integrations.tables()
    changes: dict[str, Any] = {}
    for key, value in exact_last(given, tables):
        name = matching(key, tables) or key
        section = integrations.sections[name]
        hint = tuple[section, ...] if is_list(section) else section  # type: ignore[valid-type]
        before = changes.get(name, tables[name])
        changes[name] = decoder.value(hint, value, (key,), before)
    return tables.with_given(changes)


def _is_section(value: object) -> bool:
    if isinstance(value, list):
        return any(isinstance(each, dict) for each in value)
    return isinstance(value, dict)


def _lines(decoder: Decoder, key: str, value: object) -> list[int]:
    """The lines of a section's tables."""
    if isinstance(value, list):
        return [decoder.positions.line((key, at)) for at in range(len(value))]
    return [decoder.positions.line((key,))]


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
    except ValueError:
        # of Python: thousands of digits
        raise ConfigError("toml: an integer is out of range for int64") from None
    except RecursionError:
        raise ConfigError("toml: values are nested too deeply") from None
