"""Puts registrations into a file: finds by syntax, decides by key, inserts as text."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.errors import AnchorNotFound, PlanError
from scaffold.patching.outcomes import (
    AlreadyRegistered,
    EntryConflict,
    EntryKept,
    EntryUpdated,
    NameTaken,
    NotWanted,
    PlaceMissing,
    PlaceOutcome,
    Registered,
    SurplusKept,
    SurplusRemoved,
    Unregistered,
)
from scaffold.patching.place import Registration
from scaffold.patching.slots import Entry, Slot, Source, Unfit
from scaffold.rendering.layout import fit_entry

_WITHOUT_ENTRY = (NotWanted, NameTaken, PlaceMissing, SurplusRemoved, Unregistered)
"""Outcomes after which there is no entry."""


class _Edit(NamedTuple):
    """An outcome, and the lines of the file that it replaces.

    Attributes:
        outcome: what becomes of the registration.
        start: the first line that is replaced.
        stop: the line after the last one.
        text: what is written there.
    """

    outcome: PlaceOutcome
    start: int = 0
    stop: int = 0
    text: str = ""


def register(
    path: PurePosixPath, data: bytes, registrations: Sequence[Registration]
) -> tuple[bytes, tuple[PlaceOutcome, ...]]:
    """Put all registrations of one file in, in one go.

    Returns:
        The patched file, and at least one outcome for each registration, in order.

    Raises:
        PlanError: the file cannot be read, or the patched one would not be right.
    """
    source = _source(path, data)
    edits = [edit for asked in registrations for edit in _edits(source, asked)]
    text = _apply(source, edits)
    outcomes = _with_lines(edits)
    if text == source.text:
        return data, outcomes
    patched = source.encode(text)
    _prove(path, patched, edits)
    return patched, outcomes


@lru_cache(maxsize=64)
def _source(path: PurePosixPath, data: bytes) -> Source:
    """A file; read once for the registrations of many handlers."""
    return Source(path, data)


def find(source: Source, registration: Registration) -> Slot:
    """The one slot of a registration.

    Raises:
        AnchorNotFound: there is none, more than one, or it is in an unusable form.
    """
    place = registration.place
    try:
        slots = place.anchor.slots(source, place.key)
    except Unfit as unfit:
        raise _refusal(registration, str(unfit)) from None
    if len(slots) != 1:
        problem = f"found {len(slots)} times" if slots else "not found"
        raise _refusal(registration, problem)
    return slots[0]


def text_of(source: Source, entry: Entry, slot: Slot) -> str:
    """An entry's text as a fragment: not indented, with plain line ends."""
    lines = source.lines[entry.first : entry.end]
    plain = [line.replace("\r\n", "\n").removeprefix(slot.indent) for line in lines]
    return "".join(_spaces(line, slot.unit) for line in plain).rstrip("\n") + "\n"


def fitted(registration: Registration, slot: Slot) -> str:
    """The text of a registration as it is written into `slot`, but not indented."""
    fragment = registration.text.strip("\n")
    if not fragment:
        return ""
    frame = registration.place.anchor.frame
    if frame is None:
        return fragment + "\n"
    return fit_entry(fragment + "\n", frame, slot.indent)


def _edits(source: Source, registration: Registration) -> Iterator[_Edit]:
    place = registration.place
    try:
        slot = find(source, registration)
        text = fitted(registration, slot)
        present = [entry for entry in slot.entries if entry.key == place.key]
        if present:
            yield from _present(source, registration, slot, text, present)
        elif not text:
            yield _Edit(NotWanted(place))
        elif place.key in slot.taken:
            yield _Edit(NameTaken(place, text))
        else:
            yield _insertion(source, registration, slot, text)
    except AnchorNotFound as error:
        yield _Edit(PlaceMissing(place, registration.text, error=error))


def _insertion(
    source: Source, registration: Registration, slot: Slot, fragment: str
) -> _Edit:
    at, last = _position(registration, slot)
    if last and slot.entries and not slot.closed:
        line = slot.entries[-1].end
        problem = f"the entry before it, on line {line}, needs a comma at its end"
        raise _refusal(registration, problem)
    text = _indented(fragment, slot, source)
    gap = source.newline * (slot.gap if slot.entries else slot.lead)
    text = gap + text if last else text + gap
    return _Edit(Registered(registration.place, fragment), at, at, text)


def _present(
    source: Source,
    registration: Registration,
    slot: Slot,
    fragment: str,
    present: Sequence[Entry],
) -> Iterator[_Edit]:
    """What becomes of the entries with that key: the first one, or an edited one.

    Further copies are removed where nobody edited them.
    """
    place, base = registration.place, registration.base
    texts = {entry: text_of(source, entry, slot) for entry in present}
    ours = {fragment, base}
    kept = next((entry for entry in present if texts[entry] not in ours), present[0])
    for entry in present:
        was = entry.first + 1
        if entry == kept:
            yield _entry(source, registration, slot, fragment, entry)
        elif texts[entry] in ours:
            lines = _with_gap(source, slot, entry, before=entry.first > kept.first)
            yield _Edit(SurplusRemoved(place, fragment, was=was), *lines)
        else:
            other = SurplusKept(place, fragment, was=was, now=texts[entry])
            yield _Edit(other, entry.first, entry.first)


def _entry(
    source: Source, registration: Registration, slot: Slot, fragment: str, entry: Entry
) -> _Edit:
    """What becomes of the one entry with that key."""
    place, base = registration.place, registration.base
    now, first, was = text_of(source, entry, slot), entry.first, entry.first + 1
    if now == fragment or base is None:
        return _Edit(AlreadyRegistered(place, fragment, was=was), first, first)
    if now != base:
        kind = EntryKept if base == fragment else EntryConflict
        return _Edit(kind(place, fragment, was=was, now=now), first, first)
    if not fragment:
        is_last = entry == slot.entries[-1]
        lines = _with_gap(source, slot, entry, before=is_last)
        return _Edit(Unregistered(place, was=was), *lines)
    text = _indented(fragment, slot, source)
    return _Edit(EntryUpdated(place, fragment, was=was), first, entry.end, text)


def _with_gap(
    source: Source, slot: Slot, entry: Entry, *, before: bool
) -> tuple[int, int]:
    """The lines of an entry and of the blank lines before or after it."""
    start, stop = entry.first, entry.end
    gap = range(start - slot.gap, start) if before else range(stop, stop + slot.gap)
    if all(0 <= at < len(source.lines) and not source.lines[at].strip() for at in gap):
        return (gap.start, stop) if before else (start, gap.stop)
    return start, stop


def _position(registration: Registration, slot: Slot) -> tuple[int, bool]:
    """The line a new entry goes before, and whether that makes it the last."""
    order: Callable[[str], object] = registration.place.anchor.order
    keys = [order(entry.key) for entry in slot.entries]
    new = order(registration.place.key)
    if new is None or keys != sorted(keys):  # type: ignore[type-var]  # None: unsorted
        return slot.end, True
    for entry, key in zip(slot.entries, keys, strict=True):
        if new < key:  # type: ignore[operator]  # keys of one anchor compare
            return entry.line, False
    return slot.end, True


def _apply(source: Source, edits: Sequence[_Edit]) -> str:
    """The file's text with all edits made, the last lines first."""
    lines = list(source.lines)
    if lines and not lines[-1].endswith("\n"):
        # A last line without an end stays the last line without an end.
        bottom = len(lines)
        edits = [
            (
                edit._replace(text=_at_bottom(edit, source.newline))
                if edit.stop == bottom and edit.text
                else edit
            )
            for edit in edits
        ]
    if source.text.startswith("\ufeff") and any(edit.start == 0 for edit in edits):
        lines[0] = lines[0].removeprefix("\ufeff")
        return "\ufeff" + _joined(lines, edits)
    return _joined(lines, edits)


def _at_bottom(edit: _Edit, newline: str) -> str:
    text = edit.text.removesuffix(newline)
    return newline + text if edit.start == edit.stop else text


def _joined(lines: list[str], edits: Sequence[_Edit]) -> str:
    numbered = list(enumerate(edits))
    for _, edit in sorted(
        numbered, key=lambda item: (item[1].start, item[0]), reverse=True
    ):
        if edit.text or edit.stop > edit.start:
            lines[edit.start : edit.stop] = [edit.text]
    return "".join(lines)


def _with_lines(edits: Sequence[_Edit]) -> tuple[PlaceOutcome, ...]:
    """The outcomes, each with the line that its entry has in the patched file."""
    outcomes = [edit.outcome for edit in edits]
    shift = 0
    for number, edit in sorted(
        enumerate(edits), key=lambda item: (item[1].start, item[0])
    ):
        blank = len(edit.text) - len(edit.text.lstrip("\r\n"))
        lead = edit.text[:blank].count("\n")
        if not isinstance(edit.outcome, _WITHOUT_ENTRY):
            line = edit.start + shift + lead + 1
            outcomes[number] = replace(edit.outcome, line=line)
        shift += edit.text.count("\n") - (edit.stop - edit.start)
    return tuple(outcomes)


def _prove(path: PurePosixPath, patched: bytes, edits: Sequence[_Edit]) -> None:
    """Check that the patched file is whole, and that each new entry is what it says.

    Entries are whole lines between other entries, so of Python it is enough that the
    file compiles and that the entry, alone in its place, is found by its key.

    Raises:
        PlanError: it is not.
    """
    if path.suffix == ".py":
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(patched, str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise PlanError(path, f"would not compile: {error}") from error
    whole: Source | None = None
    for edit in edits:
        outcome, place = edit.outcome, edit.outcome.place
        if not isinstance(outcome, Registered | EntryUpdated):
            continue
        frame = place.anchor.frame
        if frame is None:
            whole = whole or Source(path, patched)
            source = whole
        else:
            source = _alone(path, outcome.text, frame)
        asked = Registration(place, outcome.text)
        slot = find(source, asked)
        keys = [entry for entry in slot.entries if entry.key == place.key]
        if not keys or (frame and len(slot.entries) != 1):
            raise _refusal(asked, f"`{place.key}` did not fit there")


def _alone(path: PurePosixPath, fragment: str, frame: tuple[str, str]) -> Source:
    """A module that holds nothing but one entry, in its place."""
    head, tail = frame
    inner = textwrap.indent(fragment, "    ") if head else fragment
    return Source(path, f"{head}{inner}{tail}".encode())


def _indented(fragment: str, slot: Slot, source: Source) -> str:
    lines = []
    for line in fragment.split("\n")[:-1]:
        body = line.lstrip(" ")
        steps, rest = divmod(len(line) - len(body), 4)
        inner = slot.unit * steps + " " * rest + body
        lines.append((slot.indent + inner if body else "") + source.newline)
    return "".join(lines)


def _spaces(line: str, unit: str) -> str:
    """A line whose indentation is in steps of four blanks."""
    if unit == "    ":
        return line
    steps = 0
    while line.startswith(unit):
        line = line.removeprefix(unit)
        steps += 1
    return "    " * steps + line


def _refusal(registration: Registration, problem: str) -> AnchorNotFound:
    place = registration.place
    return AnchorNotFound(place.path, place.anchor.name, problem, registration.text)
