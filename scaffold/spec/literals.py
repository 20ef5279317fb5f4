"""Plain values in a spec, checked against the types of settings and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.alert.types import TEMPLATE_NAMES
from runtime.golang.durations import parse_go
from scaffold.spec.model.settings import UNKNOWN_TYPE, FieldType, Record
from scaffold.spec.reader import Path, Reader, noun_of
from scaffold.spec.tokens import tokens_in

_FORM = "write it as '10s', '1m30s' or '500ms'"
# the types of settings that a TOML value fits, by its type
FITTING: dict[type, tuple[str, ...]] = {
    str: ("str", "url", "any", "template"),
    bool: ("bool", "flag", "any"),
    int: ("int", "float", "duration", "any"),
    float: ("float", "any"),
    list: ("list[str]", "list[any]", "list[template]", "records", "any"),
    dict: ("map[str]", "map[any]", "map[template]", "any"),
}


def read_value(
    reader: Reader, table: Mapping[str, Any], path: Path, key: str, type_: FieldType
) -> Any:
    """A plain value, checked against a type."""
    if key not in table or type_ is UNKNOWN_TYPE:
        return type_.empty
    value, place = table[key], (*path, key)
    if type_.name == "secret":
        reader.fault(place, "must be absent: a secret would be committed")
    elif type_.name == "duration" and isinstance(value, str):
        return read_duration(reader, value, place)
    elif type_.name not in FITTING.get(type(value), ()):
        reader.fault(place, f"must fit type {type_.name}, but is {noun_of(value)}")
    elif type_.record is not None:
        return _records(reader, value, place, type_.record, table.get("scope", ()))
    elif type_.is_template:
        return _templates(reader, value, place, type_, table.get("scope", ()))
    elif type_.name in ("any", "list[any]", "map[any]"):
        _check_data(reader, value, place)
        return tuple(value) if type_.name == "list[any]" else value
    elif isinstance(value, list):
        return tuple(
            each
            for index, each in enumerate(value)
            if reader.is_a(each, str, (*place, index))
        )
    elif isinstance(value, dict):
        return {
            name: each
            for name, each in value.items()
            if reader.is_a(each, str, (*place, name))
        }
    elif _check_data(reader, value, place):
        return float(value) if type_.name == "float" else value
    return type_.empty


def _templates(
    reader: Reader, value: Any, path: Path, type_: FieldType, scope: Sequence[str]
) -> Any:
    """A template, or a list or a map of them, as plain strings."""
    if isinstance(value, str):
        return _template(reader, value, path, scope)
    if isinstance(value, list):
        return tuple(
            _template(reader, each, (*path, index), scope)
            for index, each in enumerate(value)
            if reader.is_a(each, str, (*path, index))
        )
    return {
        key: _template(reader, _printed(each), (*path, key), scope)
        for key, each in value.items()
        if _check_data(reader, each, (*path, key))
    }


def _printed(value: object) -> str:
    """A value of a map of templates as the runtime takes it over HTTP."""
    if isinstance(value, str):
        return value
    from runtime.golang.printing import text

    return text(value)


def _template(reader: Reader, source: str, path: Path, scope: Sequence[str]) -> str:
    """A template; a fault if it does not parse, or uses names beyond its scope."""
    if "{{" not in source:
        _check_data(reader, source, path)
        return source
    # only for specs that have one: templates take time to load
    from runtime.alert.templates import Template, data
    from runtime.golang.templates import TemplateError
    from runtime.testing.events import sample_event

    names_ = scope or TEMPLATE_NAMES
    try:
        Template(source, name=str(path[1])).execute(data(sample_event(), names_))
    except TemplateError as error:
        reader.fault(path, str(error), ", ".join(names_))
        return ""
    return source


def _check_data(reader: Reader, value: object, path: Path) -> bool:
    """True for data that JSON can hold and that may be committed; a fault if not."""
    match value:
        case list():
            found = [
                _check_data(reader, each, (*path, at)) for at, each in enumerate(value)
            ]
            return all(found)
        case dict():
            found = [
                _check_data(reader, each, (*path, key)) for key, each in value.items()
            ]
            return all(found)
        case str() if tokens_in(value):
            problem = "looks like a token, which would be committed; remove it"
        case bool() | str():
            return True
        case int():
            if -(1 << 63) <= value < 1 << 63:
                return True
            problem = "must be an integer of 64 bits"
        case float():
            if value - value == 0:
                return True
            problem = f"must be a finite number, not {value}"
        case _:
            problem = f"is {noun_of(value)}; write it in quotes"
    reader.fault(path, problem)
    return False


def read_duration(reader: Reader, text: str, path: Path) -> int:
    """A duration, in ns."""
    try:
        duration = parse_go(text)
    except ValueError:
        reader.fault(path, f"{text!r} is not a duration; {_FORM}")
        return 0
    if duration < 0:
        reader.fault(path, f"{text!r} is negative; {_FORM}")
    return duration


def _records(
    reader: Reader,
    value: Sequence[Any],
    path: Path,
    record: Record,
    scope: Sequence[str],
) -> tuple[dict[str, Any], ...]:
    """The records of a list, as plain tables."""
    made = []
    for index, each in enumerate(value):
        place = (*path, index)
        if not isinstance(each, dict):
            reader.fault(place, f"must be a table, not {noun_of(each)}")
            continue
        reader.unknown(each, place, [field.key for field in record.fields])
        values = {}
        for field in record.fields:
            if field.key in each:
                table = {**each, "scope": scope}
                values[field.key] = read_value(
                    reader, table, place, field.key, field.type
                )
            elif not field.is_optional:
                reader.fault((*place, field.key), "is missing")
        made.append(values)
    return tuple(made)
