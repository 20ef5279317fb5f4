"""The node that looks values up in files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from runtime.errors import ScriptError
from runtime.pipeline.node import Node, link
from runtime.pipeline.properties import go_type


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
        for name, value in self.fields.items():
            if type(value) not in (float, int, str, bool):
                raise ScriptError(
                    f'unsupported type {go_type(value)} for field "{name}", field'
                    " default values must be float,int,string or bool"
                )


def sideload(parent: Node) -> SideloadNode:
    """`|sideload()`."""
    return link(SideloadNode(), parent)
