"""Changes of both sides to the same thing."""

from __future__ import annotations

from typing import TypeVar

from scaffold.merging.versions import Versions

_Part = TypeVar("_Part")


class ClashError(Exception):
    """Both sides changed the same thing."""


def picked(versions: Versions[_Part]) -> _Part:
    """The version of the side that changed it.

    Raises:
        ClashError: both sides changed it, in different ways.
    """
    base, mine, new = versions
    if base == new or mine == new:
        return mine
    if base == mine:
        return new
    raise ClashError
