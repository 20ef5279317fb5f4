"""Builds evaluators from a syntax tree, and finds errors that need no data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runtime.errors import EvaluationError, ScriptError
from runtime.golang.numbers import wrapped
from runtime.tick import ast
from runtime.tick.lambdas.arithmetic import OPERATIONS, complaint
from runtime.tick.lambdas.evaluator import (
    Binary,
    Call,
    Constant,
    Evaluator,
    Nested,
    Reference,
    Scope,
    Unary,
)
from runtime.tick.lambdas.functions import FUNCTIONS
from runtime.tick.lambdas.regex import Regex
from runtime.tick.lambdas.state import State
from runtime.tick.lambdas.values import NAMES, Type
from runtime.units import Duration


def build(node: ast.Expression) -> Evaluator:
    """The evaluator of an expression.

    Raises:
        ScriptError: a node cannot be part of an expression.
    """
    match node:
        case ast.NumberNode(value):
            # unlike literals, variables may have negative numbers and any float or int
            return Constant(value if isinstance(value, float) else wrapped(value), node)
        case ast.DurationNode(value):
            return Constant(Duration(value), node)
        case ast.StringNode(value) | ast.BoolNode(value):
            return Constant(value, node)
        case ast.RegexNode(pattern):
            try:
                return Constant(Regex(pattern), node)
            except ValueError as fault:
                raise ScriptError(str(fault)) from None
        case ast.ReferenceNode(name):
            return Reference(name, node)
        case ast.UnaryNode(operator, operand):
            return Unary(operator, build(operand), node)
        case ast.BinaryNode(operator, left, right):
            return Binary(operator, build(left), build(right), node)
        case ast.FunctionNode(name, arguments):
            return Call(name, tuple(map(build, arguments)), node)
        # the state is created once for the script: as in Kapacitor, all groups share it
        case ast.LambdaNode(expression):
            return Nested(build(expression), State(), node)
    raise ScriptError(
        f"Given node type is not valid evaluation node: *ast.{type(node).__name__}"
    )


def check(node: Evaluator) -> bool:
    """Check the parts of an expression that need no data; True if it needs none at all.

    Raises:
        ScriptError: an operator does not accept the types of its operands.
    """
    match node:
        case Constant():
            return True
        case Unary(_, operand):
            return _within("node", operand)
        case Nested(expression):
            return check(expression)
        case Call(_, arguments):
            for number, argument in enumerate(arguments, 1):
                _within(f"{number} argument", argument)
        case Binary(operator, left, right):
            fixed = (_within("left node", left), _within("right node", right))
            # only then does the error not depend on data
            if all(fixed):
                _check_types(operator, left, right)
                return True
    return False


def typed(node: Evaluator, scope: Scope) -> Type:
    """The type of the value; checks every part, including those after AND and OR.

    Args:
        node: the expression.
        scope: a value of its type for every reference.

    Raises:
        EvaluationError: an operator does not accept the types of its operands.
    """
    match node:
        case Unary(operator, operand):
            of_type = typed(operand, scope)
            fits = (bool,) if operator == "!" else (float, int, Duration)
            if of_type not in fits:
                raise EvaluationError(
                    f"invalid operator {operator} for type {NAMES[of_type]}"
                )
            return of_type
        case Binary(operator, left, right):
            types = typed(left, scope), typed(right, scope)
            operation = OPERATIONS.get((operator, *types))
            if operation is None:
                raise EvaluationError(complaint(operator, *types))
            return operation.type
        case Call(_, arguments):
            for argument in arguments:
                typed(argument, scope)
        case Nested(expression):
            return typed(expression, scope)
    return node.type(scope)


def _within(place: str, node: Evaluator) -> bool:
    try:
        return check(node)
    except ScriptError as fault:
        raise ScriptError(f"Failed to handle {place}: {fault}") from None


def _check_types(operator: str, left: Evaluator, right: Evaluator) -> None:
    nothing = Scope({}, State())
    try:
        types = left.type(nothing), right.type(nothing)
    except EvaluationError as fault:
        raise ScriptError(str(fault)) from None
    if (operator, *types) not in OPERATIONS:
        raise ScriptError(complaint(operator, *types))


def parts(node: Evaluator) -> Iterator[Evaluator]:
    """The node and all nodes below it, in the order of the text."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(_below(node)))


def _below(node: Evaluator) -> Sequence[Evaluator]:
    match node:
        case Unary(_, operand) | Nested(operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Call(_, arguments):
            return arguments
    return ()


def identity(parts: Iterable[Evaluator]) -> tuple[object, ...]:
    """A key that is equal for equivalent expressions, from all their parts."""
    found: list[object] = []
    for part in parts:
        match part:
            case Constant(value):
                # by type and text, as 1, 1.0 and TRUE are equal in Python
                found += [type(value), repr(value)]
            case Reference(name):
                found += [Reference, name]
            case Unary(operator) | Binary(operator):
                found += [type(part), operator]
            case Call(name, arguments):
                found += [Call, name, len(arguments)]
    return tuple(found)


def references(parts: Iterable[Evaluator]) -> tuple[str, ...]:
    """The names that parts of an expression refer to, in order of appearance."""
    found = (each.name for each in parts if isinstance(each, Reference))
    return tuple(dict.fromkeys(found))


def is_stateful(parts: Iterable[Evaluator]) -> bool:
    """True if a function among the parts of an expression is stateful."""
    return any(
        isinstance(each, Call)
        and each.name in FUNCTIONS
        and FUNCTIONS[each.name].stateful
        for each in parts
    )


def is_pure(parts: Iterable[Evaluator]) -> bool:
    """True if equal points give equal results of an expression of these parts."""
    return all(_is_pure(each) for each in parts if isinstance(each, Call))


def _is_pure(call: Call) -> bool:
    return call.name not in FUNCTIONS or FUNCTIONS[call.name].pure


def folded(node: Evaluator) -> Evaluator:
    """The expression with its constant parts evaluated, unless they fail."""
    match node:
        case Constant() | Reference():
            return node
        case Unary():
            made: Evaluator = node._replace(operand=folded(node.operand))
        case Nested():
            made = node._replace(expression=folded(node.expression))
        case Binary():
            made = node._replace(left=folded(node.left), right=folded(node.right))
        case Call():
            made = node._replace(arguments=tuple(map(folded, node.arguments)))
        case _:
            return node
    # `rand()` and `now()` have only constants below them, but must be called each time
    computable = all(isinstance(each, Constant) for each in _below(made))
    if not computable or (isinstance(made, Call) and not _is_pure(made)):
        return made
    try:
        return Constant(made.value(Scope({}, State())), node.source)
    # an error must only occur for the points that reach it: after an AND none may
    except EvaluationError:
        return made
