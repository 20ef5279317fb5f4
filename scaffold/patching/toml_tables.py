"""Registration places in TOML files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scaffold.patching.slots import Anchor, Entry, Slot
from scaffold.patching.source import Source

_HEADER = re.compile(r"#?\s*\[\[?\s*([\w.\"'-]+)\s*\]\]?\s*(#.*)?$")


@dataclass(frozen=True)
class TomlSections(Anchor):
    """The tables of a TOML file, also those that are commented out; keys are names."""

    label = "the tables"
    orders = ()

    def slot(self, source: Source, key: str) -> Slot:
        """The whole file."""
        source.refuse_conflict_markers()
        headers = list(_headers(source))
        starts = [_paragraph(source, line) for _, line in headers]
        bottom = source.without_blanks(len(source.lines))
        ends = [*starts, bottom][1:]
        entries = [
            Entry(name, start, source.without_blanks(after))
            for (name, _), start, after in zip(headers, starts, ends, strict=True)
        ]
        # `[a]` and `[a.b]` are one entry, so that a table is registered once.
        joined: list[Entry] = []
        for entry in entries:
            if joined and joined[-1].key == entry.key:
                joined[-1] = joined[-1]._replace(end=entry.end)
            else:
                joined.append(entry)
        return Slot(tuple(joined), bottom, gap=1, lead=1 if bottom else 0)


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
    """The first of the comment lines above a header."""
    while line > 0:
        above = source.lines[line - 1].removeprefix("\ufeff").strip()
        if not above.startswith("#") or _HEADER.match(above):
            break
        line -= 1
    return line
