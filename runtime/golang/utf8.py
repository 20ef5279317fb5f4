"""Strings that are not valid UTF-8."""

from __future__ import annotations

import codecs
import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def _one_each(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("runtime.one_each", _one_each)


def decoded(data: bytes) -> str:
    """`data` as text; each byte that is not UTF-8 becomes U+FFFD.

    Python's own `replace` makes a single U+FFFD of the bytes of a truncated character.

    Source: Go unicode/utf8.DecodeRune.
    """
    return data.decode("utf-8", "runtime.one_each")


def scrub(text: str) -> str:
    """`text` as Go writes it: every invalid character becomes U+FFFD.

    Lone surrogates from JSON are invalid, and bytes that are kept as surrogate escapes.
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def is_valid_utf8(text: str) -> bool:
    """True if `text` can be encoded as UTF-8."""
    return text.isascii() or _SURROGATE.search(text) is None
