"""Variants of a spec with one key changed: the text that changes depends on that key."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from typing import Any

from scaffold.errors import SpecError
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import parse
from scaffold.spec.reader import Path
from scaffold.spec.toml import toml_table

_REMOVED = object()


def variants(spec: HandlerSpec) -> Iterator[tuple[Path, HandlerSpec]]:
    """Each key of a spec that can be changed alone, with a spec in which it is changed."""
    document = tomllib.loads(spec.text.removeprefix("\ufeff"))
    for path in _leaves(document, ()):
        for value in _others(_at(document, path)):
            changed = copy.deepcopy(document)
            _set(changed, path, value)
            try:
                other = parse(toml_table("", changed))
            except SpecError:
                continue
            yield path, other
            break


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    """The paths of all values that are neither tables nor lists of them."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _leaves(each, (*path, key))
    elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        for number, each in enumerate(value):
            yield from _leaves(each, (*path, number))
    else:
        yield path


def _others(value: Any) -> Iterator[Any]:
    """Replacements for a value, the most similar first; the last one removes it."""
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str():
            yield from (f"{value} other", f"{value}other", f"other{value}")
        case [*rest, int(last)]:
            yield [*rest, last, last + 1]
        case [*rest, _]:
            yield rest
    yield _REMOVED


def _at(document: Any, path: Path) -> Any:
    for part in path:
        document = document[part]
    return document


def _set(document: Any, path: Path, value: Any) -> None:
    *above, last = path
    holder = _at(document, tuple(above))
    if value is _REMOVED:
        del holder[last]
    else:
        holder[last] = value
