"""The write endpoint: from a request to points."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator
from typing import Any, Protocol

from runtime.compute.thread import Compute
from runtime.errors import (
    BusyError,
    InvalidError,
    KapacitorError,
)
from runtime.golang.queries import parse_query
from runtime.line_protocol import Write
from runtime.services.httpd.messages import (
    NO_CONTENT,
    RETRY_AFTER_S,
    TEXT,
    Answer,
    Request,
    status_of,
)
from runtime.services.httpd.unpacking import unpacked

log = logging.getLogger("kapacitor.http")

MAX_LINE_BYTES = 64 * 1024
# A few points; parsing more takes longer than a hand-over to the compute thread.
_SMALL_BYTES = 2048
# Decompressing up to the first size, or parsing up to the second, is not worth a
# hand-over to another thread. Larger writes are prepared in other threads, so that no
# other write waits for them; only a few at a time, as each may grow a hundredfold.
_SMALL_PACKED_BYTES = 8 * 1024
_LARGE_BYTES = 1024 * 1024
_LARGE_AT_ONCE = 2


def refusal(error: KapacitorError) -> Answer:
    """The response to a write: plain text, labelled JSON as in Kapacitor."""
    status, text = status_of(error), f"{error}\n".encode()
    if status == 503:
        return Answer(status, text, TEXT, {"Retry-After": str(RETRY_AFTER_S)})
    return Answer(status, text)


class Points(Protocol):
    """Receives points; called on the compute thread."""

    def __call__(
        self, body: bytes | Write, db: str, rp: str, precision: str
    ) -> Iterator[None] | None:
        """Parse `body`, pass its points to the tasks, and store the events.

        Args:
            body: line protocol, or its parsed points.
            db: name of the database.
            rp: name of the retention policy.
            precision: precision of the times.

        Returns:
            The remaining steps of that work, or None if it is done.

        Raises:
            RefusedError: nothing was taken.
        """


class Parser(Protocol):
    """Parses large writes before they are fed to tasks."""

    def wanted(self, db: str, rp: str) -> Collection[str] | None:
        """Measurements that some task reads; called on the compute thread."""

    def prepare(
        self,
        body: bytes,
        db: str,
        rp: str,
        precision: str,
        wanted: Collection[str] | None,
    ) -> Write:
        """The points of `body`; called on any thread.

        Raises:
            RefusedError: the text is wrong.
        """


class WriteHandler:
    """Answers `POST /write`."""

    def __init__(
        self,
        compute: Compute,
        points: Points,
        *,
        parser: Parser | None = None,
        tracing: bool = False,
    ) -> None:
        """Pass writes to `points`.

        Args:
            compute: compute thread.
            points: receives the points.
            parser: parses large writes off the compute thread; None to leave parsing to
                `points`.
            tracing: True to log bodies.
        """
        self._parser = parser
        self._compute = compute
        self._points = points
        self._tracing = tracing
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        # cached, as agents repeat the same query with every write
        self._queries: dict[str, tuple[str, str, str]] = {}

    async def __call__(self, request: Request) -> Answer:
        """Feed the points of the body to tasks."""
        try:
            await self.submit(
                request.query_string, request.body, request.content_encoding
            )
        except KapacitorError as error:
            return refusal(error)
        return NO_CONTENT

    def submit(self, query: str, body: bytes, encoding: str) -> asyncio.Future[Any]:
        """Start a write; the future is done when its points and events are stored.

        The future may raise `RefusedError`.
        """
        parameters = self._parameters(query)
        limit = _SMALL_PACKED_BYTES if encoding == "gzip" else _LARGE_BYTES
        if len(body) > limit:
            write_large = self._write_large(body, encoding, parameters)
            return asyncio.get_running_loop().create_task(write_large)
        small = len(body) <= _SMALL_BYTES and not encoding
        write = self._compute.write_small if small else self._compute.write
        return write(self._take, body, encoding, *parameters)

    async def _write_large(
        self, body: bytes, encoding: str, parameters: tuple[str, str, str]
    ) -> None:
        """Prepare a write in another thread, so that small ones do not wait."""
        async with self._large:
            text = await asyncio.to_thread(self._text, body, encoding)
            points: bytes | Write = text
            try:
                if self._parser is not None and len(text) > _LARGE_BYTES:
                    db, rp, precision = parameters
                    wanted = await self._compute.run(self._parser.wanted, db, rp)
                    points = await asyncio.to_thread(
                        self._parser.prepare, text, db, rp, precision, wanted
                    )
                await self._compute.write(self._points, points, *parameters)
            except RuntimeError:
                raise BusyError("the server is stopping") from None

    def _take(
        self, body: bytes, encoding: str, db: str, rp: str, precision: str
    ) -> Iterator[None] | None:
        return self._points(self._text(body, encoding), db, rp, precision)

    def _text(self, body: bytes, encoding: str) -> bytes:
        """The lines of a body.

        Raises:
            RefusedError: the body is damaged or too large, or a line is too long.
        """
        text = unpacked(body, encoding)
        check_lines(text)
        if self._tracing:
            log.info(
                "write body received by handler",
                extra={"body": text.decode("utf-8", "replace")},
            )
        return text

    def _parameters(self, query: str) -> tuple[str, str, str]:
        known = self._queries.get(query)
        if known is not None:
            return known
        values = parse_query(query)
        db, rp, precision = (
            values.get(name, [""])[0] for name in ("db", "rp", "precision")
        )
        if len(self._queries) < 1000:
            self._queries[query] = (db, rp, precision)
        return db, rp, precision


def check_lines(text: bytes) -> None:
    """Check that no line is too long.

    Raises:
        RefusedError: a line is too long.
    """
    start = 0
    while len(text) - start > MAX_LINE_BYTES:
        end = text.rfind(b"\n", start, start + MAX_LINE_BYTES + 1)
        if end < 0:
            number = text.count(b"\n", 0, start) + 1
            raise InvalidError(f"line {number} is longer than {MAX_LINE_BYTES} bytes")
        start = end + 1
