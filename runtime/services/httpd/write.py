"""The write endpoint: from a request to points."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol
from urllib.parse import parse_qs

from runtime.compute import Compute
from runtime.errors import BusyError, KapacitorError, StoreError
from runtime.services.httpd.messages import (
    NO_CONTENT,
    RETRY_AFTER_S,
    TEXT,
    Answer,
    Request,
    WriteError,
)
from runtime.services.httpd.unpacking import unpacked

log = logging.getLogger("kapacitor.http")

MAX_LINE_BYTES = 64 * 1024
# A few points; more take longer than a hand-over to the compute thread.
_SMALL_BYTES = 2048
# Decompressing this much takes less time than a hand-over to another thread. What is
# longer is decompressed elsewhere, so that no other write waits for it, and by a few
# at a time, as each may become a hundred times as large.
_SMALL_PACKED_BYTES = 8 * 1024
_UNPACKED_AT_ONCE = 2


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
        self._unpacking = asyncio.Semaphore(_UNPACKED_AT_ONCE)
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
        if encoding == "gzip" and len(body) > _SMALL_PACKED_BYTES:
            write_large = self._write_packed(body, encoding, parameters)
            return asyncio.get_running_loop().create_task(write_large)
        small = len(body) <= _SMALL_BYTES and not encoding
        write = self._compute.write_small if small else self._compute.write
        return write(self._take, body, encoding, *parameters)

    async def _write_packed(
        self, body: bytes, encoding: str, parameters: tuple[str, str, str]
    ) -> None:
        async with self._unpacking:
            text = await asyncio.to_thread(unpacked, body, encoding)
            try:
                await self._compute.write(self._take, text, "", *parameters)
            except RuntimeError:
                raise BusyError("the server is stopping") from None

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
