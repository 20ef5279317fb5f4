"""A connection: plain writes are read and answered here, the rest is aiohttp's.

Many hosts that each send a point on a connection of their own are the common load.
Going through a full HTTP stack costs several times what such a write itself does.
So this protocol recognises a `POST` to a write path whose headers hold no surprise,
answers it, and waits for the next. At the first request that is anything else, the
connection and all that was read go over to aiohttp for good.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast
from urllib.parse import unquote

from runtime.errors import KapacitorError
from runtime.services.httpd.headers import Marks
from runtime.services.httpd.messages import NO_CONTENT, Answer, Request, failure
from runtime.services.httpd.write import (
    MAX_BODY_BYTES,
    WriteError,
    WriteHandler,
    refusal,
)

_STARTS = (b"POST /write?", b"POST /kapacitor/v1/write?")
_MAX_HEAD_BYTES = 8190
# Headers that change how a request is to be read or answered.
_UNUSUAL = frozenset(
    (b"transfer-encoding", b"expect", b"upgrade", b"origin", b"te", b"trailer")
)


class Log(Protocol):
    """Writes the line of a request."""

    def __call__(
        self, method: str, uri: str, status: int, host: str, started: float
    ) -> None:
        """One answered request."""


class Gate(Protocol):
    """Decides about requests before they are answered."""

    async def check(self, request: Request) -> Answer | None:
        """None if `request` may go on, else what to answer."""

    def knows_writer(self, authorization: str, query: str) -> bool:
        """Whether a write with these credentials may go on without a check."""


class Shared(NamedTuple):
    """What the connections of a server have in common.

    Attributes:
        handler: takes the writes.
        marks: headers of answers.
        fallback: makes the protocol that serves other requests.
        open: all connections that are still here.
        log: called for each request, or None.
        fail: called with what should not have happened.
        gate: decides about requests, or None.
    """

    handler: WriteHandler
    marks: Marks
    fallback: Callable[[], asyncio.Protocol]
    open: set[Connection]
    log: Log | None
    fail: Callable[[BaseException], None]
    gate: Gate | None = None


class _Head(NamedTuple):
    target: str
    length: int
    encoding: str
    close: bool
    gzip: bool
    authorization: str = ""


class Connection(asyncio.Protocol):
    """Serves writes until something else comes.

    Attributes:
        busy: whether a write waits for its answer.
        since: since when the next request is waited for, by the loop's clock.
    """

    __slots__ = (
        "_buffer",
        "_checking",
        "_closing",
        "_head",
        "_loop",
        "_paused",
        "_shared",
        "_start",
        "_transport",
        "busy",
        "since",
    )

    def __init__(self, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        self._shared = shared
        self._loop = loop
        self._buffer = bytearray()
        self._head: tuple[_Head, int] | None = None
        self._start = 0.0
        self._closing = False
        self._paused = False
        self._checking: asyncio.Task[None] | None = None
        self.busy = False
        self.since = loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._shared.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; an answer under way finds the transport closed."""
        self._shared.open.discard(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self._buffer += data
        if not self.busy:
            self._advance()
        elif len(self._buffer) > _MAX_HEAD_BYTES:
            # a client that sends on without reading answers has to wait
            self._paused = True
            self._transport.pause_reading()

    def close(self) -> None:
        """Close now, or after the answer that is under way."""
        self._closing = True
        if not self.busy:
            self._transport.close()

    def expire(self) -> None:
        """Close, because the next request does not come, or does not end."""
        if self._buffer:
            answer = failure("the request took too long", 408)
            head = self._shared.marks.head(
                answer, gzip=False, close=True, length=len(answer.body)
            )
            self._transport.write(head + answer.body)
        self._transport.close()

    def abort(self) -> None:
        """Close whatever happens."""
        self._transport.abort()

    def _advance(self) -> None:
        """Start the write that the buffer holds, if it is complete."""
        if self._head is None and not (self._buffer and self._find_head()):
            return
        assert self._head is not None
        head, end = self._head
        if len(self._buffer) < end + head.length:
            return
        body = bytes(memoryview(self._buffer)[end : end + head.length])
        del self._buffer[: end + head.length]
        self._head = None
        self._submit(head, body)

    def _find_head(self) -> bool:
        """Read the head if it is there; what is no plain write goes to aiohttp."""
        start = bytes(self._buffer[:_MAX_START])
        if not start.startswith(_STARTS):
            if not any(each.startswith(start) for each in _STARTS):
                self._hand_over()
            return False
        end = self._buffer.find(b"\r\n\r\n", 0, _MAX_HEAD_BYTES)
        if end < 0:
            if len(self._buffer) >= _MAX_HEAD_BYTES:
                self._hand_over()
            return False
        head = _parse(bytes(self._buffer[:end]))
        if head is None:
            self._hand_over()
            return False
        self._head = head, end + 4
        return True

    def _hand_over(self) -> None:
        self._shared.open.discard(self)
        protocol = self._shared.fallback()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(bytes(self._buffer))
        self._buffer.clear()

    def _submit(self, head: _Head, body: bytes) -> None:
        self.busy = True
        self._start = time.monotonic()
        query = head.target.partition("?")[2]
        gate = self._shared.gate
        if gate is None or gate.knows_writer(head.authorization, query):
            self._write(head, query, body)
            return
        check = self._checked(gate, head, query, body)
        self._checking = self._loop.create_task(check)

    async def _checked(self, gate: Gate, head: _Head, query: str, body: bytes) -> None:
        """Write once the gate agrees."""
        path = unquote(head.target.partition("?")[0])
        request = Request("POST", path, head.target, query)
        request.authorization = head.authorization
        try:
            refused = await gate.check(request)
        # the client gets an answer whatever happens
        except Exception as error:
            self._shared.fail(error)
            refused = INTERNAL_ERROR
        if refused is None:
            self._write(head, query, body)
        else:
            self._finish(head, refused)

    def _write(self, head: _Head, query: str, body: bytes) -> None:
        try:
            future = self._shared.handler.submit(query, body, head.encoding)
        except RuntimeError:
            # the server is stopping
            self._transport.close()
            return
        if future.done() and not self._buffer:
            self._answer(head, future)
        else:
            # a client that sends many writes at once waits for its turn each time
            future.add_done_callback(lambda done: self._answer(head, done))

    def _answer(self, head: _Head, done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        answer = NO_CONTENT
        if isinstance(error, WriteError):
            answer = error.answer()
        elif isinstance(error, KapacitorError):
            answer = refusal(error)
        elif error is not None or done.cancelled():
            if error is not None:
                self._shared.fail(error)
            answer = INTERNAL_ERROR
        self._finish(head, answer)

    def _finish(self, head: _Head, answer: Answer) -> None:
        self.busy = False
        self.since = self._loop.time()
        if not self._transport.is_closing():
            self._send(head, answer)
        if self._shared.log is not None:
            peer = self._transport.get_extra_info("peername")
            host = str(peer[0]) if peer else ""
            self._shared.log("POST", head.target, answer.status, host, self._start)

    def _send(self, head: _Head, answer: Answer) -> None:
        close = head.close or self._closing
        marks = self._shared.marks
        if answer is NO_CONTENT:
            self._transport.write(marks.no_content(gzip=head.gzip, close=close))
        else:
            body = gzip.compress(answer.body) if head.gzip else answer.body
            start = marks.head(answer, gzip=head.gzip, close=close, length=len(body))
            self._transport.write(start + body)
        if close:
            self._transport.close()
            return
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if self._buffer:
            self._advance()


INTERNAL_ERROR = Answer(500, b"internal error\n")
_MAX_START = max(map(len, _STARTS))


# agents send the same headers again and again
@functools.lru_cache(maxsize=1024)
def _parse(head: bytes) -> _Head | None:
    """The head of a plain write; None if it needs a full HTTP parser."""
    line, *lines = head.split(b"\r\n")
    parts = line.split(b" ")
    if len(parts) != 3 or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        return None
    length = -1
    encoding = accept = connection = authorization = b""
    for each in lines:
        name, colon, value = each.partition(b":")
        key = name.lower()
        if not colon or key in _UNUSUAL or not key.replace(b"-", b"").isalnum():
            return None
        if key == b"content-length":
            value = value.strip()
            if length >= 0 or not value.isdigit() or len(value) > 12:
                return None
            length = int(value)
        elif key == b"content-encoding":
            encoding = value.strip()
        elif key == b"authorization":
            authorization = value.strip()
        elif key == b"accept-encoding":
            accept = value
        elif key == b"connection":
            connection = value.strip().lower()
    if not 0 <= length <= MAX_BODY_BYTES or connection not in (
        b"",
        b"close",
        b"keep-alive",
    ):
        return None
    old = parts[2] == b"HTTP/1.0"
    return _Head(
        parts[1].decode("latin-1"),
        length,
        encoding.decode("latin-1"),
        connection == b"close" or (old and connection != b"keep-alive"),
        b"gzip" in accept,
        authorization.decode("latin-1"),
    )
