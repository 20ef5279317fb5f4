"""The text of a file by lines and offsets."""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from scaffold.errors import UnreadableFile

MAX_BYTES = 1_000_000
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_ENOUGH = 50
"""The number of strings that show which quotes a file has."""
_MARKERS = ("<<<<<<< ", "=======", ">>>>>>> ")  # in the order of an unresolved merge


class Edit(NamedTuple):
    """A part of a file's text and its replacement.

    Attributes:
        start: offset of the part.
        stop: offset of its end.
        text: its replacement.
    """

    start: int
    stop: int
    text: str


class Source:
    """The text of one file.

    Attributes:
        path: its path.
        text: all of it, a byte order mark included.
        lines: lines with their ends; a form feed does not end a line.
        encoding: its encoding.
        newline: the line end that most lines have.
        memo: cached results, which many handlers need.
    """

    def __init__(self, path: PurePosixPath, data: bytes) -> None:
        self.path = path
        self.memo: dict[object, Any] = {}
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
            UnreadableFile: it is not valid Python.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.text.removeprefix("\ufeff"))
        except SyntaxError as error:
            line = error.lineno or 1
            what = error.msg
            if self._line(line - 1).startswith(_MARKERS):
                what = "contains a conflict marker"
            raise UnreadableFile(f"{self.path}:{line}", what) from None
        except (RecursionError, MemoryError):
            raise UnreadableFile(self.path, "is nested too deeply to be read") from None

    @cached_property
    def unit(self) -> str:
        """One step of indentation in this file."""
        for node in _statements(self.tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.If):
                outer, inner = node.lineno, node.body[0].lineno
                indent = self.indent_of(inner - 1)
                step = indent.removeprefix(self.indent_of(outer - 1))
                if inner > outer and step:
                    return step
        return "    "

    @cached_property
    def quote(self) -> str:
        """The quotes that most one-line strings of this file, or of its start, have."""
        found = "".join(itertools.islice(self._quotes(), _ENOUGH))
        return "'" if found.count("'") > found.count('"') else '"'

    def _quotes(self) -> Iterator[str]:
        """The quote of each one-line string."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                at = self.offset(node.lineno, node.col_offset)
                if self.text[at] in "'\"" and self.text[at : at + 3] != '"""':
                    yield self.text[at]

    @cached_property
    def _starts(self) -> list[int]:
        return list(itertools.accumulate(map(len, self.lines), initial=0))

    def offset(self, line: int, column: int) -> int:
        """Offset in `text` of a position of the syntax tree.

        Args:
            line: counts from 1.
            column: column in UTF-8 bytes, as in the syntax tree.
        """
        text = self._line(line - 1)
        mark = len(text) - len(text.removeprefix("\ufeff")) if line == 1 else 0
        if not text.isascii():
            column = len(text[mark:].encode()[:column].decode())
        return self._starts[line - 1] + mark + column

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Start and end of a node in `text`, decorators included."""
        decorators = getattr(node, "decorator_list", None)
        if decorators:
            line = decorators[0].lineno
            # the column of the `@`
            start = self._starts[line - 1] + self.lines[line - 1].index("@")
        else:
            start = self.offset(*_position(node, "lineno", "col_offset"))
        return start, self.offset(*_position(node, "end_lineno", "end_col_offset"))

    def line_stop(self, at: int) -> int:
        """The end of the line that a position of `text` is on, its line end included."""
        bottom = self.text.find("\n", at)
        return len(self.text) if bottom < 0 else bottom + 1

    def line_start(self, line: int) -> int:
        """Offset in `text` of a line, from 0; after a byte order mark."""
        at = self._starts[line]
        return at + 1 if at == 0 and self.text.startswith("\ufeff") else at

    def refuse_conflict_markers(self) -> None:
        """Check a text that has no syntax of its own.

        Raises:
            UnreadableFile: it holds an unresolved merge.
        """
        line = conflict_marker(self.lines)
        if line:
            raise UnreadableFile(f"{self.path}:{line}", "contains a conflict marker")

    def indent_of(self, line: int) -> str:
        """The white space at the start of a line."""
        text = self._line(line).removeprefix("\ufeff")
        return text[: len(text) - len(text.lstrip(" \t\f"))].replace("\f", "")

    def with_comments(self, line: int) -> int:
        """The first of the comment lines directly above `line`."""
        indent = self.indent_of(line)
        while line > 0:
            above = self._line(line - 1)
            if not above.lstrip().startswith("#") or self.indent_of(line - 1) != indent:
                break
            line -= 1
        return line

    def without_blanks(self, end: int) -> int:
        """The line after the last one before `end` that is not blank."""
        while end > 0 and not self.lines[end - 1].strip("\ufeff \t\r\n"):
            end -= 1
        return end

    def holds(self, text: str, first: int, end: int) -> bool:
        """True if these lines contain `text`."""
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
            raise UnreadableFile(f"{self.path}:{line}", "contains a NUL byte")
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
                    f"{self.path}:{number}", "contains a carriage return inside a line"
                )
        raise UnreadableFile(self.path, "ends in a bare carriage return")


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """All statements, outer ones first; expressions, most of a file, are not walked."""
    level: list[ast.AST] = [tree]
    while level:
        level = [
            below
            for node in level
            for name in ("body", "orelse", "finalbody", "handlers", "cases")
            if isinstance(suite := getattr(node, name, None), list)
            for below in suite
        ]
        yield from level


def marker_line(data: bytes) -> int:
    """The line of the first conflict marker in a file, from 1; 0 without a complete set."""
    if _MARKERS[0].encode() not in data:
        return 0
    return conflict_marker(data.decode("utf-8", "replace").split("\n"))


def conflict_marker(lines: Iterable[str]) -> int:
    """The line of the first conflict marker, from 1; 0 without a complete set."""
    found: list[int] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith(_MARKERS[len(found)]):
            found.append(number)
            if len(found) == len(_MARKERS):
                return found[0]
    return 0


def _position(node: ast.AST, line: str, column: str) -> tuple[int, int]:
    return getattr(node, line), getattr(node, column)
