"""Texts whose bytes are no UTF-8."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    """`text` as Go writes it out: what has no UTF-8 becomes U+FFFD.

    Such are single surrogates in JSON, and bytes that are kept as surrogate escapes.
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def is_whole(text: str) -> bool:
    """Whether all of `text` has UTF-8."""
    return text.isascii() or _SURROGATE.search(text) is None
