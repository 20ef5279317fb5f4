"""Conflict markers in a text: what they enclose, and a side of it."""

from __future__ import annotations

from collections.abc import Sequence

from scaffold.merging.versions import Take, Versions

START = Versions(
    base="||||||| generated before", mine="<<<<<<< mine", new=">>>>>>> generated now"
)
MIDDLE = "======="


def settlement(versions: Versions[Sequence[str]], take: Take) -> list[str]:
    """The lines that settle a conflict: of a side, of both, or all between markers."""
    base, mine, new = versions
    if take == "mine":
        return [*mine]
    if take == "generated":
        return [*new]
    if take == "both":
        return [*mine, *new]
    return [START.mine, *mine, START.base, *base, MIDDLE, *new, START.new]


def settled(text: str, take: Take) -> str:
    """A text in which a side is taken where it holds markers."""
    lines: list[str] = []
    sides: tuple[list[str], ...] = ()
    part = 0
    for line in text.split("\n"):
        plain = line.rstrip("\r")
        if plain == START.mine:
            sides, part = ([], [], []), 1
        elif sides and plain == START.base:
            part = 0
        elif sides and plain == MIDDLE:
            part = 2
        elif sides and plain == START.new:
            lines += settlement(Versions(*sides), take)
            sides = ()
        else:
            (sides[part] if sides else lines).append(line)
    return "\n".join(lines)
