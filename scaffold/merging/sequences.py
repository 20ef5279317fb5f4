"""Three-way merges of sequences: by position, or by key.

By position, the changes of both sides are applied to the base, as diff3 does (Khanna,
Kunal, Pierce: A Formal Investigation of Diff3, 2007), but adjacent changes do not
contradict. By key is for members whose order matters little: if each side adds one at the
same spot, both are kept.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

from scaffold.merging.clash import ClashError
from scaffold.merging.versions import Versions

_Key = TypeVar("_Key", bound=Hashable)
_Node = TypeVar("_Node")


def regions(versions: Versions[Sequence[_Key]]) -> Iterator[Versions[range]]:
    """The parts of three sequences, in order, by the numbers of their items.

    A part is equal in all three, or changed by one side, or by both. Adjacent changes
    are two parts.
    """
    own, made = (
        _changes(versions.base, side) for side in (versions.mine, versions.new)
    )
    at = Versions(0, 0, 0)
    while own or made:
        start, stop = min(each[0][:2] for each in (own, made) if each)
        grown = [0, 0]
        is_growing = True
        while is_growing:
            is_growing = False
            for side, changes in enumerate((own, made)):
                if changes and _meets(start, stop, *changes[0][:2]):
                    _, end, added = changes.pop(0)
                    stop, is_growing = max(stop, end), True
                    grown[side] += added
        equal = start - at.base
        begin = Versions(*(each + equal for each in at))
        yield Versions(*map(range, at, begin))
        size = stop - start
        at = Versions(stop, begin.mine + size + grown[0], begin.new + size + grown[1])
        yield Versions(*map(range, begin, at))
    yield Versions(*map(range, at, map(len, versions)))


_Change = tuple[int, int, int]
"""Start and end of a changed part of the base, and the number of items that it grows by."""


def _changes(base: Sequence[_Key], side: Sequence[_Key]) -> list[_Change]:
    matcher = difflib.SequenceMatcher(None, base, side, autojunk=False)
    return [
        (start, stop, (end - begin) - (stop - start))
        for tag, start, stop, begin, end in matcher.get_opcodes()
        if tag != "equal"
    ]


def _meets(start: int, stop: int, other: int, end: int) -> bool:
    """True if two changed parts of the base overlap, or are at one spot between items."""
    if start == stop or other == end:
        return (start, stop) == (other, end) or (
            start < other < stop or other < start < end
        )
    return max(start, other) < min(stop, end)


def order(versions: Versions[Sequence[_Key]]) -> list[_Key]:
    """All keys of three sequences, each without duplicates, in the order of the merged one.

    The order is that of the generated sequence, unless a person moved something. A key
    that only one side has follows the same key as on that side.
    """
    base, mine, new = versions
    common = {*base} & {*mine} & {*new}
    is_moved = [key for key in mine if key in common] != [
        key for key in base if key in common
    ]
    first, second = (mine, new) if is_moved else (new, mine)
    keys = list(first)
    known = {*first}
    at = 0
    for key in second:
        if key in known:
            at = keys.index(key) + 1
            continue
        keys.insert(at, key)
        at += 1
    return keys


def without_names(nodes: Versions[dict[_Key, _Node]]) -> Iterator[tuple[_Key, _Node]]:
    """Nodes without names, whose keys are their content, in order.

    A changed node has another key, as if it were removed and another one added. If both
    sides may have changed the same node, that is a conflict.

    Raises:
        ClashError: both sides replaced a node, in different ways.
    """
    base, mine, new = nodes
    is_gone = any(key not in mine and key not in new for key in base)
    if is_gone and {*mine} - {*base} and {*new} - {*base}:
        raise ClashError
    for key in order(Versions(*map(list, nodes))):
        if key not in base or (key in mine and key in new):
            yield key, mine[key] if key in mine else new[key]
