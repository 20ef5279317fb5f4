"""The server for all requests but plain writes: aiohttp's, with Go's answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError
from aiohttp.streams import StreamReader

# not from aiohttp.web, whose application framework takes memory
from aiohttp.web_protocol import RequestHandler, RequestPayloadError
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from aiohttp.web_server import Server

from runtime.services.httpd.framing import (
    MAX_HEAD_BYTES,
    MAX_HEAD_LINES,
    Framing,
    MalformedError,
    bad_request,
)
from runtime.services.httpd.intake import TOO_MANY, Intake
from runtime.services.httpd.messages import UNMARKED_NOT_FOUND, Answer

# Smaller heads are not counted, as each connection takes as much memory anyway.
_LARGE_HEAD_BYTES = 8 * 1024
_NO_HTTP = b"\0\r\n\r\n"
# Time that the client of a refused head has for reading the response, as in Go.
_LINGER_S = 0.5

_log = logging.getLogger("kapacitor.http")


def server(
    handle: Callable[[BaseRequest], Awaitable[StreamResponse]],
    intake: Intake,
    timeout_s: float,
) -> Server:
    """Create a server, which makes the protocol of a connection when it is called.

    Args:
        handle: answers a request.
        intake: limit on the memory for heads that are arriving.
        timeout_s: time limit for receiving the next request, in seconds; 0 for none.
    """
    return _Server(
        intake,
        handle,
        request_factory=_request,
        access_log=None,
        auto_decompress=False,
        # heads are limited before they reach the parser
        max_line_size=MAX_HEAD_BYTES,
        max_field_size=MAX_HEAD_BYTES,
        max_headers=MAX_HEAD_LINES + 1,
        keepalive_timeout=timeout_s,
        # time for reading the rest of a refused request
        lingering_time=min(10.0, timeout_s or 10.0),
    )


class _Protocol(RequestHandler):
    """aiohttp's connection; answers non-HTTP input as Go's server would.

    An unknown method is answered like a missing path.
    """

    __slots__ = ("_body", "_framing", "_gone", "_intake", "_refusal")

    def __init__(self, intake: Intake, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._intake = intake
        self._framing: Framing | None = Framing()
        self._refusal: Answer | None = None
        # set with the end of the connection, once a head is refused
        self._gone: asyncio.Event | None = None
        # of the newest request
        self._body: StreamReader | None = None

    @property
    def is_arriving(self) -> bool:
        """True if more of a head is expected."""
        return self._framing is not None and self._framing.waiting > 0

    def cut(self) -> None:
        """Drop the arriving head, as other requests need the memory."""
        self._refuse(TOO_MANY)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._intake.release(self)
        if self._gone is not None:
            self._gone.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._framing is None or not data:
            # after a refusal, aiohttp only processes the data that it has buffered
            super().data_received(b"" if self._framing is None else data)
            return
        try:
            for piece in self._framing.pieces(data):
                super().data_received(piece)
                if self._messages:
                    self._body = self._messages[-1][1]
        except MalformedError as error:
            self._refuse(error.answer)
        else:
            self._count()

    def _count(self) -> None:
        """Count the memory of a large head while it arrives."""
        waiting = self._framing.waiting if self._framing is not None else 0
        if waiting > _LARGE_HEAD_BYTES:
            self._intake.hold(self, waiting)
        else:
            self._intake.release(self)

    def _refuse(self, answer: Answer) -> None:
        """Send this response after those to earlier requests, then serve no others."""
        assert self._framing is not None
        is_body = self._framing.is_in_body
        self._framing, self._refusal = None, answer
        self._intake.release(self)
        if is_body:
            self._break_off()
        else:
            # make the parser fail, so that its error comes after earlier requests
            super().data_received(_NO_HTTP)

    def _break_off(self) -> None:
        """Fail the readers of the arriving body."""
        # noted on arrival: aiohttp drops its reference before a request has one
        if self._body is not None and not self._body.is_eof():
            self._body.set_exception(RequestPayloadError("malformed chunks"))
            # readers must not wait for the rest of the body
            self._body.feed_eof()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> StreamResponse:
        if self._refusal is not None and isinstance(exc, HttpProcessingError):
            answer = self._refusal
        elif isinstance(exc, BadHttpMethod):
            answer = UNMARKED_NOT_FOUND
        elif isinstance(exc, HttpProcessingError):
            answer = bad_request()
            # no traceback, as anyone can send invalid data
            _log.debug(
                "refused a request that is not HTTP",
                extra={"service": "http", "host": request.remote},
            )
        else:
            return super().handle_error(request, status, exc, message)
        self._gone = asyncio.Event()
        response = _LastResponse(
            self._gone,
            status=answer.status,
            body=answer.body,
            headers={"Content-Type": answer.content_type or ""},
        )
        response.force_close()
        return response


class _LastResponse(Response):
    """Gives the client time to read it before the connection is closed.

    A connection that is closed while its client still sends is reset, and the client may
    lose the response.

    Source: Go net/http, closeWriteAndWait.
    """

    def __init__(self, gone: asyncio.Event, **parts: Any) -> None:
        super().__init__(**parts)
        self._gone = gone

    async def write_eof(self, data: bytes = b"") -> None:
        transport = self._req.transport if self._req is not None else None
        await super().write_eof(data)
        if transport is not None and transport.can_write_eof():
            # a client may be gone before the server knows
            with contextlib.suppress(OSError):
                transport.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                await self._gone.wait()


class _Server(Server):
    def __init__(self, intake: Intake, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._intake = intake

    def __call__(self) -> RequestHandler:
        return _Protocol(self._intake, self, loop=self._loop, **self._kwargs)


class _Request(BaseRequest):
    """aiohttp's request; its answer does not name the server's software."""

    async def _prepare_hook(self, response: StreamResponse) -> None:
        response.headers.popall("Server", None)


def _request(*parts: object) -> BaseRequest:
    message, payload, protocol, writer, task = parts
    return _Request(
        message,  # type: ignore[arg-type] # aiohttp's own values, handed through
        payload,  # type: ignore[arg-type]
        protocol,  # type: ignore[arg-type]
        writer,  # type: ignore[arg-type]
        task,  # type: ignore[arg-type]
        asyncio.get_running_loop(),
    )
