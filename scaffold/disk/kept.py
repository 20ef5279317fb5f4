"""Versions of files that are kept for a person, under `.scaffold/kept`."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from scaffold.disk import transaction

FOLDER = transaction.STATE / "kept"


def free_name(name: str, found: Callable[[str], object]) -> str:
    """A name, or the first free one with `.2`, `.3`, … behind it.

    Args:
        name: the name.
        found: returns the entry of a name; None if the name is free.
    """
    tries = itertools.chain([name], (f"{name}.{n}" for n in itertools.count(2)))
    return next(each for each in tries if found(each) is None)
