"""Go's math package over Python floats: never raises, with Go's special cases."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable
from typing import Any, Final

Unary = Callable[[float], float]
Binary = Callable[[float, float], float]

_GREATEST_ORDER: Final = 100_000


def _safe(compute: Unary) -> Unary:
    """`compute` with NaN outside its domain and infinity beyond the greatest float."""

    @functools.wraps(compute)
    def guarded(value: float) -> float:
        try:
            return compute(value)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return guarded


def _with_pole(compute: Unary, pole: float, limit: float) -> Unary:
    safe = _safe(compute)
    return lambda value: limit if value == pole else safe(value)


def _rounding(compute: Callable[[float], int]) -> Unary:
    def rounded(value: float) -> float:
        if not math.isfinite(value):
            return value
        # keeps the sign of a zero, as Go does
        return math.copysign(float(compute(value)), value)

    return rounded


def _cbrt(value: float) -> float:
    root = math.cbrt(value)
    if root == 0 or not math.isfinite(root):
        return root
    # a Newton step, as C libraries may be off by one in the last place, even for cubes
    return root - (root - value / (root * root)) / 3


def _sinh(value: float) -> float:
    try:
        return math.sinh(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def _atanh(value: float) -> float:
    if abs(value) == 1:
        return math.copysign(math.inf, value)
    return _safe(math.atanh)(value)


def _gamma(value: float) -> float:
    if value == 0:
        return math.copysign(math.inf, value)
    return _safe(math.gamma)(value)


def _logb(value: float) -> float:
    if value == 0:
        return -math.inf
    if not math.isfinite(value):
        return abs(value)
    return float(math.frexp(value)[1] - 1)


@functools.cache
def _libm(name: str, *kinds: Any) -> Callable[..., float]:
    # Bessel functions are in every C library, but not in Python's
    function = getattr(ctypes.CDLL(None), name)
    function.argtypes = kinds
    function.restype = ctypes.c_double
    made: Callable[..., float] = function
    return made


def _bessel(name: str) -> Unary:
    def compute(value: float) -> float:
        # functions of the second kind: C libraries disagree below zero, Go has NaN
        if name[0] == "y" and value < 0:
            return math.nan
        return _libm(name, ctypes.c_double)(value)

    return compute


def _bessel_n(name: str) -> Callable[[int, float], float]:
    def compute(order: int, value: float) -> float:
        if name[0] == "y" and value < 0:
            return math.nan
        if abs(order) > _GREATEST_ORDER:
            # the recurrence would take minutes to approach this limit
            limit = 0.0 if name[0] == "j" else -math.inf
            return value if math.isnan(value) else limit
        return _libm(name, ctypes.c_int, ctypes.c_double)(order, value)

    return compute


def maximum(left: float, right: float) -> float:
    """The greater one; +Inf beats NaN, NaN beats all else, 0 beats -0."""
    if math.inf in (left, right):
        return math.inf
    if left != left or right != right:
        return math.nan
    if left == right == 0:
        return right if math.copysign(1, left) < 0 else left
    return max(left, right)


def minimum(left: float, right: float) -> float:
    """The lesser one; -Inf beats NaN, NaN beats all else, -0 beats 0."""
    return -maximum(-left, -right)


def modulo(left: float, right: float) -> float:
    """The remainder with the sign of `left`."""
    try:
        return math.fmod(left, right)
    except ValueError:
        return math.nan


def power(base: float, exponent: float) -> float:
    """`base` to the `exponent`."""
    try:
        return math.pow(base, exponent)
    except ValueError:
        if base != 0:
            return math.nan
        odd = exponent == math.floor(exponent) and math.fmod(exponent, 2) != 0
        return math.copysign(math.inf, base) if odd else math.inf
    except OverflowError:
        return -math.inf if base < 0 and math.fmod(exponent, 2) != 0 else math.inf


def power_of_ten(exponent: int) -> float:
    """10 to the `exponent`."""
    if exponent < -323:
        return 0.0
    return math.inf if exponent > 308 else float(f"1e{exponent}")


UNARY: Final[dict[str, Unary]] = {
    "abs": abs,
    "acos": _safe(math.acos),
    "acosh": _safe(math.acosh),
    "asin": _safe(math.asin),
    "asinh": math.asinh,
    "atan": math.atan,
    "atanh": _atanh,
    "cbrt": _cbrt,
    "ceil": _rounding(math.ceil),
    "cos": _safe(math.cos),
    "cosh": _safe(math.cosh),
    "erf": math.erf,
    "erfc": math.erfc,
    "exp": _safe(math.exp),
    "exp2": _safe(math.exp2),
    "expm1": _safe(math.expm1),
    "floor": _rounding(math.floor),
    "gamma": _gamma,
    "j0": _bessel("j0"),
    "j1": _bessel("j1"),
    "log": _with_pole(math.log, 0.0, -math.inf),
    "log10": _with_pole(math.log10, 0.0, -math.inf),
    "log1p": _with_pole(math.log1p, -1.0, -math.inf),
    "log2": _with_pole(math.log2, 0.0, -math.inf),
    "logb": _logb,
    "sin": _safe(math.sin),
    "sinh": _sinh,
    "sqrt": _safe(math.sqrt),
    "tan": _safe(math.tan),
    "tanh": math.tanh,
    "trunc": _rounding(math.trunc),
    "y0": _bessel("y0"),
    "y1": _bessel("y1"),
}
BINARY: Final[dict[str, Binary]] = {
    "atan2": math.atan2,
    "hypot": math.hypot,
    "max": maximum,
    "min": minimum,
    "mod": modulo,
    "pow": power,
}
ORDERED: Final[dict[str, Callable[[int, float], float]]] = {
    "jn": _bessel_n("jn"),
    "yn": _bessel_n("yn"),
}
