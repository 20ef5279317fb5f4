"""Values of a configuration, of options and of an event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from runtime.secrets import Secret
from runtime.testing.events import sample_event
from runtime.units import MINUTE, Duration
from scaffold.expressions.code import Type
from scaffold.spec.model import Setting

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
        """These values with others for some seats."""
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


def typed(field: Setting, value: Any) -> Any:
    """Plain data as the generated class holds it."""
    if field.type.base is Type.SECRET:
        return Secret(value)
    return Duration(value) if field.type.base is Type.DURATION else value
