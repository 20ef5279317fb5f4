"""Suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def suggestion(name: str, known: Collection[str]) -> str:
    """`; did you mean "room"?`, or "" if no known name is similar to `name`."""
    near = nearest(name, known)
    return f'; did you mean "{near}"?' if near else ""


def nearest(name: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """Name of `known` most similar to `name`, if its ratio is at least `cutoff`."""
    # imported here, as only errors need it
    import difflib

    folded = {each.casefold(): each for each in sorted(known)}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[near[0]] if near else None


def check_keys(keys: Iterable[object], known: Collection[str]) -> None:
    """Check that a document has no other keys than the known ones, in any case.

    Raises:
        ValueError: `unknown key "mach"; did you mean "match"?`.
    """
    for key in keys:
        if str(key).lower() not in known:
            raise ValueError(f'unknown key "{key}"{suggestion(str(key), known)}')
