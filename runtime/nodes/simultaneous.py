"""Nodes that process the points of one time together: `flatten` and `combine`."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runtime.errors import EvaluationError
from runtime.frames import Batch, Dimensions, Point, Value
from runtime.nodes.budget import STEPS
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier, GroupedNode
from runtime.nodes.predicate import Predicate
from runtime.nodes.sizes import of_points
from runtime.pipeline import merge, transform
from runtime.tick.lambdas.state import State
from runtime.units import Nanoseconds, round_half_up


@dataclass(slots=True)
class Moment:
    """The points of a group that have one (rounded) time, in order of arrival."""

    name: str
    time: Nanoseconds
    tags: Mapping[str, str]
    dimensions: Dimensions
    points: list[Point] = field(default_factory=list)


class MomentNode(GroupedNode, ABC):
    """A node that processes the points of one time when a point of another arrives."""

    def __init__(
        self,
        spec: transform.FlattenNode | merge.CombineNode,
        environment: Environment,
    ) -> None:
        super().__init__(spec, environment)
        self._tolerance = int(spec.tolerance)
        self._moments: dict[str, Moment] = {}

    @abstractmethod
    def results(self, moment: Moment, group: str) -> Iterable[Point]:
        """Return the results for the points of one time."""

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        group = point.group
        self._met.add(group)
        time = round_half_up(point.time, self._tolerance)
        moment = self._moments.get(group)
        if moment is None or moment.time != time:
            tags = point.dimensions.group_tags(point.tags)
            self._moments[group] = fresh = Moment(
                point.name, time, tags, point.dimensions
            )
            # an earlier time also ends the moment: points out of order are processed by
            # themselves
            if moment is not None:
                self._emit(moment, group)
            moment = fresh
        moment.points.append(point)

    def of_batch(self, batch: Batch) -> list[Point]:
        """Return the results for the points of a batch."""
        self._met.add(batch.group)
        found: list[Point] = []
        # consecutive points only, as in streams
        for time, points in itertools.groupby(
            batch.points, lambda point: round_half_up(point.time, self._tolerance)
        ):
            moment = Moment(
                batch.name, time, batch.tags, batch.dimensions, list(points)
            )
            found.extend(self.results(moment, batch.group))
        return found

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier: a group is complete up to a time."""
        moment = self._moments.get(barrier.group)
        if moment is not None and moment.time < barrier.time:
            del self._moments[barrier.group]
            self._emit(moment, barrier.group)
        super().barrier(barrier)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._moments.pop(group, None)

    def held(self) -> int:
        """Bytes of points that wait for the end of their time."""
        return sum(of_points(moment.points) for moment in self._moments.values())

    def _emit(self, moment: Moment, group: str) -> None:
        for point in self.results(moment, group):
            self.emit_point(point)


class FlattenNode(MomentNode):
    """Merges the points of one time, with tag values in the names of fields."""

    def __init__(self, spec: transform.FlattenNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._on = tuple(spec.on)
        self._delimiter = spec.delimiter
        self._drop = spec.drop_original_field_name

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self.emit_batch(batch.with_points(self.of_batch(batch)))

    def results(self, moment: Moment, group: str) -> Iterable[Point]:
        """The merged point, if any point has all the tags."""
        fields: dict[str, Value] = {}
        for point in moment.points:
            lacking = [tag for tag in self._on if tag not in point.tags]
            if lacking:
                self.error(
                    "point missing tag for flatten operation",
                    f"tag {lacking[0]} is missing from point",
                )
                continue
            prefix = self._delimiter.join(point.tags[tag] for tag in self._on)
            # the last point with the same tags wins
            for name, value in point.fields.items():
                full = prefix if self._drop else f"{prefix}{self._delimiter}{name}"
                fields[full if prefix else name] = value
        if fields:
            yield Point(
                moment.name, moment.time, moment.tags, fields, moment.dimensions
            )


class CombineNode(MomentNode):
    """Makes a point of each combination of points that match the predicates."""

    def __init__(self, spec: merge.CombineNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._predicates = [Predicate(each, "") for each in spec.lambdas]
        self._names = tuple(spec.as_names)
        self._delimiter = spec.delimiter
        self._max = spec.max
        self._states: dict[str, list[State]] = {}

    def batch(self, batch: Batch) -> None:
        """Take a batch; its combinations are emitted as a stream."""
        for point in self.of_batch(batch):
            self.emit_point(point)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._states.pop(group, None)

    def results(self, moment: Moment, group: str) -> Iterable[Point]:
        """A point for each combination."""
        # checked first: a thousand points have 166 million combinations of three
        total = math.comb(len(moment.points), len(self._predicates))
        if total > self._max:
            self.error(
                "error combining points",
                f"refusing to perform combination as total combinations {total} "
                f"exceeds max combinations {self._max}",
            )
            return
        # evaluated once for each point and predicate, not for each combination, as
        # predicates may be stateful
        matches = self._matches(moment.points, group)
        numbers = range(len(moment.points))
        every = itertools.combinations(numbers, len(matches))
        for number, chosen in enumerate(every):
            if not number % STEPS:
                self.environment.budget.look()
            # at most one point per combination: the first order in which all predicates
            # hold is taken
            for order in itertools.permutations(chosen):
                if all(matches[n][index] for n, index in enumerate(order)):
                    yield self._merged(moment, [moment.points[i] for i in order])
                    break

    def _matches(self, points: Sequence[Point], group: str) -> list[list[bool]]:
        states = self._states.get(group)
        if states is None:
            states = [predicate.new_state() for predicate in self._predicates]
            self._states[group] = states
        return [
            [self._holds(predicate, state, point) for point in points]
            for predicate, state in zip(self._predicates, states, strict=True)
        ]

    def _holds(self, predicate: Predicate, state: State, point: Point) -> bool:
        try:
            return predicate.holds(state, point)
        except EvaluationError as error:
            self.error("evaluating lambda expression", error)
            return False

    def _merged(self, moment: Moment, points: Sequence[Point]) -> Point:
        fields: dict[str, Value] = {}
        tags = dict(moment.tags)
        for prefix, point in zip(self._names, points, strict=True):
            for name, value in point.fields.items():
                fields[f"{prefix}{self._delimiter}{name}"] = value
            for tag, text in point.tags.items():
                if tag not in moment.tags:
                    tags[f"{prefix}{self._delimiter}{tag}"] = text
        return Point(moment.name, moment.time, tags, fields, moment.dimensions)
