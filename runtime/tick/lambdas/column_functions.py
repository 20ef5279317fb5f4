"""The function library over columns.

numpy computes only functions whose results then equal those of the row functions to the
last bit. Others are called once per row, or once per distinct string of a tag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.tick.lambdas.cells import Cells, UnsupportedError, both, mapped, nothing
from runtime.tick.lambdas.functions import Call, Function
from runtime.tick.lambdas.values import INT_MIN, Missing, Time
from runtime.units import SECOND, Duration

_ROUND: Final[dict[str, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "sqrt": np.sqrt,
    "trunc": np.trunc,
}
_CALENDAR: Final = frozenset(("minute", "hour", "weekday", "day", "month", "year"))


def called(function: Function, operands: Sequence[Cells], size: int) -> Cells:
    """A function's results in every row.

    Raises:
        UnsupportedError: the results cannot be a column.
    """
    found = function.overloads.get(tuple(operand.type for operand in operands))
    if found is None:
        if any(operand.type is Duration for operand in operands):
            raise UnsupportedError
        return nothing(size)
    result, call = found
    if function.name == "if":
        return _choice(operands, size)
    if len(operands) == 1 and not operands[0].shared:
        quick = _quick(function.name, call, operands[0])
        if quick is not None:
            return quick
    return mapped(call, result, operands, size)


def _quick(name: str, call: Call, cells: Cells) -> Cells | None:
    """The results by numpy, or None if it cannot compute them."""
    if name in _ROUND:
        return Cells(float, _ROUND[name](cells.values), cells.valid)
    if name == "unixNano":
        return Cells(int, cells.values, cells.valid)
    if name in _CALENDAR:
        return _calendar(call, cells)
    if name == "int" and cells.type is float:
        return Cells(int, _truncated(cells.values), cells.valid)
    if name == "float" and cells.type in (int, bool):
        return Cells(float, cells.values.astype(np.float64), cells.valid)
    if name == "int" and cells.type is bool:
        return Cells(int, cells.values.astype(np.int64), cells.valid)
    return cells if name == cells.type.__name__ else None


def _truncated(values: NDArray[np.float64]) -> NDArray[np.int64]:
    fits = (values >= -(2.0**63)) & (values < 2.0**63)
    truncated = np.where(fits, values, 0.0).astype(np.int64)
    return np.where(fits, truncated, INT_MIN)


def _calendar(call: Call, cells: Cells) -> Cells:
    # once per second, as local times are slow, and many points have the same second
    seconds, positions = np.unique(cells.values // SECOND, return_inverse=True)
    results = [call(Time(second * SECOND)) for second in seconds.tolist()]
    return Cells(int, np.array(results, dtype=np.int64)[positions], cells.valid)


def _choice(operands: Sequence[Cells], size: int) -> Cells:
    condition, then, otherwise = operands
    if then.type not in (float, int, bool, str, Time) or then.type is Missing:
        raise UnsupportedError
    valid = both(condition.valid, both(then.valid, otherwise.valid))
    if condition.shared:
        chosen = then if condition.values else otherwise
        return Cells(chosen.type, chosen.values, valid, chosen.codes)
    values = np.where(condition.values, then.array(size), otherwise.array(size))
    return Cells(then.type, values, valid)
