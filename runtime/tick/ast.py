"""The syntax tree of a TICKscript.

Every node knows its `position`: the offset in bytes of its first token in the UTF-8
source. Comments belong to the node they precede.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """Base of all nodes.

    Attributes:
        position: offset in bytes of the token that errors point at.
        comments: the lines of the comments above, without `//` and a space; `"\\n"` is
            an empty line between two.
    """

    position: int = field(default=0, kw_only=True, compare=False)
    comments: tuple[str, ...] = field(default=(), kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class NumberNode(Node):
    """An int64 or float64 literal; `text` is its spelling in the source."""

    value: int | float
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class DurationNode(Node):
    """A duration literal in nanoseconds; `text` is its spelling."""

    value: int
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class StringNode(Node):
    """A string literal; `triple` is True for `'''…'''`."""

    value: str
    triple: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class BoolNode(Node):
    """`TRUE` or `FALSE`."""

    value: bool


@dataclass(frozen=True, slots=True)
class RegexNode(Node):
    """A regular expression literal; escaped slashes in `pattern` are plain again."""

    pattern: str


@dataclass(frozen=True, slots=True)
class StarNode(Node):
    """`*` as an operand."""


@dataclass(frozen=True, slots=True)
class ReferenceNode(Node):
    """`"name"`: a field or tag of the present point."""

    name: str


@dataclass(frozen=True, slots=True)
class IdentifierNode(Node):
    """A bare name: a variable or `stream`/`batch`."""

    name: str


@dataclass(frozen=True, slots=True)
class UnaryNode(Node):
    """`-operand` or `!operand`."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class BinaryNode(Node):
    """`left operator right`.

    Attributes:
        parens: True if the expression is in brackets.
        multiline: True if there is a line break between the two sides.
    """

    operator: str
    left: Expression
    right: Expression
    parens: bool = field(default=False, compare=False)
    multiline: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class FunctionNode(Node):
    """A call `name(arguments)`.

    Attributes:
        kind: `global`, `chain` (after `|`), `property` (after `.`) or `dynamic` (`@`).
        multiline: True if there is a line break before the last argument.
    """

    name: str
    arguments: tuple[Expression, ...] = ()
    kind: str = "global"
    multiline: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class ChainNode(Node):
    """`left operator right` with operator `|`, `.` or `@`; right is a call or a name."""

    operator: str
    left: Expression
    right: FunctionNode | IdentifierNode

    def links(self) -> tuple[Expression, list[ChainNode]]:
        """The start of the chain, and its links in the order of the script.

        A chain may be longer than Python's stack is deep.
        """
        found = [self]
        left = self.left
        while isinstance(left, ChainNode):
            found.append(left)
            left = left.left
        return left, found[::-1]


@dataclass(frozen=True, slots=True)
class LambdaNode(Node):
    """`lambda: expression`."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class ListNode(Node):
    """`[item, …]` of strings, identifiers and stars."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class DeclarationNode(Node):
    """`var name = value`."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class TypeDeclarationNode(Node):
    """`var name type`: a template's variable without a default."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class DBRPNode(Node):
    """`dbrp "db"."rp"`."""

    database: str
    retention_policy: str


@dataclass(frozen=True, slots=True)
class ProgramNode(Node):
    """The statements of a script, in order; `comments` trail the last one.

    Attributes:
        source: the script's text, to which positions refer.
    """

    statements: tuple[Statement, ...]
    source: str = field(default="", compare=False, repr=False)


Expression = (
    NumberNode
    | DurationNode
    | StringNode
    | BoolNode
    | RegexNode
    | StarNode
    | ReferenceNode
    | IdentifierNode
    | UnaryNode
    | BinaryNode
    | FunctionNode
    | ChainNode
    | LambdaNode
    | ListNode
)
Statement = DeclarationNode | TypeDeclarationNode | DBRPNode | Expression
