"""A configuration as the content of a file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runtime.alert.templates import Template
from runtime.golang.json import quote
from runtime.golang.utf8 import scrub
from runtime.secrets import Secret, mappings
from runtime.secrets.names import HIDDEN
from runtime.secrets.references import literal
from runtime.secrets.urls import hidden_url, is_url_name
from runtime.server.config.config import Config
from runtime.settings import key_of
from runtime.units import Duration, go_duration


def dump(config: Config, *, reveal: bool = False) -> str:
    """`config` as the content of a file, which reads back as the same value.

    Args:
        config: the configuration.
        reveal: True to write secrets in plain text, also those in URLs and headers.
            Otherwise `***` replaces them, which is refused when it is read. A reference
            to a file or a variable is always written as it is.
    """
    return "".join(_Writer(reveal).config(config)) + "\n"


def hides_secrets(config: Config) -> bool:
    """True if `dump` redacts anything."""
    return dump(config) != dump(config, reveal=True)


class _Writer:
    def __init__(self, reveal: bool) -> None:
        self._reveal = reveal

    def config(self, config: Config) -> Iterator[str]:
        own = [each for each in dataclasses.fields(config) if each.name != "handlers"]
        values = [(key_of(each), getattr(config, each.name)) for each in own]
        for key, value in values:
            if not _is_section(value):
                yield f"{key} = {self._literal(key, value)}\n"
        for key, value in (*values, *config.handlers.items()):
            if isinstance(value, tuple):
                for element in value:
                    yield from self._table(key, element, "[[{}]]")
            elif _is_section(value):
                yield from self._table(key, value, "[{}]")

    def _table(self, path: str, table: Any, header: str) -> Iterator[str]:
        depth = path.count(".")
        outer = "  " * depth
        yield f"\n{outer}{header.format(path)}\n"
        inner: list[tuple[str, Any]] = []
        for field in dataclasses.fields(table):
            key, value = key_of(field), getattr(table, field.name)
            if dataclasses.is_dataclass(value) or isinstance(value, Mapping):
                inner.append((f"{path}.{_key(key)}", value))
            elif value is not None:
                yield f"{outer}  {_key(key)} = {self._literal(key, value)}\n"
        for name, value in inner:
            if isinstance(value, Mapping):
                yield f"\n{outer}  [{name}]\n"
                shown = value if self._reveal else mappings.hidden(value)
                for key in sorted(shown):
                    yield f"{outer}    {_key(key)} = {self._literal(key, shown[key])}\n"
            else:
                yield from self._table(name, value, "[{}]")

    def _literal(self, key: str, value: Any) -> str:
        if isinstance(value, Secret):
            is_hidden = value and not value.reference and not self._reveal
            return self._literal(key, HIDDEN if is_hidden else literal(value))
        if isinstance(value, Template):
            return self._literal(key, value.source)
        if dataclasses.is_dataclass(value):
            fields = dataclasses.fields(value)
            value = {key_of(each): getattr(value, each.name) for each in fields}
        if isinstance(value, Mapping):
            pairs = (
                f"{_key(name)} = {self._literal(name, each)}"
                for name, each in value.items()
            )
            return f"{{ {', '.join(pairs)} }}"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Duration):
            return _string(go_duration(value))
        if isinstance(value, str):
            is_hidden = is_url_name(key) and not self._reveal
            return _string(hidden_url(value) if is_hidden else value)
        if isinstance(value, tuple | list):
            return f"[{', '.join(self._literal(key, each) for each in value)}]"
        return repr(value)


def _is_section(value: object) -> bool:
    return dataclasses.is_dataclass(value) or isinstance(value, tuple)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key, re.ASCII) else _string(key)


def _string(text: str) -> str:
    # as in JSON, except for one control character that TOML does not allow
    return quote(scrub(text)).replace("\x7f", "\\u007f")
