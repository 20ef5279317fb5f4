"""Entries as a file has them: their place, their text, comparison of two texts."""

from __future__ import annotations

import ast
import textwrap
from functools import lru_cache
from pathlib import PurePosixPath

from scaffold.errors import AnchorNotFound
from scaffold.patching import layout
from scaffold.patching.place import Place, Registration
from scaffold.patching.slots import Entry, InBrackets, InSuite, Slot, Unfit
from scaffold.patching.source import Source
from scaffold.patching.syntax import entry_span, is_alone


@lru_cache(maxsize=64)
def read(path: PurePosixPath, data: bytes) -> Source:
    """A file; read once for the registrations of many handlers."""
    return Source(path, data)


def find(source: Source, registration: Registration) -> Slot:
    """The place of a registration.

    Raises:
        AnchorNotFound: the file lacks the place.
    """
    place = registration.place
    known = (place.anchor, place.anchor.scope(place.key))
    try:
        if known not in source.memo:
            source.memo[known] = place.anchor.slot(source, place.key)
    except Unfit as unfit:
        raise refusal(registration, str(unfit)) from None
    slot: Slot = source.memo[known]
    return slot


def entries_of(path: PurePosixPath, data: bytes, place: Place) -> dict[str, str | None]:
    """The entries of a place by their keys; None where two have the same.

    Args:
        path: the file.
        data: its content.
        place: place of any handler; only its anchor is used.
    """
    source = read(path, data)
    try:
        slot = find(source, Registration(place, ""))
    except AnchorNotFound:
        return {}
    texts: dict[str, str | None] = {}
    for entry in slot.entries:
        text = text_of(source, entry, slot)
        texts[entry.key] = None if entry.key in texts else text
    return texts


def keys_of(path: PurePosixPath, data: bytes, place: Place) -> list[str]:
    """The keys of the entries of a place, as `entries_of`."""
    try:
        slot = find(read(path, data), Registration(place, ""))
    except AnchorNotFound:
        return []
    return [entry.key for entry in slot.entries]


def text_of(source: Source, entry: Entry, slot: Slot) -> str:
    """An entry's text as a fragment: not indented, with plain line ends."""
    holder = entry.holder
    node = getattr(holder, "node", None)
    if isinstance(holder, InSuite):
        node = holder.statements[entry.number]
    if isinstance(node, ast.ImportFrom):
        return _import_text(source, entry, node)
    start, stop = span(source, entry)
    indent = source.indent_of(entry.first)
    first, *below = source.text[start:stop].replace("\r\n", "\n").split("\n")
    if entry.holder is None:
        first = first.removeprefix(indent)
    lines = [first, *(line.removeprefix(indent) for line in below)]
    plain = "\n".join(_in_blanks(line, slot.unit) for line in lines).rstrip("\n")
    return plain + (",\n" if isinstance(holder, InBrackets) else "\n")


def beside(source: Source, entry: Entry) -> str:
    """The comment beside an entry, which is not part of it."""
    if entry.holder is None or not is_alone(source, entry):
        return ""
    stop = span(source, entry)[1]
    rest = source.text[stop : source.line_stop(stop)]
    return rest[rest.index("#") :].strip() if "#" in rest else ""


def span(source: Source, entry: Entry) -> tuple[int, int]:
    """Start and end of an entry in a file's text: without its comma, or whole lines."""
    if entry.holder is not None:
        return entry_span(source, entry)
    return source.line_start(entry.first), source.line_start(entry.end)


def is_same(registration: Registration, text: str, other: str | None) -> bool:
    """True if two texts of an entry differ in layout only."""
    if other is None or not text.strip() or not other.strip():
        return text == other
    if text == other:
        return True
    frame = registration.place.anchor.frame
    if frame is None:
        return [line.strip() for line in text.strip().splitlines()] == [
            line.strip() for line in other.strip().splitlines()
        ]
    try:
        return _meaning(text, frame) == _meaning(other, frame)
    except SyntaxError:
        return False


def _meaning(text: str, frame: tuple[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """The syntax and the comments of an entry."""
    head, tail = frame
    framed = head + textwrap.indent(text, "    ") + tail if head else text
    return ast.dump(ast.parse(framed)), layout.comments(framed)


def refusal(registration: Registration, problem: str) -> AnchorNotFound:
    """The error of a registration that its place cannot take."""
    place = registration.place
    return AnchorNotFound(place.path, place.anchor.name, problem, registration.text)


def _import_text(source: Source, entry: Entry, node: ast.ImportFrom) -> str:
    """The import of one name, in its plain form."""
    module, _, name = entry.key.rpartition(":")
    for alias in node.names:
        if (alias.asname or alias.name) == name:
            what = f"{alias.name} as {name}" if alias.asname else name
            return f"from {module} import {what}\n" if module else f"{what},\n"
    start, stop = span(source, entry)
    return source.text[start:stop] + "\n"


def _in_blanks(line: str, unit: str) -> str:
    """A line whose indentation is in steps of four blanks."""
    if unit == "    ":
        return line
    steps = 0
    while line.startswith(unit):
        line = line.removeprefix(unit)
        steps += 1
    return "    " * steps + line
