"""Documents, merged by their sections and, inside one, by lines.

A section begins with a heading in Markdown, a table in TOML or a key in YAML. If both sides
add sections or blocks of lines at one spot, all of them are kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from scaffold.merging.likeness import plain_line
from scaffold.merging.markers import settlement
from scaffold.merging.sequences import order, regions
from scaffold.merging.versions import Merge, Take, Versions

_HEADINGS = {
    ".md": re.compile(r"#{1,6} "),
    ".toml": re.compile(r"\s*\[+[^]]+\]+\s*(#.*)?$"),
    ".conf": re.compile(r"\s*\[+[^]]+\]+\s*(#.*)?$"),
    ".yaml": re.compile(r"[\w-]+:"),
    ".yml": re.compile(r"[\w-]+:"),
}
_FENCE = ("```", "~~~")
_Section = Sequence[str]


def merged(path: PurePosixPath, versions: Versions[str], take: Take) -> Merge:
    """A document with the hand edits and the newly generated text.

    Args:
        path: its path, whose suffix determines the form of sections.
        versions: its texts.
        take: the way to settle conflicts.
    """
    base, mine, new = (dict(_sections(path, text)) for text in versions)
    lines: list[str] = []
    conflicts: list[str] = []
    for key in order(Versions(list(base), list(mine), list(new))):
        section = Versions(base.get(key), mine.get(key), new.get(key))
        found, is_clean = _section(path, section, take)
        lines += found
        if not is_clean:
            conflicts.append(f"the section `{key[0]}`" if key[0] else "its first lines")
    return Merge("\n".join(lines), tuple(conflicts))


def by_lines(
    path: PurePosixPath, versions: Versions[Sequence[str]], take: Take
) -> tuple[list[str], bool]:
    """Lines with the changes of both sides; True if the changes do not contradict."""
    lines: list[str] = []
    is_clean = True
    plain = Versions(*([plain_line(path, line) for line in each] for each in versions))
    for parts in regions(plain):
        base, mine, new = (
            each[part.start : part.stop]
            for each, part in zip(versions, parts, strict=True)
        )
        old, own, made = (
            each[part.start : part.stop]
            for each, part in zip(plain, parts, strict=True)
        )
        if old == made or own == made:
            lines += mine
        elif old == own:
            lines += new
        elif not any(old):  # two additions
            lines += [*mine, *new]
        else:
            is_clean = False
            lines += settlement(Versions(base, mine, new), take)
    return lines, is_clean


def _section(
    path: PurePosixPath, section: Versions[_Section | None], take: Take
) -> tuple[Sequence[str], bool]:
    """A section with the changes of both sides; True if the changes do not contradict."""
    base, mine, new = section
    old, own, made = (_plain(path, each) for each in section)
    if old == made or own == made:
        return mine or [], True
    if old == own:
        return new or [], True
    if mine is None or new is None:
        return settlement(Versions(base or [], mine or [], new or []), take), False
    return by_lines(path, Versions(base or [], mine, new), take)


def _plain(path: PurePosixPath, section: _Section | None) -> list[str] | None:
    """A section for comparison; None: it is missing."""
    if section is None:
        return None
    return [line for line in (plain_line(path, each) for each in section) if line]


def _sections(
    path: PurePosixPath, text: str
) -> Iterator[tuple[tuple[str, int], _Section]]:
    """The sections, each by its heading and its number among like ones, from 0."""
    heading = _HEADINGS.get(path.suffix)
    counts: Counter[str] = Counter()
    key, lines = ("", 0), list[str]()
    is_code = False
    for line in text.split("\n"):
        is_code ^= path.suffix == ".md" and line.startswith(_FENCE)
        if heading and not is_code and heading.match(line):
            yield key, lines
            title = plain_line(path, line).strip()
            key, lines = (title, counts[title]), []
            counts[title] += 1
        lines.append(line)
    yield key, lines
