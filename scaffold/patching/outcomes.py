"""Outcomes for registrations in a shared file, one class each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

from scaffold.errors import AnchorNotFound
from scaffold.patching.place import Place


@dataclass(frozen=True, slots=True)
class PlaceOutcome:
    """The outcome at one place.

    Attributes:
        place: the place.
        text: the generated entry as it is written there, not indented.
        line: its line in the file after the changes, from 1; 0 if it does not exist.
        was: its line in the file before the changes, from 1; 0 if it was not there.
        base: the entry as it was generated before, or None.
        verb: the word for it in reports.
        reason: explanation beyond the verb, or "".
        role: role of the file: `shared`.
    """

    place: Place
    text: str = ""
    line: int = 0
    was: int = 0
    base: str | None = None
    verb: ClassVar[str]
    reason: ClassVar[str] = ""
    role: ClassVar[str] = "shared"

    @property
    def path(self) -> PurePosixPath:
        """The file."""
        return self.place.path


class Registered(PlaceOutcome):
    """The entry is inserted."""

    verb = "register"


class AlreadyRegistered(PlaceOutcome):
    """The entry exists."""

    verb = "registered"


class EntryUpdated(PlaceOutcome):
    """The entry exists with its former text, which is replaced."""

    verb = "update"


class Unregistered(PlaceOutcome):
    """The entry is removed: it is no longer wanted and was not edited."""

    verb = "unregister"


class NotWanted(PlaceOutcome):
    """No entry is wanted, and none exists."""

    verb = "registered"


@dataclass(frozen=True, slots=True)
class EntryKept(PlaceOutcome):
    """The entry was edited by hand, and needs no change.

    Attributes:
        now: its text in the file, not indented.
    """

    now: str = ""
    verb: ClassVar[str] = "keep"
    reason: ClassVar[str] = "edited by hand"


class EntryMerged(PlaceOutcome):
    """The entry was edited by hand; the new text is merged into it."""

    verb = "merge"
    reason = "with the edits in it"


@dataclass(frozen=True, slots=True)
class EntryConflict(PlaceOutcome):
    """The entry was edited by hand and is out of date.

    Attributes:
        now: its text in the file, not indented.
    """

    now: str = ""
    verb: ClassVar[str] = "conflict"
    reason: ClassVar[str] = "was edited by hand and is generated differently now"


class SurplusRemoved(PlaceOutcome):
    """The entry is registered twice; this copy is unedited and is removed."""

    verb = "unregister"
    reason = "registered twice"


@dataclass(frozen=True, slots=True)
class SurplusKept(PlaceOutcome):
    """The entry is registered twice; this copy was edited by hand.

    Attributes:
        now: its text in the file, not indented.
    """

    now: str = ""
    verb: ClassVar[str] = "keep"
    reason: ClassVar[str] = "registered twice, with different text; remove one"


@dataclass(frozen=True, slots=True)
class PlaceMissing(PlaceOutcome):
    """The file lacks the place, or has it in a form that takes no new entry.

    Attributes:
        error: the error.
    """

    error: AnchorNotFound | None = None
    verb: ClassVar[str] = "missing"
    reason: ClassVar[str] = "the place is missing"


class NameTaken(PlaceOutcome):
    """The key has another meaning in that file."""

    verb = "conflict"
    reason = "the name is taken"
