"""The shared files of a project, each patched with its registrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from scaffold.change import Change
from scaffold.errors import PlanError
from scaffold.layout.style import Style
from scaffold.merging import entries
from scaffold.merging.versions import Take
from scaffold.outcomes import (
    DocumentationMissing,
    EntryReleased,
    FileOutcome,
    FileUnusable,
    PlaceAdded,
    SharedFileCreated,
)
from scaffold.patching.additions import added, wiring
from scaffold.patching.imports import ImportBlock, uses
from scaffold.patching.outcomes import (
    EntryConflict,
    NotWanted,
    PlaceMissing,
    PlaceOutcome,
    Registered,
    Unregistered,
)
from scaffold.patching.patch import register
from scaffold.patching.place import Registration
from scaffold.patching.verbatim import without
from scaffold.retired import Forgotten
from scaffold.state import same
from scaffold.tree import Tree

Settle = Callable[[PurePosixPath], Take]
"""Gives the way to settle conflicts in a file."""

Fresh = Callable[[PurePosixPath], str | None]
"""The text of a shared file in a new project; None if a new project has no such file."""


def unsettled(path: PurePosixPath) -> Take:
    """Settle no conflicts."""
    del path
    return "fail"


class SharedFiles:
    """The shared files of a tree.

    Attributes:
        changes: one of each file.
        files: outcomes of files that are new.
        outcomes: outcomes of the registrations.
    """

    def __init__(
        self, tree: Tree, fresh: Fresh, style: Style, settle: Settle = unsettled
    ) -> None:
        self.changes: list[Change] = []
        self.files: list[FileOutcome] = []
        self.outcomes: list[PlaceOutcome] = []
        self._tree = tree
        self._fresh = fresh
        self._style = style
        self._settle = settle

    def register(self, path: PurePosixPath, registrations: list[Registration]) -> None:
        """Patch one file."""
        try:
            before = self._tree.read(path)
            data = before if before is not None else self._created(path, registrations)
            if data is None:
                found = [_without_file(registration) for registration in registrations]
            else:
                data, found = self._patched(path, data, registrations)
                self.changes.append(Change(path, before, data))
        except PlanError as error:
            found = [
                FileUnusable(registration.place, registration.text, error=error)
                for registration in registrations
            ]
        by_place = {registration.place: registration for registration in registrations}
        settled = [_settled(each, by_place.get(each.place)) for each in found]
        self.outcomes += [each for each in settled if not isinstance(each, NotWanted)]

    def wire(self, path: PurePosixPath) -> None:
        """Add the tables of a new project to the module that puts all tables together."""
        text = self._fresh(path)
        if text is None:
            return
        data = self._tree.read(path)
        if data is None:
            self.files.append(SharedFileCreated(path, text, role="shared"))
            self.changes.append(Change(path, None, text.encode()))
        elif not same(data, text):
            wires = wiring(path, text)
            arguments = [wire.argument for wire in wires]
            _, found = register(path, data, arguments, self._style)
            new = {each.place for each in found if isinstance(each, Registered)}
            new_wires = [each for each in wires if each.argument.place in new]
            both = [each for wire in new_wires for each in wire]
            patched, _ = register(path, data, both, self._style)
            self.outcomes += [PlaceAdded(wire.argument.place) for wire in new_wires]
            self.changes.append(Change(path, data, patched))

    def _created(
        self, path: PurePosixPath, registrations: list[Registration]
    ) -> bytes | None:
        """A shared file that an older project lacks."""
        text = self._fresh(path)
        if text is None or not any(
            registration.text.strip() for registration in registrations
        ):
            return None
        self.files.append(SharedFileCreated(path, text, role="shared"))
        return text.encode()

    def _patched(
        self, path: PurePosixPath, data: bytes, registrations: list[Registration]
    ) -> tuple[bytes, list[PlaceOutcome]]:
        # removals first: a new entry may be the same under another name
        gone = [each for each in registrations if not each.place.template]
        by_text = [each for each in gone if isinstance(each.place.anchor, Forgotten)]
        found: list[PlaceOutcome] = []
        for registration in by_text:
            data, outcome = _removed_by_text(path, data, registration)
            found.append(outcome)
        imports = [each for each in gone if isinstance(each.place.anchor, ImportBlock)]
        known = [each for each in gone if each not in (*by_text, *imports)]
        data, outcomes = register(path, data, known, self._style)
        found += outcomes
        by_key = [each for each in registrations if each not in gone]
        patched, outcomes = register(path, data, by_key, self._style, self._merged)
        missing = [
            each.place
            for each in outcomes
            if isinstance(each, PlaceMissing) and not each.place.optional
        ]
        fresh = self._fresh(path) if missing else None
        if fresh is not None:
            data, added_places = added(path, data, fresh, missing)
            self.outcomes += [PlaceAdded(place) for place in added_places]
            patched, outcomes = register(path, data, by_key, self._style, self._merged)
        found += outcomes
        # an entry that was edited by hand may still use its import
        unused = [each for each in imports if not uses(path, patched, each.place.key)]
        found += [EntryReleased(each.place) for each in imports if each not in unused]
        patched, outcomes = register(path, patched, unused, self._style)
        return patched, [*found, *outcomes]

    def _merged(self, registration: Registration, now: str) -> str | None:
        """An entry that was edited by hand and is out of date."""
        return entries.merged(
            registration, now, self._style, self._settle(registration.place.path)
        )


def _removed_by_text(
    path: PurePosixPath, data: bytes, registration: Registration
) -> tuple[bytes, PlaceOutcome]:
    """A file without an entry that can be found only by its recorded text."""
    removed = without(path, data, registration.base or "")
    if removed is not None:
        return removed[0], Unregistered(registration.place, was=removed[1])
    if registration.place.key.encode() in data:
        return data, EntryReleased(registration.place)
    return data, NotWanted(registration.place)


def _without_file(registration: Registration) -> PlaceOutcome:
    """The outcome at a place of a file that is missing."""
    error = PlanError(registration.place.path, "is missing")
    if not registration.text.strip():
        return NotWanted(registration.place)
    if registration.place.optional:
        return DocumentationMissing(registration.place, registration.text, error=error)
    return FileUnusable(registration.place, registration.text, error=error)


def _settled(outcome: PlaceOutcome, registration: Registration | None) -> PlaceOutcome:
    """An outcome, adapted to the wanted entry and its record."""
    if registration is None:
        return outcome
    is_wanted = bool(registration.text.strip())
    if isinstance(outcome, PlaceMissing) and not is_wanted:
        return NotWanted(outcome.place)
    if isinstance(outcome, PlaceMissing) and outcome.place.optional:
        return DocumentationMissing(
            outcome.place, registration.text, error=outcome.error
        )
    if isinstance(outcome, EntryConflict) and not (is_wanted or outcome.place.template):
        outcome = EntryReleased(outcome.place, was=outcome.was, now=outcome.now)
    return replace(outcome, base=registration.base)
