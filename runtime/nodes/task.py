"""A task that runs: nodes built from a script, fed with writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from runtime.errors import TaskError
from runtime.frames import Frame, Point
from runtime.nodes.build import build
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node, feed
from runtime.nodes.stream import FromNode, StreamNode
from runtime.pipeline.node import Pipeline
from runtime.units import Nanoseconds


class Script(Protocol):
    """What a TICKscript evaluates to."""

    @property
    def pipeline(self) -> Pipeline:
        """The nodes it says."""


class Write(Protocol):
    """Points that were written together."""

    @property
    def frames(self) -> Sequence[Frame]:
        """One frame for each measurement."""

    def runs(self) -> Iterator[Frame]:
        """The same points as runs of one measurement, in arrival order."""


class ExecutingTask:
    """A running task.

    Attributes:
        id: the task's id.
        nodes: its nodes, in the order of the script.
        error: why it has stopped, or "".
        measurements: what its `from` nodes take; None when one takes all.
    """

    def __init__(self, id: str, script: Script, environment: Environment) -> None:
        """Build and start the nodes.

        Raises:
            TaskError: a node cannot start.
        """
        self.id = id
        self.environment = environment
        self.error = ""
        self.nodes: list[Node] = build(script.pipeline, environment)
        self._sources = [node for node in self.nodes if isinstance(node, StreamNode)]
        self._dbrps = frozenset(environment.dbrps)
        self.measurements = _measurements(self.nodes)
        self._ordered = self.measurements is None or len(self.measurements) > 1

    @property
    def stopped(self) -> bool:
        """Whether a node has stopped the task."""
        return self.error != ""

    def takes(self, frame: Frame) -> bool:
        """Whether the task reads such points."""
        if self._dbrps and (frame.db, frame.rp) not in self._dbrps:
            return False
        return self.measurements is None or frame.name in self.measurements

    def write(self, write: Write) -> None:
        """Feed what was written; in arrival order if the task can tell.

        A node that fails stops the task; `error` says why.
        """
        if not self._ordered or len(write.frames) == 1:
            self.frames(write.frames)
        elif any(self.takes(frame) for frame in write.frames):
            self.frames(write.runs())

    def frames(self, frames: Iterable[Frame]) -> None:
        """Feed frames in the given order, those that the task does not take apart.

        A node that fails stops the task; `error` says why.
        """
        for frame in frames:
            if not self.error and self.takes(frame):
                self._feed(frame)

    def points(self, points: Iterable[Point]) -> None:
        """Feed points that the task takes, one by one.

        A node that fails stops the task; `error` says why.
        """
        try:
            for source in self._sources:
                for point in points:
                    source.point(point)
        except TaskError as error:
            self._stop(error)

    def tick(self, now: Nanoseconds) -> None:
        """Let the nodes do what the time of day asks for."""
        if self.error:
            return
        try:
            for node in self.nodes:
                node.tick(now)
        except TaskError as error:
            self._stop(error)

    def close(self) -> None:
        """Stop: what waits for other parents flows on, topics and pages close."""
        if not self.error:
            try:
                for node in self.nodes:
                    node.flush()
            except TaskError as error:
                self._stop(error)
        for node in self.nodes:
            node.close()

    def stats(self) -> dict[str, dict[str, object]]:
        """The counters of the task and of its nodes, as the task API shows them."""
        return {
            "task-stats": {"throughput": 0},
            "node-stats": {node.name: dict(node.stats()) for node in self.nodes},
        }

    def _feed(self, frame: Frame) -> None:
        try:
            for source in self._sources:
                feed(source, frame)
        except TaskError as error:
            self._stop(error)

    def _stop(self, error: TaskError) -> None:
        self.error = str(error)


def _measurements(nodes: Sequence[Node]) -> frozenset[str] | None:
    """What the `from` nodes below a source take; None for everything."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, StreamNode):
            for child in node.children:
                if not isinstance(child, FromNode) or not child.measurement:
                    return None
                names.add(child.measurement)
    return frozenset(names)
