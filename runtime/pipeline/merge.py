"""Nodes that merge points: join, union, combine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from runtime.golang.quoting import quote
from runtime.pipeline.node import Edge, Node, link, require
from runtime.pipeline.properties import ZERO, internal, switch
from runtime.settings import setting
from runtime.tick import ast
from runtime.units import Duration


@dataclass(eq=False, slots=True)
class JoinNode(Node):
    """`|join()`: the points of one time from several parents as one.

    Attributes:
        as_names: a prefix for each parent's fields.
        on: join a finer grouping with a coarser one by these tags.
        delimiter: string between prefix and field.
        tolerance: times are rounded to multiples of it.
        fill: value of a missing side: None (no point), `'none'`, `'null'`, a number.
        stream_name: the result's measurement.
        delete_all: a barrier that deletes a group deletes all its joined points.
    """

    call: ClassVar[str] = "join"

    as_names: tuple[str, ...] = setting((), tick="as")
    on: tuple[str, ...] = ()
    delimiter: str = "."
    tolerance: Duration = ZERO
    fill: object = None
    stream_name: str = ""
    delete_all: bool = switch()

    def validate(self) -> None:
        """Check that each parent has a prefix of its own."""
        check_prefixes("join", self.as_names, len(self.parents), "joined streams")
        description = f"{quote(self.delimiter)}\t"
        check_names("join", self.as_names, self.delimiter or None, description)


@dataclass(eq=False, slots=True)
class UnionNode(Node):
    """`|union()`: the points of several parents in the order of their times.

    As in Kapacitor, the node on which it is called is the last parent.
    """

    call: ClassVar[str] = "union"

    rename: str = ""


@dataclass(eq=False, slots=True)
class CombineNode(Node):
    """`|combine()`: the combinations of points of one time that match the predicates.

    Attributes:
        lambdas: predicates; a combination has a point for each.
        as_names: a prefix for each predicate's point.
        delimiter: string between prefix and field.
        tolerance: times are rounded to multiples of it.
        max: maximum number of combinations.
    """

    call: ClassVar[str] = "combine"

    lambdas: tuple[ast.LambdaNode, ...] = internal(())
    as_names: tuple[str, ...] = setting((), tick="as")
    delimiter: str = "."
    tolerance: Duration = ZERO
    max: int = 1_000_000

    def validate(self) -> None:
        """Check that each expression has a prefix of its own."""
        count = len(self.lambdas)
        check_prefixes("combine", self.as_names, count, "combine expressions")
        description = f"character {self.delimiter}"
        check_names("combine", self.as_names, self.delimiter, description)


def check_prefixes(call: str, names: Sequence[str], count: int, what: str) -> None:
    """Check that there is a prefix for each parent or predicate.

    Raises:
        ScriptError: there are no prefixes, too few or too many.
    """
    require(
        bool(names),
        f"a call to {call}.as() is required to specify the output stream prefixes.",
    )
    require(
        len(names) == count,
        f"number of prefixes specified by {call}.as() must match the number of {what}",
    )


def check_names(
    call: str, names: Sequence[str], forbidden: str | None, description: str
) -> None:
    """Check that prefixes are not empty, and can be distinguished in field names.

    Args:
        call: the node.
        names: the prefixes.
        forbidden: the delimiter, which no name may contain; None for none.
        description: description of the delimiter in the error.

    Raises:
        ScriptError: a name is empty, contains the delimiter, or occurs twice.
    """
    for name in names:
        require(
            name != "",
            f"must provide a prefix name for the {call} node, see .as() property method",
        )
        require(
            forbidden is None or forbidden not in name,
            f"cannot use name {name} as field prefix, it contains the delimiter "
            f"{description}",
        )
    require(
        len(set(names)) == len(names),
        "cannot use the same prefix name see .as() property method",
    )


def join(parent: Node, *others: Node) -> JoinNode:
    """`|join(other)`."""
    return link(JoinNode(), parent, *others)


def union(parent: Node, *others: Node) -> UnionNode:
    """`|union(other)`."""
    return link(UnionNode(), *others, parent, provides=parent.provides)


def combine(parent: Node, *lambdas: ast.LambdaNode) -> CombineNode:
    """`|combine(lambda: …, lambda: …)`."""
    return link(CombineNode(lambdas), parent, provides=Edge.STREAM)
