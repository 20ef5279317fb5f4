"""Compressed bodies of writes."""

from __future__ import annotations

import zlib

from runtime.errors import InvalidError, TooLargeError
from runtime.services.httpd.messages import MAX_BODY_BYTES

# Points shrink to about a tenth; a stream with a greater ratio than this is an attack …
MAX_RATIO = 200
# … unless it stays small.
_HARMLESS_BYTES = 1024 * 1024
# Parallel compressors begin a member about every 64 KiB.
MAX_MEMBERS = 10_000
# The input after a member is copied with the piece of input that ends the member. So
# pieces are short at first and grow within a member: all copies together stay linear.
_FIRST_PIECE = 256
_LAST_PIECE = 64 * 1024
_MAGIC = b"\x1f\x8b\x08"


def unpacked(body: bytes, encoding: str, limit: int = MAX_BODY_BYTES) -> bytes:
    """`body` decompressed if it is gzip; other encodings are left unchanged.

    The time is proportional to the sizes of input and output.

    Args:
        body: body as sent.
        encoding: value of `Content-Encoding`.
        limit: maximum size of the result, in bytes.

    Raises:
        RefusedError: the body is damaged, or too large.

    Source of the texts: Go compress/gzip.
    """
    if encoding != "gzip":
        return body
    if not body:
        raise InvalidError("EOF")
    limit = min(limit, max(_HARMLESS_BYTES, len(body) * MAX_RATIO))
    view = memoryview(body)
    parts: list[bytes] = []
    start = members = 0
    while start < len(body):
        members += 1
        if members > MAX_MEMBERS:
            raise TooLargeError(f"the body has more than {MAX_MEMBERS} gzip members")
        if body[start : start + 3] != _MAGIC[: len(body) - start]:
            raise InvalidError("gzip: invalid header")
        before = len(parts)
        start = _read_member(view, start, limit, parts)
        limit -= sum(map(len, parts[before:]))
    return b"".join(parts)


def _read_member(view: memoryview, start: int, limit: int, parts: list[bytes]) -> int:
    """Append the content of the member at `start` to `parts`; return its end."""
    unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
    piece = _FIRST_PIECE
    while not unzip.eof:
        if start >= len(view):
            raise InvalidError("unexpected EOF")
        given = view[start : start + piece]
        try:
            part = unzip.decompress(given, limit + 1)
        except zlib.error as error:
            checks = ("incorrect data check", "incorrect length check")
            is_sum = any(check in str(error) for check in checks)
            damaged = "checksum" if is_sum else "header"
            raise InvalidError(f"gzip: invalid {damaged}") from None
        limit -= len(part)
        if limit < 0:
            raise TooLargeError("the decompressed body is too large")
        if part:
            parts.append(part)
        start += len(given) - len(unzip.unused_data)
        piece = min(2 * piece, _LAST_PIECE)
    return start
