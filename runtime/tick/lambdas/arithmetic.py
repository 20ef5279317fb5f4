"""Operators: one table from operator and operand types to result."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Final, NamedTuple

from runtime.golang.numbers import wrapped
from runtime.tick.lambdas.faults import CallError
from runtime.tick.lambdas.limits import check
from runtime.tick.lambdas.regex import Regex
from runtime.tick.lambdas.values import (
    NAMES,
    LambdaValue,
    Type,
    octets,
    truncated,
)
from runtime.units import Duration

DIVIDE_BY_ZERO: Final = "runtime error: integer divide by zero"
LOGICAL: Final = frozenset(("AND", "OR"))
COMPARISONS: Final = frozenset(("==", "!=", "<", "<=", ">", ">=", "=~", "!~"))

Compute = Callable[[LambdaValue, LambdaValue], LambdaValue]


class Operation(NamedTuple):
    """An operator for operands of certain types.

    Attributes:
        type: the type of the result.
        compute: the result of two values; AND and OR are lazy and never call it.
    """

    type: Type
    compute: Compute


class DivisionByZeroError(CallError):
    """An int or duration was divided by the integer zero."""

    def __init__(self) -> None:
        super().__init__(DIVIDE_BY_ZERO)


def kind_of(symbol: str) -> str:
    """The word for an operator in error texts."""
    if symbol in LOGICAL:
        return "logical"
    return "comparison" if symbol in COMPARISONS else "math"


def complaint(symbol: str, left: Type, right: Type) -> str:
    """Reason for refusing the operation on these types.

    Source: Kapacitor tick/stateful/eval_binary_node.go, determineError: checks the left
    side only, against the types that the operator accepts on either side.
    """
    if (symbol, left) not in _KNOWN:
        return f"invalid {kind_of(symbol)} operator {symbol} for type {NAMES[left]}"
    return (
        "mismatched type to binary operator. "
        f"got {NAMES[left]} {symbol} {NAMES[right]}. "
        "see bool(), int(), float(), string(), duration()"
    )


def quotient(left: int, right: int) -> int:
    """Division of integers, toward zero.

    Raises:
        DivisionByZeroError: `right` is zero.
    """
    if right == 0:
        raise DivisionByZeroError
    # Go rounds toward zero, Python rounds down
    whole = abs(left) // abs(right)
    return wrapped(whole if (left < 0) == (right < 0) else -whole)


def remainder(left: int, right: int) -> int:
    """The remainder of `quotient`, with the sign of `left`.

    Raises:
        DivisionByZeroError: `right` is zero.
    """
    if right == 0:
        raise DivisionByZeroError
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def ratio(left: float, right: float) -> float:
    """Division of floats; by zero the result is infinite or NaN."""
    if right:
        return left / right
    if left == 0 or left != left:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def joined(left: str, right: str) -> str:
    """Two strings as one.

    Raises:
        TooMuchError: the result is too long.
    """
    check(len(left) + len(right))
    return left + right


def negated(value: LambdaValue) -> LambdaValue:
    """`-value` of a float, int or duration."""
    if type(value) is float:
        return -value
    return type(value)(wrapped(-value))


def _duration(compute: Compute) -> Compute:
    return lambda left, right: Duration(wrapped(int(compute(int(left), int(right)))))


def _wrapping(compute: Compute) -> Compute:
    return lambda left, right: wrapped(compute(left, right))


def _by_float(compute: Compute) -> Compute:
    return lambda left, right: Duration(truncated(compute(float(left), float(right))))


def _as_floats(compare: Compute) -> Compute:
    # Go compares an int and a float as floats, whereas Python compares them exactly
    return lambda left, right: compare(float(left), float(right))


def _by_octets(compare: Compute) -> Compute:
    return lambda left, right: compare(octets(left), octets(right))


def _comparisons() -> dict[tuple[str, Type, Type], Operation]:
    table: dict[tuple[str, Type, Type], Operation] = {}
    symbols: dict[str, Compute] = {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
    for symbol, compare in symbols.items():
        for each in (float, int, Duration):
            table[symbol, each, each] = Operation(bool, compare)
        for left, right in ((int, float), (float, int)):
            # numbers of both kinds: allowed in comparisons, not in arithmetic
            table[symbol, left, right] = Operation(bool, _as_floats(compare))
        # booleans have no order
        if symbol in ("==", "!="):
            table[symbol, bool, bool] = Operation(bool, compare)
            table[symbol, str, str] = Operation(bool, compare)
        else:
            table[symbol, str, str] = Operation(bool, _by_octets(compare))
    table["=~", str, Regex] = Operation(bool, lambda text, regex: regex.matches(text))
    table["!~", str, Regex] = Operation(
        bool, lambda text, regex: not regex.matches(text)
    )
    return table


def _logic() -> dict[tuple[str, Type, Type], Operation]:
    return {
        ("AND", bool, bool): Operation(bool, operator.and_),
        ("OR", bool, bool): Operation(bool, operator.or_),
    }


def _math() -> dict[tuple[str, Type, Type], Operation]:
    table: dict[tuple[str, Type, Type], Operation] = {}
    for symbol, compute in (("+", operator.add), ("-", operator.sub)):
        table[symbol, float, float] = Operation(float, compute)
        table[symbol, int, int] = Operation(int, _wrapping(compute))
        table[symbol, Duration, Duration] = Operation(Duration, _duration(compute))
    table["+", str, str] = Operation(str, joined)
    table["*", float, float] = Operation(float, operator.mul)
    table["*", int, int] = Operation(int, _wrapping(operator.mul))
    scalings: tuple[tuple[Type, Compute], ...] = (
        (int, _duration(operator.mul)),
        (float, _by_float(operator.mul)),
    )
    for factor, compute in scalings:
        table["*", Duration, factor] = Operation(Duration, compute)
        table["*", factor, Duration] = Operation(Duration, compute)
    table["/", float, float] = Operation(float, ratio)
    table["/", int, int] = Operation(int, quotient)
    table["/", Duration, Duration] = Operation(int, quotient)
    table["/", Duration, int] = Operation(Duration, _duration(quotient))
    table["/", Duration, float] = Operation(Duration, _by_float(ratio))
    table["%", int, int] = Operation(int, remainder)
    return table


OPERATIONS: Final = _comparisons() | _logic() | _math()
# Kapacitor calls an operator invalid for a type that it accepts on neither side
_KNOWN: Final = frozenset(
    (symbol, side) for symbol, *sides in OPERATIONS for side in sides
)
