"""The write endpoint: from a request to points."""

from __future__ import annotations

import asyncio
import logging
import zlib
from typing import Protocol
from urllib.parse import parse_qs

from runtime.compute import Compute
from runtime.errors import BusyError, KapacitorError, StoreError
from runtime.services.httpd.messages import (
    NO_CONTENT,
    RETRY_AFTER_S,
    TEXT,
    Answer,
    RefusedError,
    Request,
)

log = logging.getLogger("kapacitor.http")

# What a body may be, packed or not.
MAX_BODY_BYTES = 25 * 1024 * 1024
# Points shrink to a tenth or so; a stream that grows like this was made to do harm …
MAX_RATIO = 200
# … unless it stays small.
_HARMLESS_BYTES = 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
# A few points; more take longer than a hand-over to the compute thread.
_SMALL_BYTES = 2048


class WriteError(RefusedError):
    """A write is refused as a whole."""

    def answer(self) -> Answer:
        """What the writer is told: plain text, labelled JSON all the same."""
        return Answer(self.status, f"{self}\n".encode())


def refusal(error: KapacitorError) -> Answer:
    """What a writer is told whose points could not be taken for now, or at all."""
    text = f"{error}\n".encode()
    if isinstance(error, StoreError | BusyError):
        return Answer(503, text, TEXT, {"Retry-After": str(RETRY_AFTER_S)})
    return Answer(500, text)


class Points(Protocol):
    """Takes points; runs on the compute thread."""

    def __call__(self, body: bytes, db: str, rp: str, precision: str) -> None:
        """Parse `body`, hand its points to the tasks, store what they cause.

        Raises:
            WriteError: nothing was taken.
        """


class WriteHandler:
    """Answers `POST /write`."""

    def __init__(
        self, compute: Compute, points: Points, *, tracing: bool = False
    ) -> None:
        """Hand what is written to `points`.

        Args:
            compute: where that is done.
            points: takes it.
            tracing: whether bodies are logged.
        """
        self._compute = compute
        self._points = points
        self._tracing = tracing
        # agents repeat the same query with every write
        self._queries: dict[str, tuple[str, str, str]] = {}

    async def __call__(self, request: Request) -> Answer:
        """Take the points of the body."""
        try:
            await self.submit(
                request.query_string, request.body, request.content_encoding
            )
        except KapacitorError as error:
            # what the points caused could not be stored
            return refusal(error)
        return NO_CONTENT

    def submit(self, query: str, body: bytes, encoding: str) -> asyncio.Future[None]:
        """Start a write; done when its points and what they caused are kept.

        The future may raise `WriteError`.
        """
        parameters = self._parameters(query)
        small = len(body) <= _SMALL_BYTES and not encoding
        write = self._compute.write_small if small else self._compute.write
        return write(self._take, body, encoding, *parameters)

    def _take(
        self, body: bytes, encoding: str, db: str, rp: str, precision: str
    ) -> None:
        text = unpacked(body, encoding)
        check_lines(text)
        if self._tracing:
            log.info(
                "write body received by handler",
                extra={"body": text.decode("utf-8", "replace")},
            )
        self._points(text, db, rp, precision)

    def _parameters(self, query: str) -> tuple[str, str, str]:
        known = self._queries.get(query)
        if known is not None:
            return known
        values = parse_qs(query, keep_blank_values=True)
        db, rp, precision = (
            values.get(name, [""])[0] for name in ("db", "rp", "precision")
        )
        if len(self._queries) < 1000:
            self._queries[query] = (db, rp, precision)
        return db, rp, precision


def unpacked(body: bytes, encoding: str) -> bytes:
    """`body`, decompressed when it says so.

    Raises:
        WriteError: it is damaged, or too large.
    """
    if encoding != "gzip":
        return body
    if not body:
        raise WriteError("EOF")
    if body[:3] != b"\x1f\x8b\x08"[: len(body)]:
        raise WriteError("gzip: invalid header")
    parts: list[bytes] = []
    size = 0
    limit = min(MAX_BODY_BYTES, max(_HARMLESS_BYTES, len(body) * MAX_RATIO))
    while body:
        part, body = _member(body, limit - size)
        size += len(part)
        parts.append(part)
        if body and body[:2] != b"\x1f\x8b":
            raise WriteError("gzip: invalid header")
    return b"".join(parts)


def check_lines(text: bytes) -> None:
    """Check that no line is too long.

    Raises:
        WriteError: one is.
    """
    start = 0
    while len(text) - start > MAX_LINE_BYTES:
        end = text.rfind(b"\n", start, start + MAX_LINE_BYTES + 1)
        if end < 0:
            number = text.count(b"\n", 0, start) + 1
            raise WriteError(f"line {number} is longer than {MAX_LINE_BYTES} bytes")
        start = end + 1


def _member(body: bytes, limit: int) -> tuple[bytes, bytes]:
    """The text of the first gzip member, and what follows the member."""
    unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        text = unzip.decompress(body, limit + 1)
    except zlib.error as error:
        damaged = "checksum" if "incorrect data check" in str(error) else "header"
        raise WriteError(f"gzip: invalid {damaged}") from None
    if len(text) > limit:
        raise WriteError("the body unpacks to too many bytes", status=413)
    if not unzip.eof:
        raise WriteError("unexpected EOF")
    return text, unzip.unused_data
