"""A task that runs: nodes built from a script, fed with writes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from runtime.errors import TaskError
from runtime.frames import Batches, Frame, Point
from runtime.nodes.budget import STEPS
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node, Taker, feed
from runtime.nodes.stream import FromNode, StreamNode
from runtime.pipeline import source
from runtime.pipeline.dot import running_dot
from runtime.pipeline.node import Edge, Pipeline
from runtime.tasks.build import build
from runtime.tasks.path import path_of
from runtime.tasks.sampling import Sampling, Throughput
from runtime.tasks.sink import Arrived
from runtime.units import Nanoseconds, go_duration

if TYPE_CHECKING:
    from runtime.nodes.query.node import QueryNode


class Script(Protocol):
    """An evaluated TICKscript."""

    @property
    def pipeline(self) -> Pipeline:
        """The nodes of the script."""


class Write(Protocol):
    """Points that were written together."""

    @property
    def frames(self) -> Sequence[Frame]:
        """One frame for each measurement."""

    def points(self) -> Iterator[Point]:
        """The same points, in order of arrival."""


class Traffic(NamedTuple):
    """Flow over an edge.

    Attributes:
        parent: name of the sending node.
        child: name of the receiving node.
        type: `stream` or `batch`.
        size: number of points or batches.
    """

    parent: str
    child: str
    type: str
    size: int


class ExecutingTask:
    """A running task.

    Attributes:
        id: the task's id.
        nodes: nodes in the order of the script.
        error: reason why the task has stopped, or "".
        databases: databases that the task reads, as (database, retention policy); empty
            for all.
        measurements: measurements of its `from` nodes; None if one reads all.
        path: path from its stream to its alert, if that is simple.
        queries: nodes of a batch task that ask a cluster, in the order of the script.
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
        self._pipeline = script.pipeline
        self._budget = environment.budget
        self._budget.keepers = self.nodes
        self._source = self.nodes[0]
        self.databases = frozenset((db, rp) for db, rp in environment.dbrps)
        self.measurements = _measurements(self.nodes)
        self._ordered = self.measurements is None or len(self.measurements) > 1
        self._sampling = Sampling()
        self._throughput = Throughput(environment.clock())
        self._is_closed = False
        self.path = path_of(self.nodes) if len(self.databases) == 1 else None
        self.queries = self._queries()

    @property
    def stopped(self) -> bool:
        """True if a node has stopped the task, or it was closed."""
        return self._is_closed or self.error != ""

    def takes(self, points: Frame | Point) -> bool:
        """True if the task reads these points."""
        if self.databases and (points.db, points.rp) not in self.databases:
            return False
        return self.measurements is None or points.name in self.measurements

    def write(self, write: Write) -> None:
        """Feed written points; in order of arrival if the task depends on it.

        A node that fails stops the task and sets `error`.
        """
        if self._sampling.is_due():
            with self._sampling.measured(self.nodes) as entrance:
                self._write(write, entrance(self._source))
        else:
            self._write(write, self._source)

    def queried(self, number: int, batches: Batches) -> None:
        """Feed batches as the answer of a query.

        A node that fails stops the task and sets `error`.

        Args:
            number: number of the query, in the order of the script.
            batches: the batches.
        """
        query = self.queries[number]
        if self._sampling.is_due():
            with self._sampling.measured(self.nodes) as entrance:
                self._guarded(lambda: entrance(query).batches(batches))
        else:
            self._guarded(lambda: query.batches(batches))

    def begin(self) -> None:
        """Begin to ask for batches."""
        for query in self.queries:
            query.begin()

    def _queries(self) -> Sequence[QueryNode]:
        running = {node.name: node for node in self.nodes}
        found = [
            cast("QueryNode", running[child.name])
            for child in self._pipeline.source.children
            if isinstance(child, source.QueryNode)
        ]
        for number, node in enumerate(found):
            node.deliver = functools.partial(self.queried, number)
        return found

    def _write(self, write: Write, source: Taker) -> None:
        frames = [frame for frame in write.frames if self.takes(frame)]
        if len(frames) > 1 and self._ordered:
            if not self.error:
                self._guarded(lambda: self._each(write.points(), source))
            return
        for frame in frames:
            if not self.error:
                self._guarded(functools.partial(feed, source, frame))

    def arrive(self, arrived: Arrived) -> None:
        """Pass the results of a shared path, which equals the task's own, to the alert.

        A node that fails stops the task and sets `error`.
        """
        assert self.path is not None
        alert = self.path.alert
        if not self._sampling.is_due():
            self._guarded(functools.partial(arrived.give, alert))
            return
        beyond = [node for node in self.nodes if node not in self.path.nodes]
        with self._sampling.measured(beyond, {alert: arrived.size}) as entrance:
            self._guarded(functools.partial(arrived.give, entrance(alert)))

    def frames(self, frames: Iterable[Frame]) -> None:
        """Feed frames in the given order, except those that the task does not read.

        A node that fails stops the task and sets `error`.
        """
        for frame in frames:
            if not self.error and self.takes(frame):
                self._guarded(functools.partial(feed, self._source, frame))

    def points(self, points: Iterable[Point]) -> None:
        """Feed points one by one, except those that the task does not read.

        A node that fails stops the task and sets `error`.
        """
        if not self.error:
            self._guarded(lambda: self._each(points, self._source))

    def _each(self, points: Iterable[Point], source: Taker) -> None:
        take, takes, look = source.point, self.takes, self._budget.look
        for number, point in enumerate(points, 1):
            if takes(point):
                take(point)
            if not number % STEPS:
                look()

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            self._budget.begin()
            step()
        except TaskError as error:
            self.error = str(error)

    def measure(self, now: Nanoseconds) -> None:
        """Measure throughput and memory; to be called about once a second."""
        self._budget.measure_idle()
        self._throughput.update(self._source.collected, now)

    def caveats(self) -> list[str]:
        """Nodes without effect, and former names of properties; a text for each reason."""
        reasons = [(node.name, node.caveat) for node in self.nodes if node.caveat]
        return self._pipeline.caveats(reasons)

    def edges(self) -> Iterator[Traffic]:
        """Flow over each edge of the task."""
        first = self._pipeline.source
        running = {node.name: node for node in self.nodes}
        if first.provides is Edge.STREAM:
            size = self._source.collected
            yield Traffic("stream", first.name, first.provides, size)
        for number, query in enumerate(self.queries):
            size = query.own_collected
            yield Traffic("batch", f"batch{number}", first.provides, size)
        for node in self._pipeline.nodes:
            # nothing flows from `batch` to its queries
            if node is first and first.provides is Edge.BATCH:
                continue
            for child in node.children:
                sent = running[node.name].sent
                yield Traffic(node.name, child.name, node.provides, sent)

    def dot(self, *, labels: bool = False) -> str:
        """The graph of the task, with the counters of its nodes.

        Args:
            labels: True to print counters as visible labels, not as attributes.
        """
        running = {node.name: node for node in self.nodes}
        return running_dot(
            self._pipeline,
            self.id,
            throughput=self._throughput.per_second,
            stats=lambda node: _printed(running[node.name].stats()),
            processed=lambda node: running[node.name].sent,
            labels=labels,
        )

    def close(self) -> None:
        """Stop: emit points that wait for other parents, close topics and pages."""
        for node in self.nodes:
            if not self.error:
                self._guarded(node.flush)
        self._is_closed = True
        self._budget.release()
        for node in self.nodes:
            node.close()

    def stats(self) -> dict[str, dict[str, object]]:
        """The counters of the task and of its nodes, as the task API shows them.

        Nodes and counters are in the order of their names, as Go prints maps.
        """
        nodes = sorted(self.nodes, key=lambda node: node.name)
        return {
            "task-stats": {"throughput": self._throughput.per_second},
            "node-stats": {
                node.name: dict(sorted(node.stats().items())) for node in nodes
            },
        }


# statistics of edges
_FLOW = frozenset(("collected", "emitted"))


def _printed(stats: Mapping[str, int]) -> dict[str, str]:
    """The counters of a node as a graph shows them."""
    return {
        name: go_duration(count) if name.endswith("_ns") else str(count)
        for name, count in stats.items()
        if name not in _FLOW
    }


def _measurements(nodes: Sequence[Node]) -> frozenset[str] | None:
    """Measurements that the `from` nodes below a source take; None for all."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, StreamNode):
            for child in node.children:
                if not isinstance(child, FromNode) or not child.measurement:
                    return None
                names.add(child.measurement)
    return frozenset(names)
