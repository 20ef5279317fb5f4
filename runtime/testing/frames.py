"""Points and frames from short text, for tests.

A line is `[MEASUREMENT,TAG=VALUE,…] FIELD=VALUE,… SECONDS`, as in line protocol but
without escapes and with the time in (maybe fractional) seconds:
`cpu,host=a usage=1.5,count=3i,up=true,note="x y" 12`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from runtime.frames import (
    NO_DIMENSIONS,
    Batch,
    Batches,
    Dimensions,
    Frame,
    Point,
    Table,
    TagColumn,
    Value,
)
from runtime.nodes.columns import field_column, tag_column
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.tick.ast import DeclarationNode, LambdaNode
from runtime.tick.parser import parse
from runtime.units import SECOND

_LINE = re.compile(r'(?P<key>\S+) (?P<fields>(?:"[^"]*"|[^ "])+) (?P<time>-?[\d.]+)')
_FIELD = re.compile(r'([^=,]+)=("[^"]*"|[^,]*)')


def seconds(value: float) -> int:
    """Seconds as nanoseconds."""
    return round(value * 1000) * (SECOND // 1000)


def point(line: str, *, db: str = "d", rp: str = "r", group_by: str = "") -> Point:
    """The point in `line`; `group_by` names tags, separated by spaces."""
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError(f"not a point: {line}")
    name, *tags = match["key"].split(",")
    return Point(
        name,
        seconds(float(match["time"])),
        dict(tag.split("=", 1) for tag in tags),
        {key: _value(text) for key, text in _FIELD.findall(match["fields"])},
        dimensions(group_by),
        db,
        rp,
    )


def points(
    text: str, *, db: str = "d", rp: str = "r", group_by: str = ""
) -> list[Point]:
    """The points of a text, one per line."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [point(line, db=db, rp=rp, group_by=group_by) for line in lines]


def dimensions(group_by: str) -> Dimensions:
    """Dimensions from tag names separated by spaces; `*name` groups by measurement."""
    tags = group_by.split()
    names = tuple(sorted(tag for tag in tags if tag != "*name"))
    return Dimensions("*name" in tags, names) if tags else NO_DIMENSIONS


def _value(text: str) -> Value:
    if text.startswith('"'):
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    return int(text[:-1]) if text.endswith("i") else float(text)


def frame_of(points: Sequence[Point]) -> Frame:
    """A frame of points, all with the measurement and dimensions of the first one."""
    first = points[0]
    fields = _names(each.fields for each in points)
    tags = _names(each.tags for each in points)
    columns = {
        name: field_column([p.fields.get(name) for p in points]) for name in fields
    }
    table = Table(
        {name: tag_column(p.tags.get(name) for p in points) for name in tags},
        {name: column for name, column in columns.items() if column is not None},
    )
    times = np.array([each.time for each in points], dtype=np.int64)
    return Frame(
        first.name,
        times,
        table,
        db=first.db,
        rp=first.rp,
        dimensions=first.dimensions,
    )


def frame(text: str, *, db: str = "d", rp: str = "r", group_by: str = "") -> Frame:
    """A frame of the points of a text, one per line, all of one measurement."""
    return frame_of(points(text, db=db, rp=rp, group_by=group_by))


def batch_of(points: Sequence[Point], tmax: int) -> Batch:
    """A batch of points of one group, that of the first point."""
    first = points[0]
    tags = first.dimensions.group_tags(first.tags)
    return Batch(first.name, tags, tmax, points, first.dimensions)


def batches_of(batches: Sequence[Batch]) -> Batches:
    """The same batches in columns; all of one measurement, not all empty."""
    sizes = [len(batch.points) for batch in batches]
    groups: dict[str, int] = {}
    for batch in batches:
        groups.setdefault(batch.group, len(groups))
    tags = {batch.group: batch.tags for batch in batches}
    return Batches(
        frame_of([point for batch in batches for point in batch.points]),
        np.cumsum([0, *sizes]),
        np.array([batch.tmax for batch in batches], dtype=np.int64),
        np.array([groups[batch.group] for batch in batches], dtype=np.int32),
        list(groups),
        [tags[group] for group in groups],
    )


def _names(mappings: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def host_frame(
    rows: int,
    hosts: int,
    *,
    start_s: int = 1_700_000_000,
    field: str = "usage_user",
    seed: int = 1,
) -> Frame:
    """A frame as agents write it: `hosts` in turn, one second later each round."""
    numbers = np.arange(rows)
    random = np.random.default_rng(seed)
    values = field_column([float(v) for v in random.random(rows).round(3) * 100])
    assert values is not None
    host = TagColumn(
        (numbers % hosts).astype(np.int32), [f"server{n:03d}" for n in range(hosts)]
    )
    times = (start_s + numbers // hosts).astype(np.int64) * SECOND
    return Frame("cpu", times, Table({"host": host}, {field: values}), db="d", rp="r")


def lambda_of(text: str) -> LambdaNode:
    """The lambda `text`, as written after `lambda:` in a script."""
    [statement] = parse(f"var x = lambda: {text}").statements
    assert isinstance(statement, DeclarationNode)
    assert isinstance(statement.value, LambdaNode)
    return statement.value


class Collector(Node):
    """A node without children that keeps its input.

    Attributes:
        points: the points of streams.
        got: the batches.
    """

    class _Spec:
        name = "collector0"

    def __init__(self) -> None:
        super().__init__(self._Spec(), Environment("test"))
        self.points: list[Point] = []
        self.got: list[Batch] = []

    def point(self, point: Point) -> None:
        """Keep a point."""
        self.points.append(point)

    def batch(self, batch: Batch) -> None:
        """Keep a batch."""
        self.got.append(batch)


def shown(point: Point) -> tuple[object, ...]:
    """A point in comparable form, with the types of its values and its group."""
    fields = {name: (type(v).__name__, repr(v)) for name, v in point.fields.items()}
    return point.name, point.time, dict(point.tags), fields, point.group


def shown_batch(batch: Batch) -> tuple[object, ...]:
    """A batch in comparable form."""
    each = [shown(point) for point in batch.points]
    return batch.name, batch.tmax, dict(batch.tags), batch.group, each
