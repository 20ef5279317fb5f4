"""The base of all running nodes."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from runtime.errors import TaskError
from runtime.frames import Batch, Batches, Frame, Point
from runtime.nodes.environment import Environment
from runtime.units import Nanoseconds

# From how many rows on columns are faster than points, as bench/tasks.py prints it: in
# a frame that other tasks share, with what is computed from it, and in one's own.
SHARED_COLUMNS_FROM = 8
COLUMNS_FROM = 40

_log = logging.getLogger("kapacitor.kapacitor")


class PipelineNode(Protocol):
    """What every running node asks of the node of the pipeline behind it."""

    @property
    def name(self) -> str:
        """Description and number: `where2`."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """News that a group is complete up to a time.

    Attributes:
        group: id of the group.
        time: no older point will follow.
        delete: whether the state of the group is to be forgotten.
    """

    group: str
    time: Nanoseconds
    delete: bool = False


class Node:
    """Takes points or batches and passes points or batches on, at once.

    A node implements `point` or `batch` or both, and `frame` and `batches` where it
    can work on whole columns with the same result.

    Attributes:
        name: such as `where2`.
        remembers: whether what it makes of points depends on those before.
        children: the nodes that take what this one emits.
        parents: the nodes whose output this one takes.
        errors: how many errors were met.
        own_collected: points taken that no parent emitted (sources).
        exec_time_ns: how long it takes for a point, measured now and then.
    """

    remembers = False

    def __init__(self, spec: PipelineNode, environment: Environment) -> None:
        self._definition = spec
        self.name = spec.name
        self.environment = environment
        self.children: list[Node] = []
        self.parents: list[Node] = []
        self.errors = 0
        self.own_collected = 0
        self.exec_time_ns = 0
        self._emitted = 0
        self._leader: Node | None = None
        self._followers: dict[Node, None] = {}
        self._quiet = bool(getattr(spec, "quiet", False))

    def link(self, child: Node) -> None:
        """Send what this node emits to `child` too."""
        self.children.append(child)
        child.parents.append(self)

    @property
    def recipe(self) -> Hashable | None:
        """Equal for nodes that make the same of the same points.

        None where what a node makes depends on more than the points it gets.
        """
        return None

    def twin(self) -> Node:
        """A new node like this one, for others to follow; it logs nothing itself."""
        made = type(self)(self._definition, self.environment)
        made._quiet = True
        return made

    def follow(self, leader: Node | None) -> None:
        """From now on `leader` works in the place of this node, until it has another.

        What the leader counts and the errors it meets are this node's as well.
        """
        if self._leader is not None:
            self._emitted += self._leader._emitted
            self.own_collected += self._leader.own_collected
            self.exec_time_ns = self._leader.exec_time_ns or self.exec_time_ns
            del self._leader._followers[self]
        self._leader = leader
        if leader is not None:
            self._emitted -= leader._emitted
            self.own_collected -= leader.own_collected
            leader._followers[self] = None

    def input(self, number: int) -> Node:
        """What takes the output of the parent of that number."""
        return self

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self.fail("stream edge not supported")

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        for point in frame.points():
            self.point(point)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self.fail("batch edge not supported")

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        for batch in batches:
            self.batch(batch)

    def barrier(self, barrier: Barrier) -> None:
        """Take the news that a group is complete up to a time."""
        if barrier.delete:
            self.forget(barrier.group)
        for child in self.children:
            child.barrier(barrier)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""

    def tick(self, now: Nanoseconds) -> None:
        """Do what the time of day asks for; called about once a second."""

    def flush(self) -> None:
        """Emit what waits for other parents; the task's input has ended."""

    def close(self) -> None:
        """Give up what outlives the node: topics, pages."""

    def emit_point(self, point: Point) -> None:
        """Pass a point to every child."""
        self._emitted += 1
        for child in self.children:
            child.point(point)

    def emit_frame(self, frame: Frame, *, shared: bool = True) -> None:
        """Pass points in columns to every child, one by one where that is faster.

        What few tasks can share (because it depends on earlier points) takes more rows
        to be worth its columns.
        """
        size = len(frame)
        if not size:
            return
        self._emitted += size
        if size >= (SHARED_COLUMNS_FROM if shared else COLUMNS_FROM):
            for child in self.children:
                child.frame(frame)
            return
        points = frame.points()
        for child in self.children:
            for point in points:
                child.point(point)

    def emit_batch(self, batch: Batch) -> None:
        """Pass a batch to every child."""
        self._emitted += len(batch.points)
        for child in self.children:
            child.batch(batch)

    def emit_batches(self, batches: Batches) -> None:
        """Pass batches to every child, one by one where that is faster."""
        if not len(batches):
            return
        size = len(batches.frame)
        self._emitted += size
        if size >= COLUMNS_FROM:
            for child in self.children:
                child.batches(batches)
            return
        each = list(batches)
        for child in self.children:
            for batch in each:
                child.batch(batch)

    def error(self, message: str, err: object = None, **more: object) -> None:
        """Count an error, and log it unless the script asked for quiet.

        The log entry has the attributes of `context`, those of `more`, and `err`.
        """
        self.errors += 1
        for follower in self._followers:
            follower.error(message, err, **more)
        if self._quiet:
            return
        context = {**self.context, **more}
        if err is not None:
            context["err"] = str(err)
        _log.error(message, extra=context)

    @property
    def context(self) -> dict[str, object]:
        """What log entries say of the node: `task_master`, `task` and `node`."""
        environment = self.environment
        return {
            "task_master": environment.task_master_id,
            "task": environment.task_id,
            "node": self.name,
        }

    def fail(self, reason: object) -> NoReturn:
        """Stop the task.

        Raises:
            TaskError: always.
        """
        raise TaskError(f"{self.name}: {reason}")

    @property
    def emitted(self) -> int:
        """How many points went to each child."""
        return self._emitted + (0 if self._leader is None else self._leader._emitted)

    @property
    def collected(self) -> int:
        """How many points came in."""
        own = self.own_collected + sum(parent.emitted for parent in self.parents)
        return own + (0 if self._leader is None else self._leader.own_collected)

    @property
    def working_cardinality(self) -> int:
        """How many groups the node keeps state for."""
        return 0

    def stats(self) -> dict[str, int]:
        """The node's counters, as the task API shows them."""
        works = self._leader or self
        return {
            "avg_exec_time_ns": works.exec_time_ns or self.exec_time_ns,
            "collected": self.collected,
            "emitted": self.emitted,
            "errors": self.errors,
            "working_cardinality": works.working_cardinality,
        }


def feed(node: Node, frame: Frame) -> None:
    """Give a written frame to a node in whichever form is faster for its size."""
    if len(frame) >= SHARED_COLUMNS_FROM:
        node.frame(frame)
        return
    for point in frame.points():
        node.point(point)
