"""The end of a shared path, which collects the results for the alert of each task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from runtime.frames import Batch, Batches, Frame, Point
from runtime.nodes.alert.thresholds import Bounds, Interval
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node, Taker

Item = Point | Frame | Batch | Batches

# More rows of batches than this are passed on before the rest of a write arrives.
_MANY_ROWS = 1 << 16


class Arrived:
    """The results of one write, in order of arrival."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._extents: dict[str, Interval | None] = {}

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def size(self) -> int:
        """Number of its points or batches."""
        return sum(
            1 if isinstance(item, Point | Batch) else len(item) for item in self._items
        )

    def give(self, node: Taker) -> None:
        """Pass the results to a node."""
        for item in self._items:
            match item:
                case Point():
                    node.point(item)
                case Frame():
                    node.frame(item)
                case Batch():
                    node.batch(item)
                case Batches():
                    node.batches(item)

    def groups(self) -> set[str]:
        """The ids of the groups that have points."""
        # frames have their groups as sets already: no loop over each id
        return set().union(*map(_groups, self._items))

    def within(self, bounds: Bounds) -> bool:
        """True if each point has all fields, as numbers within these bounds."""
        for name, (low, high) in bounds.items():
            extent = self._extent(name)
            if extent is None or not low <= extent.low <= extent.high <= high:
                return False
        return True

    def _extent(self, name: str) -> Interval | None:
        """The least and the greatest value of a field; None unless it is a plain number."""
        if name not in self._extents:
            self._extents[name] = _joined([_extent(i, name) for i in self._items])
        return self._extents[name]


class Sink(Node):
    """Takes the place of the alerts and keeps the arrivals of one write.

    Attributes:
        full: called when the buffer is large enough to be taken.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(_Name("sink"), environment)
        self._items: list[Item] = []
        self._rows = 0
        self.full: Callable[[], None] = lambda: None

    def take(self) -> Arrived:
        """Take the points that have arrived since the last call."""
        items, self._items, self._rows = self._items, [], 0
        return Arrived(items)

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self._items.append(point)

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        self._items.append(frame)
        self._count(len(frame))

    def batch(self, batch: Batch) -> None:
        """Take a batch; one without points has no effect on alerts."""
        if batch.points:
            self._items.append(batch)
            self._count(len(batch.points))

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        if len(batches.frame):
            self._items.append(batches)
            self._count(len(batches.frame))

    def _count(self, rows: int) -> None:
        self._rows += rows
        if self._rows >= _MANY_ROWS:
            self.full()


class _Name(NamedTuple):
    name: str


def _rows(item: Frame | Batch | Batches) -> Frame | Sequence[Point]:
    if isinstance(item, Batch):
        return item.points
    return item if isinstance(item, Frame) else item.frame


def _groups(item: Item) -> Iterable[str]:
    if isinstance(item, Point | Batch):
        return (item.group,)
    if isinstance(item, Frame):
        return item.group_ids
    filled = item.groups[np.diff(item.starts) > 0]
    return {item.ids[number] for number in filled.tolist()}


def _joined(parts: Sequence[Interval | None]) -> Interval | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return Interval(min(each.low for each in known), max(each.high for each in known))


def _extent(item: Item, name: str) -> Interval | None:
    if isinstance(item, Point):
        return _extent_of_points((item,), name)
    rows = _rows(item)
    if isinstance(rows, Frame):
        return _extent_of_frame(rows, name)
    return _extent_of_points(rows, name)


def _extent_of_points(points: Sequence[Point], name: str) -> Interval | None:
    values: list[float] = []
    for point in points:
        value = point.fields.get(name)
        # a bool is an int only to Python; and a tag of the same name makes lambdas fail
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
        # a NaN becomes both ends of the interval, which is then within no bounds
        return Interval(np.min(column.values).item(), np.max(column.values).item())

    return frame.shared(("extent", name), made)
