"""Go's strings package over Python strings: positions and lengths are in bytes."""

from __future__ import annotations

from typing import Final

from runtime.tick.lambdas.faults import CallError
from runtime.tick.lambdas.limits import check, spend
from runtime.tick.lambdas.values import from_octets, octets

_WHITE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)

# Work per character that Python code examines.
_SLOW = 8
# From this length of the searched part on, Python's `rfind` may take quadratic time.
_LONG = 64


def contains(text: str, part: str) -> bool:
    """True if `part` is in `text`."""
    return part in text


def contains_any(text: str, chars: str) -> bool:
    """True if some character of `chars` is in `text`."""
    return not set(text).isdisjoint(chars)


def count(text: str, part: str) -> int:
    """The number of `part` in `text`, without overlap; "" is around every character."""
    return text.count(part)


def index(text: str, part: str) -> int:
    """The index of the first `part`, -1 if there is none."""
    return octets(text).find(octets(part))


def last_index(text: str, part: str) -> int:
    """The index of the last `part`, -1 if there is none."""
    data, wanted = octets(text), octets(part)
    if len(wanted) < _LONG:
        return data.rfind(wanted)
    # reversed, since Python searches in linear time only forwards
    found = data[::-1].find(wanted[::-1])
    return found if found < 0 else len(data) - found - len(wanted)


def index_any(text: str, chars: str) -> int:
    """The index of the first character of `chars`, -1 if there is none."""
    wanted = set(chars)
    for position, char in enumerate(text):
        if char in wanted:
            return len(octets(text[:position]))
    return -1


def last_index_any(text: str, chars: str) -> int:
    """The index of the last character of `chars`, -1 if there is none."""
    wanted = set(chars)
    for position in range(len(text) - 1, -1, -1):
        if text[position] in wanted:
            return len(octets(text[:position]))
    return -1


def length(text: str) -> int:
    """The number of bytes."""
    return len(text) if text.isascii() else len(octets(text))


def replace(text: str, old: str, new: str, times: int) -> str:
    """`text` with the first `times` of `old` replaced, all if negative.

    Raises:
        TooMuchError: the result is too long.
    """
    number = text.count(old)
    if times >= 0:
        number = min(number, times)
    length = len(text) + number * (len(new) - len(old))
    if length > len(text):
        check(length)
    spend(len(text) + length)
    return text.replace(old, new, max(times, -1))


def substring(text: str, start: int, stop: int) -> str:
    """The bytes from `start` up to `stop`, which must be less than the length.

    Raises:
        CallError: a bound is out of range.
    """
    data = octets(text)
    for bound in (start, stop):
        if bound < 0:
            raise CallError(f"found negative index for strSubstring: {bound}")
    if stop >= len(data):
        raise CallError(f"stop index too large for string in strSubstring: {stop}")
    if start > stop:
        raise CallError(f"runtime error: slice bounds out of range [{start}:{stop}]")
    return from_octets(data[start:stop])


def lower(text: str) -> str:
    """`text` in lower case, character by character.

    Raises:
        TooMuchError: that is too much for one evaluation.
    """
    if text.isascii():
        return text.lower()
    spend(_SLOW * len(text))
    # Go maps each character by itself: there is no final sigma, and İ becomes i
    return "".join(char.lower()[0] for char in text)


def upper(text: str) -> str:
    """`text` in upper case, character by character.

    Raises:
        TooMuchError: that is too much for one evaluation.
    """
    if text.isascii():
        return text.upper()
    spend(_SLOW * len(text))
    return "".join(large if len(large := char.upper()) == 1 else char for char in text)


def trim(text: str, chars: str) -> str:
    """`text` without the given characters at both ends."""
    return trim_left(trim_right(text, chars), chars)


def trim_left(text: str, chars: str) -> str:
    """`text` without the given characters at its start."""
    if len(chars) < _LONG:
        return text.lstrip(chars) if chars else text
    wanted, start = set(chars), 0
    while start < len(text) and text[start] in wanted:
        start += 1
    return text[start:]


def trim_right(text: str, chars: str) -> str:
    """`text` without the given characters at its end."""
    if len(chars) < _LONG:
        return text.rstrip(chars) if chars else text
    wanted, end = set(chars), len(text)
    while end and text[end - 1] in wanted:
        end -= 1
    return text[:end]


def trim_space(text: str) -> str:
    """`text` without white space at both ends."""
    return text.strip(_WHITE)
