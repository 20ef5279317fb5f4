"""Uses of settings and options in a spec: in expressions, as keys and as feeds."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from scaffold.expressions import references
from scaffold.expressions.references import Reference
from scaffold.names import identifier
from scaffold.spec import keys, shapes
from scaffold.spec.keys import Key
from scaffold.spec.reader import Path

_FLOWING = (shapes.TEXT, shapes.VALUE, shapes.VALUES, shapes.HEADERS, shapes.PARTS)
_TABLES = {"config": "config", "opt": "option"}

_Find = Callable[[str], Iterator[Reference]]


class Use(NamedTuple):
    """A use of a setting or an option.

    Attributes:
        table: `config` or `option`.
        path: the string that refers to it, or the key that names it.
        start: position in that string of its first character; -1: it is the key.
        end: position after the last one.
    """

    table: str
    path: Path
    start: int = -1
    end: int = -1


def uses(document: Mapping[str, Any], key: str) -> Iterator[Use]:
    """The uses of the setting and of the option with a key, beside their definitions.

    Args:
        document: a spec without faults.
        key: the key, as in `[config]` and `[option]`.
    """
    for path, text, find in _texts(document):
        for each in find(text):
            if each.name == identifier(key):
                yield Use(_TABLES[each.table], path, each.start, each.end)
    instances = document.get("instances", {})
    for name, table in (("key", "config"), ("option", "option")):
        if instances.get(name) == key:
            yield Use(table, ("instances", name), 0, len(key))
    options = {*document.get("option", {}), *instance_names(document)}
    yield from _feeds(document.get("test", {}), options, key)
    for index, example in enumerate(document.get("example", [])):
        for table, given in (("config", "config"), ("option", "options")):
            if key in example.get(given, {}):
                yield Use(table, ("example", index, given, key))


def instance_names(document: Mapping[str, Any]) -> set[str]:
    """The keys of the setting and the option that `[instances]` adds."""
    instances = document.get("instances", {})
    return {instances[name] for name in ("key", "option") if name in instances}


def _feeds(test: Mapping[str, Any], options: Container[str], key: str) -> Iterator[Use]:
    """The options of the service test that feed an option."""
    for name, value in test.items():
        feeds = value.get("feeds", "") if isinstance(value, dict) else ""
        if feeds in (f"opt.{key}", f"opt.{identifier(key)}"):
            yield Use("option", ("test", name, "feeds"), len("opt."), len(feeds))
        if name == key and key in options and (not feeds or feeds == f"opt.{key}"):
            yield Use("option", ("test", key))


def _texts(document: Mapping[str, Any]) -> Iterator[tuple[Path, str, _Find]]:
    """The strings of a spec that can have references, each with their pattern."""
    for name, known in (("config", keys.CONFIG), ("option", keys.OPTION)):
        for key, entry in document.get(name, {}).items():
            yield from _in_table(entry, (name, key), known)
    yield from _in_value(document.get("let", {}), ("let",))
    for index, table in enumerate(document.get("check", [])):
        yield from _in_table(table, ("check", index), keys.CHECK)
    for index, table in enumerate(document.get("request", [])):
        yield from _in_table(table, ("request", index), keys.REQUEST)
        auth = table.get("auth", {})
        yield from _in_table(auth, ("request", index, "auth"), keys.AUTH)
    yield from _in_table(
        document.get("connection", {}), ("connection",), keys.CONNECTION
    )
    yield from _in_table(document.get("response", {}), ("response",), keys.RESPONSE)
    for key, value in document.get("remember", {}).items():
        yield ("remember", key), value, references.in_expression
    for key, value in document.get("test", {}).items():
        path: Path = ("test", key)
        if isinstance(value, dict):
            value, path = value.get("value"), (*path, "value")
        if isinstance(value, str):
            yield path, value, references.in_string


def _in_table(
    table: Mapping[str, Any], path: Path, known: Sequence[Key]
) -> Iterator[tuple[Path, str, _Find]]:
    """The strings of a table, by the shapes of its keys."""
    for key in known:
        value, place = table.get(key.name), (*path, key.name)
        if key.shape in _FLOWING:
            yield from _in_value(value, place)
        # `check` of a setting may be the word `url` instead
        elif (
            key.shape == shapes.EXPRESSION and isinstance(value, str) and value != "url"
        ):
            yield place, value, references.in_expression
        elif key.shape == shapes.PAIR and isinstance(value, list):
            for index, each in enumerate(value):
                yield (*place, index), each, references.in_expression


def _in_value(value: object, path: Path) -> Iterator[tuple[Path, str, _Find]]:
    """The strings of a value with `${…}`, and of the tables and lists in it."""
    if isinstance(value, str):
        yield path, value, references.in_string
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _in_value(each, (*path, index))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _in_entry(key, each, (*path, key))


def _in_entry(key: str, value: Any, path: Path) -> Iterator[tuple[Path, str, _Find]]:
    """The strings of an entry of a table; some keys have a special meaning."""
    match key:
        case "...":
            items = value if isinstance(value, list) else [value]
            for index, each in enumerate(items):
                where = (*path, index) if isinstance(value, list) else path
                if isinstance(each, dict):
                    yield from _in_value(each, where)
                else:
                    yield where, each, references.in_expression
        case "@for":
            yield path, value, references.in_loop
        case "@if":
            yield path, value, references.in_expression
        case _:
            yield from _in_value(value, path)
