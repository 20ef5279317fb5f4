"""The three versions of a text that are merged, and what comes out."""

from __future__ import annotations

from typing import Generic, Literal, NamedTuple, TypeVar

_Version = TypeVar("_Version", covariant=True)

Take = Literal["fail", "markers", "mine", "generated", "both"]
"""The way to settle a conflict: not at all, by markers, or by one side or both."""


class Versions(NamedTuple, Generic[_Version]):
    """The versions of anything that is merged.

    Attributes:
        base: as it was generated before.
        mine: as it is in the project, with the edits of a person.
        new: as it is generated now.
    """

    base: _Version
    mine: _Version
    new: _Version


class Merge(NamedTuple):
    """A merged text.

    Attributes:
        text: the text; with `fail` it is of no use if there are conflicts.
        conflicts: the parts that both sides changed, such as "the function `post`".
    """

    text: str
    conflicts: tuple[str, ...] = ()
