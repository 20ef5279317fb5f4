"""Queries of URLs, read as Go reads them."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def parse_query(text: str) -> dict[str, list[str]]:
    """The values of each name, in the order sent.

    Parts with a semicolon or an invalid escape are left out.

    Source: Go net/url, URL.Query.
    """
    found: dict[str, list[str]] = {}
    for part in text.split("&"):
        if not part or ";" in part or _BROKEN_ESCAPE.search(part):
            continue
        name, _, value = part.partition("=")
        found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return found
