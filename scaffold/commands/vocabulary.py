"""`scaffold spec`: the vocabulary of specs, whole, one table, or one key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from scaffold import names
from scaffold.errors import Fault, UsageError
from scaffold.escaping import escaped
from scaffold.rendering.product import vocabulary_path
from scaffold.report import Report
from scaffold.spec import keys

_HEADING = re.compile(r"(#{2,4}) +(.+)")
_CODE = re.compile(r"```")
# the sections that only hold others, or show a whole spec
_WITHOUT_NAME = ("tables", "a complete example")


_MOST_PAGES = 3


class Section(NamedTuple):
    """A part of the page about specs.

    Attributes:
        name: its name: `request`, `request.auth`, `functions`.
        text: its Markdown, with the sections below it.
    """

    name: str
    text: str


def spec(topic: str) -> Report:
    """The page about specs, or a part of it.

    Args:
        topic: `request`, `request.auth`, a key such as `request.path`, or "" for all.

    Raises:
        UsageError: the topic is unknown.
    """
    page = vocabulary_path().read_text("utf-8")
    text = _part(page, topic) if topic else page
    return Report("spec", output=text, summary="the vocabulary", extra={"text": text})


def reading(faults: Iterable[Fault]) -> str:
    """The commands that print the tables in which a spec has faults, or ""."""
    known = {key.name for key in keys.SPEC}
    tables = (re.split(r"[.\[]", fault.where)[0] for fault in faults)
    found = dict.fromkeys(table for table in tables if table in known)
    return "; ".join(f"scaffold spec {table}" for table in [*found][:_MOST_PAGES])


def sections(page: str) -> list[Section]:
    """The named sections of the page, in its order."""
    lines = page.splitlines(keepends=True)
    headings = _headings(lines)
    found = []
    for number, (start, level, title) in enumerate(headings):
        later = (at for at, other, _ in headings[number + 1 :] if other <= level)
        end = next(later, len(lines))
        name = _name(title)
        if level == 4:
            parents = (each for _, other, each in headings[:number][::-1] if other < 4)
            name = f"{_name(next(parents))}.{name}"
        if name not in _WITHOUT_NAME:
            found.append(Section(name, "".join(lines[start:end]).rstrip() + "\n"))
    return found


def _headings(lines: list[str]) -> list[tuple[int, int, str]]:
    """Line, level and title of each heading outside of code."""
    found, is_code = [], False
    for number, line in enumerate(lines):
        is_code ^= _CODE.match(line) is not None
        heading = _HEADING.match(line)
        if heading and not is_code:
            found.append((number, len(heading[1]), heading[2].strip()))
    return found


def _name(title: str) -> str:
    """`[[request]]` and `[level.NAME]` are `request` and `level`."""
    return title.strip("`[]").lower().removesuffix(".name")


def _part(page: str, topic: str) -> str:
    """One section, or the row of one key with the head of its table.

    Raises:
        UsageError: the vocabulary has neither.
    """
    wanted = topic.strip("[]").lower()
    known = {each.name: each.text for each in sections(page)}
    if wanted in known:
        return known[wanted]
    table, dot, key = wanted.rpartition(".")
    rows = _rows(known[table], key) if dot and table in known else ""
    if rows:
        return rows
    keys = [f"{table}.{each}" for each in _keys(known[table])] if table in known else []
    guess = names.closest(wanted, [*known, *keys])
    hint = f"; did you mean {guess}?" if guess else ""
    allowed = ", ".join(keys or known)
    raise UsageError(
        f"{escaped(topic)!r} is not in the vocabulary (it has: {allowed}{hint})",
        fix="scaffold spec",
    )


def _keys(text: str) -> list[str]:
    """The keys of the tables in a section."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def _rows(text: str, key: str) -> str:
    """The row of a key, below the head of its table; "" if there is none."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line.lower().startswith(f"| `{key}` |"):
            continue
        head = number
        while head and lines[head - 1].startswith("|"):
            head -= 1
        return "\n".join([*lines[head : head + 2], line, ""])
    return ""
