"""The width of text in columns, as black counts it: East Asian characters take two."""

from __future__ import annotations

import unicodedata

_LETTERS = (
    "Lu",
    "Ll",
    "Lt",
    "Lm",
    "Lo",
    "Nd",
    "Pc",
    "Pd",
    "Pe",
    "Pf",
    "Pi",
    "Po",
    "Ps",
)
"""Categories whose width is the same in every version of Unicode's tables."""


class UncertainWidthError(Exception):
    """Versions of black differ about the width of a text."""


def fits(text: str, columns: int) -> bool:
    """True if `text` is at most `columns` wide.

    Raises:
        UncertainWidthError: it depends on black's version (emoji, combining marks).
    """
    if text.isascii():
        return len(text) <= columns
    ranges = [_range(char) for char in text]
    if sum(most for _, most in ranges) <= columns:
        return True
    if sum(least for least, _ in ranges) > columns:
        return False
    raise UncertainWidthError(text)


def _range(char: str) -> tuple[int, int]:
    """The least and the most columns that a character may take."""
    if char.isascii():
        return 1, 1
    if unicodedata.category(char) not in _LETTERS:
        return 0, 2
    is_wide = unicodedata.east_asian_width(char) in "WF"
    return (2, 2) if is_wide else (1, 1)


def width(line: str) -> int:
    """The columns that a line probably takes, as black counts them."""
    return len(line) if line.isascii() else sum(map(_columns, line))


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
