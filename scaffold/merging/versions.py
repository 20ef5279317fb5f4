"""The three versions of a text that are merged, and the result."""

from __future__ import annotations

from typing import Generic, Literal, NamedTuple, TypeVar

_Version = TypeVar("_Version", covariant=True)

Take = Literal["fail", "markers", "mine", "generated", "both"]
"""The way to settle a conflict: not at all, by markers, or by one side or both."""


class Versions(NamedTuple, Generic[_Version]):
    """The versions of anything that is merged.

    Attributes:
        base: formerly generated text.
        mine: text in the project, with hand edits.
        new: currently generated text.
    """

    base: _Version
    mine: _Version
    new: _Version


class Merge(NamedTuple):
    """A merged text.

    Attributes:
        text: the text; with `fail` it must not be used if there are conflicts.
        conflicts: the parts that both sides changed, such as "the function `post`".
    """

    text: str
    conflicts: tuple[str, ...] = ()
