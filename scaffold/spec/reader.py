"""Reads the tables of a spec, and remembers every fault with its place."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from runtime.toml_lines import Positions
from scaffold.errors import Fault
from scaffold.expressions.code import ExpressionError
from scaffold.names import closest

Path = tuple[str | int, ...]
T = TypeVar("T")

# more than any service has; beyond it, reading and laying out take too long
_MOST_KEYS = 500

_WORDS: dict[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


@dataclass
class Reader:
    """Collects the faults of one spec.

    Attributes:
        positions: where its keys stand; None for flags.
        flags: by path, the flag that said it.
        faults: what was wrong so far.
        warnings: what is allowed, and probably not meant.
    """

    positions: Positions | None = None
    flags: Mapping[Path, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def warn(self, path: Path, problem: str, allowed: str = "") -> None:
        """Remember that something is probably not meant."""
        self.warnings.append(
            Fault(self.where(path), problem, allowed, line=self.line(path))
        )

    def fault(
        self, path: Path, problem: str, allowed: str = "", suggestion: str = ""
    ) -> None:
        """Remember that something is wrong at `path`."""
        self.faults.append(
            Fault(self.where(path), problem, allowed, suggestion, self.line(path))
        )

    def take(self, faults: Iterable[Fault], path: Path) -> None:
        """Remember faults that others found at `path`."""
        for each in faults:
            self.fault(path, each.problem, each.allowed, each.suggestion)

    def failed(self, path: Path, error: ExpressionError) -> None:
        """Remember what is wrong with an expression."""
        self.fault(path, str(error), error.allowed, error.suggestion)

    def where(self, path: Path) -> str:
        """How a message calls a place: the flag that said it, or the key's path."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.flags:
                return self.flags[path[:length]]
        return shown(path)

    def line(self, path: Path) -> int | None:
        """The line of a place in the file."""
        return None if self.positions is None else self.positions.line(path)

    def keys(
        self,
        table: Mapping[str, Any],
        path: Path,
        known: Iterable[str],
        later: Iterable[str] = (),
    ) -> None:
        """Refuse the keys of a table that are not known."""
        known, later = list(known), set(later)
        for key in table:
            if key in later:
                self.fault((*path, key), "is not known to this version")
            elif key not in known:
                guess = closest(key, known)
                allowed = ", ".join(known)
                self.fault((*path, key), "unknown key", allowed, guess)

    def value(
        self,
        table: Mapping[str, Any],
        path: Path,
        key: str,
        wanted: type[T],
        default: T,
    ) -> T:
        """The value of a key, if it has the wanted type."""
        if key not in table:
            return default
        found: T = table[key]
        if type(found) is wanted:  # not isinstance: a bool is no number here
            return found
        self.fault((*path, key), f"is {kind_of(found)}", _WORDS[wanted])
        return default

    def table(self, table: Mapping[str, Any], path: Path, key: str) -> dict[str, Any]:
        """A table inside a table; empty where there is none."""
        found = self.value(table, path, key, dict, {})
        if len(found) <= _MOST_KEYS:
            return found
        self.fault((*path, key), f"has {len(found)} keys", f"at most {_MOST_KEYS}")
        return dict(itertools.islice(found.items(), _MOST_KEYS))

    def tables(
        self, table: Mapping[str, Any], path: Path, key: str
    ) -> list[tuple[Path, dict[str, Any]]]:
        """The tables of a list, each with its path."""
        found = self.value(table, path, key, list, [])
        if len(found) > _MOST_KEYS:
            problem = f"occurs {len(found)} times"
            self.fault((*path, key), problem, f"at most {_MOST_KEYS} times")
        kept = []
        for index, each in enumerate(found[:_MOST_KEYS]):
            place = (*path, key, index)
            if isinstance(each, dict):
                kept.append((place, each))
            else:
                self.fault(place, f"is {kind_of(each)}", f"[[{key}]]")
        return kept

    def choice(
        self,
        table: Mapping[str, Any],
        path: Path,
        key: str,
        allowed: Iterable[str],
        default: str,
    ) -> str:
        """A text that has to be one of a few."""
        found = self.value(table, path, key, str, default)
        allowed = list(allowed)
        # of another type: that was said already
        if not isinstance(table.get(key), str) or found in allowed:
            return found
        place = (*path, key)
        listed = ", ".join(allowed)
        self.fault(place, f"{found!r} is not known", listed, closest(found, allowed))
        return default

    def texts(self, table: Mapping[str, Any], path: Path, key: str) -> list[str]:
        """A list of texts."""
        found = self.value(table, path, key, list, [])
        for index, each in enumerate(found):
            if not isinstance(each, str):
                self.fault((*path, key, index), f"is {kind_of(each)}", "a text")
        return [each for each in found if isinstance(each, str)]


def shown(path: Path) -> str:
    """A path as messages show it: `request[1].json.room`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def kind_of(value: object) -> str:
    """What a TOML value is, for messages."""
    return _WORDS.get(type(value), "a date or time")
