"""Options that pass the checks of a definition, and options that they refuse."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from scaffold.rendering.samples.candidates import candidates
from scaffold.rendering.samples.evaluation import run
from scaffold.rendering.samples.search import unsampled
from scaffold.rendering.samples.values import sample_value, typed
from scaffold.spec.model.handler import Check, HandlerSpec

_MOST_TRIES = 2_000

Options = dict[str, Any]


class Definitions:
    """A search for the options of handlers that tests define.

    Args:
        spec: the handler.
        known: the modules of names that its expressions import.
    """

    def __init__(self, spec: HandlerSpec, known: Mapping[str, str]) -> None:
        self._spec = spec
        self._known = known
        self._own = [each for each in spec.options if not each.alias_of]

    def passing(self) -> Options:
        """A value for each option, by key, with which all checks pass.

        Raises:
            SpecError: no candidates pass.
        """
        options = {
            each.key: (
                sample_value(each, "explicit") if each.example is None else each.example
            )
            for each in self._own
        }
        for check in self._spec.early_checks:
            if not self._holds(check, options):
                options = self._repaired(check, options)
        return options

    def refused(self) -> list[tuple[Options, str]]:
        """For each check, options that only this check refuses, and the error."""
        usual = self.passing()
        found = []
        for check in self._spec.early_checks:
            for options in self._others(check, usual):
                if self._failing(options) is check:
                    changed = {
                        key: value
                        for key, value in options.items()
                        if value != usual[key] or key in self._seats(check)
                    }
                    if self._failing(self._unset() | changed) is check:
                        found.append((changed, self._error(check, changed)))
                        break
        return found

    def _repaired(self, check: Check, options: Options) -> Options:
        for tried in self._others(check, options):
            failing = self._failing(tried)
            if failing is None or failing.index > check.index:
                return tried
        raise unsampled(
            self._spec,
            ("check", check.index, "that"),
            "the generator finds no options that pass",
            "add 'example' to an option, with a value that passes",
        )

    def _others(self, check: Check, options: Options) -> Iterator[Options]:
        """Options in which those that a check reads have other values."""
        seats = self._seats(check)
        choices = [
            candidates(each.type.base, [check.that.node], [options[each.key]])
            for each in self._own
            if each.key in seats
        ]
        for values in itertools.islice(itertools.product(*choices), _MOST_TRIES):
            yield {**options, **dict(zip(seats, values, strict=True))}

    def _seats(self, check: Check) -> list[str]:
        read = {
            node.attr
            for node in ast.walk(check.that.node)
            if isinstance(node, ast.Attribute)
        }
        return [each.key for each in self._own if each.name in read]

    def _failing(self, options: Options) -> Check | None:
        """The first check that refuses options, or None."""
        checks = self._spec.early_checks
        return next((each for each in checks if not self._holds(each, options)), None)

    def _unset(self) -> Options:
        return {each.key: each.default for each in self._own}

    def _holds(self, check: Check, options: Options) -> bool:
        return bool(run(check.that, {"self": self._made(options)}, self._known))

    def _error(self, check: Check, options: Options) -> str:
        own = self._made(self._unset() | options)
        return str(run(check.error, {"self": own}, self._known))

    def _made(self, options: Options) -> SimpleNamespace:
        """The options as generated code has them."""
        values = {each.key: each.default for each in self._spec.options} | options
        return SimpleNamespace(
            **{x.name: typed(x, values[x.key]) for x in self._spec.options}
        )
