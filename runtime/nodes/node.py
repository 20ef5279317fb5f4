"""The base of all running nodes."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence, Set
from dataclasses import dataclass
from typing import ClassVar, NoReturn, Protocol

from runtime.errors import TaskError
from runtime.frames import Batch, Batches, Frame, Point
from runtime.nodes.budget import GROUP, STEPS
from runtime.nodes.environment import Environment
from runtime.trouble import complain
from runtime.units import Nanoseconds

# Number of rows from which columns are faster than points, as printed by bench/tasks.py:
# in a frame that tasks share together with its results, and in a frame of one task.
SHARED_COLUMNS_FROM = 8
COLUMNS_FROM = 40

_log = logging.getLogger("kapacitor.kapacitor")


class PipelineNode(Protocol):
    """The part of a pipeline's node that its running node needs."""

    @property
    def name(self) -> str:
        """Kind and number: `where2`."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """A barrier: a group is complete up to a time.

    Attributes:
        group: id of the group.
        time: no older point will follow.
        delete: True to delete the state of the group.
    """

    group: str
    time: Nanoseconds
    delete: bool = False


class Taker(Protocol):
    """A receiver of a node's output: a child, or its timer."""

    def point(self, point: Point, /) -> None:
        """Take a point of a stream."""

    def frame(self, frame: Frame, /) -> None:
        """Take points of a stream in columns."""

    def batch(self, batch: Batch, /) -> None:
        """Take a batch."""

    def batches(self, batches: Batches, /) -> None:
        """Take batches in columns."""

    def barrier(self, barrier: Barrier, /) -> None:
        """Receive a barrier: a group is complete up to a time."""


class Node:
    """Takes points or batches, and passes points or batches on.

    A node implements `point` or `batch` or both. It implements `frame` and `batches` if
    it can work on whole columns with the same result.

    Attributes:
        name: kind and number, such as `where2`.
        is_timed: True if the node has timers.
        remembers: True if the results for a point depend on earlier points.
        children: the nodes that this one emits to.
        takers: children, or temporary stand-ins for them.
        parents: the nodes whose output this one takes.
        errors: number of errors.
        counters: further counters of the node, by name.
        own_collected: points taken that no parent emitted (sources).
        exec_time_ns: average time for a point, sampled, in ns.
        caveat: reason why the node has no effect, or "".
    """

    is_timed: ClassVar[bool] = False
    remembers = False

    def __init__(self, spec: PipelineNode, environment: Environment) -> None:
        self._definition = spec
        self.name = spec.name
        self.environment = environment
        self.children: list[Node] = []
        self.takers: Sequence[Taker] = self.children
        self.parents: list[Node] = []
        self.errors = 0
        self.counters: dict[str, int] = {}
        self.own_collected = 0
        self.exec_time_ns = 0
        self.caveat = ""
        self._sent = 0
        self._observers = 0
        self._leader: Node | None = None
        self._followers: dict[Node, None] = {}
        self._quiet = bool(getattr(spec, "quiet", False))

    def link(self, child: Node) -> None:
        """Add a child, to which this node emits."""
        self.children.append(child)
        child.parents.append(self)

    def observe(self, observer: Node) -> None:
        """Also emit to `observer`, without an edge in the statistics."""
        self.children.append(observer)
        self._observers += 1

    @property
    def fingerprint(self) -> Hashable | None:
        """Equal for nodes with the same output for the same points.

        None if the output of a node depends on more than its points.
        """
        return None

    def clone(self, environment: Environment) -> Node:
        """A new node like this one, to which others can delegate; it does not log."""
        made = type(self)(self._definition, environment)
        made._quiet = True
        return made

    def delegate_to(self, leader: Node | None) -> None:
        """Let `leader` work in place of this node from now on; None ends this.

        The leader's counts and errors are added to those of this node.
        """
        # the leader's counts are subtracted when the delegation begins and added when it
        # ends, so that the counters of this node do not jump
        if self._leader is not None:
            self._add_counts(self._leader, 1)
            self.exec_time_ns = self._leader.exec_time_ns or self.exec_time_ns
            del self._leader._followers[self]
        self._leader = leader
        if leader is not None:
            self._add_counts(leader, -1)
            leader._followers[self] = None

    def _add_counts(self, leader: Node, sign: int) -> None:
        self._sent += sign * leader._sent
        self.own_collected += sign * leader.own_collected
        for name, count in leader.counters.items():
            self.counters[name] = self.counters.get(name, 0) + sign * count

    def input(self, number: int) -> Node:
        """The input for the parent of that number."""
        return self

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self.fail("stream edge not supported")

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        points, look = frame.points(), self.environment.budget.look
        for start in range(0, len(points), STEPS):
            look()
            for point in points[start : start + STEPS]:
                self.point(point)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self.fail("batch edge not supported")

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        look = self.environment.budget.look
        for batch in batches:
            look()
            self.batch(batch)

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier: a group is complete up to a time."""
        if barrier.delete:
            self.forget(barrier.group)
        for taker in self.takers:
            taker.barrier(barrier)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""

    def flush(self) -> None:
        """Emit points that wait for other parents; the task's input has ended."""

    def close(self) -> None:
        """Close resources that outlive the node: topics, pages."""

    def emit_point(self, point: Point) -> None:
        """Pass a point to every child."""
        self._sent += 1
        for taker in self.takers:
            taker.point(point)

    def emit_frame(self, frame: Frame, *, shared: bool = True) -> None:
        """Pass points in columns to every child, one by one where that is faster.

        Points that few tasks can share, as they depend on earlier points, are passed as
        columns only if there are more of them.
        """
        # columns have a cost per call, points a cost each; the limits were measured
        size = len(frame)
        if not size:
            return
        self._sent += size
        if size >= (SHARED_COLUMNS_FROM if shared else COLUMNS_FROM):
            for taker in self.takers:
                taker.frame(frame)
            return
        points = frame.points()
        for taker in self.takers:
            for point in points:
                taker.point(point)

    def emit_batch(self, batch: Batch) -> None:
        """Pass a batch to every child."""
        self._sent += 1
        for taker in self.takers:
            taker.batch(batch)

    def emit_batches(self, batches: Batches) -> None:
        """Pass batches to every child, one by one where that is faster."""
        if not len(batches):
            return
        self._sent += len(batches)
        if len(batches.frame) >= COLUMNS_FROM:
            for taker in self.takers:
                taker.batches(batches)
            return
        each = list(batches)
        for taker in self.takers:
            for batch in each:
                taker.batch(batch)

    def error(self, message: str, err: object = None, **more: object) -> None:
        """Count an error and log it, unless the script has `.quiet()`.

        The log entry has the attributes of `context`, those of `more`, and `err`.
        """
        # every task logs the error of a node that its tasks share; the shared node itself
        # does not
        for follower in self._followers:
            follower.error(message, err, **more)
        if not self.count_error():
            return
        context = {**self.context, **more}
        if err is not None:
            context["err"] = str(err)
        complain(_log, message, context)

    def count_error(self) -> bool:
        """Count an error that the caller logs; False if it is not to be logged."""
        if not self._quiet:
            self.errors += 1
        return not self._quiet

    @property
    def context(self) -> dict[str, object]:
        """The node in log entries: `task_master`, `task` and `node`."""
        environment = self.environment
        return {
            "task_master": environment.task_master_id,
            "task": environment.task_id,
            "node": self.name,
        }

    def fail(self, reason: object) -> NoReturn:
        """Stop the task.

        Raises:
            TaskError: on every call.
        """
        raise TaskError(f"{self.name}: {reason}")

    @property
    def sent(self) -> int:
        """Number of points or batches sent to each child."""
        return self._sent + (0 if self._leader is None else self._leader._sent)

    @property
    def emitted(self) -> int:
        """Number of points or batches sent to all children together."""
        return self.sent * (len(self.children) - self._observers)

    @property
    def collected(self) -> int:
        """Number of received points or batches."""
        own = self.own_collected + sum(parent.sent for parent in self.parents)
        return own + (0 if self._leader is None else self._leader.own_collected)

    @property
    def working_cardinality(self) -> int:
        """The number of groups with state."""
        return 0

    def held(self) -> int:
        """Estimated bytes that the node keeps between writes."""
        return GROUP * self.working_cardinality

    def stats(self) -> dict[str, int]:
        """The node's counters, as the task API shows them."""
        # a node that delegates has no groups or timings of its own
        works = self._leader or self
        further = {
            name: count + (works.counters[name] if works is not self else 0)
            for name, count in self.counters.items()
        }
        return further | {
            "avg_exec_time_ns": works.exec_time_ns or self.exec_time_ns,
            "collected": self.collected,
            "emitted": self.emitted,
            "errors": self.errors,
            "working_cardinality": works.working_cardinality,
        }


class GroupedNode(Node):
    """A node that works on each group by itself, and keeps a set of its groups.

    Attributes:
        is_grouped: True if the node works by group; otherwise its set is empty.

    Source: Kapacitor edge/grouped.go.
    """

    is_grouped: ClassVar[bool] = True

    def __init__(self, spec: PipelineNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._met: set[str] = set()

    def meet(self, groups: Set[str]) -> None:
        """Note groups whose points or batches have been received."""
        if self.is_grouped and not groups <= self._met:
            self._met |= groups

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier: a group is complete up to a time."""
        self.meet({barrier.group})
        super().barrier(barrier)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        self._met.discard(group)

    @property
    def working_cardinality(self) -> int:
        """Number of groups in the node's set."""
        return len(self._met)


def feed(node: Taker, frame: Frame) -> None:
    """Pass a written frame to a node, as columns or points, depending on its size."""
    if len(frame) >= SHARED_COLUMNS_FROM:
        node.frame(frame)
        return
    for point in frame.points():
        node.point(point)
