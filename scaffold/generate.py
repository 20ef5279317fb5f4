"""The core: computes changes from specs and a tree, and writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import conflicts, ejected, places, state
from scaffold.change import Change
from scaffold.checkout import restored
from scaffold.files import files
from scaffold.layout.style import Style, style_of
from scaffold.outcomes import (
    Conflicting,
    EntryReleased,
    EntryStillNeeded,
    FileOutcome,
    FileStillNeeded,
    NameOwned,
    Outcome,
    RecordCreated,
    RecordRemoved,
    RecordUpdated,
    Removed,
    Unsettled,
)
from scaffold.patching.outcomes import (
    AlreadyRegistered,
    EntryConflict,
    EntryKept,
    EntryMerged,
    EntryUpdated,
    PlaceOutcome,
    Registered,
    Unregistered,
)
from scaffold.patching.place import Registration
from scaffold.retired import retired
from scaffold.shared import Fresh, Settle, SharedFiles, unsettled
from scaffold.state import Record
from scaffold.tree import Overlay, Tree
from scaffold.wanted import Wanted

_NOTHING = Record({}, {})
_WITH_ENTRY = (
    *(AlreadyRegistered, EntryConflict, EntryKept, EntryMerged, EntryUpdated),
    Registered,
)


class ChangeSet(NamedTuple):
    """Changes and outcomes of a command.

    Attributes:
        changes: changes of files, in the order of reports; those of the state come last.
        outcomes: one for every file and place, also where nothing changes.
    """

    changes: tuple[Change, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def conflicts(self) -> tuple[PurePosixPath, ...]:
        """The files with conflicts, each once."""
        found = [each for each in self.outcomes if isinstance(each, Conflicting)]
        return tuple(dict.fromkeys(each.path for each in found))

    @property
    def unsettled(self) -> list[Unsettled]:
        """The conflicts that leave a handler unchanged until a person settles them."""
        return [each for each in self.outcomes if isinstance(each, Unsettled)]

    @property
    def shared(self) -> frozenset[PurePosixPath]:
        """The files that were patched; `patch` has proven them."""
        return frozenset(
            each.path for each in self.outcomes if isinstance(each, PlaceOutcome)
        )


def generate(
    want: Wanted,
    tree: Tree,
    fresh: Fresh = lambda path: None,
    settle: Settle = unsettled,
) -> ChangeSet:
    """The changes that bring the tree to the wanted state and keep hand edits.

    Obstacles are outcomes, which `refusal.refuse` raises as errors. If a hand edit
    contradicts the newly generated text, the whole handler stays unchanged, and the
    versions are laid out for a person to compare.

    Args:
        want: the wanted state.
        tree: the files.
        fresh: gives the shared files and places that an older project lacks.
        settle: gives the way to settle conflicts in a file.
    """
    record = state.read(tree, want.kind)
    mine = ejected.read(tree)
    style = style_of(tree.read(PurePosixPath("pyproject.toml")))
    found = files(want, record or _NOTHING, tree, style, settle)
    owned = list(ejected.left_alone(found, mine))
    shared = _shared(want, record, tree, fresh, style, settle)
    if any(map(_is_lost, shared.outcomes)):
        # a merge took one side, so lines that are written once may be missing, too
        want = restored(want, tree)
        shared = _shared(want, record, tree, fresh, style, settle)
    outcomes = shared.outcomes
    if record is None:
        outcomes = list(_with_owners(want.kind, outcomes, tree))
    if want.is_gone and any(map(_needs_its_code, outcomes)):
        return _all_kept([outcome for _, outcome in owned], outcomes)
    decided: list[Outcome] = [*(outcome for _, outcome in owned), *outcomes]
    edited = [each for each in decided if isinstance(each, Unsettled)]
    if edited and not want.is_gone:
        laid_out = conflicts.laid_out(want.kind, edited, tree)
        changes = [change for change in laid_out if change.before != change.after]
        return ChangeSet(tuple(changes), (*shared.files, *decided))
    kept = None if want.is_gone else _record(want, record or _NOTHING, outcomes, mine)
    changes = [change for change, _ in owned] + shared.changes
    changes += state.changes(tree, want.kind, kept)
    changes += conflicts.cleared(want.kind, tree)
    if want.is_gone and record:
        changes += ejected.without(tree, record.files)
    changes = [change for change in changes if change.before != change.after]
    result: list[Outcome] = [outcome for _, outcome in owned]
    result += [*shared.files, *outcomes]
    if any(change.is_state for change in changes):
        written = RecordUpdated if record else RecordCreated
        kind = RecordRemoved if want.is_gone else written
        result.append(kind(state.HANDLERS / want.kind, role="state"))
    return ChangeSet(tuple(changes), tuple(result))


def generate_all(
    wants: Iterable[Wanted],
    tree: Tree,
    fresh: Fresh = lambda path: None,
    settle: Settle = unsettled,
) -> ChangeSet:
    """`generate` for several handlers, each on top of the ones before."""
    files: dict[PurePosixPath, bytes | None] = {}
    results: list[ChangeSet] = []
    for want in wants:
        results.append(generate(want, Overlay(tree, files), fresh, settle))
        files |= {change.path: change.after for change in results[-1].changes}
    return combined(map(_as_written, results))


def _as_written(result: ChangeSet) -> ChangeSet:
    """The change set without the outcomes that wait until conflicts are settled."""
    waiting = result.unsettled
    return result._replace(outcomes=tuple(waiting)) if waiting else result


def combined(results: Iterable[ChangeSet]) -> ChangeSet:
    """Change sets as one, each made on top of the ones before."""
    changes: dict[PurePosixPath, Change] = {}
    outcomes: list[Outcome] = []
    for result in results:
        for change in result.changes:
            first = changes.get(change.path, change)
            changes[change.path] = change._replace(before=first.before)
        outcomes += result.outcomes
    return ChangeSet(tuple(changes.values()), tuple(outcomes))


def _shared(
    want: Wanted,
    record: Record | None,
    tree: Tree,
    fresh: Fresh,
    style: Style,
    settle: Settle,
) -> SharedFiles:
    """The shared files, with the wanted entries."""
    shared = SharedFiles(tree, fresh, style, settle)
    for path, registrations in _by_file(want, record).items():
        shared.register(path, registrations)
    if not want.is_gone:
        shared.wire(places.within(places.WIRING, want.package))
    return shared


def _is_lost(outcome: PlaceOutcome) -> bool:
    """True for an entry that was registered before, and is missing."""
    return isinstance(outcome, Registered) and outcome.base is not None


def _by_file(
    want: Wanted, record: Record | None
) -> dict[PurePosixPath, list[Registration]]:
    """The wanted entries of each shared file; an entry to be removed has no text."""
    by_file: dict[PurePosixPath, list[Registration]] = {}
    for place, text in want.places.items():
        base = record.places.get(place.id) if record else None
        if (place.once and record) or not (text.strip() or base is not None):
            continue
        by_file.setdefault(place.path, []).append(Registration(place, text, base))
    for place, base in retired(want, record or _NOTHING):
        gone = Registration(place, "", base, want.discards_edits)
        by_file.setdefault(place.path, []).append(gone)
    return by_file


def _needs_its_code(outcome: PlaceOutcome) -> bool:
    """True for an edited entry of a module, which uses names that the handler defines."""
    return isinstance(outcome, EntryReleased) and outcome.path.suffix == ".py"


def _all_kept(
    files: Iterable[FileOutcome], entries: Iterable[PlaceOutcome]
) -> ChangeSet:
    """The outcomes for a handler without a spec that is still in use; no changes."""
    kept: list[Outcome] = [
        (
            FileStillNeeded(each.path, base=each.base)
            if isinstance(each, Removed)
            else each
        )
        for each in files
    ]
    kept += [
        (
            EntryStillNeeded(each.place, was=each.was, base=each.base)
            if isinstance(each, Unregistered)
            else each
        )
        for each in entries
    ]
    return ChangeSet((), tuple(kept))


def _record(
    want: Wanted,
    record: Record,
    outcomes: Iterable[PlaceOutcome],
    mine: Collection[PurePosixPath],
) -> Record:
    """The record after the changes: the generated text, without hand edits.

    The text of an ejected file stays as recorded, in case it follows its template again.
    """
    files = {path: text for path, text in want.files.items() if path not in mine}
    files |= {path: text for path, text in record.files.items() if path in mine}
    texts = {
        each.place.id: each.text for each in outcomes if isinstance(each, _WITH_ENTRY)
    }
    once = {place.id for place in want.places if place.once}
    skipped = {str(path) for path in want.skipped}
    texts |= {
        place: text
        for place, text in record.places.items()
        if place in once or place.partition(" ")[0] in skipped
    }
    return Record(files, texts)


def _with_owners(
    kind: str, outcomes: Iterable[PlaceOutcome], tree: Tree
) -> Iterator[PlaceOutcome]:
    """The outcomes, with `NameOwned` for entries of other handlers."""
    owners: dict[str, str] | None = None
    for each in outcomes:
        if isinstance(each, AlreadyRegistered):
            if owners is None:
                owners = {
                    place: other
                    for other in state.kinds(tree)
                    for place in state.places(tree, other)
                }
            owner = owners.get(each.place.id, kind)
            if owner != kind:
                yield NameOwned(each.place, each.text, each.line, each.was, owner=owner)
                continue
        yield each
