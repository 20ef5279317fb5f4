"""Outcomes for generated files and registrations, one class each.

Classes without attributes of their own are not decorated as dataclasses again: that takes
longer than importing the rest of a module.

The outcomes in `scaffold.patching.outcomes` follow from a shared file alone; those here
need the record of the formerly generated text.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

from scaffold.errors import PlanError
from scaffold.patching.outcomes import EntryConflict, PlaceOutcome


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """The outcome for one file.

    Attributes:
        path: its path.
        text: its generated text; "" if it should not exist.
        role: `spec`, `owned` (a generated file), `shared` (others are registered in it
            too) or `state`.
        base: its text as it was generated before, or None.
        verb: the word for it in reports.
        reason: explanation beyond the verb, or "".
    """

    path: PurePosixPath
    text: str = ""
    role: str = "owned"
    base: str | None = None
    verb: ClassVar[str]
    reason: ClassVar[str] = ""


class Created(FileOutcome):
    """The file is new."""

    verb = "create"


class Restored(FileOutcome):
    """The file was generated before, and is missing."""

    verb = "create"
    reason = "was missing"


class Identical(FileOutcome):
    """The file is up to date."""

    verb = "identical"


class Updated(FileOutcome):
    """The file has its former generated text, which is replaced."""

    verb = "update"


class Removed(FileOutcome):
    """The file is no longer generated, and was not edited."""

    verb = "remove"


@dataclass(frozen=True, slots=True)
class Moved(FileOutcome):
    """The file is moved, since its handler is renamed.

    Attributes:
        source: its path before.
    """

    source: PurePosixPath | None = None
    verb: ClassVar[str] = "move"


class Kept(FileOutcome):
    """The file was edited by hand, and needs no change."""

    verb = "keep"
    reason = "edited by hand"


class Released(FileOutcome):
    """The file is no longer generated, and was edited by hand: it is left to its owner."""

    verb = "keep"
    reason = "edited by hand; no longer generated"


class LeftAlone(FileOutcome):
    """The file was ejected, so it is left to its owner."""

    verb = "keep"
    reason = "ejected"


class EditedSince(FileOutcome):
    """The file was changed after the command that is undone."""

    verb = "keep"
    reason = "changed since"


class Ejected(FileOutcome):
    """The file is its owner's from now on."""

    verb = "eject"
    reason = "yours: regenerate and check leave it alone"


class Followed(FileOutcome):
    """The file was ejected, and follows its template again."""

    verb = "follow"
    reason = "no longer ejected"


class Merged(FileOutcome):
    """The file was edited by hand; the new text is merged into it."""

    verb = "merge"
    reason = "with the edits in it"


@dataclass(frozen=True, slots=True)
class EditedConflict(FileOutcome):
    """The file was edited by hand where its generated text changes.

    Attributes:
        parts: the parts that both sides changed.
    """

    parts: tuple[str, ...] = ()
    verb: ClassVar[str] = "conflict"

    @property
    def reason(self) -> str:  # type: ignore[override]
        """The parts that both sides changed."""
        parts = ", ".join(self.parts) or "the file"
        return f"{parts}: was edited by hand and is generated differently now"


class Unresolved(FileOutcome):
    """The file holds the markers of a conflict that is not resolved yet."""

    verb = "conflict"
    reason = "holds conflict markers"


class ForeignConflict(FileOutcome):
    """A file of that name exists with another text, and was not generated."""

    verb = "conflict"
    reason = "exists with different content"


class SharedFileCreated(FileOutcome):
    """A shared file that the project did not have is created, without entries."""

    verb = "create"
    reason = "was missing"


class FormatUpgraded(FileOutcome):
    """The file is brought to the format that projects have now."""

    verb = "update"
    reason = "an older format of projects"


class FileStillNeeded(FileOutcome):
    """The file of a handler without a spec stays: needed by an edited registration."""

    verb = "keep"
    reason = "needed by an edited registration"


class RecordCreated(FileOutcome):
    """The record of a handler is new."""

    verb = "create"
    reason = "record of the generated text"


class RecordUpdated(FileOutcome):
    """The record of a handler changes."""

    verb = "update"
    reason = "record of the generated text"


class RecordRemoved(FileOutcome):
    """The record of a handler without a spec is removed."""

    verb = "remove"
    reason = "record of the generated text"


class PlaceAdded(PlaceOutcome):
    """A place that the shared file did not have is added, without entries."""

    verb = "update"
    reason = "the place was missing"


@dataclass(frozen=True, slots=True)
class NameOwned(PlaceOutcome):
    """The entry exists, and belongs to another handler.

    Attributes:
        owner: the other handler.
    """

    owner: str = ""
    verb: ClassVar[str] = "conflict"
    reason: ClassVar[str] = "belongs to another handler"


@dataclass(frozen=True, slots=True)
class EntryReleased(PlaceOutcome):
    """The entry is no longer generated, and was edited by hand: it is left to its owner.

    Attributes:
        now: its text in the file, not indented; "" if unknown.
    """

    now: str = ""
    verb: ClassVar[str] = "keep"
    reason: ClassVar[str] = "edited by hand; no longer generated"


class EntryStillNeeded(PlaceOutcome):
    """The entry of a handler without a spec stays: an edited one needs it."""

    verb = "keep"
    reason = "needed by an edited registration"


@dataclass(frozen=True, slots=True)
class DocumentationMissing(PlaceOutcome):
    """A place of documentation is missing; the handler is generated without it.

    Attributes:
        error: the error at the place.
    """

    error: PlanError | None = None
    verb: ClassVar[str] = "skip"
    reason: ClassVar[str] = "no such place; see the note"


@dataclass(frozen=True, slots=True)
class FileUnusable(PlaceOutcome):
    """The shared file is missing, or it cannot be read or patched.

    Attributes:
        error: the error.
    """

    error: PlanError | None = None
    verb: ClassVar[str] = "missing"
    reason: ClassVar[str] = "the file is missing or cannot be read"


Outcome = FileOutcome | PlaceOutcome
Conflicting = EditedConflict | ForeignConflict | EntryConflict | Unresolved
Unsettled = EditedConflict | EntryConflict | Unresolved
