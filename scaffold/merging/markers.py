"""Conflict markers: puts them around conflicts, and picks a side of marked ones."""

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
    """The text with one side of each conflict, marked by scaffold or by git."""
    lines: list[str] = []
    sides: tuple[list[str], ...] = ()
    part = 0
    inside: list[str] = []
    for line in text.split("\n"):
        plain = line.rstrip("\r")
        inside.append(line)
        if not sides and _is_marker(plain, START.mine):
            sides, part, inside = ([], [], []), 1, [line]
        elif part == 1 and _is_marker(plain, START.base):
            part = 0
        elif sides and part != 2 and plain == MIDDLE:
            part = 2
        elif part == 2 and _is_marker(plain, START.new):
            lines += settlement(Versions(*sides), take)
            sides, part = (), 0
        else:
            (sides[part] if sides else lines).append(line)
    # a conflict without an end is not one
    return "\n".join([*lines, *inside] if sides else lines)


def _is_marker(line: str, marker: str) -> bool:
    """True for a marker of that kind, with any label."""
    sign = marker.partition(" ")[0]
    return line == sign or line.startswith(f"{sign} ")
