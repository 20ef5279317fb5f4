"""A registration place, and its wanted entry."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.patching.slots import Anchor


class Place(NamedTuple):
    """A place for registrations in a shared file; in a table, or of one handler.

    Attributes:
        path: the file. In a table it is that of a project whose package is `runtime`.
        place: the name of the place in it.
        anchor: finds the place.
        key: identifies the handler's entry there. In a table it holds `{kind}` and the
            handler's other names.
        template: renders the entry; "" for an entry that is only removed.
        once: true if it is written with the handler and never compared again.
        optional: true for documentation: if the place is missing, the handler is
            generated without it.
    """

    path: PurePosixPath
    place: str
    anchor: Anchor
    key: str
    template: str = ""
    once: bool = False
    optional: bool = False

    @property
    def id(self) -> str:
        """Its name in the record of a handler."""
        return f"{self.path} {self.place} {self.key}"


class Registration(NamedTuple):
    """The entry that is wanted at a place.

    Attributes:
        place: the place.
        text: the entry, not indented; "" if it should not exist.
        base: the text that was written before, or None. An entry that still has it is
            replaced; any other is its owner's.
        discards_edits: true to remove an entry with any text.
    """

    place: Place
    text: str
    base: str | None = None
    discards_edits: bool = False
