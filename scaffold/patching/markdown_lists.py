"""Registration places in Markdown files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.patching.slots import Anchor, Entry, Slot, Unfit
from scaffold.patching.source import Source

_BULLET = re.compile(r"\s*[*+-]\s+(.*)")
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(<?([^)\s>#]+)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*$")
_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_ADDED = ("added", "new", "feature")
_FENCES = ("```", "~~~")


@dataclass(frozen=True)
class MarkdownList(Anchor):
    """A list or table whose lines link to pages of one folder; keys are the targets."""

    label = "the list of pages"

    def scope(self, key: str) -> str:
        """Pages are listed by folder."""
        return str(PurePosixPath(key).parent)

    def slot(self, source: Source, key: str) -> Slot:
        """The longest list that links into the folder of `key`; if none does, the end."""
        source.refuse_conflict_markers()
        folder = PurePosixPath(key).parent
        runs: list[list[Entry]] = []
        for line in _unfenced(source):
            text = source.lines[line]
            link = _LINK.search(text)
            if not text.lstrip().startswith(("*", "-", "+", "|")) or not link:
                continue
            target = PurePosixPath(link[1])
            if target.parent != folder:
                continue
            entry = Entry(str(target), line, _bullet_end(source, line))
            if runs and runs[-1][-1].end == line:
                runs[-1].append(entry)
            else:
                runs.append([entry])
        if not runs:
            bottom = source.without_blanks(len(source.lines))
            return Slot((), bottom, lead=1 if bottom else 0)
        run = max(runs, key=len)
        every = tuple(entry for each in runs for entry in each)
        indent = source.indent_of(run[0].first)
        # Pages may also be in the other lists, but a new one goes into this list.
        others = tuple(e._replace(is_elsewhere=True) for e in every if e not in run)
        return Slot((*run, *others), run[-1].end, indent, lead=1)


@dataclass(frozen=True)
class Changelog(Anchor):
    """The newest entries of a changelog: the list under “Unreleased”."""

    label = "the heading “Unreleased”"
    orders = ()

    def slot(self, source: Source, key: str) -> Slot:
        """The list below the first heading that begins with that word."""
        source.refuse_conflict_markers()
        headings = list(_headings(source))
        for number, heading in enumerate(headings):
            if heading.title.startswith("unreleased"):
                return self._below(source, heading, headings[number + 1 :])
        raise Unfit("not found")

    def _below(self, source: Source, heading: _Heading, later: list[_Heading]) -> Slot:
        stop = len(source.lines)
        inner = []
        for each in later:
            if each.level <= heading.level:
                stop = each.line
                break
            inner.append(each)
        for number, each in enumerate(inner):
            if each.title.startswith(_ADDED):
                end = inner[number + 1].line if number + 1 < len(inner) else stop
                return self._list(source, range(each.end, end))
        return self._list(source, range(heading.end, inner[0].line if inner else stop))

    def _list(self, source: Source, lines: range) -> Slot:
        entries = tuple(bullets(source, lines))
        return Slot(entries, entries[-1].end if entries else lines.start, lead=1)


class _Heading(NamedTuple):
    """A heading of a Markdown file.

    Attributes:
        line: its line, from 0.
        end: the line after it.
        level: 1 for the title of the page.
        title: its words in lower case, without marks.
    """

    line: int
    end: int
    level: int
    title: str


def bullets(source: Source, lines: range) -> list[Entry]:
    """The first bullet list in these lines; a bullet's key is its first `code`."""
    entries: list[Entry] = []
    unfenced = {*_unfenced(source)}
    for line in lines:
        match = _BULLET.match(source.lines[line]) if line in unfenced else None
        if match and not (entries and line < entries[-1].end):
            code = _CODE.search(match[1])
            end = min(_bullet_end(source, line), lines.stop)
            entries.append(Entry(code[1] if code else "", line, end))
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


def _headings(source: Source) -> Iterator[_Heading]:
    lines = list(_unfenced(source))
    for line in lines:
        text = source.lines[line].removeprefix("\ufeff")
        match = _HEADING.match(text)
        if match:
            yield _Heading(line, line + 1, len(match[1]), _words(match[2]))
        elif line + 1 in lines and text.strip():
            rule = _UNDERLINE.match(source.lines[line + 1])
            if rule and not _BULLET.match(text) and "|" not in text:
                level = 1 if rule[1].startswith("=") else 2
                yield _Heading(line, line + 2, level, _words(text))


def _words(title: str) -> str:
    """A heading's words, without brackets, emphasis and the tags of an anchor."""
    return re.sub(r"<[^>]*>", "", title).strip(" \t\r\n[*_`").lower()
