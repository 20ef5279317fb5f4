"""`eval`: computes fields and tags."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.errors import EvaluationError
from runtime.frames import FieldColumn, FieldKind, Frame, Point, Rows, Value
from runtime.golang.utf8 import is_valid_utf8, scrub
from runtime.nodes.columns import derived, tag_column
from runtime.nodes.environment import Environment
from runtime.nodes.pointwise import Outcome, PointwiseNode
from runtime.nodes.predicate import compiled
from runtime.pipeline import transform as pipeline
from runtime.tick.lambdas import Column, Lambda
from runtime.tick.lambdas.state import State

_FIELD_KINDS: dict[str, FieldKind] = {
    "float": "float",
    "int": "int",
    "string": "string",
    "bool": "bool",
}


class _Step(NamedTuple):
    """One expression.

    Attributes:
        function: the lambda.
        name: name of the result.
        sees: names of earlier results that it refers to.
    """

    function: Lambda
    name: str
    sees: tuple[str, ...]


class _Derived(NamedTuple):
    """A computed frame, shared by tasks with the same expressions.

    Attributes:
        outcome: the rows that could be computed.
        failures: the errors of the other rows.
    """

    outcome: Outcome
    failures: Sequence[str]


class EvalNode(PointwiseNode):
    """Evaluates lambdas in order; later ones see earlier results.

    A raw field or tag hides an earlier result of the same name, and a later expression
    that refers to it uses the raw value instead of the result, as in Kapacitor.
    """

    def __init__(self, spec: pipeline.EvalNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        steps: list[_Step] = []
        earlier: set[str] = set()
        for index, (node, name) in enumerate(
            zip(spec.lambdas, spec.as_names, strict=True)
        ):
            function = compiled(node, f"Failed to compile {index} expression")
            sees = function.references & earlier
            steps.append(_Step(function, name, tuple(sorted(sees))))
            earlier.add(name)
            environment.pause()
        self._steps = tuple(steps)
        self._names = tuple(step.name for step in steps)
        self._tags = tuple(spec.tag_names)
        self._keep = None if spec.keep is None else tuple(spec.keep)
        self._stateful = any(step.function.stateful for step in steps)
        self._states: dict[str, list[State]] = {}
        expressions = tuple(step.function.identity for step in steps)
        self._key = ("eval", expressions, self._names, self._tags, self._keep)

    @property
    def fingerprint(self) -> Hashable | None:
        """The expressions, if they need no state, and the use of their results."""
        functions = tuple(step.function.key for step in self._steps)
        if None in functions:
            return None
        return type(self), functions, self._names, self._tags, self._keep

    def apply(self, point: Point, group: str) -> Point | None:
        """The point with the computed fields."""
        states = self._states.get(group)
        if states is None:
            states = self._states[group] = self._new_states()
        try:
            return self._evaluate(point, states)
        except EvaluationError as error:
            self.error("error evaluating expression", error)
            return None

    def columns(self, frame: Frame) -> Outcome | None:
        """The frame with the computed columns."""
        if self._stateful:
            return None
        result = frame.shared(self._key, lambda: self._derive(frame))
        if result is None:
            return None
        for failure in result.failures:
            self.error("error evaluating expression", failure)
        return result.outcome

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._states.pop(group, None)

    def _new_states(self) -> list[State]:
        return [step.function.new_state() for step in self._steps]

    def _evaluate(self, point: Point, states: Sequence[State]) -> Point:
        time, fields, tags = point.time, point.fields, point.tags
        # copied when there is a result for later expressions
        seen = fields
        results: dict[str, Value] = {}
        for (function, name, sees), state in zip(self._steps, states, strict=True):
            for earlier in sees:
                # as in Kapacitor, the raw value also replaces the emitted result
                if earlier in fields:
                    results[earlier] = fields[earlier]
                elif earlier in tags:
                    results[earlier] = tags[earlier]
            value: Value = function.row(state, time, seen, tags)
            # expressions may cut strings inside a character
            if isinstance(value, str):
                self.environment.budget.make(len(value))
                value = scrub(value)
            results[name] = value
            if name not in fields and name not in tags:
                if seen is fields:
                    seen = dict(fields)
                seen[name] = value  # type: ignore[index]  # a dict of our own by now
        return self._result(point, results)

    def _result(self, point: Point, results: dict[str, Value]) -> Point:
        tags = point.tags
        if self._tags:
            tags = {**tags, **{name: _tag(results[name]) for name in self._tags}}
        if self._keep is None:
            kept = results
            if self._tags:
                kept = {n: v for n, v in results.items() if n not in self._tags}
            return point.replace(tags=tags, fields=kept)
        if not self._keep:
            return point.replace(tags=tags, fields={**point.fields, **results})
        fields = {name: self._kept(point, results, name) for name in self._keep}
        return point.replace(tags=tags, fields=fields)

    def _kept(self, point: Point, results: dict[str, Value], name: str) -> Value:
        if name in results:
            return results[name]
        if name in point.fields:
            return point.fields[name]
        if name in point.tags and any(
            name in step.function.references for step in self._steps
        ):
            return point.tags[name]
        raise EvaluationError(f'cannot keep field "{name}", field does not exist')

    def _derive(self, frame: Frame) -> _Derived | None:
        """Evaluate all expressions in columns; None if rows have to be used."""
        results: dict[str, FieldColumn] = {}
        visible: dict[str, FieldColumn] = {}
        valid: NDArray[np.bool_] | None = None
        raw = {*frame.field_names, *frame.tag_names}
        for function, name, sees in self._steps:
            if raw & {*sees} or (name in results and name in raw):
                return None  # raw values hide results: only rows support this
            column = function.columns(
                derived(frame, fields=visible) if visible and sees else frame
            )
            field = None if column is None else _field(column, len(frame))
            if column is None or field is None:
                return None
            if column.valid is not None:
                valid = column.valid if valid is None else valid & column.valid
            results[name] = field
            # later expressions read results as fields
            if name not in raw:
                visible[name] = field
        return self._assemble(frame, results, valid)

    def _assemble(
        self,
        frame: Frame,
        results: dict[str, FieldColumn],
        valid: NDArray[np.bool_] | None,
    ) -> _Derived | None:
        failures: list[str] = []
        rows: Rows | None = None
        # rows without a certain value are evaluated as points, to get their errors. If
        # one has a value after all, the columns cannot be used
        if valid is not None and not valid.all():
            states = self._new_states()
            for row in np.flatnonzero(~valid).tolist():
                try:
                    self._evaluate(frame.point(row), states)
                except EvaluationError as error:
                    failures.append(str(error))
                else:
                    return None
            rows = np.flatnonzero(valid)
            frame = frame.take(rows)
            results = {
                name: FieldColumn(column.kind, column.values[rows])
                for name, column in results.items()
            }
        results = {name: self._whole(column) for name, column in results.items()}
        laid = self._laid(frame, results)
        return None if laid is None else _Derived(Outcome(laid, rows), failures)

    def _whole(self, column: FieldColumn) -> FieldColumn:
        """The column with valid UTF-8 only; its strings are counted in the budget."""
        if column.kind != "string":
            return column
        # checked as a whole, since invalid strings are rare
        texts = "".join(column.values)
        self.environment.budget.make(len(texts))
        if is_valid_utf8(texts):
            return column
        values = np.array([scrub(text) for text in column.values], dtype=object)
        return FieldColumn(column.kind, values)

    def _laid(self, frame: Frame, results: dict[str, FieldColumn]) -> Frame | None:
        if any(results[name].kind != "string" for name in self._tags):
            return None
        tags = {name: tag_column(results[name].values.tolist()) for name in self._tags}
        if self._keep is None:
            fields = {n: c for n, c in results.items() if n not in self._tags}
            return derived(frame, fields=fields, tags=tags, keep_fields=False)
        if not self._keep:
            return derived(frame, fields=results, tags=tags)
        kept = {}
        for name in self._keep:
            column = results.get(name) or frame.field(name)
            if column is None or column.present is not None:
                return None
            kept[name] = column
        return derived(frame, fields=kept, tags=tags, keep_fields=False)


def _tag(value: Value) -> str:
    if not isinstance(value, str):
        names: dict[type, str] = {float: "float64", int: "int64", bool: "bool"}
        kind = names.get(type(value), "time.Duration")
        raise EvaluationError(
            f"result of a tag expression must be of type string, got {kind}"
        )
    return value


def _field(column: Column, size: int) -> FieldColumn | None:
    kind = _FIELD_KINDS.get(column.kind)
    if kind is None:
        return None
    values = column.values
    # a field column needs the value of a constant in each row
    if not isinstance(values, np.ndarray):
        dtypes = {"float": np.float64, "int": np.int64, "bool": np.bool_}
        values = np.full(size, values, dtype=dtypes.get(kind, object))
    return FieldColumn(kind, values)
