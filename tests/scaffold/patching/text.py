"""Patches of files that are not Python."""

from __future__ import annotations

from pathlib import PurePosixPath

from scaffold.patching.outcomes import PlaceOutcome
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from scaffold.patching.slots import Anchor


def put(
    text: str, anchor: Anchor, key: str, entry: str, base: str | None = None
) -> tuple[str, PlaceOutcome]:
    """The text with one entry more; doing it again changes nothing."""
    path = PurePosixPath("some.txt")
    asked = Registration(Place(path, "place", anchor, key), entry, base)
    patched, [outcome] = register(path, text.encode(), [asked])
    assert register(path, patched, [asked])[0] == patched
    return patched.decode(), outcome
