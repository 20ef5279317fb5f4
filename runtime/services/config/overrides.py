"""Overrides of the file's sections."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from runtime.errors import ConfigError
from runtime.golang.quoting import quote
from runtime.secrets.texts import trimmed
from runtime.secrets.urls import is_url_name
from runtime.services.config import placeholders
from runtime.services.config.sections import Section, fields_by_key
from runtime.services.config.values import converted, kind
from runtime.settings import (
    FormerName,
    by_present_names,
    former_names_in,
    present_keys,
)


class UpdateError(ConfigError):
    """An update cannot be applied."""


@dataclass(frozen=True, slots=True)
class Override:
    """The stored override of one element.

    Attributes:
        section: name of the section.
        element: name of the list element; "" for a section that is a table.
        options: values by option.
        create: True if the override created the element.
    """

    section: str
    element: str
    options: Mapping[str, Any] = field(default_factory=dict)
    create: bool = False

    @property
    def path(self) -> str:
        """The name in messages and in the store."""
        return f"{self.section}/{self.element}"

    def with_present_names(self, section: Section) -> Override:
        """The override with former names of options replaced.

        Raises:
            ValueError: an option has two values, by two names.
        """
        options = by_present_names(self.options, section.element_type)
        return dataclasses.replace(self, options=options)

    def encode(self) -> bytes:
        """Encode for the store."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True).encode()

    @classmethod
    def decode(cls, stored: bytes) -> Override:
        """Decode the output of `encode`."""
        return msgspec.json.decode(stored, type=cls)


Overrides = dict[str, Override]


def resolve(section: Section, overrides: Iterable[Override]) -> tuple[Any, ...]:
    """The elements of `section` with the overrides applied, sorted by name.

    Raises:
        ConfigError: an override does not apply, or leaves an element invalid.

    Source: Kapacitor services/config/override, OverrideConfig.
    """
    elements = {section.element_name(each): each for each in section.elements}
    for override in overrides:
        if override.create:
            start = section.element_type()
        elif override.element in elements:
            start = elements[override.element]
        else:
            raise ConfigError(
                f"failed to override configuration {override.path}: {_missing(override)}"
            )
        try:
            elements[override.element] = _applied(section, start, override)
        except ConfigError as error:
            raise ConfigError(
                f"failed to override configuration {override.path}: {error}"
            ) from None
    return tuple(elements[name] for name in sorted(elements))


def _missing(override: Override) -> str:
    if not override.options:
        return f"unknown section {override.section}"
    return _unknown_options(override.options, override.section)


def _unknown_options(names: Iterable[str], section: str) -> str:
    return f"unknown options [{' '.join(sorted(names))}] in section {section}"


def unknown_section(override: Override) -> ConfigError:
    """The error for an override of an unknown section."""
    return ConfigError(
        f"failed to override configuration {override.path}: {_missing(override)}"
    )


def _applied(section: Section, element: Any, override: Override) -> Any:
    fields = fields_by_key(section.element_type)
    hints = typing.get_type_hints(section.element_type)
    unknown = [name for name in override.options if name not in fields]
    if unknown:
        raise ConfigError(_unknown_options(unknown, section.name))
    changes = {}
    for name, value in override.options.items():
        if name == section.element_key and not override.create:
            raise ConfigError(f"cannot override element key {name}")
        target = fields[name].name
        try:
            made = converted(hints[target], value, getattr(element, target))
            is_url = isinstance(made, str) and is_url_name(name)
            changes[target] = trimmed(made) if is_url else made
        except ConfigError as error:
            raise ConfigError(f"cannot set option {name}: {error}") from None
    changed = dataclasses.replace(element, **changes)
    try:
        changed.validate()
    except ConfigError as error:
        raise ConfigError(f"failed validation: {error}") from None
    return changed


@dataclass(frozen=True, slots=True)
class Update:
    """One request to change a section.

    Attributes:
        section: name of the section.
        element: element named by the path, or None.
        set: options to store, by name.
        delete: names of options to drop.
        add: element to add.
        remove: names of elements to remove.
    """

    section: str
    element: str | None
    set: Mapping[str, Any] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    add: Mapping[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()

    def former_names(self, section: Section) -> list[FormerName]:
        """The former names of options in the update."""
        names = (*self.set, *self.delete, *self.add)
        return former_names_in(names, section.element_type)

    def with_present_names(self, section: Section) -> Update:
        """The update with former names of options replaced.

        Raises:
            UpdateError: an option has two values, by two names.
        """
        config = section.element_type
        present = present_keys(config)
        try:
            return dataclasses.replace(
                self,
                set=by_present_names(self.set, config),
                delete=tuple(present.get(name, name) for name in self.delete),
                add=by_present_names(self.add, config),
            )
        except ValueError as error:
            raise UpdateError(
                f"failed to override configuration {self.section}/"
                f"{self.element or ''}: {error}"
            ) from None

    def apply(self, sections: Mapping[str, Section], before: Overrides) -> Overrides:
        """The overrides after this update.

        Raises:
            UpdateError: the update refers to an unknown section, element or option.
        """
        after = dict(before)
        if self.add:
            added = self._added(sections, before)
            after[added.path] = added
        elif self.remove:
            for name in self.remove:
                after.pop(f"{self.section}/{name}", None)
        else:
            path = f"{self.section}/{self.element}"
            known = before.get(path, Override(self.section, self.element or ""))
            if known.create and self._key(sections) in self.set:
                raise UpdateError(
                    f"failed to override configuration {path}: "
                    f"cannot override element key {self._key(sections)}"
                )
            element = self._element(sections, before)
            new = self._changed_options(self.set, known.options, element, path)
            options = {**known.options, **new}
            kept = {k: v for k, v in options.items() if k not in self.delete}
            if known.create:
                # keep the name: without it the element would be another one
                kept.setdefault(self._key(sections) or "", self.element)
            after[path] = dataclasses.replace(known, options=kept)
        return after

    def _element(self, sections: Mapping[str, Section], before: Overrides) -> Any:
        """The element before the update; None if there is none."""
        section = sections.get(self.section)
        if section is None:
            return None
        own = [each for each in before.values() if each.section == self.section]
        try:
            elements = resolve(section, own)
        except ConfigError:
            # overrides that no longer apply, which this update may repair
            elements = section.elements
        names = {section.element_name(each): each for each in elements}
        return names.get(self.element or "")

    def _changed_options(
        self, sent: Mapping[str, Any], stored: Mapping[str, Any], on: Any, path: str
    ) -> Mapping[str, Any]:
        if on is None:
            return sent
        try:
            return placeholders.changed_options(sent, stored, on)
        except ConfigError as error:
            text = f"failed to override configuration {path}: {error}"
            raise UpdateError(text) from None

    def _key(self, sections: Mapping[str, Section]) -> str | None:
        section = sections.get(self.section)
        return section.element_key if section else None

    def _added(self, sections: Mapping[str, Section], before: Overrides) -> Override:
        section = sections.get(self.section)
        if section is None:
            raise UpdateError(
                f"failed to apply update: unknown section {quote(self.section)}"
            )
        if section.element_key is None:
            raise UpdateError(
                f"failed to apply update: section {quote(self.section)} is not a list, "
                "cannot add new element"
            )
        key = quote(section.element_key)
        if section.element_key not in self.add:
            raise UpdateError(f'failed to apply update: missing key {key} in "add" map')
        name = self.add[section.element_key]
        if not isinstance(name, str):
            raise UpdateError(
                f"failed to apply update: expected {key} key to be a string, "
                f"got {kind(name)}"
            )
        path = f"{self.section}/{name}"
        given = self._changed_options(self.add, {}, section.element_type(), path)
        # without options that are equal to the defaults
        options = {**given, section.element_key: name}
        added = Override(self.section, name, options, create=True)
        present = {section.element_name(each) for each in section.elements}
        if name in present or added.path in before:
            raise UpdateError(
                f"failed to apply update: element {quote(name)} of section "
                f"{quote(self.section)} exists already"
            )
        return added
