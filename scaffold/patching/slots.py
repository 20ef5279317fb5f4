"""A file's text as lines, and the slots that anchors find in it."""

from __future__ import annotations

import ast
import re
import warnings
from functools import cached_property
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from scaffold.errors import UnreadableFile

MAX_BYTES = 1_000_000
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_MARKERS = ("<<<<<<< ", "=======", ">>>>>>> ")


class Entry(NamedTuple):
    """One registration. Lines count from 0.

    Attributes:
        key: what tells it from the others.
        line: where it begins, with the comments above it.
        first: where it begins without them.
        end: the line after it.
    """

    key: str
    line: int
    first: int
    end: int


class Slot(NamedTuple):
    """A place where entries stand.

    Attributes:
        entries: in the order of the file.
        end: the line before which a new last entry goes.
        indent: the white space before an entry.
        unit: one step of indentation in this file.
        gap: blank lines between two entries.
        lead: blank lines before the first entry of an empty slot.
        taken: names that stand for something else, so that no entry may have them.
        closed: whether the last entry is followed by what separates it from the next.
    """

    entries: tuple[Entry, ...]
    end: int
    indent: str = ""
    unit: str = "    "
    gap: int = 0
    lead: int = 0
    taken: frozenset[str] = frozenset()
    closed: bool = True


class Unfit(Exception):  # noqa: N818 - a state of the file, told by its anchor
    """A place was found, but it is written so that no line can be added to it."""


class Anchor(Protocol):
    """Finds one place by its syntax."""

    @property
    def name(self) -> str:
        """What it looks for, for people."""

    @property
    def frame(self) -> tuple[str, str] | None:
        """Python text around an entry that makes it a module; None: no Python."""

    def slots(self, source: Source, key: str) -> list[Slot]:
        """All places of that name; `key` is the entry that is looked for.

        Raises:
            Unfit: the place is there in a form that takes no further line.
        """

    def order(self, key: str) -> object:
        """What entries are sorted by."""


class Source:
    """The text of one file.

    Attributes:
        path: where it stands.
        text: all of it, a byte order mark included.
        lines: with their ends; a form feed ends no line.
        encoding: how it is stored.
        newline: the line end that most lines have.
    """

    def __init__(self, path: PurePosixPath, data: bytes) -> None:
        self.path = path
        self.encoding = self._encoding(data)
        self.text = self._decode(data)
        self.lines = self.text.split("\n")
        last = self.lines.pop()
        self.lines = [line + "\n" for line in self.lines]
        if last:
            self.lines.append(last)
        crlf = self.text.count("\r\n")
        self.newline = "\r\n" if crlf * 2 > len(self.lines) else "\n"
        self._refuse_bare_returns(crlf)

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree.

        Raises:
            UnreadableFile: it is no Python.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.text.removeprefix("\ufeff"))
        except SyntaxError as error:
            line = error.lineno or 1
            what = error.msg
            if self._line(line - 1).startswith(_MARKERS):
                what = "holds a conflict marker"
            raise UnreadableFile(f"{self.path}:{line}", what) from None
        except (RecursionError, MemoryError):
            raise UnreadableFile(self.path, "is nested too deeply to be read") from None

    def refuse_conflict_markers(self) -> None:
        """Check a text that has no syntax of its own.

        Raises:
            UnreadableFile: it holds an unresolved merge.
        """
        found: list[int] = []
        for number, line in enumerate(self.lines, start=1):
            if len(found) < 3 and line.startswith(_MARKERS[len(found)]):
                found.append(number)
        if len(found) == 3:
            raise UnreadableFile(f"{self.path}:{found[0]}", "holds a conflict marker")

    def indent_of(self, line: int) -> str:
        """The white space at the start of a line."""
        text = self._line(line).removeprefix("\ufeff")
        return text[: len(text) - len(text.lstrip(" \t\f"))].replace("\f", "")

    def with_comments(self, line: int) -> int:
        """Where the comment lines that stand directly above `line` begin."""
        indent = self.indent_of(line)
        while line > 0:
            above = self._line(line - 1)
            if not above.lstrip().startswith("#") or self.indent_of(line - 1) != indent:
                break
            line -= 1
        return line

    def holds(self, text: str, first: int, end: int) -> bool:
        """Whether `text` stands somewhere in these lines."""
        return any(text in line for line in self.lines[first:end])

    def encode(self, text: str) -> bytes:
        """`text` as this file stores it."""
        return text.encode(self.encoding)

    def _line(self, line: int) -> str:
        return self.lines[line] if 0 <= line < len(self.lines) else ""

    def _encoding(self, data: bytes) -> str:
        if len(data) > MAX_BYTES:
            raise UnreadableFile(self.path, f"is larger than {MAX_BYTES} bytes")
        nul = data.find(b"\0")
        if nul >= 0:
            line = data.count(b"\n", 0, nul) + 1
            raise UnreadableFile(f"{self.path}:{line}", "holds a NUL byte")
        if self.path.suffix != ".py":
            return "utf-8"
        for line_bytes in data.split(b"\n", 2)[:2]:
            match = _COOKIE.match(line_bytes.removeprefix(b"\xef\xbb\xbf"))
            if match:
                return match[1].decode("ascii")
        return "utf-8"

    def _decode(self, data: bytes) -> str:
        try:
            return data.decode(self.encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise UnreadableFile(
                f"{self.path}:{line}", f"is not {self.encoding} text"
            ) from None
        except LookupError:
            raise UnreadableFile(
                f"{self.path}:1", f"names an unknown encoding, {self.encoding}"
            ) from None

    def _refuse_bare_returns(self, crlf: int) -> None:
        # Python ends a line at a bare carriage return, most tools do not.
        if self.text.count("\r") == crlf:
            return
        for number, line in enumerate(self.lines, start=1):
            if "\r" in line.removesuffix("\n").removesuffix("\r"):
                raise UnreadableFile(
                    f"{self.path}:{number}", "holds a carriage return inside a line"
                )
        raise UnreadableFile(self.path, "ends in a bare carriage return")


def natural(text: str) -> list[tuple[str, int]]:
    """Sort key by which `foo2` stands before `foo10`, as import sorters have it.

    Numbers and other characters are compared where they meet, so that `foo.x` stands
    before `foo2.x`.
    """
    return [
        ("0", int(part)) if part.isdecimal() else (part, 0)
        for part in re.findall(r"[0-9]+|[^0-9]", text)
    ]
