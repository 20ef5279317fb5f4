"""Evaluates expressions node by node: the exact semantics, and the texts of errors.

Compiled code is faster, but stops at anything unusual and leaves the decision to this
module. As in Kapacitor, every node has a method for its type and another for its value.
An operator first needs the types of both operands, so some errors are raised before a
lazy AND or OR could avoid them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from runtime.errors import EvaluationError
from runtime.golang.printing import text as printed
from runtime.golang.quoting import quote
from runtime.tick import ast
from runtime.tick.lambdas.arithmetic import (
    COMPARISONS,
    LOGICAL,
    OPERATIONS,
    complaint,
    negated,
)
from runtime.tick.lambdas.faults import CallError
from runtime.tick.lambdas.functions import FUNCTIONS, Function
from runtime.tick.lambdas.regex import Regex
from runtime.tick.lambdas.state import State
from runtime.tick.lambdas.values import (
    MISSING,
    NAMES,
    LambdaValue,
    Missing,
    Type,
)
from runtime.units import Duration


class Scope(NamedTuple):
    """The variables an expression can use.

    Attributes:
        values: values by name, for every reference of the expression, in the order of
            appearance; MISSING if the point has none.
    """

    values: Mapping[str, LambdaValue]
    state: State


class Evaluator(Protocol):
    """A node of an expression."""

    @property
    def text(self) -> str:
        """The node as error texts show it."""

    def type(self, scope: Scope) -> Type:
        """The type of the value.

        Raises:
            EvaluationError: the expression has no type.
        """

    def value(self, scope: Scope) -> LambdaValue:
        """The value.

        Raises:
            EvaluationError: the expression has no value.
        """


class Constant(NamedTuple):
    """A literal."""

    constant: LambdaValue
    source: ast.Expression

    @property
    def text(self) -> str:
        """The node as error texts show it."""
        value = self.constant
        if isinstance(value, bool):
            return "true" if value else "false"
        return value.pattern if isinstance(value, Regex) else printed(value)

    def type(self, scope: Scope) -> Type:
        """The type of the literal."""
        return type(self.constant)

    def value(self, scope: Scope) -> LambdaValue:
        """The literal."""
        return self.constant


class Reference(NamedTuple):
    """A field, a tag, or the time."""

    name: str
    source: ast.Expression

    @property
    def text(self) -> str:
        """The node as error texts show it."""
        return f'"{self.name}"'

    def type(self, scope: Scope) -> Type:
        """The type at this point; `Missing` for a missing value."""
        return type(self._look_up(scope))

    def value(self, scope: Scope) -> LambdaValue:
        """The value at this point."""
        value = self._look_up(scope)
        if value is MISSING:
            raise EvaluationError(f"reference {quote(self.name)} is missing value")
        return value

    def _look_up(self, scope: Scope) -> LambdaValue:
        value = scope.values[self.name]
        if value is None:
            raise EvaluationError(f"referenced value {quote(self.name)} is nil.")
        return value


class Unary(NamedTuple):
    """`-operand` or `!operand`."""

    operator: str
    operand: Evaluator
    source: ast.Expression

    @property
    def text(self) -> str:
        """The node as error texts show it."""
        return f"{self.operator}{self.operand.text}"

    def type(self, scope: Scope) -> Type:
        """Boolean, or the type of the operand of `-`."""
        return bool if self.operator == "!" else self.operand.type(scope)

    def value(self, scope: Scope) -> LambdaValue:
        """The negated operand."""
        value = self.operand.value(scope)
        if self.operator == "!":
            return not guarded(value)
        if type(value) not in (float, int, Duration):
            raise EvaluationError(
                f"invalid math operator - for type {NAMES[type(value)]}"
            )
        return negated(value)


class Binary(NamedTuple):
    """`left operator right`."""

    operator: str
    left: Evaluator
    right: Evaluator
    source: ast.Expression

    @property
    def text(self) -> str:
        """The node as error texts show it."""
        return f"{self.left.text} {self.operator} {self.right.text}"

    def type(self, scope: Scope) -> Type:
        """Boolean without checking the operands, or the type of the result."""
        if self.operator in COMPARISONS or self.operator in LOGICAL:
            return bool
        left, right = self.left.type(scope), self.right.type(scope)
        operation = OPERATIONS.get((self.operator, left, right))
        if operation is None:
            raise EvaluationError(complaint(self.operator, left, right))
        return operation.type

    def value(self, scope: Scope) -> LambdaValue:
        """The result; AND and OR evaluate their right side only if necessary."""
        # types come before any value, even for AND and OR: Kapacitor first chooses the
        # evaluation function by types
        types = self.left.type(scope), self.right.type(scope)
        operation = OPERATIONS.get((self.operator, *types))
        if operation is None:
            raise EvaluationError(self._refusal(*types))
        left = self.left.value(scope)
        # TRUE decides an OR, FALSE an AND
        if self.operator in LOGICAL and left is (self.operator == "OR"):
            return left
        right = self.right.value(scope)
        if self.operator in LOGICAL:
            return right
        try:
            return operation.compute(left, right)
        except CallError as fault:
            raise EvaluationError(str(fault)) from None

    def _refusal(self, left: Type, right: Type) -> str:
        for side, node, of_type in (
            ("left", self.left, left),
            ("right", self.right, right),
        ):
            if of_type is Missing and isinstance(node, Reference):
                name = quote(node.name)
                return f"{side} reference value {name} is missing value"
        return complaint(self.operator, left, right)


class Call(NamedTuple):
    """`name(arguments)`."""

    name: str
    arguments: Sequence[Evaluator]
    source: ast.Expression

    @property
    def text(self) -> str:
        """The node as error texts show it."""
        return f"{self.name}({', '.join(each.text for each in self.arguments)})"

    def type(self, scope: Scope) -> Type:
        """The result type of the signature for these arguments."""
        function = self._function()
        types = []
        for number, argument in enumerate(self.arguments, 1):
            try:
                types.append(argument.type(scope))
            except EvaluationError as fault:
                raise _in_argument(number, fault) from None
        found = function.overloads.get(tuple(types))
        if found is None:
            raise EvaluationError(self._refusal(function, types, scope))
        return found[0]

    def value(self, scope: Scope) -> LambdaValue:
        """Call the function; all arguments are evaluated first."""
        # a wrong signature is an error before arguments are evaluated, and so before
        # stateful ones change their state
        self.type(scope)
        values = []
        for number, argument in enumerate(self.arguments, 1):
            try:
                # only isPresent has a signature for missing values
                absent = argument.type(scope) is Missing
                values.append(MISSING if absent else argument.value(scope))
            except EvaluationError as fault:
                raise _in_argument(number, fault) from None
        function = self._function()
        if function.stateful:
            return getattr(scope.state, self.name)(*values)
        try:
            return function.invoke(*values)
        except CallError as fault:
            raise EvaluationError(f'error calling "{self.name}": {fault}') from None

    def _function(self) -> Function:
        try:
            return FUNCTIONS[self.name]
        except KeyError:
            raise EvaluationError(f'undefined function: "{self.name}"') from None

    def _refusal(self, function: Function, types: Sequence[Type], scope: Scope) -> str:
        named = list(zip(self.arguments, types, strict=True))
        # Kapacitor has a text of its own for missing values, which takes precedence
        missing = [argument.text for argument, t in named if t is Missing]
        if missing:
            several = len(missing) > 1
            known = [quote(n) for n, v in scope.values.items() if v is not MISSING]
            return (
                f'Cannot call function "{self.name}" argument{"s" if several else ""} '
                f"{', '.join(missing)} {'are' if several else 'is'} missing, "
                f"values in scope are [{', '.join(known)}]"
            )
        given = ",".join(f"{argument.text}: {NAMES[t]}" for argument, t in named)
        return (
            f'Cannot call function "{self.name}" with args ({given}), '
            f"available signatures are {function.signatures()}."
        )


class Nested(NamedTuple):
    """A lambda inside a lambda, with a state of its own that all groups share."""

    expression: Evaluator
    state: State
    source: ast.Expression

    @property
    def text(self) -> str:
        """The node as error texts show it."""
        return self.expression.text

    def type(self, scope: Scope) -> Type:
        """The type of its expression."""
        return self.expression.type(scope._replace(state=self.state))

    def value(self, scope: Scope) -> LambdaValue:
        """The value of its expression."""
        return self.expression.value(scope._replace(state=self.state))


def is_boolean(node: Evaluator) -> bool:
    """True if the node's type is known to be boolean without data."""
    match node:
        # for these nodes the method `type` cannot fail, and needs no data
        case Constant(value):
            return type(value) is bool
        case Unary("!"):
            return True
        case Binary(operator):
            return operator in COMPARISONS or operator in LOGICAL
        case Nested(expression):
            return is_boolean(expression)
    return False


def guarded(value: LambdaValue) -> bool:
    """The value if it is boolean.

    Raises:
        EvaluationError: the value is not boolean; the text is Kapacitor's.
    """
    if value is True or value is False:
        return value
    raise EvaluationError(
        "TypeGuard: expression returned unexpected type "
        f"{NAMES.get(type(value), type(value).__name__)}, expected boolean"
    )


def _in_argument(number: int, fault: EvaluationError) -> EvaluationError:
    return EvaluationError(f"Failed to handle {number} argument: {fault}")
