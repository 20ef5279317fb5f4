"""The meanings of nodes, each found once, and comparison of versions by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from scaffold.merging.clash import picked
from scaffold.merging.likeness import Meaning
from scaffold.merging.nodes import meaning_of
from scaffold.merging.versions import Versions


class Meanings:
    """The meanings of the nodes of one merge."""

    def __init__(self) -> None:
        # The nodes are kept with their meanings; otherwise their addresses could be reused.
        self._known: dict[int, tuple[cst.CSTNode, Meaning]] = {}

    def same(self, one: cst.CSTNode | None, other: cst.CSTNode | None) -> bool:
        """True if two nodes mean the same, or both are missing."""
        return bool(self._of_part(one) == self._of_part(other))

    def key(self, node: cst.CSTNode) -> str:
        """The meaning of a node, as a key."""
        return repr(self._of(node))

    def part(self, parts: Versions[Any]) -> Any:
        """The part of the side that changed it: a node, several, or another value.

        Raises:
            ClashError: both sides changed it.
        """
        found = Versions(*map(self._of_part, parts))
        return parts.mine if picked(found) == found.mine else parts.new

    def parts(self, versions: Versions[Any], names: Sequence[str]) -> dict[str, Any]:
        """Parts of a node by their names, each of the side that changed it.

        Raises:
            ClashError: both sides changed the same part.
        """
        return {
            name: self.part(Versions(*(getattr(each, name) for each in versions)))
            for name in names
        }

    def _of_part(self, part: Any) -> Any:
        if isinstance(part, cst.CSTNode):
            return self._of(part)
        if isinstance(part, list | tuple):
            return [self._of(each) for each in part]
        return part

    def _of(self, node: cst.CSTNode) -> Meaning:
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = node, meaning_of(node)
        return known[1]
