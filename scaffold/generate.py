"""The core: computes changes from specs and a tree, and writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import ejected, places, state
from scaffold.change import Change
from scaffold.checkout import restored
from scaffold.layout.style import style_of
from scaffold.outcomes import (
    Conflicting,
    Created,
    EditedConflict,
    EntryReleased,
    EntryStillNeeded,
    FileOutcome,
    FileStillNeeded,
    ForeignConflict,
    Identical,
    Kept,
    NameOwned,
    Outcome,
    RecordCreated,
    RecordRemoved,
    RecordUpdated,
    Released,
    Removed,
    Restored,
    Updated,
)
from scaffold.patching.outcomes import (
    AlreadyRegistered,
    EntryConflict,
    EntryKept,
    EntryUpdated,
    PlaceOutcome,
    Registered,
    Unregistered,
)
from scaffold.patching.place import Registration
from scaffold.retired import retired
from scaffold.shared import Fresh, SharedFiles
from scaffold.state import Record, same
from scaffold.tree import Overlay, Tree
from scaffold.wanted import Wanted

_NOTHING = Record({}, {})
_WITH_ENTRY = (AlreadyRegistered, EntryConflict, EntryKept, EntryUpdated, Registered)


class ChangeSet(NamedTuple):
    """Changes and outcomes of a command.

    Attributes:
        changes: of files, in the order in which they are reported; the state's last.
        outcomes: of every file and place, those that need no change included.
    """

    changes: tuple[Change, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def conflicts(self) -> tuple[PurePosixPath, ...]:
        """The files that a person must look at first."""
        found = [each for each in self.outcomes if isinstance(each, Conflicting)]
        return tuple(dict.fromkeys(each.path for each in found))

    @property
    def shared(self) -> frozenset[PurePosixPath]:
        """The files that were patched; `patch` has proven them."""
        return frozenset(
            each.path for each in self.outcomes if isinstance(each, PlaceOutcome)
        )


def generate(want: Wanted, tree: Tree, fresh: Fresh = lambda path: None) -> ChangeSet:
    """The changes that bring the tree to the wanted state and keep what people wrote.

    Whatever is in the way is an outcome, which `refusal.refuse` raises.

    Args:
        want: the wanted state.
        tree: the files.
        fresh: gives the shared files and places that an older project lacks.
    """
    record = state.read(tree, want.kind)
    mine = ejected.read(tree)
    files = list(ejected.left_alone(_files(want, record or _NOTHING, tree), mine))
    shared = _shared(want, record, tree, fresh)
    if any(map(_is_lost, shared.outcomes)):
        # one side of a merge was taken, which loses lines that are written once too
        want = restored(want, tree)
        shared = _shared(want, record, tree, fresh)
    outcomes = shared.outcomes
    if record is None:
        outcomes = list(_with_owners(want.kind, outcomes, tree))
    if want.is_gone and any(map(_needs_its_code, outcomes)):
        return _all_kept([outcome for _, outcome in files], outcomes)
    kept = None if want.is_gone else _record(want, record or _NOTHING, outcomes, mine)
    changes = [change for change, _ in files] + shared.changes
    changes += state.changes(tree, want.kind, kept)
    if want.is_gone and record:
        changes += ejected.without(tree, record.files)
    changes = [change for change in changes if change.before != change.after]
    result: list[Outcome] = [outcome for _, outcome in files]
    result += [*shared.files, *outcomes]
    if any(change.is_state for change in changes):
        written = RecordUpdated if record else RecordCreated
        kind = RecordRemoved if want.is_gone else written
        result.append(kind(state.HANDLERS / want.kind, role="state"))
    return ChangeSet(tuple(changes), tuple(result))


def generate_all(
    wants: Iterable[Wanted], tree: Tree, fresh: Fresh = lambda path: None
) -> ChangeSet:
    """`generate` for several handlers, each on top of the ones before."""
    files: dict[PurePosixPath, bytes | None] = {}
    results: list[ChangeSet] = []
    for want in wants:
        results.append(generate(want, Overlay(tree, files), fresh))
        files |= {change.path: change.after for change in results[-1].changes}
    return combined(results)


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


def _files(
    want: Wanted, record: Record, tree: Tree
) -> Iterator[tuple[Change, FileOutcome]]:
    for path, text in want.files.items():
        now, base = tree.read(path), record.files.get(path)
        if path == want.spec_path and now is not None:
            # The spec is its author's, never ours to change.
            outcome: FileOutcome = Identical(path, text, "spec", base)
        else:
            role = "spec" if path == want.spec_path else "owned"
            outcome = _file_outcome(now, text, base)(path, text, role, base)
        data = now
        if isinstance(outcome, Created | Restored | Updated):
            data = text.encode()
            if now is not None and b"\r\n" in now:
                data = data.replace(b"\n", b"\r\n")
        yield Change(path, now, data), outcome
    for path in sorted(set(record.files) - set(want.files)):
        now, base = tree.read(path), record.files[path]
        if now is None:
            continue
        if same(now, base) or want.discards_edits:
            yield Change(path, now, None), Removed(path, base=base)
        else:
            yield Change(path, now, now), Released(path, base=base)


def _file_outcome(now: bytes | None, text: str, base: str | None) -> type[FileOutcome]:
    if now is None:
        return Created if base is None else Restored
    if same(now, text):
        return Identical
    if base is None:
        return ForeignConflict
    if same(now, base):
        return Updated
    return Kept if base == text else EditedConflict


def _shared(
    want: Wanted, record: Record | None, tree: Tree, fresh: Fresh
) -> SharedFiles:
    """The shared files, with the wanted entries."""
    style = style_of(tree.read(PurePosixPath("pyproject.toml")))
    shared = SharedFiles(tree, fresh, style)
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
    """The wanted entries of each shared file; no text where one is to be removed."""
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
    """True for an edited entry of a module: it uses names that the handler defines."""
    return isinstance(outcome, EntryReleased) and outcome.path.suffix == ".py"


def _all_kept(
    files: Iterable[FileOutcome], entries: Iterable[PlaceOutcome]
) -> ChangeSet:
    """Nothing is removed of a handler without a spec that is still in use."""
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

    That of an ejected file stays as it is, for when it follows its template again.
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
    """The outcomes, in which entries of other handlers are named as such."""
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
