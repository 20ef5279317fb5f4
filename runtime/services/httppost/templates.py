"""Templates over an event or a row, for URLs and bodies."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.alert.templates import result
from runtime.alert.types import Event, Row
from runtime.golang.json import dumps
from runtime.golang.templates import GoTemplate, StringMap, Struct, Time, text
from runtime.golang.templates.functions import Function
from runtime.golang.templates.limits import BODIES
from runtime.units import Duration, rfc3339

__all__ = ["GoTemplate", "event_data", "parsed", "row_data"]

# JSON names of the fields of structs
_KEYS = {
    "ID": "id",
    "PreviousLevel": "previousLevel",
}
# fields that are left out of the JSON if they are empty
_OPTIONAL = frozenset(("Name", "Tags", "Columns", "Values"))


def parsed(source: str, name: str, *, json: bool = True) -> GoTemplate:
    """A template over `event_data` or `row_data`.

    Args:
        source: the template.
        name: name in error texts.
        json: True to allow `json` and `jsonCompact`.

    Raises:
        TemplateError: the template does not parse.
    """
    return text(source, name, _FUNCTIONS if json else None, limits=BODIES)


def event_data(event: Event) -> Struct:
    """The event for templates.

    Source: Kapacitor alert.Data.
    """
    state, data = event.state, event.data
    return Struct(
        "alert.Data",
        {
            "ID": state.id,
            "Message": state.message,
            "Details": state.details,
            "Time": Time(state.time),
            "Duration": Duration(state.duration),
            "Level": str(state.level),
            "Data": result(data.result),
            "PreviousLevel": str(event.previous_level),
            "Recoverable": data.recoverable,
        },
    )


def row_data(row: Row) -> Struct:
    """The row for templates: each point as a map from column to value.

    Source: Kapacitor http_post.go, mappedRow.
    """
    values = [
        dict(zip(row.columns, (Time(int(time or 0)), *rest), strict=True))
        for time, *rest in row.values
    ]
    return Struct(
        "kapacitor.mappedRow",
        {"Name": row.name, "Tags": StringMap(row.tags), "Values": values},
    )


def _json(value: object, *, newline: bool) -> str:
    try:
        return dumps(_tree(value), newline=newline)
    except (ValueError, TypeError):
        return ""


def _tree(value: object) -> object:
    if isinstance(value, Time):
        return rfc3339(value)
    if isinstance(value, Duration):
        return int(value)
    if isinstance(value, Struct):
        return {
            _KEYS.get(name, name.lower()): _field(name, each)
            for name, each in value.fields.items()
            if each or name not in _OPTIONAL
        }
    if isinstance(value, Mapping):
        return {key: _tree(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_tree(each) for each in value]
    return value


def _field(name: str, value: object) -> object:
    # an empty list of series is null, as nil in Go
    return None if name == "Series" and not value else _tree(value)


_FUNCTIONS = {
    "json": Function(lambda value: _json(value, newline=True), 1, 1),
    "jsonCompact": Function(lambda value: _json(value, newline=False), 1, 1),
}
