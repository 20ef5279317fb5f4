"""How the points of a task get from its stream to its alert, node by node."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from runtime.nodes.alert import AlertNode
from runtime.nodes.node import Node
from runtime.nodes.stream import FromNode, StreamNode
from runtime.nodes.thresholds import Bounds
from runtime.nodes.timing import StatsNode


class Path:
    """The nodes before a task's only alert on a stream; none of them keeps state.

    Attributes:
        nodes: the nodes, from the stream on.
        alert: what they lead to.
        bounds: of the alert.
        measurement: whose points the path takes.
        key: equal for paths that make the same of equal points.
    """

    def __init__(
        self, nodes: Sequence[Node], alert: AlertNode, bounds: Bounds, measurement: str
    ) -> None:
        self.nodes = nodes
        self.alert = alert
        self.bounds = bounds
        self.measurement = measurement
        self.key: Hashable = tuple(node.recipe for node in nodes)
        self._shared: Sequence[Node] = ()
        self._seen: Sequence[int] = ()

    def share(self, nodes: Sequence[Node]) -> None:
        """From now on, `nodes` count for this path as well."""
        self.settle()
        self._shared = nodes
        self._seen = counts(nodes)

    def skip(self, before: Sequence[int]) -> None:
        """The own nodes count what the shared ones have counted since `before`."""
        self._add(before)
        self._seen = counts(self._shared)

    def settle(self) -> None:
        """Bring the counters of the own nodes up to date."""
        self._add(counts(self._shared))

    def _add(self, now: Sequence[int]) -> None:
        for node, new, seen in zip(self.nodes, now, self._seen, strict=False):
            node.emitted += new - seen
            if node is self.nodes[0]:
                node.own_collected += new - seen
        for node, shared in zip(self.nodes, self._shared, strict=False):
            node.exec_time_ns = shared.exec_time_ns or node.exec_time_ns
        self._seen = now


def counts(nodes: Sequence[Node]) -> Sequence[int]:
    """How many points each node has emitted."""
    return [node.emitted for node in nodes]


def path_of(nodes: Sequence[Node]) -> Path | None:
    """The path of a task; None where its nodes are not one line to an alert."""
    line: list[Node] = []
    node = nodes[0]
    while not isinstance(node, AlertNode):
        if node.recipe is None or len(node.children) != 1:
            return None
        line.append(node)
        [node] = node.children
    if any(isinstance(each, StatsNode) for each in nodes) or node.bounds is None:
        return None
    match line:
        case [StreamNode(), FromNode(measurement=measurement), *_] if measurement:
            return Path(line, node, node.bounds, measurement)
    return None
