"""Evaluates points once for all tasks with equal nodes.

Many tasks lead a stream through equal nodes to an alert. These nodes run once for all of
them. Where the alerts compare fields with numbers, no value is beyond a threshold, and
each group is known and OK, not even the alerts have to run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NoReturn

from runtime.frames import Frame
from runtime.nodes.alert.thresholds import Bounds, within_all
from runtime.nodes.node import feed
from runtime.tasks.path import TaskPath
from runtime.tasks.sampling import Sampling
from runtime.tasks.sink import Arrived, Sink
from runtime.tasks.task import ExecutingTask

Run = Callable[[ExecutingTask, Callable[[], None]], None]

# Points that tasks take between two steps, all tasks together: a few milliseconds if
# each point is an event.
FEW_POINTS = 64


class SharedPath:
    """Tasks with equal paths from stream to alert."""

    def __init__(self, path: TaskPath) -> None:
        """Make a shared path without tasks, for paths like this one."""
        environment = path.alert.environment
        self._budget = environment.budget.fresh()
        environment = dataclasses.replace(environment, budget=self._budget)
        nodes = [node.clone(environment) for node in path.nodes]
        self._budget.keepers = nodes
        self._sink = Sink(environment)
        for node, child in zip(nodes, [*nodes[1:], self._sink], strict=True):
            node.link(child)
        self._nodes = nodes
        self._remembers = path.remembers
        self._is_fed = False
        self._sampling = Sampling()
        self._paths: dict[ExecutingTask, TaskPath] = {}
        # tasks with a group that is not OK
        self._active: dict[ExecutingTask, None] = {}
        # groups that all tasks know; another set as soon as a task is added
        self._groups: set[str] = set()
        # bounds within which no alert changes; None if unknown
        self._bounds: Bounds | None = {}

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def is_open(self) -> bool:
        """True if the nodes are in the same state as those of a new task."""
        return not (self._remembers and self._is_fed)

    def add(self, task: ExecutingTask, path: TaskPath) -> None:
        """Include a task."""
        path.delegate_to(self._nodes)
        self._paths[task] = path
        self._groups = set()
        self._bounds = _within_both(self._bounds, path.bounds)

    def remove(self, task: ExecutingTask) -> None:
        """Exclude a task."""
        self._paths.pop(task).part()
        self._active.pop(task, None)
        if not self._paths:
            self._budget.release()
        self._bounds = {}
        for path in self._paths.values():
            self._bounds = _within_both(self._bounds, path.bounds)

    def measure(self) -> None:
        """Measure the memory of the nodes; to be called about once a second."""
        self._budget.measure_idle()

    def feed(self, frame: Frame, run: Run) -> Iterable[None]:
        """Take a frame; run the tasks whose alerts have to see the results.

        Returns:
            Remaining work, step by step; other frames may be fed in between.
        """
        self._is_fed = True
        self._sink.full = partial(self._pass_on, run)
        try:
            self._budget.begin()
            self._lead(frame)
        # each task fails, as if its own nodes had failed
        except Exception as error:
            arrived = self._sink.take()
            for task in list(self._paths):
                run(task, partial(_fail, task, arrived, error))
            return ()
        arrived = self._sink.take()
        if not arrived:
            return ()
        steps = self._passed_on(run, arrived, len(frame))
        if len(frame) * len(self._paths) > FEW_POINTS:
            return steps
        _finish(steps)
        return ()

    def _pass_on(self, run: Run) -> None:
        """Pass on the results of the first part of a frame, as there are many."""
        _finish(self._passed_on(run, self._sink.take(), 1))

    def _passed_on(self, run: Run, arrived: Arrived, points: int) -> Iterator[None]:
        known, groups = self._groups, arrived.groups()
        taken = 0
        for task in self._concerned(arrived, groups):
            run(task, partial(task.arrive, arrived))
            self._note(task)
            taken += points
            if taken >= FEW_POINTS:
                taken = 0
                yield
        known |= groups

    def _lead(self, frame: Frame) -> None:
        if self._sampling.is_due():
            with self._sampling.measured(self._nodes) as entrance:
                feed(entrance(self._nodes[0]), frame)
        else:
            feed(self._nodes[0], frame)

    def _concerned(self, arrived: Arrived, groups: set[str]) -> Sequence[ExecutingTask]:
        if not groups <= self._groups:
            return list(self._paths)
        if self._bounds is not None and arrived.within(self._bounds):
            return list(self._active)
        return [
            task
            for task, path in self._paths.items()
            if task in self._active
            or path.bounds is None
            or not arrived.within(path.bounds)
        ]

    def _note(self, task: ExecutingTask) -> None:
        """Note if the alert of a task that has run is quiescent."""
        path = self._paths.get(task)
        if path is None:
            return
        if path.alert.is_quiescent:
            self._active.pop(task, None)
        else:
            self._active[task] = None


def _finish(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def _within_both(left: Bounds | None, right: Bounds | None) -> Bounds | None:
    return None if left is None or right is None else within_all((left, right))


def _fail(task: ExecutingTask, arrived: Arrived, error: Exception) -> NoReturn:
    """Feed the earlier points to a task, then raise its error."""
    if arrived:
        task.arrive(arrived)
    raise error
