"""Names of dataclass fields in TOML, JSON and TICKscript."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

T = TypeVar("T")


def setting(default: T, *, key: str | None = None, tick: str | None = None) -> T:
    """A dataclass field whose outside name does not follow from its Python name.

    Args:
        default: its default value.
        key: its name in TOML and JSON, as `recovery_action`.
        tick: its name in TICKscript, as `uRL`.
    """
    metadata = {"key": key, "tick": tick}
    made: T = dataclasses.field(default=default, metadata=metadata)
    return made


def key_of(field: dataclasses.Field[Any]) -> str:
    """The field's name in TOML and JSON: `state_changes_only` → `state-changes-only`.

    A trailing underscore, which keeps a name clear of Python's keywords, is dropped.
    """
    return field.metadata.get("key") or field.name.rstrip("_").replace("_", "-")


def tick_of(field: dataclasses.Field[Any]) -> str:
    """The field's name in TICKscript: `icon_emoji` → `iconEmoji`."""
    return field.metadata.get("tick") or camel_case(field.name)


def camel_case(name: str) -> str:
    """`hip_chat` → `hipChat`; a trailing underscore is dropped."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.capitalize() for part in rest)
