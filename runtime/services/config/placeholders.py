"""Placeholders of secrets: sending one back leaves the secret unchanged."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from runtime.errors import ConfigError
from runtime.secrets import Secret
from runtime.secrets.mappings import restored, unknown
from runtime.secrets.names import HIDDEN, is_placeholder
from runtime.secrets.references import literal
from runtime.secrets.urls import is_url_name
from runtime.services.config.sections import (
    fields_by_key,
    is_secret_table,
    shown,
)


def changed_options(
    options: Mapping[str, Any], stored: Mapping[str, Any], element: Any
) -> dict[str, Any]:
    """The options with new values.

    Args:
        options: options as sent.
        stored: options of earlier updates.
        element: current element, or the defaults of its type for a new one.

    Raises:
        ConfigError: an option has `***` without a stored value.
    """
    fields = fields_by_key(type(element))
    hints = typing.get_type_hints(type(element))
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name not in fields:
            found[name] = value
            continue
        hint = hints[fields[name].name]
        before = getattr(element, fields[name].name)
        if _is_shown_back(name, value, hint, before):
            continue
        if isinstance(value, list) and isinstance(before, tuple) and is_url_name(name):
            value = _with_urls(name, value, before)
        if isinstance(value, Mapping):
            value = _filled(value, hint, before, stored.get(name))
        if problem := _problem(name, value, hint):
            raise ConfigError(f"cannot set option {name}: {problem}")
        found[name] = value
    return found


def _is_shown_back(name: str, value: Any, hint: Any, before: Any) -> bool:
    if hint is Secret or is_secret_table(hint):
        return value is bool(before) or (is_placeholder(value) and bool(before))
    if isinstance(before, str) and is_url_name(name):
        return bool(value == shown(name, before) != before)
    # empty lists and tables are shown as null
    return value is None and shown(name, before) is None


def _filled(value: Mapping[str, Any], hint: Any, before: Any, stored: Any) -> Any:
    """A table with its redacted or omitted secrets restored."""
    if isinstance(before, Mapping):
        return restored(value, before)
    if not dataclasses.is_dataclass(hint):
        return value
    found = dict(value)
    for name, field in fields_by_key(typing.cast(type[Any], hint)).items():
        held = getattr(before, field.name)
        if not isinstance(held, Secret):
            continue
        if is_placeholder(found.get(name)) and held:
            found[name] = literal(held)
        elif name not in found and isinstance(stored, Mapping) and name in stored:
            found[name] = stored[name]
    return found


def _with_urls(name: str, values: list[Any], before: tuple[Any, ...]) -> list[Any]:
    """A list of URLs, with the stored URL in place of each redacted one."""
    stored = {shown(name, each): each for each in before if isinstance(each, str)}
    return [
        stored.get(each, each) if isinstance(each, str) else each for each in values
    ]


def _problem(name: str, value: Any, hint: Any) -> str:
    """The problem with a placeholder that has no stored secret."""
    if isinstance(value, Mapping):
        names = ", ".join(unknown(value))
        text = f"{HIDDEN} is a placeholder for a secret that is not stored: {names}"
        return text if names else ""
    if hint is Secret and is_placeholder(value):
        return f"{value} is a placeholder, but no secret is stored"
    urls = value if isinstance(value, list) else [value]
    if is_url_name(name) and any(isinstance(u, str) and HIDDEN in u for u in urls):
        return f"{HIDDEN} hides a part of the stored URL, which is another one"
    return ""
