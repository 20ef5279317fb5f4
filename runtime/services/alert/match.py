"""`match` expressions, which select the events of a topic for a handler."""

from __future__ import annotations

import dataclasses
import logging
import re
from typing import Any

from runtime.alert.types import Event, Level
from runtime.errors import EvaluationError, OptionsError, ScriptError
from runtime.golang.quoting import quote
from runtime.tick import ast
from runtime.tick.lambdas import Lambda, compile_lambda
from runtime.tick.lambdas.functions import FUNCTIONS
from runtime.tick.parser import parse_lambda
from runtime.trouble import complain
from runtime.units import Duration

_log = logging.getLogger("kapacitor.alert")

# Functions of the event become references with a zero byte in their names, which tags
# cannot have.
_FUNCTIONS = {
    name: f"\0{name}"
    for name in ("level", "changed", "name", "taskName", "alertDuration")
}
# functions with values of their types; all other names are tags
_SAMPLES: dict[str, Any] = {
    _FUNCTIONS["level"]: 0,
    _FUNCTIONS["changed"]: False,
    _FUNCTIONS["name"]: "",
    _FUNCTIONS["taskName"]: "",
    _FUNCTIONS["alertDuration"]: Duration(0),
}
# a reference to a function in error texts
_FUNCTION = re.compile('"\0([A-Za-z]+)"')
_LEVELS = {level.name: int(level) for level in Level}


class Match:
    """A compiled expression; without state, so shared by all events.

    Source: Kapacitor services/alert, matchHandler.
    """

    def __init__(self, source: str, expression: Lambda) -> None:
        self.source = source
        self._expression = expression
        self._state = expression.new_state()
        self._tags = sorted(
            name for name in expression.references if not name.startswith("\0")
        )

    @classmethod
    def compile(cls, source: str) -> Match:
        """Compile an expression.

        Raises:
            OptionsError: it does not parse, uses an unknown name, or is not boolean.
        """
        try:
            node = parse_lambda(source)
            expression = compile_lambda(_replaced(node))
            expression.check()
            tags = dict.fromkeys(expression.references, "")
            expression.check_condition(tags | _SAMPLES)
        except ScriptError as error:
            text = _FUNCTION.sub(r"\1()", str(error))
            raise OptionsError(f"invalid match expression: {text}") from None
        return cls(source, expression)

    def accepts(self, event: Event) -> bool:
        """True if `event` matches; False, and a log line, if the expression fails."""
        tags = event.data.tags
        try:
            for name in self._tags:
                if name not in tags:
                    raise EvaluationError(f"no tag exists for {name}")
            return bool(
                self._expression.test(
                    self._state, event.state.time, _values(event), tags
                )
            )
        except EvaluationError as error:
            complain(
                _log,
                "failed to evaluate match expression",
                {"topic": event.topic, "event": event.state.id, "err": str(error)},
            )
            return False


def _values(event: Event) -> dict[str, Any]:
    state = event.state
    return {
        _FUNCTIONS["level"]: int(state.level),
        _FUNCTIONS["changed"]: state.level != event.previous_level,
        _FUNCTIONS["name"]: event.data.name,
        _FUNCTIONS["taskName"]: event.data.task_name,
        _FUNCTIONS["alertDuration"]: Duration(state.duration),
    }


def _replaced(node: Any) -> Any:
    """The tree with the functions and names of events resolved."""
    match node:
        case ast.IdentifierNode(name):
            if name not in _LEVELS:
                raise ScriptError(f"unknown identifier {quote(name)}")
            return ast.NumberNode(_LEVELS[name], name)
        case ast.FunctionNode(name, arguments) if name in _FUNCTIONS:
            if arguments:
                raise ScriptError(f"{name} expects exactly zero arguments")
            return ast.ReferenceNode(_FUNCTIONS[name])
        case ast.FunctionNode(name) if name not in FUNCTIONS:
            raise ScriptError(f"undefined function: {quote(name)}")
        case ast.Node():
            changes = {
                field.name: _replaced(getattr(node, field.name))
                for field in dataclasses.fields(node)
                if field.name not in ("position", "comments")
            }
            return dataclasses.replace(node, **changes)
        case tuple():
            return tuple(map(_replaced, node))
        case _:
            return node
