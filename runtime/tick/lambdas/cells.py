"""The values of a part of an expression at every point of a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.tick.lambdas.faults import IrregularError, TooMuchError
from runtime.tick.lambdas.values import (
    LambdaValue,
    Missing,
    Time,
    Type,
)

Mask = NDArray[np.bool_]

_DTYPES: Final[dict[Type, Any]] = {
    float: np.float64,
    int: np.int64,
    bool: np.bool_,
    str: np.object_,
    Time: np.int64,
}
_BLANKS: Final[dict[Type, Any]] = {float: 0.0, int: 0, bool: False, str: "", Time: 0}
# Longer columns of strings, in characters, are not built: rows are used instead.
_LONGEST = 16 << 20


class UnsupportedError(Exception):
    """The frame cannot be evaluated in columns, only row by row."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A column under construction.

    Attributes:
        type: the type of every value; Missing if no row has a value.
        values: an array; a Python value that all rows share; or, with `codes`, the
            sequence of strings to which these refer.
        valid: the rows that certainly have a value; None means all.
        codes: index of each row into `values`, for strings; -1 for rows without a
            value.
    """

    type: Type
    values: Any
    valid: Mask | None = None
    codes: NDArray[np.int32] | None = None

    @property
    def shared(self) -> bool:
        """True if all rows have the same value."""
        return self.codes is None and not isinstance(self.values, np.ndarray)

    def array(self, size: int) -> NDArray[Any]:
        """The values as an array; undefined in rows that are not valid."""
        if self.codes is not None:
            distinct = np.empty(len(self.values) + 1, dtype=np.object_)
            distinct[:-1] = self.values
            # code -1, for rows without a value, refers to the last item
            distinct[-1] = ""
            return distinct[self.codes]
        if isinstance(self.values, np.ndarray):
            return self.values
        array = np.empty(size, dtype=_DTYPES[self.type])
        array.fill(self.values)
        return array


def nothing(size: int, of_type: Type = Missing) -> Cells:
    """Cells that are invalid in every row."""
    return Cells(of_type, _BLANKS.get(of_type), np.zeros(size, dtype=np.bool_))


def both(left: Mask | None, right: Mask | None) -> Mask | None:
    """The rows that are valid on both sides."""
    if left is None:
        return right
    return left if right is None else left & right


def mapped(
    compute: Callable[..., LambdaValue],
    result: Type,
    operands: Sequence[Cells],
    size: int,
) -> Cells:
    """Call `compute` with the values of each row, or once for equal values.

    Rows in which it fails are not valid.
    """
    if result not in _DTYPES:
        raise UnsupportedError
    if all(operand.shared for operand in operands):
        return _computed_once(compute, result, operands, size)
    # a function of a tag with a hundred values is called a hundred times
    varying = [operand for operand in operands if not operand.shared]
    if len(varying) == 1 and varying[0].codes is not None:
        return _over_distinct(compute, result, operands, varying[0])
    return _over_rows(compute, result, operands, size)


def _computed_once(
    compute: Callable[..., LambdaValue],
    result: Type,
    operands: Sequence[Cells],
    size: int,
) -> Cells:
    valid = _all_valid(operands)
    try:
        return Cells(result, compute(*(each.values for each in operands)), valid)
    except TooMuchError:
        raise UnsupportedError from None
    except IrregularError:
        return nothing(size, result)


def _over_distinct(
    compute: Callable[..., LambdaValue],
    result: Type,
    operands: Sequence[Cells],
    coded: Cells,
) -> Cells:
    codes, values = coded.codes, coded.values
    assert codes is not None
    used: Sequence[int] = range(len(values))
    # part of a larger frame: it has all values of that frame
    if len(values) > len(codes):
        used = np.unique(codes[codes >= 0]).tolist()
    # a value of the type where `compute` fails; no valid row refers to it
    results: list[Any] = [_BLANKS[result]] * len(values)
    # the additional item at the end is for code -1, rows without the tag
    failed = np.zeros(len(values) + 1, dtype=np.bool_)
    for code in used:
        arguments = [values[code] if o is coded else o.values for o in operands]
        try:
            results[code] = compute(*arguments)
        except TooMuchError:
            raise UnsupportedError from None
        except IrregularError:
            failed[code] = True
    valid = _all_valid(operands)
    if failed.any():
        valid = both(valid, ~failed[codes])
    # codes are kept even if results are equal, which `_coded_equal` allows for
    if result is str:
        return Cells(str, results, valid, codes)
    results.append(_BLANKS[result])
    return Cells(result, np.array(results, dtype=_DTYPES[result])[codes], valid)


def _over_rows(
    compute: Callable[..., LambdaValue],
    result: Type,
    operands: Sequence[Cells],
    size: int,
) -> Cells:
    valid = _all_valid(operands)
    rows = range(size) if valid is None else np.flatnonzero(valid).tolist()
    results: list[Any] = [_BLANKS[result]] * size
    failed = []
    length = 0
    for row, arguments in zip(rows, _arguments(operands, size, valid), strict=True):
        try:
            value = results[row] = compute(*arguments)
        # the limits are those of one evaluation; as rows, each has its own
        except TooMuchError:
            raise UnsupportedError from None
        except IrregularError:
            failed.append(row)
            continue
        if result is str:
            length += len(value)
            if length > _LONGEST:
                raise UnsupportedError
    if failed:
        valid = np.ones(size, dtype=np.bool_) if valid is None else valid.copy()
        valid[failed] = False
    array = np.empty(size, dtype=_DTYPES[result])
    array[:] = results
    return Cells(result, array, valid)


def _arguments(
    operands: Sequence[Cells], size: int, valid: Mask | None
) -> Iterator[tuple[LambdaValue, ...]]:
    """The arguments of each valid row, as Python values."""
    columns = []
    for operand in operands:
        if operand.shared and operand.type not in _DTYPES:
            count = size if valid is None else int(np.count_nonzero(valid))
            columns.append([operand.values] * count)
            continue
        array = operand.array(size)
        # as Python values, since `compute` is the row function: numpy's integers wrap
        # differently
        columns.append((array if valid is None else array[valid]).tolist())
    return zip(*columns, strict=True)


def _all_valid(operands: Sequence[Cells]) -> Mask | None:
    valid: Mask | None = None
    for operand in operands:
        valid = both(valid, operand.valid)
    return valid
