"""InfluxQL functions: aggregates, selectors, transformations."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime.errors import TaskError
from runtime.frames import Batch, Batches, Dimensions, Point, Value
from runtime.nodes.environment import Environment
from runtime.nodes.influxql import reducers
from runtime.nodes.influxql.columns import reduced
from runtime.nodes.influxql.reducers import Sample, Transformation
from runtime.nodes.node import Barrier, GroupedNode, Node
from runtime.nodes.sizes import VALUE, of_points
from runtime.pipeline import influxql as pipeline
from runtime.units import Nanoseconds

_GO_TYPES = {float: "float64", int: "int64", str: "string", bool: "bool"}
_GO_KINDS = {float: "float", int: "integer", str: "string", bool: "boolean"}


class _Samples:
    """Reads the reduced field of points.

    The first point that has the field determines its type.
    """

    def __init__(self, node: Node, method: str, name: str, failure: str) -> None:
        self._node = node
        self._method = method
        self._name = name
        self._failure = failure
        self._type: type | None = None

    def read(self, point: Point) -> Sample | None:
        """The value of a point; None, with an error, if it is missing or unsuitable."""
        value = point.fields.get(self._name)
        kind = type(value)
        if kind is not self._type and not self._settle(kind, value):
            return None
        return Sample(value, point.time, point)

    def _settle(self, kind: type, value: Value) -> bool:
        name, expected = self._name, self._type
        if expected is not None:
            reason = f"field {name} missing from point cannot aggregate"
            if value is not None:
                got, exp = _GO_TYPES.get(kind, kind.__name__), _GO_TYPES[expected]
                reason = f"field {name} has wrong type: got {got} exp {exp}"
            self._node.error(self._failure, reason)
            return False
        reason = f'field "{name}" missing from point'
        if value is not None:
            if kind in (float, int) or (
                kind in (str, bool) and self._method in reducers.ANY_KIND
            ):
                self._type = kind
                return True
            reason = (
                f"invalid influxql func {self._method} with field {name}: cannot "
                f"apply {self._method} to {_GO_KINDS.get(kind, 'duration')} field"
            )
        self._node.error("failed to realize reduce context from fields", reason)
        return False


@dataclass(slots=True)
class _Moment:
    """The points of a group with the same time."""

    name: str
    time: Nanoseconds
    dimensions: Dimensions
    tags: Mapping[str, str]
    points: list[Point] = field(default_factory=list)


class InfluxQLNode(GroupedNode):
    """Reduces batches, or the points of a stream that have the same time.

    Results of batches have the name of the group's first batch.
    """

    remembers = True

    def __init__(self, spec: pipeline.InfluxQLNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._method = spec.method
        self._field = spec.field
        self._arguments = tuple(spec.arguments)
        self._as = spec.as_name or spec.method
        self._point_times = spec.use_point_times
        self._moments: dict[str, _Moment] = {}
        # name of the first batch, and names of groups that began with another name
        self._name: str | None = None
        self._names: dict[str, str] = {}
        self._fingerprint = _fingerprint(spec)

    @property
    def fingerprint(self) -> Hashable:
        """The function, its arguments, and the properties of its result."""
        return self._fingerprint

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        group = point.group
        self._met.add(group)
        moment = self._moments.get(group)
        if moment is not None and moment.time == point.time:
            moment.points.append(point)
            return
        # any other time ends the moment, even an earlier one: Kapacitor does not wait for
        # late points either
        if moment is not None:
            self._reduce(_batch(moment, group))
        tags = point.dimensions.group_tags(point.tags)
        self._moments[group] = _Moment(
            point.name, point.time, point.dimensions, tags, [point]
        )

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        name = self._name_of(batch.group, batch.name)
        self._met.add(batch.group)
        if name != batch.name:
            batch = Batch(
                name,
                batch.tags,
                batch.tmax,
                batch.points,
                batch.dimensions,
                batch.group,
            )
        self._reduce(batch)

    def _name_of(self, group: str, name: str) -> str:
        """The name of the results of a group, whose present batch has `name`."""
        if self._name is None:
            self._name = name
        if group not in self._met and name != self._name:
            self._names[group] = name
        return self._names.get(group, self._name)

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        frame = None
        # columns have one name for all groups; other batches are reduced one by one
        if self._name in (None, batches.frame.name) and not self._names:
            frame = reduced(
                batches,
                self._method,
                self._field,
                self._as,
                self._arguments,
                point_times=self._point_times,
            )
        if frame is None:
            super().batches(batches)
            return
        self._name = batches.frame.name
        self.meet(batches.group_ids)
        self.emit_frame(frame, shared=False)

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier: a group is complete up to a time."""
        moment = self._moments.get(barrier.group)
        if moment is not None and moment.time < barrier.time:
            del self._moments[barrier.group]
            self._reduce(_batch(moment, barrier.group))
        super().barrier(barrier)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._moments.pop(group, None)
        self._names.pop(group, None)

    def held(self) -> int:
        """Bytes of points that wait for the end of their time."""
        waiting = sum(of_points(moment.points) for moment in self._moments.values())
        return super().held() + waiting

    def _reduce(self, batch: Batch) -> None:
        reader = _Samples(
            self, self._method, self._field, "failed to aggregate point in batch"
        )
        samples = [s for p in batch.points if (s := reader.read(p)) is not None]
        # count and sum of nothing are 0; nothing has no mean
        if not samples and self._method not in reducers.EMPTY_OK:
            return
        if self._method in reducers.AGGREGATES:
            value = reducers.AGGREGATES[self._method](samples)
            self.emit_point(self._made(batch, batch.tags, batch.tmax, value))
        elif self._method in reducers.SELECTORS:
            chosen = reducers.SELECTORS[self._method](samples, *self._arguments)
            if chosen is not None:
                self.emit_point(self._selected(batch, chosen))
        else:
            picked = reducers.PICKERS[self._method](samples, *self._numbers())
            self._emit_picked(batch, picked)

    def _numbers(self) -> Sequence[Any]:
        # Kapacitor ignores the tag names that `top` and `bottom` accept
        return self._arguments[:1] if self._method in ("top", "bottom") else ()

    def _made(
        self, batch: Batch, tags: Mapping[str, str], time: Nanoseconds, value: Value
    ) -> Point:
        return Point(batch.name, time, tags, {self._as: value}, batch.dimensions)

    def _selected(self, batch: Batch, chosen: Sample) -> Point:
        # a selector passes on the point that it chose, with its other fields and tags
        fields = {n: v for n, v in chosen.point.fields.items() if n != self._field}
        fields[self._as] = chosen.value
        time = chosen.time if self._point_times else batch.tmax
        tags = chosen.point.tags
        return Point(batch.name, time, tags, fields, batch.dimensions)

    def _emit_picked(self, batch: Batch, picked: Sequence[Sample]) -> None:
        points = []
        for sample in picked:
            time = sample.time if self._point_times else batch.tmax
            # several points may share a distinct value, so it has the tags of the group
            tags = batch.tags if self._method == "distinct" else sample.point.tags
            points.append(self._made(batch, tags, time, sample.value))
        self.emit_batch(batch.with_points(points))


class TransformationNode(GroupedNode):
    """Turns each point into a point with one new field."""

    remembers = True

    def __init__(self, spec: pipeline.InfluxQLNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._method = spec.method
        self._field = spec.field
        self._arguments = tuple(spec.arguments)
        self._as = spec.as_name or spec.method
        self._groups: dict[str, tuple[_Samples, Transformation]] = {}
        self._fingerprint = _fingerprint(spec)
        # finds invalid arguments when the task starts
        self._fresh("")

    @property
    def fingerprint(self) -> Hashable:
        """The function, its arguments, and the properties of its result."""
        return self._fingerprint

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        state = self._groups.get(point.group)
        if state is None:
            self._met.add(point.group)
            state = self._fresh("failed to aggregate point")
            self._groups[point.group] = state
        result = self._next(point, state)
        if result is not None:
            tags = point.dimensions.group_tags(point.tags)
            self.emit_point(self._made(point, point.name, tags, result))

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self._met.add(batch.group)
        # no state from batch to batch: windows that overlap have points in common
        state = self._fresh("failed to aggregate point in batch")
        points = [
            self._made(point, batch.name, batch.tags, result)
            for point in batch.points
            if (result := self._next(point, state)) is not None
        ]
        self.emit_batch(batch.with_points(points))

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._groups.pop(group, None)

    def held(self) -> int:
        """Bytes of remembered values."""
        kept = sum(state[1].remembered for state in self._groups.values())
        return super().held() + VALUE * kept

    def _fresh(self, failure: str) -> tuple[_Samples, Transformation]:
        reader = _Samples(self, self._method, self._field, failure)
        return reader, reducers.TRANSFORMATIONS[self._method](*self._arguments)

    def _next(self, point: Point, state: tuple[_Samples, Transformation]) -> Value:
        reader, transformation = state
        sample = reader.read(point)
        if sample is None:
            return None
        result: Value = transformation.next(sample.value, sample.time)
        return result

    def _made(
        self, point: Point, name: str, tags: Mapping[str, str], value: Value
    ) -> Point:
        return Point(name, point.time, tags, {self._as: value}, point.dimensions)


def influxql(spec: pipeline.InfluxQLNode, environment: Environment) -> Node:
    """The running node of an InfluxQL function.

    Raises:
        TaskError: the function is not supported.
    """
    method = spec.method
    if method in reducers.TRANSFORMATIONS:
        return TransformationNode(spec, environment)
    known = (reducers.AGGREGATES, reducers.SELECTORS, reducers.PICKERS)
    if any(method in table for table in known):
        return InfluxQLNode(spec, environment)
    raise TaskError(f"{spec.name}: {method} is not supported by this server")


def _fingerprint(spec: pipeline.InfluxQLNode) -> Hashable:
    arguments = tuple(map(repr, spec.arguments))
    return spec.method, spec.field, arguments, spec.as_name, spec.use_point_times


def _batch(moment: _Moment, group: str) -> Batch:
    return Batch(
        moment.name, moment.tags, moment.time, moment.points, moment.dimensions, group
    )
