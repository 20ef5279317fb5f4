"""Names of dataclass fields in TOML, JSON and TICKscript."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class FormerName(NamedTuple):
    """The use of a former name of a setting.

    Attributes:
        old: the former name, as it was written.
        new: the present name.
    """

    old: str
    new: str

    @property
    def deprecation(self) -> str:
        """The warning about its use."""
        return f"{self.old} is deprecated: use {self.new}"

    @property
    def conflict(self) -> str:
        """The error if the present name is used too."""
        return f"{self.old} is the former name of {self.new}, which is set too: remove {self.old}"


def setting(
    default: T,
    *,
    key: str | None = None,
    tick: str | None = None,
    formerly: tuple[str, ...] = (),
) -> T:
    """A dataclass field whose outside name does not follow from its Python name.

    Args:
        default: its default value.
        key: its name in TOML and JSON, as `recovery_action`.
        tick: its name in TICKscript, as `uRL`.
        formerly: its deprecated names, which still work.
    """
    metadata = {"key": key, "tick": tick, "formerly": formerly}
    made: T = dataclasses.field(default=default, metadata=metadata)
    return made


def is_required(field: dataclasses.Field[Any]) -> bool:
    """True if a field has no default, so that it must always be set."""
    return (
        field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    )


def key_of(field: dataclasses.Field[Any]) -> str:
    """The field's name in TOML and JSON: `state_changes_only` → `state-changes-only`.

    A trailing underscore, which distinguishes a name from a Python keyword, is dropped.
    """
    return field.metadata.get("key") or field.name.rstrip("_").replace("_", "-")


def former_names(field: dataclasses.Field[Any]) -> tuple[str, ...]:
    """The field's deprecated names, in TICKscript for a property, else in TOML and JSON."""
    found: tuple[str, ...] = field.metadata.get("formerly", ())
    return found


def present_keys(config: type[Any]) -> dict[str, str]:
    """The present name for each former one, in TOML and JSON."""
    return {
        old: key_of(field)
        for field in dataclasses.fields(config)
        for old in former_names(field)
    }


def former_names_in(keys: Collection[str], config: type[Any]) -> list[FormerName]:
    """The former names among keys, which may be in any case."""
    present = {old.casefold(): new for old, new in present_keys(config).items()}
    return [
        FormerName(key, present[key.casefold()])
        for key in keys
        if key.casefold() in present
    ]


def by_present_names(values: Mapping[str, T], config: type[Any]) -> dict[str, T]:
    """The values by present names, which are matched exactly.

    Raises:
        ValueError: a setting is present under two names.
    """
    present = present_keys(config)
    found: dict[str, T] = {}
    for key in values:
        new = present.get(key, key)
        if new in found or (new != key and new in values):
            raise ValueError(FormerName(key, new).conflict)
        found[new] = values[key]
    return found


def tick_of(field: dataclasses.Field[Any]) -> str:
    """The field's name in TICKscript: `icon_emoji` → `iconEmoji`."""
    return field.metadata.get("tick") or camel_case(field.name)


def camel_case(name: str) -> str:
    """`hip_chat` → `hipChat`; a trailing underscore is dropped."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.capitalize() for part in rest)
