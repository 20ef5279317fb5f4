"""Puts registrations into a file: read by syntax, decided by key, written as nodes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from scaffold.errors import AnchorNotFound, PlanError
from scaffold.layout.fit import fit_entry
from scaffold.layout.style import Style
from scaffold.patching.imports import ImportBlock
from scaffold.patching.outcomes import (
    AlreadyRegistered,
    EntryConflict,
    EntryKept,
    EntryMerged,
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
from scaffold.patching.reading import beside, find, is_same, read, refusal, text_of
from scaffold.patching.slots import Entry, Slot
from scaffold.patching.source import Edit, Source
from scaffold.patching.writing import inserted, removed, replaced

Merge = Callable[[Registration, str], str | None]
"""Merges the changes of the generated text into an edited entry; None if they contradict."""

_STYLE = Style()
_WITHOUT_ENTRY = (NotWanted, NameTaken, PlaceMissing, SurplusRemoved, Unregistered)
"""Outcomes that leave no entry."""
_WRITTEN = Registered | EntryMerged | EntryUpdated


def _unmerged(registration: Registration, now: str) -> str | None:
    """Leave every edited entry that is out of date unchanged."""
    del registration, now
    return None


def register(
    path: PurePosixPath,
    data: bytes,
    registrations: Sequence[Registration],
    style: Style = _STYLE,
    merge: Merge = _unmerged,
) -> tuple[bytes, tuple[PlaceOutcome, ...]]:
    """Register all wanted entries of one file.

    Args:
        path: the file.
        data: its content.
        registrations: the wanted entries.
        style: layout settings of the project.
        merge: merges entries that were edited by hand and are out of date.

    Returns:
        The patched file, and at least one outcome for each registration, in order.

    Raises:
        PlanError: the file cannot be read, or the patched one would be wrong.
    """
    before = source = read(path, data)
    outcomes: dict[int, list[PlaceOutcome]] = {}
    # Imports last: they depend on the entries that have been written.
    for number, registration in sorted(enumerate(registrations), key=_turn):
        source, outcomes[number] = _registered(source, registration, style, merge)
    patched = data
    if source is not before:
        patched = source.encode(source.text)
        source = _proven(path, patched)
    return patched, tuple(
        each
        for number, registration in enumerate(registrations)
        for each in _with_lines(registration, outcomes[number], before, source)
    )


def fitted(registration: Registration, slot: Slot) -> str:
    """The text of a registration in black's form, as it is recorded; not indented."""
    fragment = registration.text.strip("\n")
    frame = registration.place.anchor.frame
    if not fragment or frame is None:
        return fragment and fragment + "\n"
    return fit_entry(fragment + "\n", frame, slot.indent, _STYLE)


def _turn(numbered: tuple[int, Registration]) -> tuple[bool, int]:
    number, registration = numbered
    return isinstance(registration.place.anchor, ImportBlock), number


def _registered(
    source: Source, registration: Registration, style: Style, merge: Merge
) -> tuple[Source, list[PlaceOutcome]]:
    """The file after one registration, and the outcome."""
    place = registration.place
    try:
        slot = find(source, registration)
        text = fitted(registration, slot)
        present = slot.named(place.key)
        if present:
            return _present(source, registration, slot, text, present, style, merge)
        if not text:
            return source, [NotWanted(place)]
        if place.key in slot.taken:
            return source, [NameTaken(place, text)]
        if slot.refusal:
            raise refusal(registration, slot.refusal)
        edit = inserted(
            source, slot, registration, registration.text.strip("\n") + "\n", style
        )
    except AnchorNotFound as error:
        return source, [PlaceMissing(place, registration.text, error=error)]
    return _edited(source, edit), [Registered(place, text)]


def _present(
    source: Source,
    registration: Registration,
    slot: Slot,
    fragment: str,
    present: Sequence[Entry],
    style: Style,
    merge: Merge,
) -> tuple[Source, list[PlaceOutcome]]:
    """Outcomes for all entries with that key.

    The first or an edited one stays; further copies are removed unless edited.
    """
    place, base = registration.place, registration.base
    texts = [text_of(source, entry, slot) for entry in present]
    ours = [
        registration.discards_edits
        or (
            (is_same(registration, text, fragment) or is_same(registration, text, base))
            and not (beside(source, entry) and len(present) > 1)
        )
        for text, entry in zip(texts, present, strict=True)
    ]
    kept = ours.index(False) if False in ours else 0
    outcomes: list[PlaceOutcome] = []
    # the last one first, so that the positions of the others stay valid
    for number in reversed(range(len(present))):
        slot = find(source, registration)
        entry = slot.named(place.key)[number]
        if number == kept:
            source, outcome = _entry(
                source, registration, slot, fragment, entry, style, merge
            )
        elif ours[number] and not entry.is_indirect:
            source = _edited(source, removed(source, slot, entry, style))
            outcome = SurplusRemoved(place, fragment)
        else:
            outcome = SurplusKept(place, fragment, now=texts[number])
        outcomes.insert(0, outcome)
    return source, outcomes


def _entry(
    source: Source,
    registration: Registration,
    slot: Slot,
    fragment: str,
    entry: Entry,
    style: Style,
    merge: Merge,
) -> tuple[Source, PlaceOutcome]:
    """Outcome for the one entry with that key."""
    place, base = registration.place, registration.base
    now = text_of(source, entry, slot)
    if base is None or entry.is_indirect or is_same(registration, now, fragment):
        return source, AlreadyRegistered(place, fragment)
    is_ours = is_same(registration, now, base) and (
        fragment or not beside(source, entry)
    )
    if not (is_ours or registration.discards_edits):
        if is_same(registration, fragment, base):
            return source, EntryKept(place, fragment, now=now)
        text = merge(registration, now) if fragment else None
        if text is None:
            return source, EntryConflict(place, fragment, now=now)
        if not is_same(registration, text, now):
            edit = replaced(source, slot, registration, entry, text, style)
            source = _edited(source, edit)
        return source, EntryMerged(place, fragment)
    if not fragment:
        edit = removed(source, slot, entry, style)
        return _edited(source, edit), Unregistered(place)
    edit = replaced(
        source, slot, registration, entry, registration.text.strip("\n") + "\n", style
    )
    return _edited(source, edit), EntryUpdated(place, fragment)


def _edited(source: Source, edit: Edit) -> Source:
    text = source.text[: edit.start] + edit.text + source.text[edit.stop :]
    return read(source.path, source.encode(text))


def _with_lines(
    registration: Registration,
    outcomes: Sequence[PlaceOutcome],
    before: Source,
    after: Source,
) -> list[PlaceOutcome]:
    """The outcomes with the lines of their entries, before and after the changes.

    Raises:
        AnchorNotFound: an entry that was written cannot be found.
    """
    was = _lines(before, registration)
    now = [*was] if after is before else _lines(after, registration)
    found: list[PlaceOutcome] = []
    for outcome in outcomes:
        line = old = 0
        if not isinstance(outcome, _WITHOUT_ENTRY):
            if not now and isinstance(outcome, _WRITTEN):
                raise refusal(
                    registration, f"`{registration.place.key}` did not fit there"
                )
            line = now.pop(0) if now else 0
        if not isinstance(outcome, Registered | NotWanted | NameTaken | PlaceMissing):
            old = was.pop(0) if was else 0
        found.append(replace(outcome, line=line, was=old))
    if now and any(isinstance(each, _WRITTEN | Unregistered) for each in outcomes):
        raise refusal(registration, f"`{registration.place.key}` did not fit there")
    return found


def _lines(source: Source, registration: Registration) -> list[int]:
    """The lines, from 1, of the entries with a registration's key."""
    try:
        slot = find(source, registration)
    except AnchorNotFound:
        return []
    return [entry.first + 1 for entry in slot.named(registration.place.key)]


def _proven(path: PurePosixPath, patched: bytes) -> Source:
    """The patched file, read again.

    Raises:
        PlanError: the result does not compile.
    """
    source = read(path, patched)
    if path.suffix != ".py":
        return source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source.tree, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise PlanError(path, f"would not compile: {error}") from error
    return source
