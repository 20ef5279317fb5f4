"""Base of the nodes of a pipeline, and the pipeline that holds them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, TypeVar

from runtime.errors import ConfigError, ScriptError, TaskError
from runtime.pipeline.properties import (
    INTERNAL,
    NO_HANDLERS,
    TEN_SECONDS,
    HandlerProperties,
    Property,
    internal,
)
from runtime.settings import FormerName, setting
from runtime.units import Duration

# More than any task needs; data passes through the nodes by nested calls.
_MAX_DEPTH = 150


class Edge(enum.StrEnum):
    """The kind of data between two nodes."""

    STREAM = "stream"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class DeadmanSettings:
    """The `[deadman]` section of the configuration.

    Attributes:
        threshold: points per interval at or below which the source counts as dead.
        interval: interval of the check when `is_global`.
        id: template; the text `NODE_NAME` in it becomes the node's name.
        message: template; the text `INTERVAL` in it becomes the interval.
        is_global: add a deadman to the source of every task.
    """

    interval: Duration = TEN_SECONDS
    threshold: float = 0.0
    id: str = "{{ .Group }}:NODE_NAME for task '{{ .TaskName }}'"
    message: str = (
        '{{ .ID }} is {{ if eq .Level "OK" }}alive{{ else }}dead{{ end }}:'
        ' {{ index .Fields "emitted" | printf "%0.3f" }} points/INTERVAL.'
    )
    is_global: bool = setting(False, key="global")

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: no task could start.
        """
        if self.is_global and self.interval <= 0:
            raise ConfigError("interval must be positive where global is true")


class _Owner(Protocol):
    """The part of the pipeline that a node needs."""

    @property
    def deadman(self) -> DeadmanSettings: ...

    @property
    def handlers(self) -> HandlerProperties: ...

    def add(self, node: Node, links: int = 1) -> None: ...

    def note(self, node: Node, owner: object, used: Property) -> None: ...


@dataclass(eq=False, slots=True, kw_only=True)
class Node:
    """One step of a task.

    Attributes:
        name: its kind and number, `window2`; unique in the pipeline.
        former_name: its name by the numbering of schema 6 and before, with one number
            per node.
        provides: type of its output.
        parents: source nodes, in the order in which the script names them.
        children: target nodes, in the order in which the script creates them.
        quiet: count this node's errors, but do not log them.
    """

    call: ClassVar[str] = ""  # the call in scripts
    is_sink: ClassVar[bool] = False  # nothing but stats can follow
    unsupported: ClassVar[str] = ""  # reason why a task with this node does not start

    name: str = internal("")
    former_name: str = internal("")
    provides: Edge = field(default=Edge.STREAM, metadata=INTERNAL)
    pipeline: _Owner | None = field(default=None, repr=False, metadata=INTERNAL)
    parents: list[Node] = field(default_factory=list, repr=False, metadata=INTERNAL)
    children: list[Node] = field(default_factory=list, repr=False, metadata=INTERNAL)
    quiet: bool = False

    @property
    def kind(self) -> str:
        """The prefix of its name; usually the name of its call."""
        return self.call

    @property
    def go_type(self) -> str:
        """Its type as error texts name it."""
        return f"*pipeline.{type(self).__name__}"

    def validate(self) -> None:
        """Check the properties together, once all are set.

        Raises:
            ScriptError: the properties contradict each other, or one is missing.
        """


NodeT = TypeVar("NodeT", bound=Node)


def link(
    node: NodeT, parent: Node, *others: Node, provides: Edge | None = None
) -> NodeT:
    """Make `node` a child of its parents; by default its output is that of the first."""
    parents = (parent, *others)
    for source in parents:
        source.children.append(node)
        node.parents.append(source)
    node.provides = parent.provides if provides is None else provides
    if parent.pipeline is not None:
        parent.pipeline.add(node, len(parents))
    return node


@dataclass(slots=True)
class Pipeline:
    """The nodes of a task.

    Attributes:
        nodes: nodes in the order of their creation; the first is the source.
        deadman: settings for `|deadman()`.
        handlers: handlers available to alert nodes.
    """

    nodes: list[Node] = field(default_factory=list)
    deadman: DeadmanSettings = field(default_factory=DeadmanSettings)
    handlers: HandlerProperties = NO_HANDLERS
    _numbers: int = 0
    # names in the script of the properties that are set, by object and field
    _names: dict[tuple[int, str], str] = field(default_factory=dict)
    _former: list[tuple[str, FormerName]] = field(default_factory=list)

    @property
    def source(self) -> Node:
        """The `stream` or `batch` node."""
        return self.nodes[0]

    def add(self, node: Node, links: int = 1) -> None:
        """Add `node` and name it.

        Args:
            node: the node.
            links: number of parents. Each link takes a number, and the node has that of
                the last link.

        Source: Kapacitor pipeline/node.go, linkChild.
        """
        self._numbers += links
        node.name = f"{node.kind}{self._numbers - 1}"
        node.former_name = f"{node.kind}{len(self.nodes)}"
        node.pipeline = self
        self.nodes.append(node)

    def note(self, node: Node, owner: object, used: Property) -> None:
        """Note the name of a property that the script has set.

        Args:
            node: the alert node.
            owner: the node's handler with the property.
            used: the property.

        Raises:
            ScriptError: the property is already set by another name.
        """
        place = (id(owner), used.attribute)  # the nodes keep their handlers
        before = self._names.setdefault(place, used.name)
        present = used.present or used.name
        if before != used.name:
            old = before if used.name == present else used.name
            raise ScriptError(FormerName(f".{old}()", f".{present}()").conflict)
        if used.present:
            name = FormerName(f".{used.name}()", f".{present}()")
            self._former.append((node.name, name))

    def caveats(self, reasons: Iterable[tuple[str, str]] = ()) -> list[str]:
        """Warnings about former names of properties and about nodes without effect.

        Args:
            reasons: names of nodes without effect in a running task, each with the
                reason.

        Returns:
            One text for each reason.
        """
        names: dict[str, list[str]] = {}
        former = ((each, old.deprecation) for each, old in dict.fromkeys(self._former))
        for each, reason in (*reasons, *former):
            names.setdefault(reason, []).append(each)
        return [f"{', '.join(nodes)}: {reason}" for reason, nodes in names.items()]

    def sorted(self) -> list[Node]:
        """All nodes, parents before children, in the order Kapacitor walks them.

        Source: Kapacitor pipeline/pipeline.go, sort.
        """
        done: list[Node] = []
        seen: set[int] = set()
        for source in reversed([node for node in self.nodes if not node.parents]):
            _visit(source, seen, done)
        return done[::-1]

    def validate(self) -> None:
        """Check every node.

        Raises:
            ScriptError: a node is invalid.
        """
        for node in self.sorted():
            node.validate()

    def check_start(self) -> None:
        """Make the checks that Kapacitor makes only when the task starts.

        Raises:
            TaskError: the parents of a node have different outputs, a node is not
                supported, or a chain has too many nodes.
        """
        depths: dict[int, int] = {}
        for node in self.nodes:
            # parents are created before their children
            depth = 1 + max((depths[id(each)] for each in node.parents), default=0)
            depths[id(node)] = depth
            if depth > _MAX_DEPTH:
                raise TaskError(f"{node.name}: more than {_MAX_DEPTH} nodes in a chain")
            if node.unsupported:
                raise TaskError(f"{node.name}: {node.unsupported}")
            for parent in _odd_parents(node):
                raise TaskError(
                    "cannot add child mismatched edges:"
                    f" {parent.name}:{parent.provides} -> {node.name}:{node.provides}"
                )


def _visit(source: Node, seen: set[int], done: list[Node]) -> None:
    """Append `source` and the nodes below it, children first.

    Without recursion, as a chain can be longer than Python's stack is deep.
    """
    stack: list[tuple[Node, Iterator[Node]]] = [(source, iter(source.children))]
    seen.add(id(source))
    while stack:
        node, children = stack[-1]
        child = next((c for c in children if id(c) not in seen), None)
        if child is None:
            done.append(node)
            stack.pop()
        else:
            seen.add(id(child))
            stack.append((child, iter(child.children)))


def _odd_parents(node: Node) -> Iterator[Node]:
    # only unions and joins have several parents; their output has the type of their input
    for parent in node.parents if len(node.parents) > 1 else ():
        if parent.provides != node.provides:
            yield parent


def require(condition: bool, message: str) -> None:
    """Fail with `message` unless `condition` holds.

    Raises:
        ScriptError: the condition is false.
    """
    if not condition:
        raise ScriptError(message)
