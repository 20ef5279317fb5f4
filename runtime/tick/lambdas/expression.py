"""Compiled lambdas, and constant expressions outside of lambdas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from runtime.errors import EvaluationError, ScriptError
from runtime.frames import Frame
from runtime.golang.printing import text as printed
from runtime.golang.quoting import quote
from runtime.tick import ast
from runtime.tick.format import expression_text
from runtime.tick.lambdas.arithmetic import negated
from runtime.tick.lambdas.build import (
    build,
    check,
    folded,
    identity,
    is_pure,
    is_stateful,
    parts,
    references,
    typed,
)
from runtime.tick.lambdas.columns import Column, ColumnFunction, column_function
from runtime.tick.lambdas.evaluator import Evaluator, Reference, Scope, guarded
from runtime.tick.lambdas.limits import begin
from runtime.tick.lambdas.rows import Row, compiled
from runtime.tick.lambdas.state import State
from runtime.tick.lambdas.values import NAMES, RESULTS, LambdaValue, Missing
from runtime.units import Duration


class Lambda:
    """A lambda expression, compiled.

    Attributes:
        identity: equal for equivalent expressions.
        references: names that it refers to: fields, tags, `time`.
        stateful: True if its value depends on earlier points.
        key: equal for lambdas with equal values for equal points; None if the value
            depends on more than the point.
    """

    def __init__(self, node: ast.LambdaNode) -> None:
        """Compile a lambda without free identifiers.

        Raises:
            ScriptError: a node cannot be part of an expression.
        """
        root = build(node.expression)
        self._root = root
        self._expression = node.expression
        # walked once, as starting a task may compile thousands of lambdas
        every = tuple(parts(root))
        self.identity = identity(every)
        self.references = frozenset(references(every))
        self.stateful = is_stateful(every)
        self.key = self.identity if is_pure(every) else None
        self._columns: ColumnFunction | None = column_function(folded(root))

    # A script may have thousands of lambdas, and Python compiles each in some 0.3 ms. So
    # each form is compiled on first use; frames need neither.

    @cached_property
    def text(self) -> str:
        """Its source, formatted, without `lambda:`."""
        return expression_text(self._expression)

    @cached_property
    def row(self) -> Row:
        """Its value at one point, `row(state, time, fields, tags)`.

        Used for results, as in `eval`; raises EvaluationError.
        """
        root = self._root
        return compiled(root, lambda scope: _result(root, scope))

    @cached_property
    def test(self) -> Row:
        """Its value as a condition at one point, True or False.

        The error texts differ from those of `row` if the value is missing or not boolean.
        """
        root = self._root
        return compiled(root, lambda scope: _truth(root, scope), frozenset((bool,)))

    def new_state(self) -> State:
        """The initial state of the stateful functions."""
        return State()

    def check(self) -> None:
        """Find errors that need no data.

        Raises:
            ScriptError: the expression has an error.
        """
        check(self._root)

    def check_condition(self, values: Mapping[str, LambdaValue]) -> None:
        """Refuse an expression that is not boolean for any point.

        Args:
            values: a value for each of `references`, of its fixed type.

        Raises:
            ScriptError: the value has another type, or a part of it always fails.
        """
        try:
            of_type = typed(self._root, Scope(values, State()))
        except EvaluationError as error:
            raise ScriptError(str(error)) from None
        if of_type is not bool:
            raise ScriptError(
                f"expression returned unexpected type {NAMES[of_type]}, expected boolean"
            )

    def columns(self, frame: Frame) -> Column | None:
        """The values at all points of a frame, or None if it can only use rows.

        Rows that are not `valid` fail, or may fail: evaluate them by `row` or `test`.
        """
        columns = self._columns
        if columns is None:
            return None
        # tasks share the results of equal lambdas on a frame
        return frame.shared(("lambda", self.identity), lambda: columns(frame))

    def __repr__(self) -> str:
        return f"Lambda({self.text!r})"


def compile_lambda(node: ast.LambdaNode) -> Lambda:
    """Compile a lambda whose identifiers have been replaced by their values.

    Raises:
        ScriptError: a node cannot be part of an expression.
    """
    return Lambda(node)


def predicate(value: LambdaValue) -> bool:
    """The value of a lambda as a condition.

    Raises:
        EvaluationError: the value is not boolean; the text is Kapacitor's.
    """
    return guarded(value)


def constant(expression: ast.Expression) -> LambdaValue:
    """The value of an operator expression outside of a lambda, of literals only.

    It is a float, int, str, bool or Duration (a Regex for a regex literal).

    Raises:
        ScriptError: the expression is not constant; the text is Kapacitor's.
    """
    if isinstance(expression, ast.UnaryNode):
        return _opposite(expression.operator, constant(expression.operand))
    root = build(expression)
    if names := references(parts(root)):
        raise ScriptError(f'name "{names[0]}" is undefined. Names in scope: ')
    check(root)
    begin()
    try:
        return root.value(Scope({}, State()))
    except EvaluationError as fault:
        raise ScriptError(str(fault)) from None


def _opposite(operator: str, value: LambdaValue) -> LambdaValue:
    fits = (bool,) if operator == "!" else (float, int, Duration)
    if type(value) not in fits:
        raise ScriptError(f"invalid arugument to '{operator}' {printed(value)}")
    return not value if operator == "!" else negated(value)


def _result(root: Evaluator, scope: Scope) -> LambdaValue:
    """Evaluate, and refuse values that cannot be stored in a field."""
    # Kapacitor checks the type first, and does not evaluate if it is wrong
    of_type = root.type(scope)
    if of_type is Missing and isinstance(root, Reference):
        raise EvaluationError(f"missing value: {quote(root.name)}")
    if of_type is Missing:
        # fails with an error for the missing value
        root.value(scope)
    if of_type not in RESULTS:
        raise EvaluationError(f"expression returned unexpected type {NAMES[of_type]}")
    return root.value(scope)


def _truth(root: Evaluator, scope: Scope) -> bool:
    """Evaluate as a condition."""
    # Kapacitor determines the type first, to check the signatures of functions
    root.type(scope)
    return guarded(root.value(scope))
