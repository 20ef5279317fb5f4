"""Expressions compiled to functions of whole frames.

Each node becomes a function from frame to `Cells`. All parts are evaluated for every row,
so laziness only affects the valid rows: where the left side decides an AND or OR,
failures of the right side are ignored, unless its type is needed first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.frames import FieldKind, Frame
from runtime.tick.lambdas import limits
from runtime.tick.lambdas.arithmetic import (
    COMPARISONS,
    LOGICAL,
    OPERATIONS,
    Operation,
)
from runtime.tick.lambdas.build import is_pure, parts
from runtime.tick.lambdas.cells import (
    Cells,
    Mask,
    UnsupportedError,
    both,
    mapped,
    nothing,
)
from runtime.tick.lambdas.column_functions import called
from runtime.tick.lambdas.evaluator import (
    Binary,
    Call,
    Constant,
    Evaluator,
    Nested,
    Reference,
    Unary,
    is_boolean,
)
from runtime.tick.lambdas.functions import FUNCTIONS
from runtime.tick.lambdas.values import Missing, Time, Type

ColumnFunction = Callable[[Frame], "Column | None"]
Part = Callable[[Frame], Cells]

_TYPES: Final[dict[FieldKind, Type]] = {
    "float": float,
    "int": int,
    "string": str,
    "bool": bool,
}
_KINDS: Final[dict[Type, FieldKind]] = {of_type: k for k, of_type in _TYPES.items()}
_NUMBERS: Final = frozenset((float, int))
_UFUNCS: Final[dict[str, Callable[[Any, Any], NDArray[Any]]]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
}


@dataclass(frozen=True, slots=True)
class Column:
    """The values of an expression at every point of a frame.

    Attributes:
        kind: float, int, string or bool.
        values: one per row, or a single Python value that all rows share.
        valid: the rows that certainly have a value; None means all.
    """

    kind: FieldKind
    values: Any
    valid: Mask | None = None


def column_function(node: Evaluator) -> ColumnFunction | None:
    """The function of an expression, or None if it can only be evaluated by row."""
    if not is_pure(parts(node)):
        return None
    part = _part(node)

    def columns(frame: Frame) -> Column | None:
        limits.begin()
        try:
            # no warnings about rows without a value
            with np.errstate(all="ignore"):
                return _column(part(frame), len(frame))
        except UnsupportedError:
            return None

    return columns


def _column(cells: Cells, size: int) -> Column | None:
    kind = _KINDS.get(cells.type)
    if kind is None:
        return None
    valid = cells.valid
    # None for all, which spares nodes the same check
    if valid is not None and valid.all():
        valid = None
    values = cells.values if cells.codes is None else cells.array(size)
    return Column(kind, values, valid)


def _part(node: Evaluator) -> Part:
    match node:
        case Constant(value):
            # created once for all frames
            cells = Cells(type(value), value)
            return lambda frame: cells
        case Reference(name):
            return _time if name == "time" else _reference(name)
        case Unary(operator, operand):
            return _unary(operator, _part(operand))
        case Binary(operator, left, right):
            if operator in LOGICAL:
                return _logical(node)
            compute = _compare if operator in COMPARISONS else _calculate
            return _binary(operator, _part(left), _part(right), compute)
        case Call():
            return _call(node)
        case Nested(expression):
            return _part(expression)
    raise AssertionError(f"no columns for {node!r}")


def _time(frame: Frame) -> Cells:
    return Cells(Time, frame.time)


def _reference(name: str) -> Part:
    def part(frame: Frame) -> Cells:
        field, tag = frame.field(name), frame.tag(name)
        if field is not None:
            # a field and a tag of one name are an error for the points that have both
            if tag is not None or field.kind == "mixed":
                raise UnsupportedError
            return Cells(_TYPES[field.kind], field.values, field.present)
        if tag is None:
            return nothing(len(frame))
        valid = tag.codes >= 0
        return Cells(str, tag.values, None if valid.all() else valid, tag.codes)

    return part


def _unary(operator: str, operand: Part) -> Part:
    def opposite(frame: Frame) -> Cells:
        cells = operand(frame)
        # an error in each row, whose text comes from the row form; the type is known
        if cells.type is not bool:
            return nothing(len(frame), bool)
        values = not cells.values if cells.shared else ~cells.values
        return Cells(bool, values, cells.valid)

    def minus(frame: Frame) -> Cells:
        cells = operand(frame)
        if cells.type not in _NUMBERS:
            return _absent_or_unsupported(cells.type, frame)
        # as an array, because numpy's integers wrap around and Python's do not
        return Cells(cells.type, -cells.array(len(frame)), cells.valid)

    return opposite if operator == "!" else minus


def _absent_or_unsupported(of_type: Type, frame: Frame) -> Cells:
    if of_type in _KINDS or of_type is Missing:
        return nothing(len(frame))
    raise UnsupportedError


def _binary(
    operator: str,
    left: Part,
    right: Part,
    compute: Callable[[str, Operation, Cells, Cells, int], Cells],
) -> Part:
    otherwise: Type = bool if operator in COMPARISONS else Missing

    def part(frame: Frame) -> Cells:
        sides = left(frame), right(frame)
        operation = OPERATIONS.get((operator, sides[0].type, sides[1].type))
        # an invalid comparison is still boolean: an AND around it has boolean operands,
        # and may not need its value
        if operation is None:
            return nothing(len(frame), otherwise)
        return compute(operator, operation, *sides, len(frame))

    return part


def _compare(
    operator: str, operation: Operation, left: Cells, right: Cells, size: int
) -> Cells:
    if left.shared and right.shared:
        return mapped(operation.compute, bool, (left, right), size)
    # strings of tags are compared once per distinct value
    if operator in ("==", "!=") and left.type is str:
        for coded, other in ((left, right), (right, left)):
            if coded.codes is not None and other.shared:
                valid = both(left.valid, right.valid)
                values = _coded_equal(coded, other.values, operator == "==")
                return Cells(bool, values, valid)
        if left.codes is not None and right.codes is not None:
            return mapped(operation.compute, bool, (left, right), size)
        left, right = _spread(left, size), _spread(right, size)
    # Go orders strings by bytes, numpy by code points
    elif left.type is str:
        return mapped(operation.compute, bool, (left, right), size)
    elif left.type not in _KINDS:
        raise UnsupportedError
    values = _UFUNCS[operator](left.values, right.values)
    if values.dtype != np.bool_:
        # comparisons of objects by numpy give objects
        values = values.astype(np.bool_)
    return Cells(bool, values, both(left.valid, right.valid))


def _spread(cells: Cells, size: int) -> Cells:
    if cells.codes is None:
        return cells
    return Cells(cells.type, cells.array(size), cells.valid)


def _coded_equal(coded: Cells, text: str, equal: bool) -> Any:
    """Select the rows of a coded column that equal, or do not equal, the text."""
    codes, values = coded.codes, coded.values
    count = values.count(text)
    if not count:
        return not equal
    if count == 1:
        code = values.index(text)
        return codes == code if equal else codes != code
    # values may be equal if they are results of a function
    hits = np.array([value == text for value in values] + [False])[codes]
    return hits if equal else ~hits


def _calculate(
    operator: str, operation: Operation, left: Cells, right: Cells, size: int
) -> Cells:
    # numpy has no types that compute with durations and strings as Go does
    if operation.type not in _NUMBERS or not {left.type, right.type} <= _NUMBERS:
        return mapped(operation.compute, operation.type, (left, right), size)
    if left.shared and right.shared:
        return mapped(operation.compute, operation.type, (left, right), size)
    valid = both(left.valid, right.valid)
    if operation.type is int and operator in "/%":
        return _divided(operator, left, right, valid)
    values = _UFUNCS[operator](left.values, right.values)
    return Cells(operation.type, values, valid)


def _divided(operator: str, left: Cells, right: Cells, valid: Mask | None) -> Cells:
    """Go's integer division or remainder; a row with a zero divisor is not valid."""
    divisor = right.values
    if right.shared:
        # an error in each row, whose text comes from the row form
        if divisor == 0:
            return nothing(len(left.values), int)
        divisor = np.int64(divisor)
    else:
        zero = divisor == 0
        if zero.any():
            valid = ~zero if valid is None else valid & ~zero
            # the results of these rows are not used
            divisor = np.where(zero, 1, divisor)
    # fmod truncates like Go
    rest = np.fmod(left.values, divisor)
    if operator == "%":
        return Cells(int, rest, valid)
    # without the remainder, the division is exact and does not round
    return Cells(int, np.floor_divide(left.values - rest, divisor), valid)


def _logical(node: Binary) -> Part:
    left, right = _part(node.left), _part(node.right)
    lazy = is_boolean(node.right)
    decisive = node.operator == "OR"

    def part(frame: Frame) -> Cells:
        first = left(frame)
        if first.type is not bool:
            return nothing(len(frame), bool)
        # no row needs the right side; usual for alerts, which are rarely critical
        if lazy and _all_are(first, decisive):
            return first
        second = right(frame)
        if second.type is not bool:
            return nothing(len(frame), bool)
        # if not lazy, the right side must have a type in every row
        needed = second.valid
        if lazy and needed is not None:
            # the right side is not needed where the left one decides
            needed = needed | (first.values if decisive else ~_array(first, frame))
        values = _joined(first, second, decisive)
        return Cells(bool, values, both(first.valid, needed))

    return part


def _array(cells: Cells, frame: Frame) -> NDArray[Any]:
    return cells.array(len(frame))


def _all_are(cells: Cells, value: bool) -> bool:
    if cells.shared:
        return bool(cells.values is value)
    return bool(cells.values.all() if value else not cells.values.any())


def _joined(first: Cells, second: Cells, decisive: bool) -> Any:
    for one, other in ((first, second), (second, first)):
        if one.shared:
            return one.values if one.values is decisive else other.values
    if decisive:
        return first.values | second.values
    return first.values & second.values


def _call(node: Call) -> Part:
    function = FUNCTIONS.get(node.name)
    if function is None:
        return lambda frame: nothing(len(frame))
    parts = [_part(argument) for argument in node.arguments]
    if node.name == "isPresent":
        return _is_present(node, parts)

    def part(frame: Frame) -> Cells:
        operands = [argument(frame) for argument in parts]
        return called(function, operands, len(frame))

    return part


def _is_present(node: Call, parts: list[Part]) -> Part:
    def part(frame: Frame) -> Cells:
        if len(parts) != 1 or not isinstance(node.arguments[0], Reference):
            raise UnsupportedError
        cells = parts[0](frame)
        if cells.type is Missing:
            return Cells(bool, False)
        if cells.type not in _KINDS:
            return nothing(len(frame), bool)
        return Cells(bool, True if cells.valid is None else cells.valid)

    return part
