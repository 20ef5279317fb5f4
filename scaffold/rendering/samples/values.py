"""Values of a configuration, of options and of an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

from runtime.secrets import Secret
from runtime.testing.events import sample_event
from runtime.units import MINUTE, Duration
from scaffold.expressions.code import Type
from scaffold.spec.model.settings import Setting

_NONE: Mapping[str, Callable[..., Any]] = {}
# the names that sample templates show, the best first
_SHOWN = ("ID", "Name", "TaskName", "Message", "Level")

Seat = tuple[str, str]
"""Something to choose: a table and its key.

The table is `config`, `option`, `event` (by the names of specs), `tags` or `fields`.
"""


class Values(NamedTuple):
    """Values that the generated tests use.

    Attributes:
        config: the configuration, by key.
        options: options of the handler, by key.
        changes: changes of the event, in the form of `changed_event`.
    """

    config: dict[str, Any]
    options: dict[str, Any]
    changes: dict[str, Any]

    def changed(self, changes: Iterable[tuple[Seat, Any]]) -> Values:
        """These values, with other values for some seats."""
        values = self
        for seat, value in changes:
            values = values.having(seat, value)
        return values

    def having(self, seat: Seat, value: Any) -> Values:
        """These values and another one."""
        table, key = seat
        if table == "config":
            return self._replace(config={**self.config, key: value})
        if table == "option":
            return self._replace(options={**self.options, key: value})
        if table == "event":
            return self._replace(changes={**self.changes, key: value})
        own = dict(getattr(sample_event().data, table)) | self.changes.get(table, {})
        return self._replace(changes={**self.changes, table: {**own, key: value}})


def sample_value(field: Setting, word: str) -> Any:
    """A value that differs from the default, as plain data."""
    if field.type.record is not None:
        full = {
            each.key: sample_value(replace(each, scope=field.scope), word)
            for each in field.type.record.fields
        }
        optional = [each.key for each in field.type.record.fields if each.is_optional]
        short = {key: each for key, each in full.items() if key not in optional}
        return (full, short) if optional and short else (full,)
    if field.type.is_template:
        return _template_value(field, word)
    match field.type.base:
        case Type.STR | Type.SECRET:
            return f"{word}-{field.key.replace('_', '-')}"
        case Type.BOOL:
            return True
        case Type.INT | Type.ANY:
            return 7 if word == "configured" else 8
        case Type.FLOAT:
            return 0.5 if word == "configured" else 1.5
        case Type.DURATION:
            return MINUTE if word == "configured" else 2 * MINUTE
        case Type.LIST:
            return (f"{word}-a", f"{word}-b")
        case Type.VALUES:
            return (f"{word}-a", 7 if word == "configured" else 8)
        case Type.FIELDS:
            count = 7 if word == "configured" else 8
            return {"key": f"{word}-value", "count": count}
        case _:
            return {"key": f"{word}-value"}


def _template_value(field: Setting, word: str) -> Any:
    """A template with a name that its scope has."""
    names = field.scope or ("ID",)
    shown = next((each for each in _SHOWN if each in names), names[0])
    named = f"{{{{ .{shown} }}}}"
    match field.type.base:
        case Type.LIST:
            return (f"{word}-a", f"{word}-b {named}")
        case Type.MAP:
            return {"key": f"{word}-value {named}"}
    return f"{word}-{field.key.replace('_', '-')} {named}"


def typed(
    field: Setting, value: Any, classes: Mapping[str, Callable[..., Any]] = _NONE
) -> Any:
    """Plain data as the generated class holds it.

    Args:
        field: the setting or option.
        value: the data.
        classes: the classes of records.
    """
    if field.type.base is Type.SECRET:
        return Secret(value)
    if field.type.base is Type.DURATION:
        return Duration(value)
    if field.type.record is not None:
        make = classes.get(field.type.record.class_name, SimpleNamespace)
        fields = {each.key: each for each in field.type.record.fields}
        return tuple(
            make(
                **{
                    fields[key].name: typed(fields[key], each)
                    for key, each in record.items()
                }
            )
            for record in value
        )
    return _templates(value) if field.type.is_template else value


def _templates(value: Any) -> Any:
    from runtime.alert.templates import Template

    if isinstance(value, Mapping):
        return {key: Template(each) for key, each in value.items()}
    if isinstance(value, str):
        return Template(value)
    return tuple(map(Template, value))
