"""Losses and leftovers of a merge that took one side."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from scaffold import places, state
from scaffold.errors import UnreadableFile
from scaffold.names import Names
from scaffold.patching.place import Place
from scaffold.patching.reading import entries_of
from scaffold.state import Record
from scaffold.tree import Overlay, Tree
from scaffold.wanted import Wanted


def restored(want: Wanted, tree: Tree) -> Wanted:
    """The wanted state, in which missing lines that are written once are wanted again.

    `git checkout --ours` takes one side of a changelog, and loses the lines of the other.
    A line that was reworded or released is not added again: it still names the handler.
    """
    places = {}
    for place, text in want.places.items():
        file = (tree.read(place.path) or b"") if place.once else b""
        is_present = place.key.encode() in file
        places[place._replace(once=place.once and is_present)] = text
    return want._replace(places=places)


def with_removed(tree: Tree, package: str) -> Overlay:
    """The tree, with records of handlers that the other side of a merge removed.

    Taking one side of the shared files keeps the entries of a handler whose code and
    record are gone, so that imports fail. Its record is recreated from these entries, so
    that they are removed like any others.
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
    """The registered handlers that have neither modules nor a record."""
    recorded = state.kinds(tree)
    properties: dict[str, str] = {}
    for place in places.places(Names("any", "any"), package):
        if place.path.suffix != ".py" or "tests" in place.path.parts:
            continue
        for key, entry in _entries(tree, place).items():
            found = re.search(rf"\b{re.escape(package)}\.services\.(\w+)\.\w+:", entry)
            if found:
                is_property = place.place == "property"
                properties[found[1]] = (
                    key if is_property else properties.get(found[1], "")
                )
    for kind, property in properties.items():
        files = tree.names(places.services(package) / kind)
        is_gone = not any(name.endswith((".py", ".toml")) for name in files)
        if is_gone and kind not in recorded:
            yield Names(kind, property or kind)


def _entries(tree: Tree, place: Place) -> dict[str, str]:
    """The entries of a place; none if its file cannot be read, which `generate` reports."""
    try:
        data = tree.read(place.path)
        found = {} if data is None else entries_of(place.path, data, place)
    except UnreadableFile:
        return {}
    return {key: text for key, text in found.items() if text is not None}
