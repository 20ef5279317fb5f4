"""How fast a task and its nodes work, measured at little cost."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from runtime.nodes.node import Node
from runtime.units import SECOND, Nanoseconds

# One write of so many is measured; looking at the clock around each call costs a few
# times what a small write does.
_ONE_IN = 64
# How much of the average a new measurement makes up.
_WEIGHT = 0.2
_ENTRIES = ("point", "frame", "batch", "batches")


class Sampling:
    """Measures how long nodes take for a point, now and then."""

    def __init__(self) -> None:
        self._writes = 0
        # of the calls under way: what the nodes they called took
        self._inner: list[int] = []
        self._spent: dict[Node, int] = {}

    def is_due(self) -> bool:
        """Whether the coming write is one to measure; call it once for each."""
        self._writes += 1
        return self._writes % _ONE_IN == 2

    @contextlib.contextmanager
    def measured(
        self, nodes: Sequence[Node], waiting: Mapping[Node, int] | None = None
    ) -> Iterator[None]:
        """Measure what `nodes` do inside, and note it in their `exec_time_ns`.

        Args:
            nodes: the nodes.
            waiting: how many points that they will take are counted already.
        """
        before = {node: node.collected for node in nodes}
        for node, points in (waiting or {}).items():
            before[node] -= points
        self._spent = dict.fromkeys(nodes, 0)
        self._inner = [0]
        for node in nodes:
            for entry in _ENTRIES:
                # what an instance has comes before what its class has
                setattr(node, entry, self._timed(node, getattr(node, entry)))
        try:
            yield
        finally:
            for node in nodes:
                for entry in _ENTRIES:
                    delattr(node, entry)
        for node, start in before.items():
            points = node.collected - start
            if points:
                _note(node, self._spent[node] // points)

    def _timed(self, node: Node, entry: Callable[[Any], None]) -> Callable[[Any], None]:
        def timed(what: Any) -> None:
            start = time.perf_counter_ns()
            self._inner.append(0)
            try:
                entry(what)
            finally:
                whole = time.perf_counter_ns() - start
                self._spent[node] += whole - self._inner.pop()
                self._inner[-1] += whole

        return timed


def _note(node: Node, taken: int) -> None:
    known = node.exec_time_ns
    node.exec_time_ns = round(known + _WEIGHT * (taken - known)) if known else taken


class Throughput:
    """How many points come in.

    Attributes:
        per_second: between the last two updates.
    """

    def __init__(self, now: Nanoseconds) -> None:
        self._time = now
        self._points = 0
        self.per_second = 0.0

    def update(self, points: int, now: Nanoseconds) -> None:
        """Note how many points there were until now."""
        if now > self._time:
            self.per_second = (points - self._points) * SECOND / (now - self._time)
            self._time, self._points = now, points
