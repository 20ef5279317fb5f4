"""Settles the conflicts in one file; the rest of its handler stays unchanged."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import conflicts, state
from scaffold.change import Change
from scaffold.errors import MarkersLeft
from scaffold.files import file
from scaffold.generate import ChangeSet
from scaffold.layout.style import style_of
from scaffold.merging import markers
from scaffold.merging.versions import Take
from scaffold.outcomes import Merged, Outcome
from scaffold.patching.outcomes import EntryConflict, EntryKept, EntryMerged
from scaffold.patching.place import Registration
from scaffold.patching.source import marker_line
from scaffold.shared import SharedFiles, unsettled
from scaffold.state import Record
from scaffold.tree import Tree
from scaffold.wanted import Wanted


class _Settled(NamedTuple):
    """A file whose conflicts are settled.

    Attributes:
        change: change of the file.
        outcomes: outcomes of the file, or of its entries that were in conflict.
        record: the record of the handler, with the file's current generated text.
    """

    change: Change
    outcomes: list[Outcome]
    record: Record


def owners(tree: Tree, path: PurePosixPath) -> list[str]:
    """The handlers that have generated text in a file."""
    found = []
    for kind in state.kinds(tree):
        record = state.read(tree, kind) or Record({}, {})
        entries = {place.partition(" ")[0] for place in record.places}
        if path in record.files or str(path) in entries:
            found.append(kind)
    return found


def resolved(
    want: Wanted, tree: Tree, path: PurePosixPath, take: Take | None
) -> ChangeSet:
    """The changes that settle the conflicts in one file of a handler; none if it has none.

    Args:
        want: the wanted state of the handler.
        tree: the files.
        path: the file.
        take: the side to take; None: the file as it is now, merged by a person.

    Raises:
        MarkersLeft: the file still has conflict markers.
    """
    record = state.read(tree, want.kind) or Record({}, {})
    now = tree.read(path) or b""
    line = marker_line(now)
    if take is None and line:
        raise MarkersLeft({path: line})
    if path in want.files:
        settled = _owned(want, tree, path, take, record, is_marked=bool(line))
    else:
        settled = _shared(want, tree, path, take, record)
    if not settled.outcomes:
        return ChangeSet()
    changes = [settled.change, *state.changes(tree, want.kind, settled.record)]
    changes += conflicts.cleared(want.kind, tree, path)
    changed = tuple(each for each in changes if each.before != each.after)
    return ChangeSet(changed, tuple(settled.outcomes))


def _owned(
    want: Wanted,
    tree: Tree,
    path: PurePosixPath,
    take: Take | None,
    record: Record,
    *,
    is_marked: bool,
) -> _Settled:
    text, base, now = want.files[path], record.files.get(path), tree.read(path)
    outcome: Outcome = Merged(path, text, base=base)
    new = record._replace(files={**record.files, path: text})
    if now is None or base is None:
        return _Settled(Change(path, now, now), [], record)
    if take is not None and is_marked:
        data = markers.settled(now.decode(), take).encode()
        return _Settled(Change(path, now, data), [outcome], record)
    if base == text:
        return _Settled(Change(path, now, now), [], record)
    if take is None:
        return _Settled(Change(path, now, now), [outcome], new)
    style = style_of(tree.read(PurePosixPath("pyproject.toml")))
    data, _ = file(path, now, text, base, style, take)
    return _Settled(Change(path, now, data), [outcome], new)


def _shared(
    want: Wanted, tree: Tree, path: PurePosixPath, take: Take | None, record: Record
) -> _Settled:
    registrations = [
        Registration(place, text, record.places.get(place.id))
        for place, text in want.places.items()
        if place.path == path and not place.once and record.places.get(place.id)
    ]
    style = style_of(tree.read(PurePosixPath("pyproject.toml")))
    before = SharedFiles(tree, lambda path: None, style, unsettled)
    before.register(path, registrations)
    wrong = {each.place for each in before.outcomes if isinstance(each, EntryConflict)}
    after = SharedFiles(tree, lambda path: None, style, lambda path: take or "mine")
    after.register(path, [each for each in registrations if each.place in wrong])
    merged: list[Outcome] = [
        each for each in after.outcomes if isinstance(each, EntryMerged | EntryKept)
    ]
    texts = {each.place.id: each.text for each in after.outcomes}
    now = tree.read(path)
    change = next(iter(after.changes), Change(path, now, now))
    places = {**record.places, **texts} if merged else record.places
    return _Settled(change, merged, record._replace(places=places))
