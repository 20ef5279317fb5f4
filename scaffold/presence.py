"""The state of each file and registration of a handler, read without rendering anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from scaffold import ejected, places, state
from scaffold.errors import AnchorNotFound, StateError, UnreadableFile
from scaffold.merging.likeness import is_alike
from scaffold.names import Names
from scaffold.patching.place import Place, Registration
from scaffold.patching.reading import find, is_same, read, text_of
from scaffold.state import Record, same
from scaffold.tree import Tree

State = Literal[
    "present", "missing", "edited", "ejected", "doubled", "unreadable", "unused"
]
"""`edited`: not as it was generated; `unused`: not generated for this handler."""

FILE = "file"


class Spot(NamedTuple):
    """One file, or one registration, of a handler.

    Attributes:
        path: the file.
        place: the name of the place in it; `FILE` for a file of the handler's own.
        key: the key of the entry, or "".
        state: its state.
    """

    path: PurePosixPath
    place: str
    key: str
    state: State


def spots(tree: Tree, names: Names, package: str) -> Iterator[Spot]:
    """The files and registrations of one handler, in the order of the tables."""
    try:
        record = state.read(tree, names.kind)
    except StateError:  # `check` reports it
        record = None
    files = [file.path for file in places.files(names, package)]
    mine = ejected.read(tree)
    for path in (places.spec_path(names.kind, package), *files):
        base = record.files.get(path) if record else None
        now: State = "ejected" if path in mine else _file(tree, path, base)
        yield Spot(path, FILE, "", now)
    for place in places.places(names, package):
        yield Spot(place.path, place.place, place.key, _entry(tree, place, record))


def _file(tree: Tree, path: PurePosixPath, base: str | None) -> State:
    try:
        now = tree.read(path)
    except UnreadableFile:
        return "unreadable"
    if now is None:
        return "unused" if base is None else "missing"
    return "edited" if base is not None and is_edited(path, now, base) else "present"


def is_edited(path: PurePosixPath, data: bytes, text: str) -> bool:
    """True if a file differs from a text in more than its layout."""
    if same(data, text):
        return False
    own = data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return not is_alike(path, own, text)


def _entry(tree: Tree, place: Place, record: Record | None) -> State:
    base = record.places.get(place.id) if record else None
    try:
        data = tree.read(place.path)
        texts = [] if data is None else _texts(place, data)
    except UnreadableFile:
        return "unreadable"
    if place.once:  # written once, then left to its owner
        return "present" if texts else "unused"
    if not texts:
        return "unused" if base is None else "missing"
    if len(texts) > 1:
        return "doubled"
    is_ours = base is None or is_same(Registration(place, ""), texts[0], base)
    return "present" if is_ours else "edited"


def _texts(place: Place, data: bytes) -> list[str]:
    """The texts of the entries with the key of a place."""
    source = read(place.path, data)
    try:
        slot = find(source, Registration(place, ""))
    except AnchorNotFound:
        return []
    return [text_of(source, entry, slot) for entry in slot.named(place.key)]
