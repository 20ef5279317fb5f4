"""A connection: plain writes are handled here, all other requests by aiohttp.

Many hosts that each send a point on a connection of their own are the common load.
A full HTTP stack costs several times as much as handling such a write. So this protocol
recognizes a `POST` to a write path whose headers are all usual ones, answers it, and
waits for the next. The first other request is passed to aiohttp, with all bytes read so
far, and so is the rest of the connection.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast
from urllib.parse import unquote

from runtime.errors import KapacitorError
from runtime.services.httpd.headers import ResponseHeaders
from runtime.services.httpd.heads import Head, plain_head
from runtime.services.httpd.intake import TOO_MANY, Intake
from runtime.services.httpd.messages import (
    MAX_BODY_BYTES,
    NO_CONTENT,
    TOO_SLOW,
    Answer,
    Request,
)
from runtime.services.httpd.sites import Sites
from runtime.services.httpd.write import (
    WriteHandler,
    refusal,
)

_STARTS = (b"POST /write?", b"POST /kapacitor/v1/write?")
_MAX_HEAD_BYTES = 8190
# Time for reading the rest of a refused request, so that its client sees the response.
_LINGER_S = 2.0


class Log(Protocol):
    """Logs a request."""

    def __call__(
        self, method: str, uri: str, status: int, host: str, started: float
    ) -> None:
        """Log one answered request."""


class Gate(Protocol):
    """Authorizes requests before they are answered."""

    async def check(self, request: Request) -> Answer | None:
        """Return None to allow `request`, else the response that refuses it."""

    def knows_writer(self, authorization: str, query: str) -> bool:
        """Return True if a write with these credentials is allowed without a check."""


class Shared(NamedTuple):
    """State shared by the connections of a server.

    Attributes:
        handler: handler of writes.
        response_headers: headers of every response.
        fallback: creates the protocol for all other requests.
        open: open connections.
        log: called for each request, or None.
        fail: called with unexpected exceptions.
        sites: hosts and origins that are served.
        intake: limit on the bodies in memory.
        gate: authorizes requests, or None.
    """

    handler: WriteHandler
    response_headers: ResponseHeaders
    fallback: Callable[[], asyncio.Protocol]
    open: set[WriteConnection]
    log: Log | None
    fail: Callable[[BaseException], None]
    sites: Sites
    intake: Intake
    gate: Gate | None = None


class WriteConnection(asyncio.Protocol):
    """Serves writes until another request arrives.

    Attributes:
        busy: True while a write waits for its response.
        since: start of the wait for the next request, on the loop's clock.
    """

    __slots__ = (
        "_admitted",
        "_buffer",
        "_checking",
        "_closing",
        "_head",
        "_host",
        "_is_held",
        "_leaving",
        "_loop",
        "_paused",
        "_shared",
        "_stalled",
        "_start",
        "_transport",
        "busy",
        "since",
    )

    def __init__(self, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        self._shared = shared
        self._loop = loop
        self._buffer = bytearray()
        self._head: tuple[Head, int] | None = None
        self._admitted = shared.gate is None
        # the last host that was accepted; clients use the same one again and again
        self._host = ""
        self._start = 0.0
        self._closing = False
        self._is_held = False
        self._leaving = False
        self._paused = False
        self._stalled = False
        self._checking: asyncio.Task[None] | None = None
        self.busy = False
        self.since = loop.time()

    @property
    def is_arriving(self) -> bool:
        """True if more of the body is expected."""
        return self._head is not None and not self.busy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to read."""
        self._transport = cast(asyncio.Transport, transport)
        self._shared.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop; a running response will find the transport closed."""
        self._shared.open.discard(self)
        self._shared.intake.release(self)
        self._buffer.clear()

    def data_received(self, data: bytes) -> None:
        """Receive bytes."""
        if self._leaving:
            return
        self._buffer += data
        if not (self.busy or self._stalled):
            self._advance()
        elif len(self._buffer) > _MAX_HEAD_BYTES:
            # a client that does not read its answers has to wait with further requests
            self._paused = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """Pause while the client does not read its responses."""
        self._stalled = True

    def resume_writing(self) -> None:
        """Resume when the client reads its responses again."""
        self._stalled = False
        if not self.busy:
            self._read_on()

    def close(self) -> None:
        """Close now, or after the current response."""
        self._closing = True
        if not self.busy:
            self._transport.close()

    def expire(self) -> None:
        """Close, because the next request has not arrived completely in time."""
        if self._stalled:
            self._transport.abort()
        elif self._buffer:
            self._write_answer(TOO_SLOW, gzipped=False, close=True)
        self._transport.close()

    def cut(self) -> None:
        """Drop the arriving body, as other requests need the memory."""
        assert self._head is not None
        self._leave(self._head[0], TOO_MANY)

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _advance(self) -> None:
        """Start the write that the buffer holds, if it is complete and allowed."""
        if self._head is None and not (self._buffer and self._find_head()):
            return
        assert self._head is not None
        head, end = self._head
        if not (self._admitted or self._admit(head)):
            return
        if len(self._buffer) < end + head.length:
            self._is_held = True
            self._shared.intake.hold(self, len(self._buffer))
            return
        body = bytes(memoryview(self._buffer)[end : end + head.length])
        self._drop_request()
        self._submit(head, body)

    def _find_head(self) -> bool:
        """Read the head if it is complete; requests other than plain writes go to aiohttp."""
        if not self._buffer.startswith(_STARTS):
            start = bytes(self._buffer[:_MAX_START])
            if not any(each.startswith(start) for each in _STARTS):
                self._hand_over()
            return False
        end = self._buffer.find(b"\r\n\r\n", 0, _MAX_HEAD_BYTES)
        if end < 0:
            # this head may never end; aiohttp answers with the reason
            if len(self._buffer) >= _MAX_HEAD_BYTES or b"\n\n" in self._buffer:
                self._hand_over()
            return False
        head = plain_head(bytes(self._buffer[:end]))
        if (
            head is None
            or head.length > MAX_BODY_BYTES
            or not (head.host == self._host or self._serves(head.host))
        ):
            self._hand_over()
            return False
        self._head = head, end + 4
        return True

    def _serves(self, host: str) -> bool:
        """True if requests for `host` are for this server."""
        local = self._transport.get_extra_info("sockname")
        try:
            served = self._shared.sites.serves(host, str(local[0]) if local else "")
        except ValueError:
            return False
        if served:
            self._host = host
        return served

    def _hand_over(self) -> None:
        self._shared.open.discard(self)
        protocol = self._shared.fallback()
        if self._paused:
            self._resume()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(bytes(self._buffer))
        self._buffer.clear()

    def _admit(self, head: Head) -> bool:
        """True if the client may write; if the check takes time, continue after it.

        Until then only the part of the body in the first read is kept.
        """
        gate = self._shared.gate
        query = head.target.partition("?")[2]
        self._admitted = gate is None or gate.knows_writer(head.authorization, query)
        if gate is not None and not self._admitted:
            self.busy = True
            self._start = time.monotonic()
            self._checking = self._loop.create_task(self._check(gate, head, query))
        return self._admitted

    async def _check(self, gate: Gate, head: Head, query: str) -> None:
        """Authorize a write, then continue or refuse it."""
        path = unquote(head.target.partition("?")[0])
        request = Request("POST", path, head.target, query)
        request.authorization = head.authorization
        request.remote = self._peer()
        try:
            refused = await gate.check(request)
        # the client gets an answer in any case
        except Exception as error:
            self._shared.fail(error)
            refused = INTERNAL_ERROR
        self.busy = False
        if self._transport.is_closing():
            return
        if refused is None:
            self._admitted = True
            self._read_on()
        else:
            self._refuse(refused)

    def _refuse(self, answer: Answer) -> None:
        assert self._head is not None
        head, end = self._head
        if len(self._buffer) < end + head.length:
            self._leave(head, answer)
            return
        self._drop_request()
        self._finish(head, answer)

    def _leave(self, head: Head, answer: Answer) -> None:
        """Answer a request without reading its body, then close the connection."""
        self._leaving = True
        self._head = None
        self._buffer.clear()
        self._shared.intake.release(self)
        self._write_answer(answer, gzipped=head.gzip, close=True)
        self._log(head, answer)
        self._read_on()
        # not at once, or the client might see a reset instead of its answer
        self._loop.call_later(_LINGER_S, self._transport.abort)

    def _drop_request(self) -> None:
        """Remove head and body from the buffer."""
        assert self._head is not None
        head, end = self._head
        del self._buffer[: end + head.length]
        self._head = None
        self._admitted = self._shared.gate is None

    def _submit(self, head: Head, body: bytes) -> None:
        self.busy = True
        self._start = time.monotonic()
        query = head.target.partition("?")[2]
        try:
            future = self._shared.handler.submit(query, body, head.encoding)
        except RuntimeError:
            # the server is stopping
            self._transport.close()
            return
        if future.done() and not self._buffer:
            self._answer(head, future)
        else:
            # also with more in the buffer, so that other clients get their turn in
            # between
            future.add_done_callback(lambda done: self._answer(head, done))

    def _answer(self, head: Head, done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        answer = NO_CONTENT
        if isinstance(error, KapacitorError):
            answer = refusal(error)
        elif error is not None or done.cancelled():
            if error is not None:
                self._shared.fail(error)
            answer = INTERNAL_ERROR
        self._finish(head, answer)

    def _finish(self, head: Head, answer: Answer) -> None:
        self.busy = False
        self.since = self._loop.time()
        if self._is_held:
            self._is_held = False
            self._shared.intake.release(self)
        close = head.close or self._closing
        if not self._transport.is_closing():
            self._write_answer(answer, gzipped=head.gzip, close=close)
        if self._shared.log is not None:
            self._log(head, answer)
        if close:
            self._transport.close()
        elif self._buffer or self._paused:
            self._read_on()

    def _read_on(self) -> None:
        """Serve the requests in the buffer and read more, unless the client stalls."""
        if self._stalled or self._transport.is_closing():
            return
        if self._buffer:
            self._advance()
        # first the requests in the buffer: each read may add a thousand more
        if self._paused and not (self.busy and len(self._buffer) > _MAX_HEAD_BYTES):
            self._resume()

    def _resume(self) -> None:
        self._paused = False
        self._transport.resume_reading()

    def _write_answer(self, answer: Answer, *, gzipped: bool, close: bool) -> None:
        headers = self._shared.response_headers
        if answer is NO_CONTENT:
            self._transport.write(headers.no_content(gzip=gzipped, close=close))
            return
        body = gzip.compress(answer.body) if gzipped else answer.body
        head = headers.head(answer, gzip=gzipped, close=close, length=len(body))
        self._transport.write(head + body)

    def _log(self, head: Head, answer: Answer) -> None:
        if self._shared.log is not None:
            log, peer = self._shared.log, self._peer()
            log("POST", head.target, answer.status, peer, self._start)

    def _peer(self) -> str:
        """The client's address."""
        peer = self._transport.get_extra_info("peername")
        return str(peer[0]) if peer else ""


INTERNAL_ERROR = Answer(500, b"internal error\n")
_MAX_START = max(map(len, _STARTS))
