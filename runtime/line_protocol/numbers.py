"""Numbers in columns: checked first, and decoded on first use.

A number of up to 24 characters is read as three words of eight (see `text`). Longer
numbers and those with an exponent are left to the row parser.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.line_protocol.text import Mask, Positions, Text, Words

LONGEST = 24
"""Characters of a number, without its sign, that are read here."""

_MINUS = ord("-")
# words are taken relative to eight zeros: digits become their values, a dot becomes 1E
_ZEROS = np.uint64(0x3030_3030_3030_3030)
_DOTS = np.uint64(0x1E1E_1E1E_1E1E_1E1E)
_HIGH_BITS = np.uint64(0x8080_8080_8080_8080)
_OVER_NINE = np.uint64(0x7676_7676_7676_7676)
_NONE = np.uint64(0)
_ONE = np.uint64(1)
_SEVEN = np.uint64(7)
_BYTE = np.uint64(8)
_TOP_BYTE = np.uint64(56)
_FULL_BYTE = np.uint64(0xFF)
# join pairs of numbers below 10 ** size: the sums land in the upper halves
_JOIN_DIGITS = np.uint64(10 * 2**8 + 1)
_JOIN_PAIRS = np.uint64(100 * 2**16 + 1)
_JOIN_FOURS = np.uint64(10_000 * 2**32 + 1)
_PAIRS = np.uint64(0x00FF_00FF_00FF_00FF)
_FOURS = np.uint64(0x0000_FFFF_0000_FFFF)
_SIXTEEN = np.uint64(16)
_THIRTY_TWO = np.uint64(32)
_WEIGHTS = tuple(np.uint64(10 ** (8 * index)) for index in range(3))
_POWERS = np.array([10.0**power for power in range(25)])
_EXACT = 2**53
# x86's long double holds any uint64, and dividing it rounds correctly to 64 bits
_WIDE_BITS = (
    np.finfo(np.longdouble).nmant == 63 and np.dtype(np.longdouble).itemsize == 16
)
_HALF_WAY = np.uint64(0x400)
_LOW_BITS = np.uint64(0x7FF)


class Spans(NamedTuple):
    """The positions of digits, and a mask of the negative numbers."""

    starts: Positions
    ends: Positions
    negative: Mask | None


def spans(text: Text, starts: Positions, ends: Positions) -> Spans:
    """Split off the signs."""
    negative = text.raw[starts] == _MINUS
    if not negative.any():
        return Spans(starts, ends, None)
    return Spans(starts + negative, ends, negative)


def valid_floats(text: Text, starts: Positions, ends: Positions) -> Mask:
    """Select the strings that `floats` decodes: `5`, `-5.25`, `.5`, `5.`."""
    starts, ends, _ = spans(text, starts, ends)
    sizes = ends - starts
    count, fits = _words_for(sizes)
    odd = np.zeros(sizes.shape, dtype=np.uint64)
    dots = np.zeros(sizes.shape, dtype=np.int8)
    for word in text.last_words(starts, ends, count, _ZEROS):
        flags = _not_digits(word)
        odd |= flags & (flags - _ONE)
        odd |= (word ^ _DOTS) & ((flags >> _SEVEN) * _FULL_BYTE)
        dots += flags != 0
    valid: Mask = (odd == 0) & (dots <= 1) & (sizes > dots)
    return valid if fits is None else valid & fits


def valid_integers(
    text: Text, starts: Positions, ends: Positions, longest: int = 18
) -> Mask:
    """Select the strings that are integers, without their `i`; int64 holds 18 digits."""
    starts, ends, _ = spans(text, starts, ends)
    sizes = ends - starts
    count, _ = _words_for(sizes)
    odd = np.zeros(sizes.shape, dtype=np.uint64)
    for word in text.last_words(starts, ends, count, _ZEROS):
        odd |= _not_digits(word)
    valid: Mask = (odd == 0) & (sizes >= 1) & (sizes <= longest)
    return valid


def integers(text: Text, starts: Positions, ends: Positions) -> NDArray[np.int64]:
    """The values of integers that are valid."""
    starts, ends, negative = spans(text, starts, ends)
    count, _ = _words_for(ends - starts)
    value = _number(text.last_words(starts, ends, count, _ZEROS)).astype(np.int64)
    if negative is not None:
        np.negative(value, out=value, where=negative)
    return value


def timestamps(
    text: Text, starts: Positions, ends: Positions, latest: int
) -> tuple[NDArray[np.int64], Mask | None]:
    """The values of timestamps, and a mask of the valid ones if not all are valid."""
    sizes = ends - starts
    count, _ = _words_for(sizes)
    words = text.last_words(starts, ends, count, _ZEROS)
    total = np.zeros(sizes.shape, dtype=np.uint64)
    good: Mask = (sizes >= 1) & (sizes <= 19)
    for word, weight in zip(words, _WEIGHTS, strict=False):
        if (word == word[:1]).all():  # often the digits are the same in every line
            word = word[:1]
        good &= _not_digits(word) == 0
        total += _eight_digits(word) * weight
    good &= total <= np.uint64(latest)
    return total.view(np.int64), None if good.all() else good


def floats(text: Text, starts: Positions, ends: Positions) -> NDArray[np.float64]:
    """The values of valid floats, each the nearest to its string."""
    digits, ends, negative = spans(text, starts, ends)
    sizes = ends - digits
    count, _ = _words_for(sizes)
    words = text.last_words(digits, ends, count, _ZEROS)
    words, decimals = _without_dots(words)
    mantissa = _number(words)
    values = mantissa.astype(np.float64)
    if decimals is not None:
        values /= _POWERS[decimals]
    inexact = mantissa >= _EXACT
    if count > 2:
        inexact |= sizes > 19
    if inexact.any():
        rows = np.flatnonzero(inexact)
        points = decimals[rows] if decimals is not None else np.zeros(len(rows), int)
        wide, rest = _divide_wide(mantissa[rows], points, sizes[rows])
        values[rows] = wide
        for row in rows[rest].tolist():
            values[row] = float(text.buffer[digits[row] : ends[row]])
    if negative is not None:
        np.negative(values, out=values, where=negative)
    return values


def _words_for(sizes: Positions) -> tuple[int, Mask | None]:
    """The number of words for the sizes, at most three, and the sizes that fit."""
    most = int(sizes.max(initial=1))
    if most <= LONGEST:
        return max(1, (most + 7) // 8), None
    return LONGEST // 8, sizes <= LONGEST


def _not_digits(word: Words) -> Words:
    """The high bit of each byte that is not a digit."""
    return ((word + _OVER_NINE) | word) & _HIGH_BITS


def _eight_digits(word: Words) -> Words:
    """The number that eight digits spell; the lowest byte is the first digit."""
    word = (word * _JOIN_DIGITS) >> _BYTE
    word = ((word & _PAIRS) * _JOIN_PAIRS) >> _SIXTEEN
    return ((word & _FOURS) * _JOIN_FOURS) >> _THIRTY_TWO


def _number(words: list[Words]) -> Words:
    total = _eight_digits(words[0])
    for word, weight in zip(words[1:], _WEIGHTS[1:], strict=False):
        total += _eight_digits(word) * weight
    return total


def _without_dots(words: list[Words]) -> tuple[list[Words], Positions | None]:
    """Close the gap of the dot; return the number of digits after it."""
    flags = [_not_digits(word) for word in words]
    if not any(each.any() for each in flags):
        return words, None
    decimals = np.zeros(words[0].shape, dtype=np.intp)
    passed: Words | np.uint64 = _NONE  # all bits set if the dot is further right
    closed = []
    for index, (word, dot) in enumerate(zip(words, flags, strict=True)):
        here = _NONE - (dot != 0).astype(np.uint64)
        upto = (((dot << _ONE) - _ONE) & here) | passed
        below = (((dot >> _SEVEN) - _ONE) & here) | passed
        left = words[index + 1] if index + 1 < len(words) else _NONE
        carried = (left >> _TOP_BYTE) & upto & _FULL_BYTE
        closed.append((word & ~upto) | ((word & below) << _BYTE) | carried)
        # dot = 2 ** (8 * byte + 7): the exponent of the float gives the byte
        exponent = dot.astype(np.float64).view(np.int64) >> 55
        decimals += np.where(exponent, 8 * index + 7 + 128 - exponent, 0)
        passed = passed | here
    return closed, decimals


def _divide_wide(
    mantissa: Words, decimals: Positions, sizes: Positions
) -> tuple[NDArray[np.float64], Mask]:
    """Quotients of mantissas above 2 ** 53, and a mask of those that may be off by a bit."""
    if not _WIDE_BITS:
        return mantissa.astype(np.float64), np.ones(mantissa.shape, dtype=np.bool_)
    wide = mantissa.astype(np.longdouble) / _POWERS[decimals].astype(np.longdouble)
    # rounding twice is wrong only if the first result is half-way between two floats
    tail = wide.view(np.uint64)[::2] & _LOW_BITS
    digits = sizes - (decimals > 0)  # one too many for "5."
    doubtful = (tail == _HALF_WAY) | (digits > 19)
    return wide.astype(np.float64), doubtful
