"""Recreates lost or damaged records from the tree.

Later merges start from the text that the spec and the templates render today, except for
texts that are intact in a damaged record. Where the tree differs from this text, it counts
as edited. Only the record is written.
"""

from __future__ import annotations

from scaffold import state
from scaffold.errors import DamagedRecord, UsageError
from scaffold.generate import ChangeSet, generate
from scaffold.outcomes import (
    Conflicting,
    Created,
    Outcome,
    RecordCreated,
    RecordUpdated,
)
from scaffold.patching.outcomes import AlreadyRegistered, PlaceOutcome
from scaffold.refusal import refuse
from scaffold.state import Record
from scaffold.tree import Overlay, Tree
from scaffold.wanted import Wanted

_REPORTED = frozenset({"identical", "keep", "registered"})


def is_lost(tree: Tree, kind: str) -> bool:
    """True if the record of a handler is missing or damaged.

    Raises:
        StateError: a newer version wrote it.
    """
    try:
        return state.read(tree, kind) is None
    except DamagedRecord:
        return True


def without_lost(tree: Tree) -> Overlay:
    """The tree without damaged records, as if they were missing."""
    lost = (kind for kind in state.kinds(tree) if is_lost(tree, kind))
    return Overlay(tree, {path: None for kind in lost for path in state.files(kind)})


def is_generated(result: ChangeSet, want: Wanted) -> bool:
    """True if some file or entry exists besides the spec.

    Args:
        result: outcome of `generate` for a handler without a record.
        want: its wanted state.
    """
    return any(_is_present(each, want) for each in result.outcomes)


def adopted(want: Wanted, tree: Tree) -> ChangeSet:
    """The change that recreates the record of a handler.

    Args:
        want: the wanted state of the handler.
        tree: the files.

    Raises:
        UsageError: no part of the handler was generated.
        PlanError: a shared file cannot be read, or lacks a place.
        SpecError: a name that the handler needs belongs to another one.
    """
    known = without_lost(tree)
    found = generate(want, known)
    if not is_generated(found, want):
        raise UsageError(
            f"{want.spec_path}: nothing of the handler `{want.kind}` was generated yet",
            fix=f"scaffold regenerate {want.kind}",
        )
    passable = [each for each in found.outcomes if not isinstance(each, Conflicting)]
    refuse(found._replace(outcomes=tuple(passable)))
    record = _record(want, found, state.salvaged(tree, want.kind))
    changes = [
        each
        for each in state.changes(tree, want.kind, record)
        if each.before != each.after
    ]
    data = state.text(record).encode()
    after = Overlay(known, {state.path(want.kind): data})
    outcomes: list[Outcome] = [
        each for each in generate(want, after).outcomes if each.verb in _REPORTED
    ]
    is_updated = any(each.before is not None for each in changes)
    kind = RecordUpdated if is_updated else RecordCreated
    outcomes.append(kind(state.HANDLERS / want.kind, role="state"))
    return ChangeSet(tuple(changes), tuple(outcomes))


def _is_present(outcome: Outcome, want: Wanted) -> bool:
    if isinstance(outcome, PlaceOutcome):
        return isinstance(outcome, AlreadyRegistered)
    is_missing = isinstance(outcome, Created) or outcome.role in ("shared", "state")
    return not is_missing and outcome.path != want.spec_path


def _record(want: Wanted, found: ChangeSet, whole: Record) -> Record:
    """The record: the generated text of all files and of the entries that exist."""
    files = {**want.files, **whole.files}
    entries = {
        each.place.id: each.text
        for each in found.outcomes
        if isinstance(each, AlreadyRegistered)
    }
    return Record(files, {**entries, **whole.places})
