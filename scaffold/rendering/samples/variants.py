"""Other configurations, options and events, for the cases that the usual sample misses.

The usual sample takes one path through a handler's code for each level. Variants also try
each check that refuses, each condition both ways, each value that a setting or option is
compared with, each other name of an option, and every option.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from runtime.testing.events import changed_event, sample_event
from scaffold.expressions.code import LEVELS, Type, dotted
from scaffold.rendering.samples.decisions import Decision
from scaffold.rendering.samples.search import Search
from scaffold.rendering.samples.trial import CheckError, Outcome, Trial
from scaffold.rendering.samples.values import Seat, Values, sample_value
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.model.settings import Option, Setting

_MOST_TRIES = 5_000
_MOST_COMBINATIONS = 200
_MOST_STARTS = 12


class Variant(NamedTuple):
    """Values that differ from the usual ones, and the result for their event.

    Attributes:
        values: the values.
        shown: the request, or the reason against one, as the generated tests record it.
    """

    values: Values
    shown: str


class Variants:
    """A search for the variants of one handler.

    Args:
        spec: the handler.
        trial: its generated code.
        search: source of candidates for its values.
        usual: the values that its tests use otherwise.
    """

    def __init__(
        self, spec: HandlerSpec, trial: Trial, search: Search, usual: Values
    ) -> None:
        self._spec = spec
        self._trial = trial
        self._search = search
        self._usual = usual
        self._left = _MOST_TRIES
        self._found: list[tuple[Values, Outcome]] = []
        others = [each for each in LEVELS if each != "CRITICAL"]
        self._levels = [usual, *(self._at(each) for each in reversed(others))]
        self._plain = [self._outcome(each) for each in self._levels]
        # the decisions, with their results, that the tests depend on
        self._proved: set[tuple[int, bool]] = set()
        for values, outcome in zip(self._levels, self._plain, strict=True):
            self._prove(values, outcome)

    def _at(self, level: str) -> Values:
        """The usual values at a level, unless they have one of their own."""
        return self._usual._replace(changes={"level": level, **self._usual.changes})

    def found(self) -> list[Variant]:
        """The variants; none where nothing can vary."""
        self._decide()
        for seat, values in self._alternatives.items():
            for value in values:
                self._try_everywhere([(seat, value)])
        self._try_aliases()
        self._try_everywhere(self._unset())
        return [Variant(values, outcome.shown) for values, outcome in self._found]

    def _outcome(self, values: Values) -> Outcome:
        event = changed_event(sample_event(), values.changes)
        return self._trial.outcome(values.config, values.options, event)

    def _tried(self, values: Values) -> Outcome | None:
        """Result for values; None if the search takes too long."""
        if self._left == 0:
            return None
        self._left -= 1
        return self._outcome(values)

    def _keep(self, values: Values, outcome: Outcome) -> None:
        self._found.append((values, outcome))
        self._prove(values, outcome)

    def _prove(self, values: Values, outcome: Outcome) -> None:
        """Note the decisions that the result for these values depends on."""
        for decision in sorted(outcome.seen - self._proved):
            if self._matters(values, decision):
                self._proved.add(decision)

    def _matters(self, values: Values, decision: tuple[int, bool]) -> bool:
        if self._left == 0:
            return False
        self._left -= 1
        event = changed_event(sample_event(), values.changes)
        return self._trial.matters(values.config, values.options, event, decision)

    # conditions

    def _decide(self) -> None:
        """Find values with which each condition holds, and with which it does not."""
        more = True
        while more:
            more = False
            for number, decision in enumerate(self._trial.decisions):
                for way in (True, False):
                    if (number, way) not in self._proved:
                        more |= self._reach(decision, (number, way))

    def _reach(self, decision: Decision, wanted: tuple[int, bool]) -> bool:
        """Find values with which one condition goes one way; True if there are any."""
        for values in self._ways(decision):
            outcome = self._tried(values)
            if outcome is None:
                return False
            if (
                wanted in outcome.seen
                and self._is_fit(outcome, decision.check)
                and self._matters(values, wanted)
            ):
                self._keep(values, outcome)
                return True
        return False

    def _is_fit(self, outcome: Outcome, check: int | None) -> bool:
        """True if a test can try this: a request, or the refusal of that check."""
        if isinstance(outcome.refusal, CheckError):
            return outcome.refusal.index == check
        return outcome.refusal is None and outcome.is_local

    def _ways(self, decision: Decision) -> Iterator[Values]:
        """Values that may turn a condition: one changed, then several."""
        seats = self._search.seats(decision.nodes, has_event=True)
        nodes = [*decision.nodes, *(each.that.node for each in self._spec.checks)]
        nodes += [each.code.node for each in self._spec.lets]
        found = (values for values, _ in self._found)
        starts = [*self._levels, *found][:_MOST_STARTS]
        for start in starts:
            for seat in seats:
                for value in self._values(seat, start, nodes):
                    yield start.having(seat, value)
        if len(seats) < 2:
            return
        for start in starts[: len(self._levels)]:
            choices = [self._values(seat, start, nodes) for seat in seats]
            combinations = itertools.product(*choices)
            for combination in itertools.islice(combinations, _MOST_COMBINATIONS):
                yield start.changed(zip(seats, combination, strict=True))

    def _values(self, seat: Seat, start: Values, nodes: list[ast.expr]) -> list[Any]:
        return self._search.candidates(seat, start, nodes, is_example_enough=False)

    # alternatives

    def _try_everywhere(self, changes: list[tuple[Seat, Any]]) -> None:
        """Keep changes at the first level at which they make a difference, if any."""
        for start, plain in zip(self._levels, self._plain, strict=True):
            values = start.changed(changes)
            if values == start or values in (each for each, _ in self._found):
                return
            outcome = self._tried(values)
            if outcome is None:
                return
            if outcome.shown != plain.shown and self._is_fit(outcome, None):
                self._keep(values, outcome)
                return

    @cached_property
    def _alternatives(self) -> dict[Seat, list[Any]]:
        """The values that settings and options are compared with, by seat."""
        found: dict[Seat, list[Any]] = {}
        for sides, values in (*self._comparisons(), *self._switches()):
            for seat in self._search.seats(sides):
                if seat[0] in ("config", "option"):
                    field = self._search.field(seat)
                    found.setdefault(seat, []).extend(
                        each
                        for each in values
                        if _is_of(field, each)
                        and self._search.may_be(seat, each, self._usual)
                    )
        return found

    def _comparisons(self) -> Iterator[tuple[list[ast.expr], list[Any]]]:
        """The compared values, each with its constants."""
        codes = [
            *(each.code for each in self._spec.lets),
            *(each.that for each in self._spec.checks),
            *(each for request in self._spec.requests for each in request.codes()),
        ]
        for code in codes:
            for node in ast.walk(code.node):
                match node:
                    case ast.Compare(
                        left=left,
                        ops=[ast.Eq() | ast.NotEq() | ast.In() | ast.NotIn()],
                        comparators=[right],
                    ):
                        yield [left], self._constants(right)
                        yield [right], self._constants(left)
                    case ast.Call(
                        func=ast.Name(id="get"), args=[ast.expr() as holder, key, *_]
                    ) | ast.Call(
                        func=ast.Attribute(value=holder, attr="get"), args=[key, *_]
                    ):
                        yield [key], self._constants(holder)

    def _switches(self) -> Iterator[tuple[list[ast.expr], list[Any]]]:
        """The settings and options that are True or False, with both values."""
        for holder, fields in (
            ("config", self._spec.config),
            ("options", self._spec.options),
        ):
            for field in fields:
                if field.type.base is Type.BOOL:
                    yield [dotted(f"{holder}.{field.name}")], [True, False]

    def _constants(self, node: ast.expr) -> list[Any]:
        match node:
            case ast.Constant(value=value):
                return [value]
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [each.value for each in items if isinstance(each, ast.Constant)]
            case ast.Dict(keys=keys):
                return [each.value for each in keys if isinstance(each, ast.Constant)]
            case ast.Name(id=name):
                lets = [each.code for each in self._spec.lets if each.name == name]
                return self._constants(lets[0].node) if lets else []
        return []

    def _try_aliases(self) -> None:
        """Keep each other name of an option, with a value that makes a difference."""
        for alias in self._spec.options:
            if not alias.alias_of:
                continue
            [option] = [x for x in self._spec.options if x.key == alias.alias_of]
            offered = [
                value
                for seat in self._seats_of(option)
                for value in self._alternatives.get(seat, [])
            ]
            before = len(self._found)
            for value in (*offered, sample_value(alias, "explicit")):
                if len(self._found) == before:
                    self._try_everywhere([(("option", alias.key), value)])

    def _seats_of(self, option: Option) -> list[Seat]:
        return self._search.seats([dotted(f"options.{option.name}")])

    def _unset(self) -> list[tuple[Seat, Any]]:
        """The options that are not set so far, each with a value that passes the checks."""
        known = {
            key
            for values in (self._usual, *(each for each, _ in self._found))
            for key in values.options
        }
        changes: list[tuple[Seat, Any]] = []
        for option in self._spec.options:
            if option.alias_of or option.fallback or option.key in known:
                continue
            if self._spec.instances and option.key == self._spec.instances.option:
                continue  # a section of that name does not exist
            value = option.example
            if value is None:
                value = sample_value(option, "explicit")
            change = ("option", option.key), value
            outcome = self._tried(self._usual.changed([*changes, change]))
            if outcome is not None and self._is_fit(outcome, None):
                changes.append(change)
        return changes


def _is_of(field: Setting, value: Any) -> bool:
    """True if a constant of an expression can be a value of a field."""
    match field.type.base:
        case Type.STR | Type.SECRET:
            return isinstance(value, str)
        case Type.INT:
            return type(value) is int
        case Type.FLOAT:
            return type(value) in (int, float)
        case Type.BOOL:
            return isinstance(value, bool)
        case Type.ANY:
            return isinstance(value, (str, int, float))
    return False
