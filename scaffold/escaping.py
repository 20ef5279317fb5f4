"""Escapes text of a project for a terminal."""

from __future__ import annotations

import unicodedata

# characters that move the cursor, change colours, reorder or hide: controls, formats,
# line and paragraph separators, and bytes that are not text
_OBEYED = frozenset(("Cc", "Cf", "Zl", "Zp", "Cs"))


def escaped(text: str) -> str:
    """`text` on one line, with an escape for each character that a terminal obeys."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def escaped_lines(text: str) -> str:
    """`text` escaped in the same way, except for its line feeds and tabs."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each in "\n\t" else _shown(each) for each in text)


def _shown(char: str) -> str:
    if unicodedata.category(char) not in _OBEYED:
        return char
    return char.encode("unicode_escape").decode()
