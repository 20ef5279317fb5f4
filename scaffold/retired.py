"""Registrations that are in the record but no longer in the tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from scaffold import places
from scaffold.patching.imports import ImportBlock
from scaffold.patching.place import Place
from scaffold.patching.slots import Anchor, Slot, Unfit
from scaffold.patching.source import Source
from scaffold.state import Record
from scaffold.wanted import Wanted


class Forgotten(Anchor):
    """The anchor of a place that was removed from the tables; it finds nothing."""

    label = "a place of an earlier version"

    def slot(self, source: Source, key: str) -> Slot:
        """Raise `Unfit`: the entry is found by its recorded text."""
        del source, key
        raise Unfit("not found")


def retired(want: Wanted, record: Record) -> Iterator[tuple[Place, str]]:
    """The places where a handler was registered and should no longer be.

    Yields:
        Each place with the text that was written there, except in files that the project
        skips. Lines that are written once, as in a changelog, are included only if the
        handler has no spec.
    """
    known = {
        (places.within(place.path, want.package), place.place): place
        for place in places.EDIT
    }
    wanted = {place.id for place in want.places}
    for recorded, text in record.places.items():
        name, place, key = recorded.split(" ")
        path = PurePosixPath(name)
        if recorded in wanted or path in want.skipped:
            continue
        entry = known.get((path, place))
        if entry is None:
            anchor = ImportBlock() if place == "import" else Forgotten()
            yield Place(path, place, anchor, key), text
        elif want.is_gone or not entry.once:
            yield entry._replace(path=path, key=key, template=""), text
