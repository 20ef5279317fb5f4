"""Names that somebody may have meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def suggestion(name: str, known: Collection[str]) -> str:
    """`; did you mean "room"?`, or nothing where no known name is like `name`."""
    # only what is wrong needs it
    import difflib

    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def check_keys(keys: Iterable[object], known: Collection[str]) -> None:
    """Check that a document has no other keys than the known ones, in any case.

    Raises:
        ValueError: `unknown key "mach"; did you mean "match"?`.
    """
    for key in keys:
        if str(key).lower() not in known:
            raise ValueError(f'unknown key "{key}"{suggestion(str(key), known)}')
