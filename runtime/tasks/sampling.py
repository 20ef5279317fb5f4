"""Throughput of tasks and nodes, sampled at little cost."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from runtime.frames import Batch, Batches, Frame, Point
from runtime.nodes.node import Barrier, Node, Taker
from runtime.units import SECOND, Nanoseconds

T = TypeVar("T")

# One write in this many is measured; reading the clock around each call would cost
# several times as much as a small write.
_ONE_IN = 64
# Weight of a new measurement in the average.
_WEIGHT = 0.2


class Sampling:
    """Measures how long nodes take for a point, now and then."""

    def __init__(self) -> None:
        self._writes = 0
        # for each running call, the time of the nodes that it called
        self._inner: list[int] = []
        self._spent: dict[Node, int] = {}

    def is_due(self) -> bool:
        """True if the next write is to be measured; call this once for each write."""
        self._writes += 1
        return self._writes % _ONE_IN == 2

    @contextlib.contextmanager
    def measured(
        self, nodes: Sequence[Node], waiting: Mapping[Node, int] | None = None
    ) -> Iterator[Callable[[Node], Taker]]:
        """Measure the work of `nodes`, and add it to their `exec_time_ns`.

        Args:
            nodes: the nodes.
            waiting: number of points to come that are already counted.

        Yields:
            A function that returns a node's temporary stand-in, which takes its input.
        """
        before = {node: node.collected for node in nodes}
        for node, points in (waiting or {}).items():
            before[node] -= points
        self._spent = dict.fromkeys(nodes, 0)
        self._inner = [0]
        timed = {node: _Timed(node, self._time) for node in nodes}

        def entrance(node: Node) -> Taker:
            return timed.get(node, node)

        for node in nodes:
            node.takers = [*map(entrance, node.children)]
        try:
            yield entrance
        finally:
            for node in nodes:
                node.takers = node.children
        for node, start in before.items():
            points = node.collected - start
            if points:
                _note(node, self._spent[node] // points)

    def _time(self, node: Node, take: Callable[[T], None], what: T) -> None:
        """Let a node take something, and note its time without that of its children."""
        start = time.perf_counter_ns()
        self._inner.append(0)
        try:
            take(what)
        finally:
            whole = time.perf_counter_ns() - start
            self._spent[node] += whole - self._inner.pop()
            self._inner[-1] += whole


class _Timed:
    """Stand-in for a node, to measure how long it takes."""

    __slots__ = ("_node", "_time")

    def __init__(
        self, node: Node, time: Callable[[Node, Callable[[Any], None], Any], None]
    ) -> None:
        self._node = node
        self._time = time

    def point(self, point: Point) -> None:
        self._time(self._node, self._node.point, point)

    def frame(self, frame: Frame) -> None:
        self._time(self._node, self._node.frame, frame)

    def batch(self, batch: Batch) -> None:
        self._time(self._node, self._node.batch, batch)

    def batches(self, batches: Batches) -> None:
        self._time(self._node, self._node.batches, batches)

    def barrier(self, barrier: Barrier) -> None:
        self._node.barrier(barrier)


def _note(node: Node, taken: int) -> None:
    known = node.exec_time_ns
    node.exec_time_ns = round(known + _WEIGHT * (taken - known)) if known else taken


class Throughput:
    """The rate of incoming points.

    Attributes:
        per_second: rate between the last two updates.
    """

    def __init__(self, now: Nanoseconds) -> None:
        self._time = now
        self._points = 0
        self.per_second = 0.0

    def update(self, points: int, now: Nanoseconds) -> None:
        """Update the rate with the number of points so far."""
        if now > self._time:
            self.per_second = (points - self._points) * SECOND / (now - self._time)
            self._time, self._points = now, points
