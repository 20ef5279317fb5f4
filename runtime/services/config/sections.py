"""The tables of the configuration that can be overridden."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.alert.templates import Template
from runtime.integration import Integrations, element_key, is_list
from runtime.lazy import Lazy, given
from runtime.secrets import Secret
from runtime.secrets.mappings import hidden
from runtime.secrets.urls import hidden_url, is_url_name
from runtime.settings import key_of
from runtime.units import Duration, go_duration


@dataclass(frozen=True, slots=True)
class Section:
    """A table, or a list of tables.

    Attributes:
        name: name in the file.
        element_type: the dataclass of one table.
        elements: values of the file, with defaults.
        element_key: the option that names the elements of a list; None for a table.
    """

    name: str
    element_type: type[Any]
    elements: tuple[Any, ...]
    element_key: str | None = None

    @property
    def is_list(self) -> bool:
        """True if elements can be added."""
        return self.element_key is not None

    def element_name(self, element: Any) -> str:
        """The name of an element in paths; "" for the only one of a section."""
        if self.element_key is None:
            return ""
        field = fields_by_key(self.element_type)[self.element_key]
        return str(getattr(element, field.name))


def sections_of(
    integrations: Integrations, tables: Mapping[str, Any], *others: Section
) -> Mapping[str, Section]:
    """The sections of handlers in `tables`, and others, sorted.

    Sections that are not set are lazy.
    """
    values = integrations.tables(**given(tables))

    def make(name: str) -> Section:
        section, value = integrations.sections[name], values[name]
        if is_list(section):
            return Section(name, section, value, element_key(section))
        return Section(name, section, (value,))

    found = {name: make(name) for name in values.given}
    found |= {each.name: each for each in others}
    return Lazy(sorted((*values, *found)), make, found)


def fields_by_key(config: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    """The fields of a configuration by their external names."""
    return {key_of(field): field for field in dataclasses.fields(config)}


def options(element: Any) -> dict[str, Any]:
    """The options of an element as JSON: sorted, with secrets redacted."""
    return {
        key: shown(key, getattr(element, field.name))
        for key, field in sorted(fields_by_key(type(element)).items())
    }


def redacted(element: Any) -> list[str] | None:
    """The options of an element that hold secrets, or None."""
    hints = typing.get_type_hints(type(element))
    names = [
        key
        for key, field in fields_by_key(type(element)).items()
        if hints[field.name] is Secret or is_secret_table(hints[field.name])
    ]
    return names or None


def is_secret_table(hint: Any) -> bool:
    """True if a table inside an element is shown as a boolean: set or not."""
    return bool(getattr(hint, "IS_SECRET", False))


def shown(key: str, value: Any) -> Any:
    """The value of an option as JSON."""
    if isinstance(value, Secret) or is_secret_table(type(value)):
        return bool(value)
    if isinstance(value, Duration):
        return go_duration(value)
    if isinstance(value, Template):
        value = value.source
    if isinstance(value, str):
        return hidden_url(value) if is_url_name(key) else value
    if dataclasses.is_dataclass(value):
        return options(value)
    if isinstance(value, Mapping):
        entries = {name: shown(name, each) for name, each in value.items()}
        return hidden(entries) or None
    if isinstance(value, tuple | list):
        return [shown(key, each) for each in value] or None
    return value
