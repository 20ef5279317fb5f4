"""Handlers in TICKscript: calls of their properties."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from scaffold.expressions.code import Type
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.model.settings import Option


def handler(
    spec: HandlerSpec,
    options: Iterable[Option],
    value_of: Callable[[Option], Any],
    separator: str = "",
) -> str:
    """The call of a handler's property, and of the properties of options.

    Args:
        spec: the handler.
        options: options to set.
        value_of: gives the value of an option.
        separator: text before the call of an option's property.
    """
    arguments: list[str] = []
    calls: list[str] = []
    for option in options:
        found = list(_calls(option, value_of(option)))
        if option.is_argument:
            # a list with a property is filled by the arguments and by the property
            has_more = option.type.base is Type.LIST and option.tick is not None
            values = value_of(option) if option.type.base is Type.LIST else ()
            first = [literal(each) for each in (values[:1] if has_more else values)]
            arguments += first or found
            found = [literal(each) for each in values[1:]] if has_more else []
        calls += [f".{option.tick}({each})" for each in found]
    own = f".{spec.names.property}({', '.join(arguments)})"
    return separator.join([own, *calls])


def _calls(option: Option, value: Any) -> Iterator[str]:
    """The arguments of each call of a property that give an option its value."""
    match option.type.base:
        case Type.BOOL:
            yield ""
        case Type.DURATION:
            yield _duration(value)
        case Type.LIST | Type.VALUES:
            yield ", ".join(map(literal, value))
        case Type.MAP | Type.FIELDS:
            for key, each in value.items():
                yield f"{literal(key)}, {literal(each)}"
        case Type.RECORDS:
            record = option.type.record
            assert record is not None
            types = {field.key: field.type.base for field in record.fields}
            for each in value:
                yield ", ".join(
                    _duration(part) if types[key] is Type.DURATION else literal(part)
                    for key, part in each.items()
                )
        case _:
            yield literal(value)


def is_scriptable(value: Any) -> bool:
    """True if a script can give an option this value and the value is not empty."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        parts = [
            part
            for each in value
            for part in (each.values() if isinstance(each, dict) else [each])
        ]
        return bool(parts) and all(isinstance(x, str | int | float) for x in parts)
    return bool(value)


def _duration(value: int) -> str:
    for unit, size in (("s", 10**9), ("ms", 10**6), ("u", 10**3)):
        if value % size == 0:
            return f"{value // size}{unit}"
    return f"{value}ns"


def literal(value: Any) -> str:
    """A string, number or boolean in a script."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if not isinstance(value, str):
        return str(value)
    if "\\" in value:
        return f"'''{value}'''"
    return "'" + value.replace("'", "\\'") + "'"
