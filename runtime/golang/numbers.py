"""Go's numbers: integers of 64 bits, floats in digits that read back the same."""

from __future__ import annotations

import math

# More digits than any 64-bit number has; Python refuses to read thousands of them.
_MANY_DIGITS = 40


def integer(digits: str) -> int:
    """The value of decimal digits; beyond 64 bits it is just some larger number."""
    return int(digits.lstrip("0")[:_MANY_DIGITS] or "0")


def wrapped(value: int) -> int:
    """The int64 to which Go's arithmetic wraps an exact result."""
    if -(2**63) <= value < 2**63:
        return value
    return ((value + 2**63) & (2**64 - 1)) - 2**63


def shortest(value: float) -> tuple[str, str, int]:
    """Sign, digits and decimal exponent: 1234.5 → ("", "12345", 3).

    The value is `0.DIGITS × 10^(exponent + 1)`; the number must be finite.
    """
    text = repr(value)
    sign, text = ("-", text[1:]) if text[0] == "-" else ("", text)
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits.rstrip("0"):
        return sign, "0", 0
    leading = len(whole + fraction) - len(digits)
    exponent = len(whole) - leading - 1 + int(power or 0)
    return sign, digits.rstrip("0"), exponent


def plain(value: float) -> str:
    """The float without an exponent: `100000000000000000000`, `0.000001`.

    Source: Go strconv.FormatFloat(value, 'f', -1, 64).
    """
    if not math.isfinite(value):
        return special(value)
    sign, digits, exponent = shortest(value)
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    if len(digits) <= exponent + 1:
        return sign + digits.ljust(exponent + 1, "0")
    return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"


def scientific(value: float, *, pad: int = 2) -> str:
    """The float with an exponent of at least `pad` digits: `1.5e+06`.

    Source: Go strconv.FormatFloat(value, 'e', -1, 64).
    """
    if not math.isfinite(value):
        return special(value)
    sign, digits, exponent = shortest(value)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):0{pad}d}"


def general(value: float) -> str:
    """The float as `%v` prints it: `1e+06`, `999999.9`, `9.9e-05`.

    Source: Go strconv.FormatFloat(value, 'g', -1, 64), which decides for an exponent
    as if the precision were six.
    """
    if not math.isfinite(value):
        return special(value)
    exponent = shortest(value)[2]
    return scientific(value) if exponent < -4 or exponent >= 6 else plain(value)


def special(value: float) -> str:
    """`+Inf`, `-Inf` or `NaN`."""
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
