"""Where the keys of a TOML text stand, which `tomllib` does not tell."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Path = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t\r\n]+|#[^\n]*")
_KEY_PART = re.compile(
    r"""[ \t]*(?:"((?:\\.|[^"\\\n])*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*""",
    re.ASCII,
)
_VALUE_PART = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|(?P<open>[\[{])"
    r"|(?P<close>[\]}])"
    r"|(?P<end>\n)"
    r"|[^\"'\#\[\]{}\n]+",
    re.DOTALL,
)


@dataclass(slots=True)
class Duplicate:
    """A key or table that a text defines a second time.

    Attributes:
        line: of the second definition, from 1.
        path: its name with dots.
        kind: what it is.
    """

    line: int
    path: str
    kind: Literal["key", "table"]


@dataclass(slots=True)
class Positions:
    """The lines of keys and tables.

    Attributes:
        lines: by path, from 1; an item of a list of tables has its index in the path.
        duplicate: the first name defined twice.
    """

    lines: dict[Path, int] = field(default_factory=dict)
    duplicate: Duplicate | None = None

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest table around it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return 1


def positions(text: str) -> Positions:
    """Find the keys of `text`; stops without complaint where it is no TOML."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._table: Path = ()
        self._found = Positions()
        self._lists: dict[Path, int] = {}

    def scan(self) -> Positions:
        while self._found.duplicate is None:
            while blank := _BLANK.match(self._text, self._at):
                self._at = blank.end()
            if self._at >= len(self._text):
                break
            read = self._header if self._text[self._at] == "[" else self._entry
            if not read():
                break
        return self._found

    def _header(self) -> bool:
        line = self._line()
        brackets = 2 if self._text.startswith("[[", self._at) else 1
        self._at += brackets
        path = self._path()
        if path is None or not self._text.startswith("]" * brackets, self._at):
            return False
        self._at += brackets
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
        line = self._line()
        path = self._path()
        if path is None or not self._text.startswith("=", self._at):
            return False
        self._at += 1
        self._define((*self._table, *path), line, "key")
        return self._skip_value()

    def _path(self) -> Path | None:
        parts: list[str | int] = []
        while part := _KEY_PART.match(self._text, self._at):
            parts.append(next(each for each in part.groups() if each is not None))
            self._at = part.end()
            if not self._text.startswith(".", self._at):
                return tuple(parts)
            self._at += 1
        return None

    def _skip_value(self) -> bool:
        depth = 0
        while part := _VALUE_PART.match(self._text, self._at):
            self._at = part.end()
            if part["open"]:
                depth += 1
            elif part["close"]:
                depth -= 1
            elif part["end"] and depth <= 0:
                return True
        return self._at >= len(self._text)

    def _define(self, path: Path, line: int, kind: Literal["key", "table"]) -> None:
        if path in self._found.lines:
            self._found.duplicate = Duplicate(line, dotted(path), kind)
        self._found.lines.setdefault(path, line)

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1


def dotted(path: Path) -> str:
    """A path as messages show it: `slack.channel`, without indexes."""
    return ".".join(part for part in path if isinstance(part, str))
