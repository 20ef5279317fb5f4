"""Compiles syntax trees to Python functions, and runs these.

Source: Go text/template/exec.go.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import NoReturn

from runtime.golang.printing import text as printed
from runtime.golang.quoting import quote
from runtime.golang.templates import nodes
from runtime.golang.templates.errors import TemplateError
from runtime.golang.templates.functions import CallError, Function, true
from runtime.golang.templates.limits import STEP, TURN, Allowance
from runtime.golang.templates.methods import method
from runtime.golang.values import Int, StringMap, Struct, type_name

Printer = Callable[[object], str]


class State:
    """The state of one rendering: output so far, variables, nesting depth."""

    __slots__ = ("allowance", "depth", "out", "variables")

    def __init__(
        self, data: object, slots: int, allowance: Allowance, depth: int = 0
    ) -> None:
        self.out: list[str] = []
        self.variables: list[object] = [data] + [None] * (slots - 1)
        self.allowance = allowance
        self.depth = depth


Value = Callable[[State, object], object]
# a statement returns "break" or "continue" to leave the loop around it
Step = Callable[[State, object], str | None]

_MAX_DEPTH = 100  # Go's is 100000: Python's stack is not that deep


def plain(value: object) -> str:
    """A printed value in a text template; a missing one is `<no value>`."""
    return "<no value>" if value is None else printed(value)


class Compiler:
    """Turns trees into functions.

    Attributes:
        printers: printers of actions by position, if they differ from `plain`: the
            escapers of an html template.
    """

    def __init__(
        self,
        name: str,
        source: str,
        functions: Mapping[str, Function],
        printers: Mapping[int, Printer] | None = None,
        slots: int = 1,
    ) -> None:
        self._name = name
        self._source = source
        self._functions = functions
        self._printers = printers or {}
        self._slots = slots
        self.defined: dict[str, Step] = {}

    def block(self, statements: list[nodes.Statement]) -> Step:
        """One function that runs the statements in order."""
        steps = [self._statement(each) for each in statements]
        if len(steps) == 1:
            return steps[0]

        work = STEP * len(steps)

        def run(state: State, dot: object) -> str | None:
            state.allowance.use(work)
            for step in steps:
                jump = step(state, dot)
                if jump:
                    return jump
            return None

        return run

    def _error(self, node: object, position: int, text: str) -> TemplateError:
        before = self._source[:position]
        line = before.count("\n") + 1
        column = len(before[before.rfind("\n") + 1 :].encode())
        context = str(node)
        context = context if len(context) <= 20 else context[:20] + "..."
        return TemplateError(
            f"template: {self._name}:{line}:{column}: "
            f'executing "{self._name}" at <{context}>: {text}'
        )

    # statements

    def _statement(self, node: nodes.Statement) -> Step:
        if isinstance(node, nodes.Text):
            text = node.text
            return lambda state, dot: state.out.append(text)
        if isinstance(node, nodes.Action):
            return self._action(node)
        if isinstance(node, nodes.Jump):
            kind = node.kind
            return lambda state, dot: kind
        if isinstance(node, nodes.Call):
            return self._template(node)
        if node.kind == "range":
            return self._range(node)
        return self._choice(node)

    def _action(self, node: nodes.Action) -> Step:
        value = self._pipe(node.pipe)
        if node.pipe.names:

            def declare(state: State, dot: object) -> None:
                value(state, dot)

            return declare
        show = self._printers.get(node.position, plain)
        return lambda state, dot: state.out.append(show(value(state, dot)))

    def _choice(self, node: nodes.Branch) -> Step:
        value = self._pipe(node.pipe)
        body, otherwise = self.block(node.body), self.block(node.otherwise)
        moves_dot = node.kind == "with"

        def run(state: State, dot: object) -> str | None:
            found = value(state, dot)
            if true(found):
                return body(state, found if moves_dot else dot)
            return otherwise(state, dot)

        return run

    def _range(self, node: nodes.Branch) -> Step:
        value = self._pipe(node.pipe)
        body, otherwise = self.block(node.body), self.block(node.otherwise)
        slots = node.pipe.slots

        def run(state: State, dot: object) -> str | None:
            found = value(state, dot)
            pairs = self._pairs(node.pipe, found, state.allowance)
            for key, item in pairs:
                if slots:
                    state.variables[slots[-1]] = item
                if len(slots) > 1:
                    state.variables[slots[0]] = key
                if body(state, item) == "break":
                    break
            return None if pairs else otherwise(state, dot)

        return run

    def _pairs(
        self, pipe: nodes.Pipe, value: object, allowance: Allowance
    ) -> list[tuple[object, object]]:
        if value is None:
            return []
        if isinstance(value, int) and not isinstance(value, bool):
            if len(pipe.slots) > 1:
                text = f"can't use {value} to iterate over more than one variable"
                raise self._stale(pipe, text)
            allowance.use(TURN * max(value, 0))
            return [(index, index) for index in map(Int, range(value))]
        if isinstance(value, Mapping):
            allowance.use(TURN * len(value))
            return [(key, value[key]) for key in sorted(value)]
        if isinstance(value, list | tuple):
            allowance.use(TURN * len(value))
            return [(Int(index), item) for index, item in enumerate(value)]
        raise self._stale(pipe, f"range can't iterate over {printed(value)}")

    def _stale(self, pipe: nodes.Pipe, text: str) -> TemplateError:
        """An error that Go finds after the pipeline, but reports at its last part."""
        last = _evaluated_last(pipe)
        return self._error(last, last.position, text)

    def _template(self, node: nodes.Call) -> Step:
        argument = self._pipe(node.pipe) if node.pipe else None
        pipeline = f" {node.pipe}" if node.pipe else ""
        action = f"{{{{template {quote(node.name)}{pipeline}}}}}"

        def run(state: State, dot: object) -> None:
            called = self.defined.get(node.name)
            if called is None:
                text = f'template "{node.name}" not defined'
                raise self._error(action, node.position, text)
            if state.depth >= _MAX_DEPTH:
                text = f"exceeded maximum template depth ({_MAX_DEPTH})"
                raise self._error(action, node.position, text)
            state.allowance.use(TURN)
            data = argument(state, dot) if argument else None
            inner = State(data, self._slots, state.allowance, state.depth + 1)
            inner.out = state.out
            called(inner, data)

        return run

    # values

    def _pipe(self, pipe: nodes.Pipe) -> Value:
        first, *rest = pipe.commands
        value = self._command(first, None)
        for command in rest:
            value = self._command(command, value)
        if not pipe.slots:
            return value
        slots, inner = pipe.slots, value

        def declare(state: State, dot: object) -> object:
            found = inner(state, dot)
            for slot in slots:
                state.variables[slot] = found
            return found

        return declare

    def _command(self, command: nodes.Command, final: Value | None) -> Value:
        head, *rest = command.arguments
        if isinstance(head, nodes.Identifier):
            return self._call(
                head, command, [self._operand(each) for each in rest], final
            )
        arguments = [self._operand(each) for each in rest]
        if final is not None:
            arguments.append(final)
        if isinstance(head, nodes.Field | nodes.Variable | nodes.Chain):
            return self._path(head, arguments)
        if arguments:
            return self._not_callable(head)
        if isinstance(head, nodes.Literal) and head.value is None:
            return self._no_command(head)
        return self._operand(head)

    def _no_command(self, head: nodes.Literal) -> Value:
        def fail(state: State, dot: object) -> NoReturn:
            text = "nil is not a command"
            raise self._error(head, head.position, text)

        return fail

    def _not_callable(self, head: nodes.Operand) -> Value:
        def fail(state: State, dot: object) -> NoReturn:
            text = f"can't give argument to non-function {head}"
            raise self._error(head, head.position, text)

        return fail

    def _call(
        self,
        head: nodes.Identifier,
        command: nodes.Command | nodes.Identifier,
        arguments: list[Value],
        final: Value | None,
    ) -> Value:
        name = head.name
        function = self._functions[name]
        values = [*arguments, final] if final is not None else arguments
        self_fail = self._arity(head, function, len(values))
        if self_fail is not None:
            return self_fail
        if name in ("and", "or"):
            return _lazy(values, stop=name == "or")
        call = function.call
        if name == "call":
            callee = next(map(str, _after_head(command)), "")
            call = functools.partial(call, callee)
        elif name == "printf":
            values[0] = self._layout(command, values[0])

        def run(state: State, dot: object) -> object:
            given = [value(state, dot) for value in values]
            try:
                state.allowance.handle(given)
                result = call(*given)
                if isinstance(result, str):
                    state.allowance.use(len(result))
                return result
            except CallError as fault:
                text = f"error calling {name}: {fault}"
                raise self._error(command, command.position, text) from fault

        return run

    def _layout(self, command: nodes.Command | nodes.Identifier, value: Value) -> Value:
        """The first argument of `printf`, which has to be a string."""
        given = _after_head(command)
        node = given[0] if given else command

        def run(state: State, dot: object) -> object:
            found = value(state, dot)
            if isinstance(found, str):
                return found
            if isinstance(node, nodes.Literal):
                text = f"expected string; found {node}"
                if found is None:
                    text = "cannot assign nil to string"
            else:
                text = "invalid value; expected string"
                if found is not None:
                    text = (
                        "wrong type for value; expected string;"
                        f" got {type_name(found)}"
                    )
            raise self._error(node, node.position, text)

        return run

    def _arity(
        self, head: nodes.Identifier, function: Function, count: int
    ) -> Value | None:
        if function.least <= count and (
            function.most is None or count <= function.most
        ):
            return None
        want = str(function.least)
        if function.most is None:
            want = f"at least {function.least}"

        def fail(state: State, dot: object) -> NoReturn:
            text = f"wrong number of args for {head}: want {want} got {count}"
            raise self._error(head, head.position, text)

        return fail

    def _operand(self, node: nodes.Operand) -> Value:
        if isinstance(node, nodes.Literal):
            constant = node.value
            return lambda state, dot: constant
        if isinstance(node, nodes.Dot):
            return lambda state, dot: dot
        if isinstance(node, nodes.Pipe):
            return self._pipe(node)
        if isinstance(node, nodes.Identifier):
            return self._call(node, node, [], None)
        return self._path(node, [])

    def _path(
        self,
        node: nodes.Field | nodes.Variable | nodes.Chain,
        arguments: list[Value],
    ) -> Value:
        start = self._start(node)
        names = node.names
        if not names:
            return self._not_callable(node) if arguments else start
        if not arguments and len(names) == 1:
            [name] = names
            return lambda state, dot: self._field(start(state, dot), name, node, ())

        def run(state: State, dot: object) -> object:
            value = start(state, dot)
            typed = True
            for name in names[:-1]:
                typed = not isinstance(value, Mapping) or isinstance(value, StringMap)
                value = self._field(value, name, node, (), typed=typed)
            given = [argument(state, dot) for argument in arguments]
            return self._field(value, names[-1], node, given, typed=typed)

        return run

    def _start(self, node: nodes.Field | nodes.Variable | nodes.Chain) -> Value:
        if isinstance(node, nodes.Variable):
            slot = node.slot
            return lambda state, dot: state.variables[slot]
        if isinstance(node, nodes.Chain):
            return self._operand(node.inner)
        return lambda state, dot: dot

    def _field(
        self,
        value: object,
        name: str,
        node: nodes.Operand,
        arguments: list[object] | tuple[object, ...],
        *,
        typed: bool = True,
    ) -> object:
        if not arguments:
            if isinstance(value, Struct) and name in value.fields:
                return value.fields[name]
            if isinstance(value, Mapping):
                return value.get(name)
            if value is None:
                return None
        found = method(value, name)
        if found is None:
            # Go's type for the elements of a map
            kind = type_name(value) if typed else "interface {}"
            text = f"can't evaluate field {name} in type {kind}"
            if arguments and isinstance(value, Mapping):
                text = f"{name} is not a method but has arguments"
            elif arguments and isinstance(value, Struct) and name in value.fields:
                text = f"{name} has arguments but cannot be invoked as function"
            raise self._error(node, node.position, text)
        try:
            return found(*arguments)
        except TypeError as fault:
            text = f"wrong number of args for {name}: got {len(arguments)}"
            raise self._error(node, node.position, text) from fault
        # such as a year out of range, or a step of 0
        except (ValueError, ArithmeticError) as fault:
            text = f"error calling {name}: {fault}"
            raise self._error(node, node.position, text) from fault


def _after_head(node: nodes.Command | nodes.Identifier) -> list[nodes.Operand]:
    return node.arguments[1:] if isinstance(node, nodes.Command) else []


def _evaluated_last(node: nodes.Operand) -> nodes.Operand:
    """The last evaluated part of a value, which Go names in some errors."""
    if isinstance(node, nodes.Pipe):
        return _evaluated_last(node.commands[-1].arguments[-1])
    if isinstance(node, nodes.Chain):
        return _evaluated_last(node.inner)
    return node


def _lazy(values: list[Value], *, stop: bool) -> Value:
    def run(state: State, dot: object) -> object:
        found: object = None
        for value in values:
            found = value(state, dot)
            if true(found) == stop:
                break
        return found

    return run
