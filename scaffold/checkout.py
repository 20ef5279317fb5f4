"""Losses and leftovers of a merge that took one side."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from scaffold import places, state
from scaffold.errors import UnreadableFile
from scaffold.names import Names
from scaffold.patching.imports import ImportBlock
from scaffold.patching.place import Place
from scaffold.patching.reading import entries_of, keys_of
from scaffold.state import Record
from scaffold.tree import Overlay, Tree
from scaffold.wanted import Wanted


def restored(want: Wanted, tree: Tree) -> Wanted:
    """The same, and lines that are written once are wanted again where they are gone.

    `git checkout --ours` takes one side of a changelog, and loses the lines of the other.
    A line that was reworded or released still names the handler in that file.
    """
    places = {}
    for place, text in want.places.items():
        file = (tree.read(place.path) or b"") if place.once else b""
        is_there = place.key.encode() in file
        places[place._replace(once=place.once and is_there)] = text
    return want._replace(places=places)


def with_removed(tree: Tree, package: str) -> Overlay:
    """The tree, with records of handlers that the other side of a merge removed.

    Taking one side of the shared files keeps entries of a handler whose code and record
    are gone, so that nothing can be imported. Its record is made again of these,
    so that they are removed like any other.
    """
    records = {}
    for names in {each.kind: each for each in _removed(tree, package)}.values():
        texts: dict[str, str] = {}
        for place in places.places(names, package):
            with contextlib.suppress(UnreadableFile):
                data = tree.read(place.path)
                text = data and entries_of(place.path, data, place).get(place.key)
                if text:
                    texts[place.id] = text
        records[state.path(names.kind)] = state.text(Record({}, texts)).encode()
    return Overlay(tree, records)


def _removed(tree: Tree, package: str) -> Iterator[Names]:
    """The handlers whose modules are imported and do not exist."""
    recorded = state.kinds(tree)
    for table, place in zip(
        places.EDIT, places.places(Names("any", "any"), package), strict=True
    ):
        if not isinstance(place.anchor, ImportBlock):
            continue
        key = re.escape(table.key).replace(r"\{package\}", re.escape(package))
        key = key.replace(r"\{kind\}", r"(\w+)").replace(r"\{class_name\}", r"(\w+)")
        for entry in _keys(tree, place):
            found = re.fullmatch(key, entry)
            if not found or found[1] in recorded:
                continue
            there = tree.names(places.services(package) / found[1])
            if not any(name.endswith((".py", ".toml")) for name in there):
                yield Names(found[1], found[2][:1].lower() + found[2][1:])


def _keys(tree: Tree, place: Place) -> list[str]:
    """The keys of a place; none if its file cannot be read, which `generate` reports."""
    try:
        data = tree.read(place.path)
        return [] if data is None else keys_of(place.path, data, place)
    except UnreadableFile:
        return []
