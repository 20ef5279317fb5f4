"""Puts registrations into a file: finds by syntax, decides by key, inserts as text."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.errors import AnchorNotFound, PlanError, PlanErrors, UsageError
from scaffold.patching.slots import Anchor, Entry, Slot, Source, Unfit
from scaffold.rendering.layout import fit_entry


class Registration(NamedTuple):
    """One entry that should be in a file.

    Attributes:
        path: the file.
        place: the name of the place in it.
        anchor: finds the place.
        key: tells whether the entry is there.
        fragment: its text, not indented.
        previous: the text that was written before, or None; an entry that still has
            it is replaced, any other is its owner's.
        force: replace the entry whatever its text is.
    """

    path: PurePosixPath
    place: str
    anchor: Anchor
    key: str
    fragment: str
    previous: str | None = None
    force: bool = False


class Outcome(NamedTuple):
    """What became of a registration.

    Attributes:
        registration: which one.
        action: `register`, `registered` (it was there), `update`, `unregister` (there
            is no text for it any more), `keep` (edited by hand, no change needed) or
            `conflict` (edited by hand, change needed).
        line: where it stands now, from 1; 0 if it does not.
        copies: how many entries of that key there are.
        fragment: its text as written, in black's form.
    """

    registration: Registration
    action: str
    line: int
    copies: int
    fragment: str


class _Edit(NamedTuple):
    outcome: Outcome
    start: int
    stop: int
    text: str


def register(
    path: PurePosixPath, data: bytes, registrations: Sequence[Registration]
) -> tuple[bytes, tuple[Outcome, ...]]:
    """Put all registrations of one file in, in one go.

    Raises:
        PlanError: a place is not as expected, or the file cannot be read.
        UsageError: a name stands for something else there.
    """
    source = Source(path, data)
    edits: list[_Edit] = []
    errors: list[PlanError] = []
    for registration in registrations:
        try:
            edits.append(_edit(source, registration))
        except AnchorNotFound as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else PlanErrors(errors)
    text = _apply(source, edits)
    outcomes = _with_lines(edits)
    if text == source.text:
        return data, outcomes
    patched = source.encode(text)
    _prove(path, patched, outcomes)
    return patched, outcomes


def find(source: Source, registration: Registration) -> Slot:
    """The one slot of a registration.

    Raises:
        AnchorNotFound: there is none, more than one, or it is in an unusable form.
    """
    anchor = registration.anchor
    try:
        slots = anchor.slots(source, registration.key)
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
    fragment = registration.fragment.strip("\n")
    if not fragment:
        return ""
    frame = registration.anchor.frame
    if frame is None:
        return fragment + "\n"
    return fit_entry(fragment + "\n", frame, slot.indent)


def _edit(source: Source, registration: Registration) -> _Edit:
    slot = find(source, registration)
    fragment = fitted(registration, slot)
    present = [entry for entry in slot.entries if entry.key == registration.key]
    if present:
        return _present(source, registration, slot, fragment, present)
    if not fragment:
        return _Edit(Outcome(registration, "registered", 0, 0, ""), 0, 0, "")
    if registration.key in slot.taken:
        raise UsageError(
            f"{source.path}: {registration.anchor.name}: "
            f"`{registration.key}` already stands for something else"
        )
    at, last = _position(registration, slot)
    if last and slot.entries and not slot.closed:
        line = slot.entries[-1].end
        problem = f"the entry before it, on line {line}, needs a comma at its end"
        raise _refusal(registration, problem)
    text = _indented(fragment, slot, source)
    gap = source.newline * (slot.gap if slot.entries else slot.lead)
    text = gap + text if last else text + gap
    outcome = Outcome(registration, "register", 0, 1, fragment)
    return _Edit(outcome, at, at, text)


def _present(
    source: Source,
    registration: Registration,
    slot: Slot,
    fragment: str,
    present: list[Entry],
) -> _Edit:
    entry = present[0]
    now = text_of(source, entry, slot)
    previous = registration.previous
    start = stop = entry.first
    text = ""
    copies = len(present)
    if now == fragment or (previous is None and not registration.force):
        action = "registered"
    elif registration.force or now == previous:
        action, stop = ("update" if fragment else "unregister"), entry.end
        text = _indented(fragment, slot, source)
        if not fragment:
            start, stop = _with_gap(source, slot, entry)
            copies -= 1
    else:
        action = "keep" if previous == fragment else "conflict"
    outcome = Outcome(registration, action, entry.first + 1, copies, fragment)
    return _Edit(outcome, start, stop, text)


def _with_gap(source: Source, slot: Slot, entry: Entry) -> tuple[int, int]:
    """The lines of an entry and of the blank lines that came with it."""
    start, stop = entry.first, entry.end
    last = entry == slot.entries[-1]
    gap = range(start - slot.gap, start) if last else range(stop, stop + slot.gap)
    if all(0 <= at < len(source.lines) and not source.lines[at].strip() for at in gap):
        return (gap.start, stop) if last else (start, gap.stop)
    return start, stop


def _position(registration: Registration, slot: Slot) -> tuple[int, bool]:
    """The line a new entry goes before, and whether that makes it the last."""
    order: Callable[[str], object] = registration.anchor.order
    keys = [order(entry.key) for entry in slot.entries]
    new = order(registration.key)
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


def _with_lines(edits: Sequence[_Edit]) -> tuple[Outcome, ...]:
    """The outcomes, each with the line that its entry has in the patched file."""
    lines: dict[int, int] = {}
    shift = 0
    for number, edit in sorted(
        enumerate(edits), key=lambda item: (item[1].start, item[0])
    ):
        blank = len(edit.text) - len(edit.text.lstrip("\r\n"))
        lead = edit.text[:blank].count("\n")
        lines[number] = edit.start + shift + lead + 1 if edit.outcome.copies else 0
        shift += edit.text.count("\n") - (edit.stop - edit.start)
    return tuple(
        edit.outcome._replace(line=lines[number]) for number, edit in enumerate(edits)
    )


def _prove(path: PurePosixPath, patched: bytes, outcomes: Sequence[Outcome]) -> None:
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
    for outcome in outcomes:
        registration, frame = outcome.registration, outcome.registration.anchor.frame
        if outcome.action not in {"register", "update"}:
            continue
        if frame is None:
            whole = whole or Source(path, patched)
            source = whole
        else:
            source = _alone(path, outcome.fragment, frame)
        slot = find(source, registration)
        keys = [entry for entry in slot.entries if entry.key == registration.key]
        if len(keys) != outcome.copies or (frame and len(slot.entries) != 1):
            raise _refusal(registration, f"`{registration.key}` did not fit there")


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
    return AnchorNotFound(
        registration.path, registration.anchor.name, problem, registration.fragment
    )
