"""Records of a spec: `of`, the fields of the tables in a list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from scaffold import names
from scaffold.expressions.code import Type
from scaffold.spec.model.settings import (
    RECORD_TYPES,
    TYPES,
    FieldType,
    Record,
    RecordField,
)
from scaffold.spec.reader import Path, Reader

# classes that the modules of a handler have or import
_TAKEN = names.words("""
    AlertHandler Config ConfigError DeliveryError Duration Event EventData EventState
    HandlerConfig HttpService Level LoopbackServer Message None OptionsError Request
    Response Secret Self Service Signature SteppedServer Template TestOptions TextSnapshot True False
    ClassVar Variant
    """)


def read(
    reader: Reader,
    entry: Mapping[str, Any],
    path: Path,
    known: Collection[Record] = (),
) -> FieldType | None:
    """The type of a list of records; None without `of`.

    Args:
        reader: collects faults.
        entry: the setting or option.
        path: its place.
        known: the records that were read before.
    """
    if "of" not in entry:
        return None
    if entry.get("type", "list") != "list":
        problem = f"conflicts with type {entry['type']!r}"
        reader.fault((*path, "of"), problem, 'type = "list"')
    fields = _fields(reader, entry["of"], (*path, "of"))
    for other in known:
        if other.fields == fields:
            return _type(other)
    taken = {*_TAKEN, *(each.class_name for each in known)}
    tick = entry.get("tick")
    name = _class_name(str(path[1]), tick if isinstance(tick, str) else "")
    # constants of the service may have names in capitals
    while name in taken or name.isupper():
        name += "Item"
    return _type(Record(name, str(path[1]), fields, path[0] == "config"))


def _type(record: Record) -> FieldType:
    return FieldType("records", Type.RECORDS, (), record)


def _fields(
    reader: Reader, table: Mapping[str, Any], path: Path
) -> tuple[RecordField, ...]:
    allowed = ", ".join(RECORD_TYPES)
    fields: list[RecordField] = []
    if not table:
        reader.fault(path, "is empty; give it a field", '{ name = "str" }')
    for first, second in names.same_names(table):
        reader.fault((*path, second), f"has the same Python name as {first!r}")
    for key, type_ in table.items():
        place = (*path, key)
        reader.take(names.key_faults(key, "", what="field"), place)
        if not reader.is_a(type_, str, place):
            continue
        name = type_.removesuffix("?")
        if name not in RECORD_TYPES:
            guess = names.closest(name, RECORD_TYPES)
            problem = f"unknown type {name!r} of a field of records"
            reader.fault(place, problem, allowed, guess)
            continue
        is_optional = type_.endswith("?")
        if fields and fields[-1].is_optional and not is_optional:
            problem = "must come before the fields that may be missing"
            reader.fault(
                place, f"{problem}: the arguments of a call fill them in order"
            )
        found = TYPES[name]
        fields.append(RecordField(key, found, found.empty, is_optional=is_optional))
    return tuple(fields)


def _class_name(key: str, tick: str) -> str:
    """The class of one record: `links` \u2192 `Link`."""
    word = tick or names.camel_case(_singular(key))
    return word[:1].upper() + word[1:]


def _singular(word: str) -> str:
    """A noun without its plural: `entries` \u2192 `entry`."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
