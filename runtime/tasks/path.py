"""The path of points from a task's stream to its alert, node by node."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from runtime.nodes.alert.node import AlertNode
from runtime.nodes.alert.thresholds import Bounds
from runtime.nodes.node import Node
from runtime.nodes.stats import StatsNode
from runtime.nodes.stream import FromNode, StreamNode


class TaskPath:
    """The nodes before a task's only alert.

    Attributes:
        nodes: nodes from the stream on.
        alert: alert node at the end.
        bounds: bounds of the alert; None if unknown.
        measurement: measurement of the points.
        key: key that is equal for paths with the same results for the same points.
        remembers: True if the results for a point depend on earlier points.
    """

    def __init__(
        self, nodes: Sequence[Node], alert: AlertNode, measurement: str
    ) -> None:
        self.nodes = nodes
        self.alert = alert
        self.bounds: Bounds | None = alert.bounds
        self.measurement = measurement
        self.key: Hashable = tuple(node.fingerprint for node in nodes)
        self.remembers = any(node.remembers for node in nodes)

    def delegate_to(self, nodes: Sequence[Node]) -> None:
        """Let `nodes`, of an equal path, work in place of these from now on."""
        for node, leader in zip(self.nodes, nodes, strict=True):
            node.delegate_to(leader)

    def part(self) -> None:
        """End the delegation."""
        for node in self.nodes:
            node.delegate_to(None)


def path_of(nodes: Sequence[Node]) -> TaskPath | None:
    """The path of a task; None unless its nodes form one line to an alert."""
    line: list[Node] = []
    node = nodes[0]
    while not isinstance(node, AlertNode):
        if node.fingerprint is None or len(node.children) != 1:
            return None
        line.append(node)
        [node] = node.children
    if any(isinstance(each, StatsNode) for each in nodes):
        return None
    match line:
        case [StreamNode(), FromNode(measurement=measurement), *_] if measurement:
            return TaskPath(line, node, measurement)
    return None
