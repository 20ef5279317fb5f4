"""Heads of plain writes, checked byte for byte.

A head that Go's server refuses must not pass here. So a head must have exactly the form
below; any other goes to aiohttp, whose parser is strict and has the other answers.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

# Bytes of fields: tab, and bytes that are not control characters or DEL.
_TEXT = bytes((9, *range(32, 127), *range(128, 256)))
_VERSIONS = (b"HTTP/1.1", b"HTTP/1.0")
# Headers that change how a request is read or answered.
_UNUSUAL = frozenset(
    (
        *(b"transfer-encoding", b"expect", b"upgrade", b"te", b"trailer"),
        *(b"origin", b"sec-fetch-site"),
    )
)
# Headers that are read here. If one is repeated, the parser decides.
_READ = frozenset(
    (
        *(b"host", b"content-length", b"content-encoding", b"authorization"),
        *(b"accept-encoding", b"connection"),
    )
)
_MAX_DIGITS = 12


class Head(NamedTuple):
    """Head of a plain write.

    Attributes:
        target: path and query, as sent.
        length: length of the body in bytes.
        host: value of the `Host` header; "" if an old client sends none.
        encoding: value of `Content-Encoding`.
        close: True to close the connection after the response.
        gzip: True if the client accepts a compressed response.
        authorization: value of the `Authorization` header.
    """

    target: str
    length: int
    host: str
    encoding: str
    close: bool
    gzip: bool
    authorization: str = ""


# agents send the same headers again and again
@functools.lru_cache(maxsize=1024)
def plain_head(head: bytes) -> Head | None:
    """The head of a plain write, up to its empty line; None for any other head."""
    # any byte left is a bare CR or LF, a NUL or another control character
    if head.replace(b"\r\n", b"").translate(None, _TEXT):
        return None
    line, *fields = head.split(b"\r\n")
    start = line.split(b" ")
    if len(start) != 3 or start[2] not in _VERSIONS or b"\t" in line:
        return None
    found: dict[bytes, bytes] = {}
    for field in fields:
        name, colon, value = field.partition(b":")
        key = name.lower()
        if not colon or not key.replace(b"-", b"").isalnum():
            return None
        if key in _UNUSUAL or key in found:
            return None
        if key in _READ:
            found[key] = value.strip(b"\t ")
    length = found.get(b"content-length", b"")
    if not length.isdigit() or len(length) > _MAX_DIGITS:
        return None
    old = start[2] == b"HTTP/1.0"
    connection = found.get(b"connection", b"").lower()
    if connection not in (b"", b"close", b"keep-alive"):
        return None
    # only HTTP/1.0 clients may omit the host; an empty one is invalid
    if not found.get(b"host") and (b"host" in found or not old):
        return None
    return Head(
        # paths and queries are UTF-8, if they are text at all
        start[1].decode("utf-8", "surrogateescape"),
        int(length),
        found.get(b"host", b"").decode("latin-1"),
        found.get(b"content-encoding", b"").decode("latin-1"),
        connection == b"close" or (old and connection != b"keep-alive"),
        b"gzip" in found.get(b"accept-encoding", b""),
        found.get(b"authorization", b"").decode("latin-1"),
    )
