"""Text in quotes as Go's `%q` writes it."""

from __future__ import annotations

_SHORT = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
}


def quote(text: str, *, mark: str = '"', ascii: bool = False) -> str:
    """`text` in quotes, with unprintable characters (or all outside ASCII) escaped.

    Source: Go strconv.Quote, QuoteRune, QuoteToASCII.
    """
    return mark + "".join(_escaped(char, mark, ascii) for char in text) + mark


def can_backquote(text: str) -> bool:
    """True if `text` can be quoted with backquotes unchanged.

    Source: Go strconv.CanBackquote.
    """
    return not any(
        char in "`\x7f\ufeff" or (char < " " and char != "\t") for char in text
    )


def is_shown(char: str) -> bool:
    """True if a character is printable in Go.

    Source: Go strconv.IsPrint, for which only the ASCII space is printable white space.
    """
    return char == " " or (char.isprintable() and not char.isspace())


def _escaped(char: str, mark: str, ascii: bool) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char == mark:
        return f"\\{char}"
    code = ord(char)
    if is_shown(char) and (code < 0x80 or not ascii):
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
