"""Searches values that pass the checks of a spec."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from runtime.alert.types import TEMPLATE_NAMES
from runtime.testing.events import changed_event, sample_event
from runtime.toml_lines import positions
from scaffold.errors import Fault, SpecError
from scaffold.expressions.code import Code, Type, dotted
from scaffold.rendering.samples.candidates import candidates, compared
from scaffold.rendering.samples.evaluation import run
from scaffold.rendering.samples.seats import data_seats, event_candidates, event_seats
from scaffold.rendering.samples.targets import target, url_keys
from scaffold.rendering.samples.trial import CheckError, RefusedError, Trial
from scaffold.rendering.samples.values import Seat, Values, sample_value, typed
from scaffold.spec.model.cases import Example
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.model.settings import ConfigField, Record, Setting
from scaffold.spec.reader import Path, shown

_MOST_TRIES = 2_000


class Search:
    """A search for the values that the generated tests of one handler use.

    Args:
        spec: the handler.
        trial: its generated code.
        known: the modules of names that its expressions import.
    """

    def __init__(
        self, spec: HandlerSpec, trial: Trial, known: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self._trial = trial
        self._known = known
        self._url_keys = url_keys(spec)

    @property
    def _first(self) -> Values:
        """The values that are tried first."""
        config: dict[str, Any] = {}
        unused = connection_keys(self.spec)
        for field in self.spec.config:
            if field.key in unused:
                # the fake server is reached without proxy and certificates
                config[field.key] = (
                    field.type.empty if unused[field.key] else field.default
                )
            elif field.key in self._url_keys:
                config[field.key] = target(self.spec, field)
            elif field.example is not None:
                config[field.key] = field.example
            elif field.default and field.type.base is Type.STR:
                config[field.key] = field.default
            else:
                config[field.key] = sample_value(field, "configured")
        for field in self.spec.config:
            if field.check is not None and not self._allows(field, config):
                config[field.key] = self._allowed(field, config)
        return Values(config, {}, {})

    def _allowed(self, field: ConfigField, config: Mapping[str, Any]) -> Any:
        """A value that the setting's own check allows.

        Raises:
            SpecError: no candidate passes.
        """
        assert field.check is not None
        if field.example is not None:
            raise unsampled(
                self.spec,
                ("config", field.key, "examples"),
                "does not pass the check of its setting",
                "correct one",
            )
        first = (config[field.key], field.default)
        for value in candidates(field.type.base, [field.check.node], first):
            if field.type.is_template and not _is_template(field, value):
                continue
            if self._allows(field, {**config, field.key: value}):
                return value
        raise unsampled(
            self.spec,
            ("config", field.key, "check"),
            "the generator finds no value that passes",
            "add 'examples' to this key, with a value that passes",
        )

    def refused(self, field: ConfigField, config: Mapping[str, Any]) -> Any:
        """A value that the setting's check refuses; None if none is found.

        Settings that are only checked to be URLs, with the usual text, have none.
        """
        if field.check is None:
            return ":" if field.is_url and field.check_error else None
        first = (config[field.key], field.type.empty)
        for value in candidates(field.type.base, [field.check.node], first):
            is_missing = field.required and not value
            if not (is_missing or self._allows(field, {**config, field.key: value})):
                return value
        return None

    def accepted(self, field: ConfigField, config: Mapping[str, Any]) -> list[Any]:
        """The values in the setting's check that it accepts."""
        if field.check is None:
            return []
        return [
            value
            for value in compared(field.type.base, field.check.node)
            if self._allows(field, {**config, field.key: value})
        ]

    def passing(self) -> Values:
        """Values that pass all checks.

        Each round makes one more check pass, or ends the search.

        Raises:
            SpecError: no candidates pass.
        """
        values = self._first
        failing = self._failing(values)
        while failing is not None:
            values = self._better(values, failing)
            failing = self._failing(values)
        return values

    def _better(self, values: Values, failing: int) -> Values:
        """Values with which at least one more check passes."""
        check = self.spec.checks[failing]
        seats = self.seats([check.that.node])
        nodes = [each.that.node for each in self.spec.checks[: failing + 1]]
        nodes += [each.code.node for each in self.spec.lets]
        choices = [self.candidates(seat, values, nodes) for seat in seats]
        for combination in itertools.islice(itertools.product(*choices), _MOST_TRIES):
            tried = values.changed(zip(seats, combination, strict=True))
            now = self._failing(tried)
            if now is None or now > failing:
                return tried
        for example in self.spec.examples:
            tried = self._exemplified(values, example)
            now = self._failing(tried)
            if now is None or now > failing:
                return tried
        raise unsampled(
            self.spec,
            ("check", check.index, "that"),
            "the generator finds no values that pass",
            "add 'examples' to a setting or option, or an [[example]] that passes",
        )

    def _exemplified(self, values: Values, example: Example) -> Values:
        """The values with those of an author's case."""
        config = {
            key: value
            for key, value in example.config.items()
            if key not in self._url_keys
        }
        return Values(
            {**values.config, **config},
            {**values.options, **example.options},
            {**values.changes, **example.event},
        )

    def _failing(self, values: Values) -> int | None:
        """The first check that refuses these values, or None."""
        try:
            event = changed_event(sample_event(), values.changes)
            self._trial.request(values.config, values.options, event)
        except CheckError as error:
            return error.index
        except RefusedError:
            return None
        return None

    def seats(
        self, conditions: Iterable[ast.expr], *, has_event: bool = False
    ) -> list[Seat]:
        """Values that conditions depend on and that a test can choose.

        Args:
            conditions: the conditions.
            has_event: true if level, message and the like of the event may be chosen,
                besides its tags and fields.
        """
        nodes = list(self._nodes(conditions))
        names = {
            table: set(_attributes(nodes, table)) for table in ("config", "options")
        }
        options = [
            each
            for each in self.spec.options
            if each.name in names["options"] and not each.alias_of
        ]
        keys = {each.key for each in self.spec.config if each.name in names["config"]}
        chosen = []
        for option in options:
            configured = reads(self.spec, option.fallback) if option.fallback else set()
            keys |= configured
            # a template gets its default when it is rendered, so both sides decide
            if not configured or option.type.is_template:
                chosen.append(option.key)
        found = [("config", key) for key in sorted(keys)]
        found += [("option", key) for key in chosen]
        parts = event_seats(nodes) if has_event else []
        return list(dict.fromkeys([*found, *parts, *data_seats(nodes)]))

    def _nodes(self, conditions: Iterable[ast.expr]) -> Iterator[ast.AST]:
        """The nodes of conditions, those of `[let]` included."""
        lets = {each.name: each.code.node for each in self.spec.lets}
        lets |= {
            each.local: dotted(f"options.{each.name}") for each in self.spec.templates
        }
        waiting, seen = list(conditions), set[str]()
        while waiting:
            for node in ast.walk(waiting.pop()):
                yield node
                if isinstance(node, ast.Name) and node.id in lets.keys() - seen:
                    seen.add(node.id)
                    waiting.append(lets[node.id])

    def candidates(
        self,
        seat: Seat,
        values: Values,
        nodes: Sequence[ast.expr],
        *,
        is_example_enough: bool = True,
    ) -> list[Any]:
        """Values for a seat, the likely ones first.

        Args:
            seat: the seat.
            values: the values so far.
            nodes: the conditions that the value may have to meet.
            is_example_enough: true if an author's `example` leaves no choice.
        """
        table, key = seat
        if table == "event":
            return event_candidates(key, values, nodes)
        if table == "tags":
            return candidates(Type.STR, nodes, [f"my-{key}"])
        if table == "fields":
            return [
                *candidates(Type.FLOAT, nodes, [3.5]),
                *candidates(Type.STR, nodes, [key]),
            ]
        field = self.field(seat)
        if table == "config" and key in self._url_keys:
            return [values.config[key]]
        examples = [] if field.example is None else [field.example]
        if examples and is_example_enough:
            return examples
        if table == "config":
            first = [values.config[key], field.default, field.type.empty]
        else:
            current = values.options.get(key, field.default)
            first = [sample_value(field, "explicit"), current]
        found = (
            candidates(field.type.base, nodes, [*examples, *first])
            if field.type.record is None
            else [*examples, *first, *_records(field.type.record, first[0], nodes)]
        )
        return [each for each in found if self.may_be(seat, each, values)]

    def field(self, seat: Seat) -> Setting:
        """The setting or option of a seat."""
        table, key = seat
        fields = self.spec.config if table == "config" else self.spec.options
        return next(each for each in fields if each.key == key)

    def may_be(self, seat: Seat, value: Any, values: Values) -> bool:
        """True if the rules of a setting allow a value."""
        field = self.field(seat)
        if field.type.is_template and not _is_template(field, value):
            return False
        if not isinstance(field, ConfigField):
            return True
        if field.required and not value:
            return False
        return field.check is None or self._allows(
            field, {**values.config, field.key: value}
        )

    def _allows(self, field: ConfigField, config: Mapping[str, Any]) -> bool:
        assert field.check is not None
        values = {x.name: typed(x, config[x.key]) for x in self.spec.config}
        own = SimpleNamespace(enabled=True, **values)
        return bool(run(field.check, {"self": own}, self._known))


def _records(
    record: Record, sample: Sequence[Mapping[str, Any]], nodes: Sequence[ast.expr]
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Lists of one record, each with another value in one field."""
    [full, *_] = sample
    for each in record.fields:
        if not each.type.is_template:
            for value in candidates(each.type.base, nodes, [full[each.key]]):
                yield ({**full, each.key: value},)


def _is_template(field: Setting, value: Any) -> bool:
    """True if templates parse and can be rendered."""
    # only for specs that have one: templates take time to load
    from runtime.alert.templates import Template, data

    event = data(sample_event(), field.scope or TEMPLATE_NAMES)
    texts = value.values() if isinstance(value, dict) else value
    try:
        for each in [value] if isinstance(value, str) else texts:
            Template(each).execute(event)
    except ValueError:
        return False
    return True


def _attributes(nodes: Iterable[ast.AST], holder: str) -> Iterator[str]:
    """The attributes of a name: `room` of `config.room`."""
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                if name == holder:
                    yield attribute


def connection_keys(spec: HandlerSpec) -> dict[str, bool]:
    """The settings that only connections read; True for those of a file or a proxy."""
    used = {key for code in spec.codes() for key in reads(spec, code)}
    connection = spec.connection
    routes = [*connection.files().values(), *filter(None, (connection.proxy,))]
    found = {
        key: code in routes for code in connection.codes() for key in reads(spec, code)
    }
    found |= {key: True for code in routes for key in reads(spec, code)}
    return {key: is_route for key, is_route in found.items() if key not in used}


def reads(spec: HandlerSpec, code: Code) -> set[str]:
    """The configuration keys that an expression depends on."""
    keys = set()
    for each in code.reads:
        table, _, key = each.partition(".")
        if table == "config":
            keys.add(key)
        for option in spec.options:
            if table == "opt" and option.key == key and option.fallback is not None:
                keys |= reads(spec, option.fallback)
    return keys


def unsampled(spec: HandlerSpec, where: Path, problem: str, hint: str) -> SpecError:
    """The error that no sample can be found."""
    line = positions(spec.text).line(where)
    return SpecError([Fault(shown(where), f"{problem}; {hint}", line=line)], spec.path)
