"""The syntax tree of a template; `str()` of a node is its form in error texts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Node:
    """Base of all nodes: the offset of their first character."""

    position: int = field(kw_only=True, default=0)


@dataclass(slots=True)
class Text(Node):
    """Literal text."""

    text: str


@dataclass(slots=True)
class Literal(Node):
    """A constant; `source` is its spelling."""

    value: object
    source: str

    def __str__(self) -> str:
        return self.source


@dataclass(slots=True)
class Dot(Node):
    """`.`."""

    def __str__(self) -> str:
        return "."


@dataclass(slots=True)
class Field(Node):
    """`.A.B`, a chain from dot."""

    names: list[str]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


@dataclass(slots=True)
class Variable(Node):
    """`$x.A.B`; its value is in `slot` while the template runs."""

    name: str
    slot: int
    names: list[str]

    def __str__(self) -> str:
        return self.name + "".join(f".{name}" for name in self.names)


@dataclass(slots=True)
class Identifier(Node):
    """The name of a function."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True)
class Chain(Node):
    """`(pipeline).A.B`."""

    inner: Operand
    names: list[str]

    def __str__(self) -> str:
        inner = f"({self.inner})" if isinstance(self.inner, Pipe) else str(self.inner)
        return inner + "".join(f".{name}" for name in self.names)


@dataclass(slots=True)
class Command(Node):
    """A function, method or value with its arguments."""

    arguments: list[Operand]

    def __str__(self) -> str:
        return " ".join(
            f"({each})" if isinstance(each, Pipe) else str(each)
            for each in self.arguments
        )


@dataclass(slots=True)
class Pipe(Node):
    """Commands joined by `|`, optionally declaring or assigning variables.

    Attributes:
        slots: slots of the declared or assigned variables.
    """

    commands: list[Command]
    names: list[str] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        head = f"{', '.join(self.names)} := " if self.names else ""
        return head + " | ".join(map(str, self.commands))


Operand = Literal | Dot | Field | Variable | Identifier | Chain | Pipe


@dataclass(slots=True)
class Action(Node):
    """A pipeline whose value is printed."""

    pipe: Pipe


@dataclass(slots=True)
class Branch(Node):
    """`if`, `with` or `range`."""

    kind: str
    pipe: Pipe
    body: list[Statement]
    otherwise: list[Statement]


@dataclass(slots=True)
class Jump(Node):
    """`break` or `continue`."""

    kind: str


@dataclass(slots=True)
class Call(Node):
    """`{{ template "name" pipeline }}`."""

    name: str
    pipe: Pipe | None


Statement = Text | Action | Branch | Jump | Call
