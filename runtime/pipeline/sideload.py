"""The node that looks values up in files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from runtime.pipeline.node import Node, link
from runtime.pipeline.properties import check_defaults


@dataclass(eq=False, slots=True)
class SideloadNode(Node):
    """`|sideload()`: fields and tags looked up in files.

    Attributes:
        source: the directory's URL.
        order: templates of file names; the first file that has a key wins.
        fields: names and defaults.
        tags: names and defaults.
    """

    call: ClassVar[str] = "sideload"

    source: str = ""
    order: tuple[str, ...] = ()
    fields: dict[str, object] = field(default_factory=dict, metadata={"tick": "field"})
    tags: dict[str, str] = field(default_factory=dict, metadata={"tick": "tag"})

    def validate(self) -> None:
        """Check that the defaults can be values of fields."""
        check_defaults(self.fields)


def sideload(parent: Node) -> SideloadNode:
    """`|sideload()`."""
    return link(SideloadNode(), parent)
