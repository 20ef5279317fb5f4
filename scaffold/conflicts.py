"""The versions of conflicting files, laid out under `.scaffold/conflicts/`.

    .scaffold/conflicts/<handler>/<path>.base         the text that was generated before
    .scaffold/conflicts/<handler>/<path>.mine         the text in the project
    .scaffold/conflicts/<handler>/<path>.generated    the text that is generated now

For an entry of a shared file, its place and key follow the path. The versions are for the
person who merges: git ignores them, and they are removed when no conflict is left.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from scaffold import state
from scaffold.change import Change
from scaffold.outcomes import Unresolved, Unsettled
from scaffold.patching.outcomes import EntryConflict
from scaffold.tree import Tree

FOLDER = PurePosixPath(".scaffold/conflicts")
_SUFFIXES = (".base", ".generated", ".mine")
_NO_NAME = re.compile(r"\W+")


def laid_out(kind: str, conflicts: Iterable[Unsettled], tree: Tree) -> list[Change]:
    """The changes that lay out the versions of each conflict.

    Args:
        kind: the handler.
        conflicts: all conflicts of the handler.
        tree: the files.
    """
    texts: dict[PurePosixPath, bytes] = {}
    for each in conflicts:
        if isinstance(each, Unresolved):
            continue  # the file itself holds all versions
        name = str(each.path)
        mine = tree.read(each.path) or b""
        if isinstance(each, EntryConflict):
            place = each.place
            name += _NO_NAME.sub("-", f" {place.place} {place.key}").rstrip("-")
            mine = each.now.encode()
        versions = ((each.base or "").encode(), each.text.encode(), mine)
        for suffix, data in zip(_SUFFIXES, versions, strict=True):
            texts[FOLDER / kind / (name + suffix)] = data
    old = [change for change in cleared(kind, tree) if change.path not in texts]
    new = [Change(path, tree.read(path), text) for path, text in texts.items()]
    return [*state.settings(tree), *old, *new]


CHOICE = "--take mine keeps your text, generated takes the new one, both keeps both"
"""The choices of `resolve`, for a reader of its command."""


def ways_out(path: PurePosixPath) -> list[str]:
    """The commands that settle the conflicts in a file; the first loses no edit."""
    name = shlex.quote(str(path))
    return [
        f"scaffold resolve {name} --take mine",
        f"scaffold accept {name}",
    ]


def is_version(change: Change) -> bool:
    """True if a change only lays out, or clears, a version of a conflict."""
    return FOLDER in change.path.parents


def cleared(
    kind: str, tree: Tree, path: PurePosixPath | None = None
) -> Iterator[Change]:
    """The changes that remove the versions of a handler's settled conflicts.

    Args:
        kind: the handler.
        tree: the files.
        path: the file whose versions are removed; None: all files.
    """
    if kind not in tree.names(FOLDER):
        return
    for change in _removed(FOLDER / kind, tree):
        name = str(change.path.relative_to(FOLDER / kind))
        if path is None or name.startswith((f"{path}.", f"{path}-")):
            yield change


def _removed(folder: PurePosixPath, tree: Tree) -> Iterator[Change]:
    for name in tree.names(folder):
        path = folder / name
        if name.endswith(_SUFFIXES):
            yield Change(path, tree.read(path), None)
        else:
            yield from _removed(path, tree)
