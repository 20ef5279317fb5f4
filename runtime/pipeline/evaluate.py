"""Runs a script to build its pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from runtime.errors import ScriptError
from runtime.golang.printing import sprint
from runtime.pipeline.calls import (
    Object,
    call_chain,
    call_dynamic,
    call_property,
    read_property,
)
from runtime.pipeline.deadman import deadman as add_deadman
from runtime.pipeline.node import DeadmanSettings, Edge, Pipeline
from runtime.pipeline.properties import NO_HANDLERS, HandlerProperties, go_type
from runtime.pipeline.source import new_pipeline
from runtime.tick import ast, lexer, variables
from runtime.tick.lambdas import constant
from runtime.tick.variables import Var
from runtime.units import Duration

TaskType = Literal["stream", "batch", "invalid"]

_CALLS = {"|": call_chain, ".": call_property, "@": call_dynamic}


@dataclass(frozen=True, slots=True)
class EvaluatedScript:
    """A script that has been run.

    Attributes:
        pipeline: the nodes that it created.
        variables: variables that a task may set, with or without a default.
        dbrps: databases and retention policies that it names, in order.
    """

    pipeline: Pipeline
    variables: Mapping[str, Var] = field(default_factory=dict)
    dbrps: tuple[tuple[str, str], ...] = ()


def evaluate(
    program: ast.ProgramNode,
    edge: str,
    variables: Mapping[str, Var] | None = None,
    *,
    template: bool = False,
    deadman: DeadmanSettings | None = None,
    handlers: HandlerProperties = NO_HANDLERS,
    pause: Callable[[], None] = lambda: None,
) -> EvaluatedScript:
    """Run a script.

    Args:
        program: the script.
        edge: `stream` or `batch`, as returned by `task_type`.
        variables: values that replace the script's own.
        template: variables without a value get a zero value.
        deadman: settings for `|deadman()`.
        handlers: handlers available to alert nodes.
        pause: called between the calls of the script, to let other work run.

    Raises:
        ScriptError: the script fails, or one of its nodes is invalid.

    Source: Kapacitor tick/eval.go and pipeline/pipeline.go, CreatePipeline.
    """
    pipeline = new_pipeline(Edge(edge))
    pipeline.handlers = handlers
    if deadman is not None:
        pipeline.deadman = deadman
    evaluator = _Evaluator(program.source, pipeline, variables or {}, template, pause)
    for statement in program.statements:
        evaluator.statement(statement)
    if pipeline.deadman.is_global:
        settings = pipeline.deadman
        add_deadman(pipeline.source, settings.threshold, settings.interval)
    if len(pipeline.nodes) == 1:
        raise ScriptError("task does nothing")
    pipeline.validate()
    return EvaluatedScript(pipeline, evaluator.variables, dbrps(program))


def dbrps(program: ast.ProgramNode) -> tuple[tuple[str, str], ...]:
    """The databases and retention policies that a script names."""
    return tuple(
        (statement.database, statement.retention_policy)
        for statement in program.statements
        if isinstance(statement, ast.DBRPNode)
    )


def task_type(program: ast.ProgramNode) -> TaskType:
    """Type of the script's chains and variables; `invalid` for none or both.

    Source: Kapacitor services/task_store/util.go, taskTypeFromProgram.
    """
    found: set[TaskType] = set()
    for statement in program.statements:
        first: ast.Statement | None = None
        if isinstance(statement, ast.DeclarationNode):
            first = statement.value
        elif isinstance(statement, ast.ChainNode):
            first = statement
        if isinstance(first, ast.ChainNode):
            first, _ = first.links()
        match first:
            case ast.IdentifierNode(name="stream"):
                found.add("stream")
            case ast.IdentifierNode(name="batch"):
                found.add("batch")
    return found.pop() if len(found) == 1 else "invalid"


class _Evaluator:
    """Runs statements one by one; `variables` collects their declarations."""

    def __init__(
        self,
        source: str,
        pipeline: Pipeline,
        overriding: Mapping[str, Var],
        template: bool,
        pause: Callable[[], None],
    ) -> None:
        self._source = source
        self._overriding = overriding
        self._template = template
        self._pause = pause
        # `time` is the name of a function, and cannot be a variable
        self._scope: dict[str, object] = {
            "time": None,
            pipeline.source.kind: pipeline.source,
        }
        self.variables: dict[str, Var] = {}

    def statement(self, node: ast.Statement) -> None:
        match node:
            case ast.DeclarationNode():
                self._declare(node)
            case ast.TypeDeclarationNode():
                self._declare_type(node)
            case ast.DBRPNode() | ast.IdentifierNode():
                pass
            case _:
                self._value(node)

    # Variables

    def _declare(self, node: ast.DeclarationNode) -> None:
        self._check_new(node.name)
        value = self._value(node.value)
        kind = variables.type_of(value)
        if kind is not None:
            description = "\n".join(node.comments)
            self.variables[node.name] = variables.to_var(value, description)
        if node.name in self._overriding:
            value = self._supplied(node.name, kind)
        self._scope[node.name] = value

    def _declare_type(self, node: ast.TypeDeclarationNode) -> None:
        self._check_new(node.name)
        if node.type not in variables.TYPES:
            raise ScriptError(f'invalid var type "{node.type}"')
        description = "\n".join(node.comments)
        self.variables[node.name] = Var(node.type, None, description)
        if node.name in self._overriding:
            self._scope[node.name] = self._supplied(node.name, node.type)
        elif self._template:
            self._scope[node.name] = variables.zero(node.type)
        else:
            raise ScriptError(f'missing value for var "{node.name}".')

    def _check_new(self, name: str) -> None:
        if name in self._scope:
            raise ScriptError(f"attempted to redefine {name}, vars are immutable")

    def _supplied(self, name: str, kind: str | None) -> object:
        var = self._overriding[name]
        if var.type != kind:
            raise ScriptError(
                f"invalid type supplied for {name}, got"
                f" {variables.shown_type(var.type)} exp {variables.shown_type(kind)}"
            )
        return variables.to_value(var)

    def _lookup(self, name: str) -> object:
        if name not in self._scope:
            names = ",".join(self._scope)
            raise ScriptError(f'name "{name}" is undefined. Names in scope: {names}')
        return self._scope[name]

    # Values

    def _value(self, node: ast.Expression) -> object:
        match node:
            case ast.ChainNode():
                return self._chain(node)
            case ast.IdentifierNode():
                return self._lookup(node.name)
            case ast.NumberNode() | ast.StringNode() | ast.BoolNode():
                return node.value
            case ast.DurationNode():
                return Duration(node.value)
            case ast.LambdaNode():
                return replace(node, expression=self._bound(node.expression))
            case ast.BinaryNode():
                return constant(self._bound(node))
            case ast.UnaryNode():
                return self._unary(node)
            case ast.FunctionNode():
                return self._global(node)
            case ast.ListNode():
                return [self._value(item) for item in node.items]
            case _:
                return node  # references, regular expressions and stars are values

    def _chain(self, chain: ast.ChainNode) -> object:
        first, links = chain.links()
        value = self._value(first)
        for link in links:
            value = self._link(value, link)
            self._pause()
        return value

    def _link(self, target: object, link: ast.ChainNode) -> object:
        right = link.right
        if isinstance(right, ast.IdentifierNode):
            try:
                return read_property(target, right.name)
            except ScriptError as error:
                raise self._at(link, error) from error
        if not isinstance(target, Object):
            raise self._at(right, "cannot get properties of non pointer value")
        arguments = [self._value(argument) for argument in right.arguments]
        if len(arguments) == 1 and isinstance(arguments[0], list):
            arguments = arguments[0]
        try:
            return _CALLS[link.operator](target, right.name, arguments)
        except ScriptError as error:
            raise self._at(right, error) from error

    def _at(self, node: ast.Node, error: ScriptError | str) -> ScriptError:
        line, column = lexer.location(self._source, node.position)
        return ScriptError(f"line {line} char {column}: {error}")

    def _global(self, node: ast.FunctionNode) -> object:
        if node.name != "time":
            raise self._at(node, f'no global function "{node.name}" defined')
        values = [self._value(argument) for argument in node.arguments]
        if not 1 <= len(values) <= 2:
            few = "few" if not values else "many"
            raise self._at(node, f"reflect: Call with too {few} input arguments")
        for value in values:
            if not isinstance(value, Duration):
                raise self._at(
                    node, f"reflect: Call using {go_type(value)} as type time.Duration"
                )
        return replace(node, arguments=tuple(map(_literal, values)))

    def _unary(self, node: ast.UnaryNode) -> object:
        value = self._value(node.operand)
        if node.operator == "!" and isinstance(value, bool):
            return not value
        if node.operator == "-":
            if isinstance(value, Duration):
                return Duration(-value)
            if type(value) in (int, float):
                assert isinstance(value, int | float)
                return -value
        raise self._at(node, f"invalid arugument to '{node.operator}' {sprint(value)}")

    # Lambdas

    def _bound(self, node: ast.Expression) -> ast.Expression:
        """`node` with its identifiers replaced by their values."""
        match node:
            case ast.IdentifierNode():
                return _literal(self._lookup(node.name))
            case ast.BinaryNode():
                left, right = self._bound(node.left), self._bound(node.right)
                if left is node.left and right is node.right:
                    return node
                return replace(node, left=left, right=right)
            case ast.UnaryNode():
                return replace(node, operand=self._bound(node.operand))
            case ast.FunctionNode():
                arguments = tuple(self._bound(argument) for argument in node.arguments)
                return replace(node, arguments=arguments)
            case _:
                return node


def _literal(value: object) -> ast.Expression:
    """The literal of a value in a lambda."""
    match value:
        case bool():
            return ast.BoolNode(value)
        case Duration():
            return ast.DurationNode(int(value))
        case int() | float():
            return ast.NumberNode(value)
        case str():
            return ast.StringNode(value)
        case ast.RegexNode() | ast.LambdaNode():
            return value
        case _:
            raise ScriptError(f"unsupported literal type {go_type(value)}")
