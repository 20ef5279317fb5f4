"""Looks at points once for all tasks that would look at them alike.

Many tasks lead a stream through equal nodes to an alert that compares fields with
numbers. What these nodes make of a write is made once for all of them. Where no value
is beyond a threshold, and each group is known and OK, no task has to run: its nodes
count what they would have taken and given when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from runtime.errors import TaskError
from runtime.frames import Frame, Point
from runtime.nodes.alert import group_ids
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node, feed
from runtime.nodes.path import Path, counts
from runtime.nodes.sampling import Sampling
from runtime.nodes.task import ExecutingTask
from runtime.nodes.thresholds import Bounds, Interval, within_all


class _Name(NamedTuple):
    name: str


class Arrivals(Node):
    """Stands where the alerts are and keeps what arrives of one write."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(_Name("arrivals"), environment)
        self._points: list[Point] = []
        self._frames: list[Frame] = []
        self._extents: dict[str, Interval | None] = {}

    def clear(self) -> None:
        """Forget the write."""
        self._points.clear()
        self._frames.clear()
        self._extents.clear()

    def __bool__(self) -> bool:
        return bool(self._points or self._frames)

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self._points.append(point)

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        self._frames.append(frame)

    def groups(self) -> set[str]:
        """The ids of all groups."""
        ids = {point.group for point in self._points}
        return ids.union(*map(group_ids, self._frames))

    def within(self, bounds: Bounds) -> bool:
        """Whether each point has all fields, as numbers within these bounds."""
        for name, (low, high) in bounds.items():
            extent = self._extent(name)
            if extent is None or not low <= extent.low <= extent.high <= high:
                return False
        return True

    def _extent(self, name: str) -> Interval | None:
        """The least and the greatest value of a field; None if it is no plain number."""
        if name not in self._extents:
            parts = [_extent_of_frame(frame, name) for frame in self._frames]
            if self._points:
                parts.append(_extent_of_points(self._points, name))
            known = [part for part in parts if part is not None]
            self._extents[name] = (
                Interval(min(p.low for p in known), max(p.high for p in known))
                if len(known) == len(parts)
                else None
            )
        return self._extents[name]


def _extent_of_points(points: Sequence[Point], name: str) -> Interval | None:
    values: list[float] = []
    for point in points:
        value = point.fields.get(name)
        # bool is an int to Python alone; and a tag of that name makes lambdas fail
        if type(value) not in (float, int) or name in point.tags:
            return None
        values.append(value)  # type: ignore[arg-type]  # the types are exact
    return Interval(min(values), max(values))


def _extent_of_frame(frame: Frame, name: str) -> Interval | None:
    def made() -> Interval | None:
        column = frame.field(name)
        if column is None or column.present is not None or frame.tag(name) is not None:
            return None
        if column.kind not in ("float", "int"):
            return None
        # not a number spreads to both ends, and is within nothing
        return Interval(np.min(column.values).item(), np.max(column.values).item())

    return frame.shared(("extent", name), made)


class Watch:
    """Tasks with equal paths from stream to alert."""

    def __init__(self, path: Path) -> None:
        """Make a watch without tasks, for paths like this one."""
        nodes = [node.twin() for node in path.nodes]
        self._arrivals = Arrivals(path.alert.environment)
        for node, child in zip(nodes, [*nodes[1:], self._arrivals], strict=True):
            node.link(child)
        self._nodes = nodes
        self._sampling = Sampling()
        self._paths: dict[ExecutingTask, Path] = {}
        # tasks of which some group is not OK
        self._awake: dict[ExecutingTask, None] = {}
        # groups that all tasks know
        self._groups: set[str] = set()
        self._bounds: Bounds = {}

    def __len__(self) -> int:
        return len(self._paths)

    def add(self, task: ExecutingTask, path: Path) -> None:
        """Watch for a task."""
        path.share(self._nodes)
        self._paths[task] = path
        self._groups.clear()
        self._restrict()

    def remove(self, task: ExecutingTask) -> None:
        """Watch for a task no more."""
        self._paths.pop(task).share(())
        self._awake.pop(task, None)
        self._restrict()

    def _restrict(self) -> None:
        self._bounds = within_all(path.bounds for path in self._paths.values())

    def look(self, frame: Frame) -> Sequence[ExecutingTask]:
        """The tasks that have to take the frame; the others need not even see it."""
        if len(self._awake) == len(self._paths):
            return list(self._paths)
        before = counts(self._nodes)
        found = list(self._find(frame))
        self._arrivals.clear()
        for task in found:
            self._paths[task].skip(before)
        return found

    def note(self, task: ExecutingTask) -> None:
        """Remember how a task is that has taken a frame."""
        path = self._paths.get(task)
        if path is None:
            return
        if path.alert.is_calm:
            self._awake.pop(task, None)
        else:
            self._awake[task] = None

    def _find(self, frame: Frame) -> Iterable[ExecutingTask]:
        arrivals = self._arrivals
        try:
            if self._sampling.is_due():
                with self._sampling.measured(self._nodes):
                    feed(self._nodes[0], frame)
            else:
                feed(self._nodes[0], frame)
        except TaskError:
            return self._paths
        if any(node.errors for node in self._nodes):
            # each task is to report them
            for node in self._nodes:
                node.errors = 0
            return self._paths
        if not arrivals:
            return ()
        groups = arrivals.groups()
        if not groups <= self._groups:
            self._groups |= groups
            return self._paths
        if arrivals.within(self._bounds):
            return self._awake
        return [
            task
            for task, path in self._paths.items()
            if task in self._awake or not arrivals.within(path.bounds)
        ]
