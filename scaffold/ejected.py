"""Generated files that their owners ejected: scaffold leaves them alone.

    .scaffold/ejected

    # a comment, such as the reason
    alerts/services/huddle/service.py

One path per line; new paths are inserted in order. The list is not part of the record: a
record can be recreated from the tree, a decision cannot. Git merges the list by taking the
lines of both branches (`merge=union`). A line that is not a path of the project, such as a
conflict marker, has no effect.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from scaffold import state
from scaffold.change import Change
from scaffold.outcomes import FileOutcome, LeftAlone
from scaffold.tree import Tree

PATH = PurePosixPath(".scaffold/ejected")
_MERGED = "ejected merge=union"


def read(tree: Tree) -> frozenset[PurePosixPath]:
    """The ejected files."""
    return frozenset(filter(None, map(_path, _lines(tree))))


def added(tree: Tree, paths: Iterable[PurePosixPath]) -> Iterator[Change]:
    """The changes that eject files."""
    lines = _lines(tree)
    for path in sorted(set(paths) - read(tree)):
        later = (
            number
            for number, line in enumerate(lines)
            if (other := _path(line)) and other > path
        )
        lines.insert(next(later, len(lines)), str(path))
    yield from state.with_attribute(tree, _MERGED)
    yield _change(tree, lines)


def without(tree: Tree, paths: Collection[PurePosixPath]) -> Iterator[Change]:
    """The change that takes files off the list, which is removed with its last line."""
    yield _change(tree, [line for line in _lines(tree) if _path(line) not in paths])


def moved(
    tree: Tree, targets: Mapping[PurePosixPath, PurePosixPath]
) -> Iterator[Change]:
    """The change that keeps ejected files ejected under their new paths."""
    lines = [
        str(targets.get(path, path)) if (path := _path(line)) else line
        for line in _lines(tree)
    ]
    yield _change(tree, lines)


def left_alone(
    files: Iterable[tuple[Change, FileOutcome]], ejected: Collection[PurePosixPath]
) -> Iterator[tuple[Change, FileOutcome]]:
    """Changes of files with their outcomes; ejected files stay unchanged."""
    for change, outcome in files:
        if change.path not in ejected:
            yield change, outcome
        else:
            kept = change._replace(after=change.before)
            yield kept, LeftAlone(change.path, outcome.text, base=outcome.base)


def _lines(tree: Tree) -> list[str]:
    text = (tree.read(PATH) or b"").decode("utf-8", "surrogateescape")
    lines = text.replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def _path(line: str) -> PurePosixPath | None:
    """The path that a line holds; None: it is a comment, or empty."""
    name = line.strip()
    return None if not name or name.startswith("#") else PurePosixPath(name)


def _change(tree: Tree, lines: list[str]) -> Change:
    now = tree.read(PATH)
    text = "".join(f"{line}\n" for line in lines)
    after = (
        text.encode("utf-8", "surrogateescape") if any(map(str.strip, lines)) else None
    )
    return Change(PATH, now, after)
