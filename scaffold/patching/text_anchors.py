"""Where registrations stand in TOML and Markdown files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.patching.slots import Entry, Slot, Source

_HEADER = re.compile(r"#?\s*\[\[?\s*([\w.\"'-]+)\s*\]\]?\s*(#.*)?$")
_BULLET = re.compile(r"\s*[*+-]\s+(.*)")
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCES = ("```", "~~~")


class TomlSections(NamedTuple):
    """The tables of a TOML file, also those that are commented out; keys are names."""

    @property
    def frame(self) -> tuple[str, str] | None:
        """An entry is no Python."""
        return None

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return "the tables"

    def order(self, key: str) -> object:
        """A sample file has its own order: new tables go last."""
        return None

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The whole file."""
        source.refuse_conflict_markers()
        headers = list(_headers(source))
        starts = [_paragraph(source, line) for _, line in headers]
        bottom = _without_blanks(source, len(source.lines))
        ends = [*starts, bottom][1:]
        entries = [
            Entry(name, start, start, _without_blanks(source, after))
            for (name, _), start, after in zip(headers, starts, ends, strict=True)
        ]
        # `[a]` and `[a.b]` are one entry, so that a table is registered once.
        joined: list[Entry] = []
        for entry in entries:
            if joined and joined[-1].key == entry.key:
                joined[-1] = joined[-1]._replace(end=entry.end)
            else:
                joined.append(entry)
        return [Slot(tuple(joined), bottom, gap=1, lead=1 if bottom else 0)]


class MarkdownList(NamedTuple):
    """A list or table whose lines link to pages of one folder; keys are the targets."""

    @property
    def frame(self) -> tuple[str, str] | None:
        """An entry is no Python."""
        return None

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return "the list of pages"

    def order(self, key: str) -> object:
        """Pages are sorted by name."""
        return key

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The lists that link into the folder of `key`."""
        source.refuse_conflict_markers()
        folder = PurePosixPath(key).parent
        runs: list[list[Entry]] = []
        for line in _unfenced(source):
            text = source.lines[line]
            link = _LINK.search(text)
            if not text.lstrip().startswith(("*", "-", "+", "|")) or not link:
                continue
            if PurePosixPath(link[1]).parent != folder:
                continue
            entry = Entry(link[1], line, line, _bullet_end(source, line))
            if runs and runs[-1][-1].end == line:
                runs[-1].append(entry)
            else:
                runs.append([entry])
        return [
            Slot(tuple(run), run[-1].end, source.indent_of(run[0].first))
            for run in runs
        ]


class Changelog(NamedTuple):
    """The newest entries of a changelog: the list under “Unreleased”."""

    @property
    def frame(self) -> tuple[str, str] | None:
        """An entry is no Python."""
        return None

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return "the heading “Unreleased”"

    def order(self, key: str) -> object:
        """Entries stand in the order in which they came."""
        return None

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The lists under headings of that name."""
        source.refuse_conflict_markers()
        headings = [
            (line, *_heading(source.lines[line]))
            for line in _unfenced(source)
            if source.lines[line].startswith("#")
        ]
        slots = []
        for number, (line, level, title) in enumerate(headings):
            if title.strip("[]").lower() != "unreleased":
                continue
            below = [item for item in headings[number + 1 :] if item[1] <= level]
            stop = below[0][0] if below else len(source.lines)
            added = [
                at
                for at, depth, name in headings
                if line < at < stop and depth > level and name.lower() == "added"
            ]
            slots.append(self._slot(source, range(added[0] if added else line, stop)))
        return slots

    def _slot(self, source: Source, lines: range) -> Slot:
        entries = bullets(source, lines[1:])
        if entries:
            return Slot(tuple(entries), entries[-1].end)
        return Slot((), lines.start + 1, lead=1)


def bullets(source: Source, lines: range) -> list[Entry]:
    """The first bullet list in these lines; a bullet's key is its first `code`."""
    entries: list[Entry] = []
    for line in lines:
        match = _BULLET.match(source.lines[line])
        if match and not (entries and line < entries[-1].end):
            code = _CODE.search(match[1])
            end = min(_bullet_end(source, line), lines.stop)
            entries.append(Entry(code[1] if code else "", line, line, end))
        elif entries and line >= entries[-1].end:
            break
    return entries


def _bullet_end(source: Source, line: int) -> int:
    """The line after a bullet and the deeper lines that continue it."""
    depth = len(source.indent_of(line))
    line += 1
    while line < len(source.lines):
        text = source.lines[line]
        if not text.strip() or len(source.indent_of(line)) <= depth:
            break
        line += 1
    return line


def _headers(source: Source) -> Iterator[tuple[str, int]]:
    """The name and line of each table's header."""
    inside = ""
    for line, text in enumerate(source.lines):
        if inside:
            if text.count(inside) % 2:
                inside = ""
            continue
        match = _HEADER.match(text.removeprefix("\ufeff").strip())
        if match:
            yield match[1].split(".")[0].strip("\"'"), line
        if text.lstrip().startswith("#"):
            continue
        for quotes in ('"""', "'''"):
            if text.count(quotes) % 2:
                inside = quotes


def _paragraph(source: Source, line: int) -> int:
    """Where the comment lines above a header begin."""
    while line > 0 and source.lines[line - 1].lstrip().startswith("#"):
        if _HEADER.match(source.lines[line - 1].strip()):
            break
        line -= 1
    return line


def _without_blanks(source: Source, end: int) -> int:
    while end > 0 and not source.lines[end - 1].strip("\ufeff \t\r\n"):
        end -= 1
    return end


def _unfenced(source: Source) -> Iterator[int]:
    """The lines that are not inside a code block."""
    fence = ""
    for line, text in enumerate(source.lines):
        start = text.lstrip()[:3]
        if fence:
            fence = "" if start == fence else fence
        elif start in _FENCES:
            fence = start
        else:
            yield line


def _heading(text: str) -> tuple[int, str]:
    title = text.lstrip("#")
    return len(text) - len(title), title.strip()
