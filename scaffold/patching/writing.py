"""Writes entries: inserts, replaces and removes them.

Entries between brackets are changed as nodes; `nodes`, and libcst with it, is imported for
that alone. An entry with lines of its own is changed as whole lines, and so are statements
of a module, sections and list items.
"""

from __future__ import annotations

import re
import textwrap

from scaffold.layout.fit import fit_entry
from scaffold.layout.style import Style
from scaffold.patching import layout, own_lines
from scaffold.patching.place import Registration
from scaffold.patching.reading import span
from scaffold.patching.slots import Entry, InBrackets, InSuite, Slot
from scaffold.patching.source import Edit, Source
from scaffold.patching.syntax import (
    Statements,
    first_line,
    is_alone,
    line_after,
)

_BEFORE = re.compile(r"[ \t]*;[ \t]*\Z")
_AFTER = re.compile(r"[ \t]*;[ \t]*(?=\S)")


def inserted(
    source: Source, slot: Slot, registration: Registration, text: str, style: Style
) -> Edit:
    """Edit that inserts an entry.

    Args:
        source: the file.
        slot: the place.
        registration: the registration.
        text: the entry, not indented.
        style: layout style of the project.

    Raises:
        PlanError: the entry does not fit there, or something else would change.
    """
    fragment = _fragment(source, slot, registration, text, style)
    index = _position(slot, registration)
    if isinstance(slot.holder, InBrackets):
        edit = own_lines.inserted(source, slot, index, fragment, style)
        if edit is not None:
            return edit
        from scaffold.patching import nodes

        return nodes.insert(source, slot, index, fragment, style)
    siblings = slot.siblings
    is_last = index == len(siblings)
    gap = source.newline * (slot.gap if siblings else slot.lead)
    lines = gap + fragment.lines if is_last else fragment.lines + gap
    line = slot.end if is_last else _line_above(source, slot, siblings[index])
    if not siblings and isinstance(slot.holder, InSuite):
        below = source.lines[line : line + 1]
        lines += source.newline * any(map(str.strip, below))
    return _at_line(source, line, lines)


def replaced(
    source: Source,
    slot: Slot,
    registration: Registration,
    entry: Entry,
    text: str,
    style: Style,
) -> Edit:
    """Edit that replaces an entry.

    Raises:
        PlanError: the entry does not fit there, or something else would change.
    """
    fragment = _fragment(source, slot, registration, text, style)
    if isinstance(entry.holder, InBrackets):
        from scaffold.patching import nodes

        return nodes.replace(source, slot, entry, fragment, style)
    start, stop = span(source, entry)
    if entry.holder is not None and not is_alone(source, entry):
        return Edit(start, stop, fragment.line.strip())
    begin = source.line_start(entry.first)
    # a comment beside the entry stays
    rest = source.text[stop : source.line_stop(stop - 1)]
    lines = fragment.lines.removesuffix(source.newline)
    if isinstance(entry.holder, InSuite):
        # in a branch of `if` or `try`
        lines = textwrap.indent(lines, source.indent_of(entry.first))
    if entry.holder is None:
        ending = source.text[:stop].endswith("\n")
        return Edit(begin, stop, fragment.lines if ending else lines)
    return Edit(begin, stop + len(rest), lines + rest)


def removed(source: Source, slot: Slot, entry: Entry, style: Style) -> Edit:
    """Edit that removes an entry.

    Raises:
        PlanError: something else would change.
    """
    if isinstance(entry.holder, InBrackets):
        from scaffold.patching import nodes

        return nodes.remove(source, slot, entry, style)
    if entry.holder is not None:
        start, stop = span(source, entry)
        suite = entry.holder.statements
        is_only = suite is not source.tree.body and len(suite) == 1
        if is_only or not is_alone(source, entry):
            return _without_statement(source, start, stop)
    first, end = _with_gap(source, slot, entry)
    start, stop = source.line_start(first), source.line_start(end)
    if stop == len(source.text) and not source.text.endswith("\n") and first:
        # the line before becomes the last one, so its line end is removed too
        start -= 2 if source.text[:start].endswith("\r\n") else 1
    return Edit(start, stop, "")


def _fragment(
    source: Source, slot: Slot, registration: Registration, text: str, style: Style
) -> layout.Fragment:
    frame = registration.place.anchor.frame
    if frame is not None:
        text = layout.requoted(text, source.quote)
        lines = fit_entry(text, frame, slot.indent, style)
    else:
        lines = text
    indented = layout.indented(lines, slot.indent, slot.unit, source.newline)
    if isinstance(slot.holder, InSuite):
        from scaffold.patching import nodes

        indented = nodes.statement_text(source, indented)
    return layout.Fragment(text.strip("\n"), indented)


def _position(slot: Slot, registration: Registration) -> int:
    """The position of a new entry among its siblings, in their order if they have one."""
    siblings = slot.siblings
    for order in registration.place.anchor.orders:
        keys = [order(entry.key) for entry in siblings]
        if keys == sorted(keys):
            new = order(registration.place.key)
            later = (number for number, key in enumerate(keys) if new < key)
            return next(later, len(siblings))
    return len(siblings)


def _line_above(source: Source, slot: Slot, entry: Entry) -> int:
    """The first line of an entry, with its comments and statements that share its lines."""
    if not isinstance(slot.holder, InSuite):
        return entry.first
    body: Statements = slot.holder.statements
    at = next(i for i, node in enumerate(body) if first_line(node) == entry.first)
    while at and line_after(body[at - 1]) > first_line(body[at]):
        at -= 1
    return source.with_comments(first_line(body[at]))


def _at_line(source: Source, line: int, lines: str) -> Edit:
    """Edit that inserts lines before a line."""
    at = source.line_start(line)
    if at == len(source.text) and source.text and not source.text.endswith("\n"):
        # a file without a line end at its end stays without one
        lines = source.newline + lines.removesuffix(source.newline)
    return Edit(at, at, lines)


def _without_statement(source: Source, start: int, stop: int) -> Edit:
    """Edit that removes a statement that shares its line or is alone in a block."""
    after = _AFTER.match(source.text, stop)
    before = _BEFORE.search(source.text, 0, start)
    if after:
        return Edit(start, after.end(), "")
    if before:
        return Edit(before.start(), stop, "")
    return Edit(start, stop, "pass")


def _with_gap(source: Source, slot: Slot, entry: Entry) -> tuple[int, int]:
    """The lines of an entry, with the blank lines that were inserted with it."""
    start, stop = entry.first, entry.end
    siblings = slot.siblings or [entry]
    above, below = range(start - slot.gap, start), range(stop, stop + slot.gap)
    if siblings == [entry]:
        above = range(start - slot.lead, start)
        # without a holder, the blank line of a first entry is above it
        below = range(stop, stop + (slot.gap or (slot.lead if slot.holder else 0)))
    is_last = entry == siblings[-1]
    if is_last and above and _are_blank(source, above):
        return above.start, stop
    if (not is_last or siblings == [entry]) and _are_blank(source, below):
        return start, below.stop
    return start, stop


def _are_blank(source: Source, lines: range) -> bool:
    return all(
        0 <= at < len(source.lines) and not source.lines[at].strip() for at in lines
    )
