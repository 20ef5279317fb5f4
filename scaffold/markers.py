"""Unresolved merges: files with conflict markers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from scaffold import places, state
from scaffold.errors import MarkersLeft
from scaffold.handlers import kinds
from scaffold.patching.source import marker_line
from scaffold.tree import Tree


def refuse_markers(tree: Tree, package: str) -> None:
    """Check that no merge is left unresolved in the files that handlers live in.

    Raises:
        MarkersLeft: a file contains conflict markers.
    """
    found = dict(marked(tree, package))
    if found:
        raise MarkersLeft(found)


def marked(tree: Tree, package: str) -> Iterator[tuple[PurePosixPath, int]]:
    """Each file that holds markers, and the line of the first one."""
    for path in _paths(tree, package):
        line = marker_line(tree.read(path) or b"")
        if line:
            yield path, line


def _paths(tree: Tree, package: str) -> Iterator[PurePosixPath]:
    """The shared files, the specs, and the records of the handlers."""
    shared = [places.within(place.path, package) for place in places.EDIT]
    yield from dict.fromkeys(shared)
    for kind in kinds(tree, package):
        yield places.spec_path(kind, package)
    for kind in state.kinds(tree):
        for name in tree.names(state.HANDLERS / kind):
            yield state.HANDLERS / kind / name
