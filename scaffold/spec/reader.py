"""Reads the tables of a spec and collects every fault with its place."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime.toml_lines import Positions
from scaffold.errors import Fault
from scaffold.expressions.code import ExpressionError, UnresolvedError
from scaffold.names import closest
from scaffold.spec.keys import Key

Path = tuple[str | int, ...]

# more than any service needs; with more, reading and laying out take too long
_MOST_KEYS = 500

_NOUNS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "a list",
    dict: "a table",
}


@dataclass
class Reader:
    """Collects the faults of one spec.

    Attributes:
        positions: the lines of its keys; None for flags.
        flags: flags by the path that they set.
        faults: the faults so far.
        warnings: messages about probable mistakes.
        places: the places of all faults.
        failed_at: places of expressions that did not compile.
    """

    positions: Positions | None = None
    flags: Mapping[Path, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    places: set[Path] = field(default_factory=set)
    failed_at: set[Path] = field(default_factory=set)

    def warn(self, path: Path, problem: str) -> None:
        """Record a probable mistake."""
        self.warnings.append(Fault(self.where(path), problem, line=self.line(path)))

    def fault(
        self, path: Path, problem: str, allowed: str = "", suggestion: str = ""
    ) -> None:
        """Record a fault at `path`; the same one is recorded once."""
        where, line = self.where(path), self.line(path)
        fault = Fault(where, problem, allowed, suggestion, line)
        if fault not in self.faults:
            self.faults.append(fault)
        self.places.add(path)

    def take(self, faults: Iterable[Fault], path: Path) -> None:
        """Record faults that were found elsewhere, at `path`."""
        for each in faults:
            self.fault(path, each.problem, each.allowed, each.suggestion)

    def failed(self, path: Path, error: ExpressionError) -> None:
        """Record an expression that does not compile; its fault only at the cause."""
        self.failed_at.add(path)
        if not isinstance(error, UnresolvedError):
            self.fault(path, str(error), error.allowed, error.suggestion)

    def has_fault(self, path: Path) -> bool:
        """True if there is a fault at `path` or inside it."""
        return any(each[: len(path)] == path for each in self.places)

    def has_failed(self, path: Path) -> bool:
        """True if an expression at `path` or inside it did not compile."""
        return any(each[: len(path)] == path for each in self.failed_at)

    def where(self, path: Path) -> str:
        """The name of a place in messages: the flag that it comes from, or its path."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.flags:
                return self.flags[path[:length]]
        return shown(path)

    def line(self, path: Path) -> int | None:
        """The line of a place in the file."""
        return None if self.positions is None else self.positions.line(path)

    def keys(
        self, table: Mapping[str, Any], path: Path, known: Sequence[Key]
    ) -> dict[str, Any]:
        """The entries of a table whose keys are known and whose values fit them.

        Args:
            table: the table.
            path: its place.
            known: its keys.
        """
        by_name = {key.name: key for key in known}
        misspelled = self.unknown(table, path, by_name)
        for key in known:
            if key.required and key.name not in {*table, *misspelled}:
                self.fault((*path, key.name), "is missing")
        return {
            name: self._bounded(value, (*path, name))
            for name, value in table.items()
            if name in by_name and self._fits(by_name[name], value, (*path, name))
        }

    def unknown(
        self, table: Mapping[str, Any], path: Path, known: Iterable[str]
    ) -> set[str]:
        """Refuse unknown keys of a table, and return the keys that were probably meant."""
        names, meant = list(known), set()
        for key in table:
            if key not in names:
                guess = closest(key, names)
                meant.add(guess)
                self.fault((*path, key), "unknown key", ", ".join(names), guess)
        return meant

    def is_a(self, value: object, wanted: type, path: Path) -> bool:
        """True if a value has a type; a fault if not."""
        if type(value) is wanted:  # not isinstance: a bool is not a number here
            return True
        self.fault(path, f"must be {_NOUNS[wanted]}, not {noun_of(value)}")
        return False

    def entry(self, value: object, path: Path, known: Sequence[Key]) -> dict[str, Any]:
        """The entries of a table in a table, such as those of `config.room`."""
        if isinstance(value, dict):
            return self.keys(value, path, known)
        example = '; write { type = "str" }' if len(path) == 2 else ""
        self.fault(path, f"must be a table, not {noun_of(value)}{example}")
        return {}

    def tables(
        self, table: Mapping[str, Any], key: str, known: Sequence[Key]
    ) -> list[tuple[Path, dict[str, Any]]]:
        """The tables of a list of the document, each with its path."""
        found: list[tuple[Path, dict[str, Any]]] = []
        for index, each in enumerate(table.get(key, [])):
            place: Path = (key, index)
            if isinstance(each, dict):
                found.append((place, self.keys(each, place, known)))
            else:
                self.fault(place, f"must be a table, [[{key}]], not {noun_of(each)}")
        return found

    def _fits(self, key: Key, value: object, path: Path) -> bool:
        shape = key.shape
        if shape.types and type(value) not in shape.types:
            self.fault(path, f"must be {shape.noun}, not {noun_of(value)}")
            return False
        items = value if isinstance(value, list) else [value]
        if shape.items is not None and isinstance(value, list):
            fits = [
                self.is_a(each, shape.items, (*path, index))
                for index, each in enumerate(items)
            ]
            if not all(fits):
                return False
        wrong = [each for each in items if key.choices and each not in key.choices]
        for each in wrong:
            what = key.name.removesuffix("s") if isinstance(value, list) else key.name
            guess = closest(each, key.choices)
            listed = ", ".join(key.choices)
            self.fault(path, f"unknown {what} {each!r}", listed, guess)
        return not wrong

    def _bounded(self, value: Any, path: Path) -> Any:
        if not isinstance(value, (dict, list)) or len(value) <= _MOST_KEYS:
            return value
        what = "keys" if isinstance(value, dict) else "items"
        self.fault(path, f"has {len(value)} {what}, more than {_MOST_KEYS}")
        if isinstance(value, list):
            return value[:_MOST_KEYS]
        return dict(itertools.islice(value.items(), _MOST_KEYS))


def shown(path: Path) -> str:
    """A path as messages show it: `request[1].json.room`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def noun_of(value: object) -> str:
    """The type of a TOML value, with its article."""
    return _NOUNS.get(type(value), "a date or time")
