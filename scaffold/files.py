"""The generated files of a handler, each with its outcome."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from scaffold.change import Change
from scaffold.layout.style import Style
from scaffold.merging.likeness import is_alike
from scaffold.merging.three_way import merged
from scaffold.merging.versions import Take, Versions
from scaffold.outcomes import (
    Created,
    EditedConflict,
    FileOutcome,
    ForeignConflict,
    Identical,
    Kept,
    Merged,
    Released,
    Removed,
    Restored,
    Unresolved,
    Updated,
)
from scaffold.patching.source import marker_line
from scaffold.shared import Settle
from scaffold.state import Record, same
from scaffold.tree import Tree
from scaffold.wanted import Wanted


def files(
    want: Wanted, record: Record, tree: Tree, style: Style, settle: Settle
) -> Iterator[tuple[Change, FileOutcome]]:
    """The change and the outcome for each file that is or was generated.

    Args:
        want: the wanted state.
        record: the text that was generated before.
        tree: the files.
        style: the project's layout of code.
        settle: gives the way to settle conflicts in a file.
    """
    for path, text in want.files.items():
        now, base = tree.read(path), record.files.get(path)
        if path == want.spec_path:
            # The spec is its author's, never ours to change.
            data = text.encode() if now is None else now
            lost = Created if base is None else Restored
            kind: type[FileOutcome] = lost if now is None else Identical
            outcome = kind(path, text, "spec", base)
        else:
            data, outcome = file(path, now, text, base, style, settle(path))
        yield Change(path, now, data), outcome
    for path in sorted(set(record.files) - set(want.files)):
        now, base = tree.read(path), record.files[path]
        if now is None:
            continue
        if _is_same(path, now, base) or want.discards_edits:
            yield Change(path, now, None), Removed(path, base=base)
        else:
            yield Change(path, now, now), Released(path, base=base)


def file(
    path: PurePosixPath,
    now: bytes | None,
    text: str,
    base: str | None,
    style: Style,
    take: Take,
) -> tuple[bytes, FileOutcome]:
    """The bytes of a generated file, and its outcome.

    Args:
        path: its path.
        now: its bytes; None if it is missing.
        text: currently generated text.
        base: formerly generated text; None if there was none.
        style: the project's layout of code.
        take: the way to settle conflicts.
    """
    outcome: type[FileOutcome]
    if now is None:
        outcome = Created if base is None else Restored
        return text.encode(), outcome(path, text, base=base)
    if same(now, text):
        return now, Identical(path, text, base=base)
    if base is None:
        outcome = Identical if _is_same(path, now, text) else ForeignConflict
        return now, outcome(path, text, base=base)
    if marker_line(now) and not marker_line(base.encode()):
        return now, Unresolved(path, text, base=base)
    if base == text:
        outcome = Identical if _is_same(path, now, base) else Kept
        return now, outcome(path, text, base=base)
    if same(now, base):
        newline = b"\r\n" if b"\r\n" in now else b"\n"
        data = text.encode().replace(b"\n", newline)
        return data, Updated(path, text, base=base)
    return _merged(path, now, text, base, style, take)


def _merged(
    path: PurePosixPath, now: bytes, text: str, base: str, style: Style, take: Take
) -> tuple[bytes, FileOutcome]:
    """A file that is out of date and differs from its former generated text."""
    try:
        mine = now.decode()
    except UnicodeDecodeError:
        parts = ("its encoding, which is not UTF-8",)
        return now, EditedConflict(path, text, base=base, parts=parts)
    merge = merged(path, Versions(base, mine, text), style, take)
    if merge.conflicts and take == "fail":
        return now, EditedConflict(path, text, base=base, parts=merge.conflicts)
    outcome = Updated if _is_same(path, now, base) else Merged
    return merge.text.encode(), outcome(path, text, base=base)


def _is_same(path: PurePosixPath, data: bytes, text: str) -> bool:
    """True if a file differs from a text in its layout at most."""
    try:
        own = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return False
    return is_alike(path, own, text)
