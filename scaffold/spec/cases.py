"""The tables of a spec with cases to try: the service test and the author's examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.errors import DeliveryError
from runtime.services.expressions import parse_time
from scaffold import names
from scaffold.expressions.code import LEVELS, Type
from scaffold.expressions.compiler import Scope
from scaffold.spec import keys
from scaffold.spec.literals import read_value
from scaffold.spec.model.cases import Example, TestField
from scaffold.spec.model.settings import LEVEL_TYPE, TYPES, FieldType, Option, Setting
from scaffold.spec.reader import Path, Reader
from scaffold.spec.values import Values

EVENT_FEEDS: dict[str, str] = {
    "event.id": "str",
    "event.message": "str",
    "event.details": "str",
    "event.level": "str",
    "event.topic": "str",
    "event.name": "str",
    "event.task": "str",
    "event.category": "str",
    "event.group": "str",
    "event.tags": "map[str]",
    "event.time": "str",
    "event.data": "map[any]",
}
_OF_DATA = ("name", "task", "category", "group", "tags")
_SHORT_FEEDS = {"message": "event.message", "level": "event.level"}


def read_test(
    reader: Reader,
    table: Mapping[str, Any],
    kind: str,
    options: Mapping[str, Option],
    values: Values,
) -> tuple[TestField, ...]:
    """`[test]`: the options of the service test; a message is always among them."""
    entries = dict(table)
    if "message" not in entries and not _is_fed(entries, "event.message"):
        entries["message"] = f"test {kind} message"
    made = []
    for key, value in entries.items():
        path: Path = ("test", key)
        reader.take(names.key_faults(key, "", what="test option"), path)
        feeds = ""
        if isinstance(value, dict):
            entry = reader.keys(value, path, keys.TEST)
            feeds, value = entry.get("feeds", ""), entry.get("value", "")
        feeds = feeds or _feeds(key, options)
        made.append(_test_field(reader, key, value, feeds, options, values))
    _check_data(reader, made)
    for first, second in names.same_names(entries):
        reader.fault(("test", second), f"has the same Python name as {first!r}")
    return tuple(made)


def _check_data(reader: Reader, made: list[TestField]) -> None:
    """Refuse an option for a part of the event's data beside one for all of it."""
    by_feed = {each.feeds: each.key for each in made}
    whole = by_feed.get("event.data")
    for part in _OF_DATA if whole else ():
        if key := by_feed.get(f"event.{part}"):
            problem = f"is part of event.data, which {whole!r} sets; remove one of them"
            reader.fault(("test", key), problem)


def _is_fed(entries: Mapping[str, Any], what: str) -> bool:
    return any(
        isinstance(each, dict) and each.get("feeds") == what
        for each in entries.values()
    )


def _feeds(key: str, options: Mapping[str, Option]) -> str:
    if key in _SHORT_FEEDS and key not in options:
        return _SHORT_FEEDS[key]
    return f"opt.{key}" if key in options else ""


def _test_field(
    reader: Reader,
    key: str,
    value: object,
    feeds: str,
    options: Mapping[str, Option],
    values: Values,
) -> TestField:
    path: Path = ("test", key)
    by_name = {f"opt.{option.name}": f"opt.{option.key}" for option in options.values()}
    feeds = by_name.get(feeds, feeds)
    known = [*EVENT_FEEDS, *(f"opt.{each}" for each in options)]
    if feeds not in known:
        _unknown_feed(reader, key, feeds, known)
        return TestField(key, TYPES["str"], "")
    if feeds == "event.level":
        return _test_level(reader, key, value, path)
    if feeds == "event.time":
        return _test_time(reader, key, value, path)
    is_option = feeds.startswith("opt.")
    type_ = options[feeds[4:]].type if is_option else TYPES[EVENT_FEEDS[feeds]]
    if type_.base is Type.SECRET:
        problem = "would show a secret; remove it, the test uses the configured one"
        reader.fault(path, problem)
        return TestField(key, TYPES["str"], "", feeds=feeds)
    return _test_value(reader, key, value, feeds, type_, values)


def _unknown_feed(reader: Reader, key: str, feeds: str, known: list[str]) -> None:
    if feeds:
        guess = names.closest(feeds, known)
        reader.fault(("test", key), f"unknown feed {feeds!r}", ", ".join(known), guess)
        return
    reader.fault(
        ("test", key),
        "sets nothing; use the key of an option, 'message' or 'level', "
        'or write { value = …, feeds = "event.id" }',
        ", ".join(known),
        names.closest(key, [each.partition(".")[2] for each in known]),
    )


def _test_value(
    reader: Reader,
    key: str,
    value: object,
    feeds: str,
    type_: FieldType,
    values: Values,
) -> TestField:
    """A default of the type of its target, plain or an expression over `config`."""
    path: Path = ("test", key)
    if isinstance(value, str) and not (type_.is_template and "${" not in value):
        code = values.string(value, path)
        if code.reads:
            if code.type is not type_.unrendered:
                problem = f"is {code.type.noun}, but {feeds} has type {type_.name}"
                reader.fault(path, problem)
            return TestField(key, type_, type_.empty, code=code, feeds=feeds)
        if type_.base is Type.STR:
            return TestField(key, type_, value, feeds=feeds)
    if value == "":
        return TestField(key, type_, type_.empty, feeds=feeds)
    default = read_value(reader, {key: value}, ("test",), key, type_)
    return TestField(key, type_, default, feeds=feeds)


def _test_time(reader: Reader, key: str, value: object, path: Path) -> TestField:
    try:
        parse_time(str(value))
    except DeliveryError:
        problem = f"{value!r} is not a time; write '2017-07-14T02:40:00Z', in quotes"
        reader.fault(path, problem)
    return TestField(key, TYPES["str"], value, feeds="event.time")


def _test_level(reader: Reader, key: str, value: object, path: Path) -> TestField:
    if value not in LEVELS:
        guess = names.closest(value, LEVELS)
        reader.fault(path, f"unknown level {value!r}", ", ".join(LEVELS), guess)
        value = "CRITICAL"
    return TestField(key, LEVEL_TYPE, value, feeds="event.level")


def read_examples(
    reader: Reader,
    document: Mapping[str, Any],
    config: Mapping[str, Setting],
    options: Mapping[str, Setting],
) -> tuple[Example, ...]:
    """`[[example]]`: cases of the author; each becomes a test."""
    made = []
    tables = reader.tables(document, "example", keys.EXAMPLE)
    for index, (path, table) in enumerate(tables):
        event = reader.keys(
            table.get("event", {}), (*path, "event"), keys.EXAMPLE_EVENT
        )
        for name, tag in event.get("tags", {}).items():
            reader.is_a(tag, str, (*path, "event", "tags", name))
        want = reader.keys(table.get("want", {}), (*path, "want"), keys.EXAMPLE_WANT)
        _plain(reader, event, (*path, "event"))
        _plain(reader, want, (*path, "want"))
        made.append(
            Example(
                table.get("name", f"example {index + 1}"),
                _settings(reader, table.get("config", {}), (*path, "config"), config),
                _settings(
                    reader, table.get("options", {}), (*path, "options"), options
                ),
                event,
                want,
            )
        )
    return tuple(made)


def _settings(
    reader: Reader,
    table: Mapping[str, Any],
    path: Path,
    settings: Mapping[str, Setting],
) -> dict[str, Any]:
    """Values of settings, checked against their types; secrets are test values."""
    reader.unknown(table, path, settings)
    made = {}
    for key, value in table.items():
        if key not in settings:
            continue
        type_ = settings[key].type
        if type_.base is not Type.SECRET and type_.name != "url":
            made[key] = read_value(reader, table, path, key, type_)
        elif reader.is_a(value, str, (*path, key)):
            made[key] = value
    return made


def _plain(reader: Reader, value: object, path: Path) -> None:
    """Refuse values that JSON cannot hold."""
    if isinstance(value, dict):
        for key, each in value.items():
            _plain(reader, each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _plain(reader, each, (*path, index))
    elif not isinstance(value, str):
        Values(reader, Scope()).value(value, path)
