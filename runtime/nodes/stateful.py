"""Nodes that remember the previous point: rates, states, changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.errors import EvaluationError
from runtime.frames import FieldColumn, Frame, Point, Value
from runtime.nodes.columns import derived
from runtime.nodes.environment import Environment
from runtime.nodes.pointwise import Outcome
from runtime.nodes.predicate import Predicate
from runtime.nodes.serial import (
    Past,
    Runs,
    SerialNode,
    Series,
    is_wide,
    numbers,
    runs,
)
from runtime.pipeline import transform as pipeline
from runtime.tick.lambdas.arithmetic import ratio
from runtime.units import Nanoseconds, between


class _Steps(NamedTuple):
    """The steps between rows of a series. Those of the first rows of parts are undefined.

    Attributes:
        values: values, like `times`, `change` and `elapsed` in the order of the series.
        times: times in ns.
        change: change from the previous value.
        elapsed: time since the previous point, in ns.
        extremes: the earliest and the latest time.
        firsts: value and time of the first row of each part.
        lasts: value and time of the last row of each part; ints stay ints.
    """

    values: NDArray[np.float64]
    times: NDArray[np.int64]
    change: NDArray[np.float64]
    elapsed: NDArray[np.float64]
    extremes: NDArray[np.int64]
    firsts: Sequence[tuple[float, Nanoseconds]]
    lasts: Sequence[tuple[float | int, Nanoseconds]]


def _steps(
    column: NDArray[Any], column_of_times: NDArray[np.int64], series: Series
) -> _Steps:
    values = column[series.order].astype(np.float64)
    times = column_of_times[series.order]
    with np.errstate(all="ignore"):
        change = np.diff(values, prepend=values[:1])
    # differences that wrap around are detected by `is_wide`, from the extremes
    elapsed = np.diff(times, prepend=times[:1]).astype(np.float64)
    extremes = np.array([times.min(), times.max()])
    starts, last = series.starts[:-1], series.order[series.starts[1:] - 1]
    firsts = _pairs(values[starts], times[starts])
    # the values themselves, as ints are to stay ints
    lasts = _pairs(column[last], column_of_times[last])
    return _Steps(values, times, change, elapsed, extremes, firsts, lasts)


def _pairs(
    values: NDArray[Any], times: NDArray[np.int64]
) -> list[tuple[Any, Nanoseconds]]:
    return [*zip(values.tolist(), times.tolist(), strict=True)]


class DerivativeNode(SerialNode):
    """The rate of change of a field; other fields stay."""

    def __init__(self, spec: pipeline.DerivativeNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._field = spec.field
        self._as = spec.as_name or spec.field
        self._unit = spec.unit
        self._non_negative = spec.non_negative
        self._previous: dict[str, tuple[float | int, Nanoseconds]] = {}

    @property
    def fingerprint(self) -> Hashable:
        """The properties of the script."""
        return type(self), self._field, self._as, int(self._unit), self._non_negative

    def begin(self, group: str) -> None:
        """Begin a batch of the group."""
        self._previous.pop(group, None)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._previous.pop(group, None)

    def apply(self, point: Point, group: str) -> Point | None:
        """The point with its rate."""
        value = point.fields.get(self._field)
        if type(value) not in (float, int):
            self.error("cannot perform derivative", self._no_number(value))
            return None
        assert isinstance(value, float | int)
        previous = self._previous.get(group)
        # even if this point fails below, the next rate starts from it
        self._previous[group] = value, point.time
        if previous is None:
            return None
        before, time = previous
        elapsed = float(between(time, point.time))
        if not elapsed:
            self.error("cannot perform derivative", "elaspsed time was 0")
            return None
        change = float(value) - float(before)
        # decided by the sign of the change, even if time goes back
        if self._non_negative and change < 0:
            return None
        rate = ratio(change, ratio(elapsed, float(self._unit)))
        return point.replace(fields={**point.fields, self._as: rate})

    def series(self, frame: Frame, series: Series) -> Outcome | None:
        """The rows with their rates."""
        column = numbers(frame, self._field)
        if column is None:
            return None
        # shared by tasks that differ in unit or name only. Their previous points differ
        # too, so the steps of first rows are set below, in copies
        steps = frame.shared(
            ("steps", self._field, series.is_fresh),
            lambda: _steps(column.values, frame.time, series),
        )
        starts = series.starts[:-1]
        values, times = steps.values[starts], steps.times[starts]
        past = {} if series.is_fresh else self._previous
        # without a previous point the first row is compared with itself, and its rate is
        # dropped
        found = [
            past.get(id, first)
            for id, first in zip(series.ids, steps.firsts, strict=True)
        ]
        before = np.array([value for value, _ in found], dtype=np.float64)
        since = np.array([time for _, time in found], dtype=np.int64)
        # before any state is changed, as rows are used after None
        if is_wide(steps.extremes, since):
            return None
        known = np.ones(len(frame), dtype=np.bool_)
        known[starts] = [id in past for id in series.ids]
        change, elapsed = steps.change.copy(), steps.elapsed.copy()
        elapsed[starts] = times - since
        # one error per point, as in the row form
        for _ in range(np.count_nonzero(known & (elapsed == 0))):
            self.error("cannot perform derivative", "elaspsed time was 0")
        known &= elapsed != 0
        with np.errstate(all="ignore"):
            change[starts] = values - before
            rate = change / (elapsed / float(self._unit))
        if self._non_negative:
            known &= ~(change < 0)
        self._previous.update(zip(series.ids, steps.lasts, strict=True))
        made = FieldColumn("float", series.arrived(rate))
        rows = np.flatnonzero(series.arrived(known))
        return Outcome(derived(frame, fields={self._as: made}).take(rows), rows)

    def _no_number(self, value: Value) -> str:
        if value is None:
            return f'field "{self._field}" is missing'
        return f'field "{self._field}" is not a number'


class _StateNode(SerialNode, ABC):
    """Base of the nodes that track a predicate."""

    _unit: Nanoseconds = 0

    def __init__(
        self,
        spec: pipeline.StateDurationNode | pipeline.StateCountNode,
        environment: Environment,
    ) -> None:
        super().__init__(spec, environment)
        self._predicate = Predicate(spec.predicate, "")
        self._as = spec.as_name
        self._states: dict[str, _Watched] = {}

    @property
    def fingerprint(self) -> Hashable | None:
        """The predicate, if it is stateless, and the properties of the result."""
        key = self._predicate.function.key
        return None if key is None else (type(self), key, self._as, self._unit)

    def begin(self, group: str) -> None:
        """Begin a batch of the group."""
        state = self._states.get(group)
        if state is not None:
            state.began, state.count = None, 0

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._states.pop(group, None)

    def apply(self, point: Point, group: str) -> Point | None:
        """The point with the state's duration or count."""
        state = self._states.get(group)
        if state is None:
            state = self._states[group] = _Watched(self._predicate.new_state())
        try:
            holds = self._predicate.holds(state.memory, point)
        except EvaluationError as error:
            self.error("error while evaluating expression", error)
            return None
        if holds:
            state.count += 1
            if state.began is None:
                state.began = point.time
        else:
            state.began, state.count = None, 0
        return point.replace(
            fields={**point.fields, self._as: self._value(state, point.time)}
        )

    def series(self, frame: Frame, series: Series) -> Outcome | None:
        """The rows with the state's durations or counts."""
        # rows in which the predicate fails are dropped without a change of state, which
        # only the row form supports
        truths = self._predicate.truths(frame)
        if truths is None:
            return None
        past = self._past(series)
        times = frame.time[series.order]
        if is_wide(times, past.began[past.length > 0]):
            return None
        holds = truths[series.order]
        found = runs(holds, times, series, past)
        for id, end in zip(series.ids, series.ends, strict=True):
            state = self._states.get(id)
            if state is None:
                state = self._states[id] = _Watched(self._predicate.new_state())
            state.count = int(found.length[end])
            state.began = int(found.began[end]) if state.count else None
        made = self._column(holds, times, found)
        made = made._replace(values=series.arrived(made.values))
        return Outcome(derived(frame, fields={self._as: made}))

    def _past(self, series: Series) -> Past:
        length = np.zeros(len(series.ids), dtype=np.int64)
        began = np.zeros(len(series.ids), dtype=np.int64)
        if not series.is_fresh:
            for number, id in enumerate(series.ids):
                state = self._states.get(id)
                if state is not None and state.began is not None:
                    length[number], began[number] = state.count, state.began
        return Past(length, began)

    @abstractmethod
    def _value(self, state: _Watched, time: Nanoseconds) -> Value:
        """The value of the state at a point."""

    @abstractmethod
    def _column(
        self, holds: NDArray[np.bool_], times: NDArray[np.int64], found: Runs
    ) -> FieldColumn:
        """The values of the state at all rows."""


@dataclass(slots=True)
class _Watched:
    """The state of a group.

    Attributes:
        memory: memory of the predicate's stateful functions.
        began: time at which the predicate began to hold; None while it does not.
        count: number of points for which it has held.
    """

    memory: Any
    began: Nanoseconds | None = None
    count: int = 0


class StateDurationNode(_StateNode):
    """Measures the time that a predicate has held; -1 while it does not."""

    def __init__(
        self, spec: pipeline.StateDurationNode, environment: Environment
    ) -> None:
        super().__init__(spec, environment)
        self._unit = int(spec.unit)

    def _value(self, state: _Watched, time: Nanoseconds) -> Value:
        if state.began is None:
            return -1.0
        return ratio(float(between(state.began, time)), float(self._unit))

    def _column(
        self, holds: NDArray[np.bool_], times: NDArray[np.int64], found: Runs
    ) -> FieldColumn:
        with np.errstate(all="ignore"):
            lasted = (times - found.began).astype(np.float64) / float(self._unit)
        return FieldColumn("float", np.where(holds, lasted, -1.0))


class StateCountNode(_StateNode):
    """Counts the points for which a predicate has held; -1 while it does not."""

    def _value(self, state: _Watched, time: Nanoseconds) -> Value:
        return -1 if state.began is None else state.count

    def _column(
        self, holds: NDArray[np.bool_], times: NDArray[np.int64], found: Runs
    ) -> FieldColumn:
        return FieldColumn("int", np.where(holds, found.length, -1))


class ChangeDetectNode(SerialNode):
    """Passes a point when one of some fields differs from the last point passed."""

    def __init__(
        self, spec: pipeline.ChangeDetectNode, environment: Environment
    ) -> None:
        super().__init__(spec, environment)
        self._fields = tuple(spec.fields)
        # the fields of each group's last point that passed
        self._last: dict[str, Mapping[str, Value]] = {}

    @property
    def fingerprint(self) -> Hashable:
        """The fields that the node reads."""
        return type(self), self._fields

    def begin(self, group: str) -> None:
        """Begin a batch of the group."""
        self._last.pop(group, None)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._last.pop(group, None)

    def apply(self, point: Point, group: str) -> Point | None:
        """The point, if a field has changed."""
        if not self._changed(point.fields, self._last.get(group, {})):
            return None
        self._last[group] = point.fields
        return point

    def _changed(self, now: Mapping[str, Value], last: Mapping[str, Value]) -> bool:
        """True if a field differs; fields after the first difference are skipped."""
        for name in self._fields:
            value = now.get(name)
            if value is None:
                text = f"expected field {name} not found"
                self.error("Invalid field in change detect", text, field=name)
            elif not _same(value, last.get(name)):
                return True
        return False

    def series(self, frame: Frame, series: Series) -> Outcome | None:
        """The rows in which a field has changed.

        A row that does not pass equals the last one that passed, so each row is only
        compared with the previous one.
        """
        columns = {name: frame.field(name) for name in self._fields}
        past = {} if series.is_fresh else self._last
        changed = np.zeros(len(frame), dtype=np.bool_)
        for column in columns.values():
            if column is None or column.present is not None or column.kind == "mixed":
                return None
            values = column.values[series.order]
            # wrong for the first rows of parts, which are decided below
            changed[1:] |= values[1:] != values[:-1]
        for id, start in zip(series.ids, series.starts.tolist(), strict=False):
            now = self._at(columns, series.order[start])
            changed[start] = self._changed(now, past.get(id, {}))
        passed = np.flatnonzero(changed)
        # the last row that passed before the end of each part; it may belong to an
        # earlier part
        latest = np.searchsorted(passed, series.starts[1:]) - 1
        for id, start, number in zip(
            series.ids, series.starts.tolist(), latest.tolist(), strict=False
        ):
            if number >= 0 and passed[number] >= start:
                self._last[id] = self._at(columns, series.order[passed[number]])
        rows = np.flatnonzero(series.arrived(changed))
        return Outcome(frame.take(rows), rows)

    def _at(
        self, columns: Mapping[str, FieldColumn | None], row: int
    ) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for name, column in columns.items():
            if column is not None:
                value = column.values[row]
                found[name] = value.item() if isinstance(value, np.generic) else value
        return found


def _same(value: Value, other: Value) -> bool:
    # 1, 1.0 and TRUE are equal in Python, but are different values here
    return type(value) is type(other) and value == other
