"""People's edits in generated code: a view of the outcomes of `generate`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from scaffold.change import Change
from scaffold.generate import ChangeSet
from scaffold.layout.style import PLAIN
from scaffold.merging.three_way import merged
from scaffold.merging.versions import Versions
from scaffold.outcomes import (
    EditedConflict,
    EntryReleased,
    FileOutcome,
    ForeignConflict,
    Kept,
    Merged,
    Released,
    Restored,
    Unresolved,
)
from scaffold.patching.outcomes import (
    EntryConflict,
    EntryKept,
    PlaceOutcome,
    Registered,
)
from scaffold.patching.patch import register
from scaffold.patching.place import Registration
from scaffold.tree import Tree

_FILES = (
    *(EditedConflict, ForeignConflict, Kept, Merged, Released, Restored, Unresolved),
)


def edits(results: Iterable[ChangeSet], tree: Tree) -> list[Change]:
    """The changes from the generated text to the text in the project.

    Args:
        results: outcome of `generate` for each handler.
        tree: the files.
    """
    changes: list[Change] = []
    entries: dict[PurePosixPath, list[Registration]] = {}
    for result in results:
        for each in result.outcomes:
            if isinstance(each, FileOutcome):
                if isinstance(each, _FILES):
                    changes.append(_of_file(each, tree.read(each.path)))
                continue
            generated = _generated(each)
            if generated is not None:
                entries.setdefault(each.path, []).append(generated)
    for path, registrations in entries.items():
        now = tree.read(path)
        if now is not None:
            changes.append(Change(path, register(path, now, registrations)[0], now))
    changes.sort(key=lambda change: change.path)
    return [
        each for each in map(_with_its_line_ends, changes) if each.counts() != (0, 0)
    ]


def _of_file(outcome: FileOutcome, now: bytes | None) -> Change:
    """The edits of a file: from its generated text, laid out as the file is."""
    base = outcome.text if outcome.base is None else outcome.base
    try:
        mine = (now or b"").decode()
    except UnicodeDecodeError:
        return Change(outcome.path, base.encode(), now)
    if mine:
        # as if the generated text were the newer one, and all else untouched
        plain = mine.removeprefix("\ufeff").replace("\r\n", "\n")
        base = merged(outcome.path, Versions(plain, mine, base), PLAIN).text
    return Change(outcome.path, base.encode(), now)


def _generated(outcome: PlaceOutcome) -> Registration | None:
    """The registration that restores the generated entry; None: not edited."""
    if outcome.base is None:
        return None
    if isinstance(outcome, EntryConflict | EntryKept | EntryReleased):
        return Registration(outcome.place, outcome.base, outcome.now)
    if isinstance(outcome, Registered):
        return Registration(outcome.place, outcome.base)
    return None


def _with_its_line_ends(change: Change) -> Change:
    """The change, without a difference that only line ends make."""
    if b"\r\n" not in (change.after or b"") or b"\r\n" in (change.before or b""):
        return change
    before = (change.before or b"").replace(b"\n", b"\r\n")
    return Change(change.path, before, change.after)
