"""Lines of the keys of a TOML text, which `tomllib` does not report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from runtime.golang.quoting import quote

Path = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY_PART = re.compile(
    r"""[ \t]*(?:"((?:\\.|[^"\\\n])*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*""",
    re.ASCII,
)
# a string, or a number, boolean or time
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|[^\"'\#\[\]{},\n]+",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
# nested keys have the line of the surrounding one
_DEPTH = 50


@dataclass(slots=True)
class Duplicate:
    """A key or table that a text defines a second time.

    Attributes:
        line: line of the second definition, from 1.
        path: its name with dots.
        kind: kind of the line.
    """

    line: int
    path: str
    kind: Literal["key", "table"]


@dataclass(slots=True)
class Positions:
    """The lines of keys and tables.

    Attributes:
        lines: lines by path, from 1; an item of a list has its index in the path.
        implied: the line of the first mention of a table without a header of its own,
            such as `a` in `[a.b]`.
        duplicate: the first name defined twice.
    """

    lines: dict[Path, int] = field(default_factory=dict)
    implied: dict[Path, int] = field(default_factory=dict)
    duplicate: Duplicate | None = None

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest table around it."""
        while path:
            if found := self.lines.get(path) or self.implied.get(path):
                return found
            path = path[:-1]
        return 1


def positions(text: str) -> Positions:
    """Find the keys of `text`; stops without an error at invalid TOML."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._table: Path = ()
        self._found = Positions()
        self._lists: dict[Path, int] = {}
        # current line
        self._counted = (0, 1)

    def scan(self) -> Positions:
        self._skip()
        while self._found.duplicate is None and self._at < len(self._text):
            read = self._header if self._text[self._at] == "[" else self._entry
            if not read():
                break
            self._skip()
        return self._found

    def _skip(self) -> None:
        """Skip whitespace, ends of lines and comments."""
        space = _SPACE.match(self._text, self._at)
        assert space is not None
        self._at = space.end()

    def _take(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _header(self) -> bool:
        line = self._line()
        brackets = 2 if self._text.startswith("[[", self._at) else 1
        self._at += brackets
        path = self._path()
        if path is None or not self._take("]" * brackets):
            return False
        path = self._inside_lists(path)
        if brackets == 2:
            index = self._lists[path] = self._lists.get(path, -1) + 1
            self._found.lines.setdefault(path, line)
            path = (*path, index)
        self._define(path, line, "table")
        self._table = path
        return True

    def _inside_lists(self, path: Path) -> Path:
        """The path with the index of the newest item after each list of tables."""
        full: Path = ()
        for index, part in enumerate(path):
            full = (*full, part)
            if full in self._lists and index < len(path) - 1:
                full = (*full, self._lists[full])
        return full

    def _entry(self) -> bool:
        return self._pair(self._table, 0)

    def _pair(self, table: Path, depth: int) -> bool:
        line = self._line()
        path = self._path()
        if path is None or not self._take("="):
            return False
        path = (*table, *path)
        self._define(path, line, "key")
        return self._value(path, depth)

    def _path(self) -> Path | None:
        parts: list[str | int] = []
        while part := _KEY_PART.match(self._text, self._at):
            quoted, literal, bare = part.groups()
            name = literal if quoted is None else _unescaped(quoted)
            parts.append(bare if name is None else name)
            self._at = part.end()
            if not self._take("."):
                return tuple(parts)
        return None

    def _value(self, path: Path, depth: int) -> bool:
        """Skip a value, and note the keys inside."""
        while self._text.startswith((" ", "\t"), self._at):
            self._at += 1
        if self._take("["):
            return depth < _DEPTH and self._items(path, depth + 1)
        if self._take("{"):
            return depth < _DEPTH and self._pairs(path, depth + 1)
        scalar = _SCALAR.match(self._text, self._at)
        if scalar is not None:
            self._at = scalar.end()
        return scalar is not None

    def _items(self, path: Path, depth: int) -> bool:
        index = 0
        self._skip()
        while not self._take("]"):
            item = (*path, index)
            self._found.lines[item] = self._line()
            if not self._value(item, depth):
                return False
            index += 1
            self._skip()
            if not self._take(",") and not self._text.startswith("]", self._at):
                return False
            self._skip()
        return True

    def _pairs(self, path: Path, depth: int) -> bool:
        self._skip()
        while not self._take("}"):
            if not self._pair(path, depth):
                return False
            self._skip()
            if not self._take(",") and not self._text.startswith("}", self._at):
                return False
            self._skip()
        return True

    def _define(self, path: Path, line: int, kind: Literal["key", "table"]) -> None:
        if path in self._found.lines and self._found.duplicate is None:
            self._found.duplicate = Duplicate(line, dotted(path), kind)
        self._found.lines.setdefault(path, line)
        for length in range(1, min(len(path), _DEPTH)):
            self._found.implied.setdefault(path[:length], line)

    def _line(self) -> int:
        # counted from the position of the last call, as texts can be long
        at, line = self._counted
        line += self._text.count("\n", at, self._at)
        self._counted = (self._at, line)
        return line


def dotted(path: Path) -> str:
    """A path as messages show it: `slack.channel`, without indexes."""
    return ".".join(printable(part) for part in path if isinstance(part, str))


def printable(name: str) -> str:
    """A name as messages show it: escaped where a terminal would act on it."""
    return name if name and name.isprintable() else quote(name)


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        code = found[1] or found[2]
        if code is None:
            return _ESCAPED.get(found[3], found[3])
        number = int(code, 16)
        return chr(number) if number < 0x110000 else found[0]

    return _ESCAPE.sub(character, text) if "\\" in text else text
