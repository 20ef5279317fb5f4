"""Searches values that pass the checks of a spec."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from runtime.testing.events import changed_event, sample_event
from runtime.toml_lines import positions
from scaffold.errors import Fault, SpecError
from scaffold.expressions.code import Code, Type
from scaffold.rendering.samples.candidates import candidates
from scaffold.rendering.samples.evaluation import run
from scaffold.rendering.samples.targets import BASE, url_keys, url_path
from scaffold.rendering.samples.trial import CheckError, RefusedError, Trial
from scaffold.rendering.samples.values import Seat, Values, sample_value, typed
from scaffold.spec.model import ConfigField, Example, HandlerSpec, Setting
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
        config = {}
        for field in self.spec.config:
            if field.key in self._url_keys:
                config[field.key] = BASE + url_path(self.spec, field)
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
            SpecError: there is none among those that are tried.
        """
        assert field.check is not None
        if field.example is not None:
            raise unsampled(
                self.spec,
                ("config", field.key, "example"),
                "does not pass the check of its setting",
                "correct one",
            )
        first = (config[field.key], field.default)
        for value in candidates(field.type.base, [field.check.node], first):
            if self._allows(field, {**config, field.key: value}):
                return value
        raise unsampled(
            self.spec,
            ("config", field.key, "check"),
            "the generator finds no value that passes",
            "add 'example' to this key, with a value that passes",
        )

    def passing(self) -> Values:
        """Values that pass all checks.

        Each round makes one check more pass than before, or gives up.

        Raises:
            SpecError: there are none among those that are tried.
        """
        values = self._first
        failing = self._failing(values)
        while failing is not None:
            values = self._better(values, failing)
            failing = self._failing(values)
        return values

    def _better(self, values: Values, failing: int) -> Values:
        """Values with which at least one check more passes."""
        check = self.spec.checks[failing]
        seats = self._seats(check.that)
        nodes = [each.that.node for each in self.spec.checks[: failing + 1]]
        nodes += [each.code.node for each in self.spec.lets]
        choices = [self._candidates(seat, values, nodes) for seat in seats]
        for combination in itertools.islice(itertools.product(*choices), _MOST_TRIES):
            tried = values
            for seat, value in zip(seats, combination, strict=True):
                tried = tried.having(seat, value)
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
            ("check", failing, "that"),
            "the generator finds no values that pass",
            "add 'example' to a setting or option, or an [[example]] that passes",
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

    def _seats(self, that: Code) -> list[Seat]:
        """Values that a condition depends on and that a test can choose."""
        options = [each for each in self.spec.options if not each.alias_of]
        seats: list[Seat] = []
        for key in sorted(reads(self.spec, that)):
            seats.append(("config", key))
        for option in options:
            if f"opt.{option.key}" in that.reads and not (
                option.fallback is not None and reads(self.spec, option.fallback)
            ):
                seats.append(("option", option.key))
        for node in self._nodes(that):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=holder, attr="get"),
                    args=[ast.Constant(value=str() as key), *_],
                ) | ast.Call(
                    func=ast.Name(id="get"),
                    args=[holder, ast.Constant(value=str() as key), *_],
                ):
                    _, _, table = ast.unparse(holder).rpartition("event.data.")
                    if table in ("tags", "fields"):
                        seats.append((table, key))
        return list(dict.fromkeys(seats))

    def _nodes(self, that: Code) -> Iterator[ast.AST]:
        """The nodes of a condition, those of `[let]` included."""
        lets = {each.name: each.code for each in self.spec.lets}
        waiting, seen = [that], set[str]()
        while waiting:
            for node in ast.walk(waiting.pop().node):
                yield node
                if isinstance(node, ast.Name) and node.id in lets.keys() - seen:
                    seen.add(node.id)
                    waiting.append(lets[node.id])

    def _candidates(
        self, seat: Seat, values: Values, nodes: Sequence[ast.expr]
    ) -> list[Any]:
        table, key = seat
        if table == "config":
            field: Setting = next(each for each in self.spec.config if each.key == key)
            if key in self._url_keys:
                return [values.config[key]]
            if field.example is not None:
                return [field.example]
            first = [values.config[key], field.default, field.type.empty]
            found = candidates(field.type.base, nodes, first)
            return [each for each in found if self._may_be(key, each, values)]
        if table == "option":
            field = next(each for each in self.spec.options if each.key == key)
            if field.example is not None:
                return [field.example]
            said = values.options.get(key, field.default)
            first = [sample_value(field, "explicit"), said]
            return candidates(field.type.base, nodes, first)
        if table == "tags":
            return candidates(Type.STR, nodes, [f"my-{key}"])
        return [
            *candidates(Type.FLOAT, nodes, [3.5]),
            *candidates(Type.STR, nodes, [key]),
        ]

    def _may_be(self, key: str, value: Any, values: Values) -> bool:
        """True if the setting's own rules allow a value."""
        field = next(each for each in self.spec.config if each.key == key)
        if field.required and not value:
            return False
        return field.check is None or self._allows(field, {**values.config, key: value})

    def _allows(self, field: ConfigField, config: Mapping[str, Any]) -> bool:
        assert field.check is not None
        values = {x.name: typed(x, config[x.key]) for x in self.spec.config}
        own = SimpleNamespace(enabled=True, **values)
        return bool(run(field.check, {"self": own}, self._known))


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
