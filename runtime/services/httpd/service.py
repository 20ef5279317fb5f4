"""The HTTP server: one port, routes, the headers and errors of the API."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from urllib.parse import quote

# not from aiohttp.web, whose application framework takes memory
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from aiohttp.web_server import Server

from runtime.errors import BusyError, RefusedError, StoreError
from runtime.golang.json_decode import ParsedBody
from runtime.services.httpd import fallback
from runtime.services.httpd.connection import Gate, Shared, WriteConnection
from runtime.services.httpd.credentials import without_password
from runtime.services.httpd.exchange import (
    PART_TIMEOUT_S,
    Exchange,
    ExchangeContext,
    UnreadError,
)
from runtime.services.httpd.headers import ResponseHeaders
from runtime.services.httpd.intake import Intake
from runtime.services.httpd.messages import (
    HTML,
    MAX_BODY_BYTES,
    NO_CONTENT,
    NOT_FOUND,
    UNMARKED_NOT_FOUND,
    Answer,
    Request,
    answer_to,
    failure,
    pretty,
)
from runtime.services.httpd.router import METHODS, Router, cleaned
from runtime.services.httpd.sites import Sites
from runtime.services.httpd.write import (
    WriteHandler,
)

log = logging.getLogger("kapacitor.http")

# An idle connection is kept about as long as clients keep theirs. Clients that wait for
# an answer send their requests in less time.
READ_TIMEOUT_S = 180.0
# Far more than any real script needs.
MAX_API_BODY_BYTES = 1024 * 1024
# Parsing this much takes less time than a hand-over to a thread.
_QUICK_JSON_BYTES = 16 * 1024
_OPTIONS = Answer(200, content_type=None, marked=False)


class HttpServer:
    """Listens on one address and serves the routes of `router`.

    Attributes:
        router: router, to which services add their routes before `open`.
        port: port in use after `open`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        version: str,
        log_enabled: bool = True,
        shutdown_timeout_s: float = 10.0,
        read_timeout_s: float = READ_TIMEOUT_S,
        part_timeout_s: float = PART_TIMEOUT_S,
        sites: Sites | None = None,
        intake: Intake | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Create a server that does not listen yet.

        Args:
            host: address to listen on; "" for every address.
            port: port to listen on; 0 for a free one.
            version: value of the version header.
            log_enabled: True to log each request.
            shutdown_timeout_s: time in which open requests may end when the server
                stops, in seconds.
            read_timeout_s: time limit for receiving the next request of a connection,
                headers and body, in seconds; 0 for none.
            part_timeout_s: time limit for the client to take a part of the response, in
                seconds.
            sites: hosts and origins that are served; None for programs on this machine
                and no web pages.
            intake: limit on the bodies in memory.
            tls: TLS context of the port, or None.
        """
        self.router = Router()
        self.port = port
        self._host = host
        self._log_enabled = log_enabled
        self._shutdown_timeout_s = shutdown_timeout_s
        self._read_timeout_s = read_timeout_s
        self._tls = tls
        self._response_headers = ResponseHeaders(version)
        self._context = ExchangeContext(
            self._response_headers,
            sites or Sites(),
            intake or Intake(),
            read_timeout_s,
            part_timeout_s,
        )
        self._parsing = asyncio.Lock()
        self._gate: Gate | None = None
        self._writes: WriteHandler | None = None
        self._server: asyncio.Server | None = None
        self._fallback: Server | None = None
        self._shared: Shared | None = None
        self._open: set[WriteConnection] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self.router.add("GET", "/ping", _ping)
        self.router.add("HEAD", "/ping", _ping)
        self.router.add("GET", "/:routes", self._routes)

    def authenticate(self, gate: Gate) -> None:
        """Let `gate` authorize every request; call this before `open`."""
        self._gate = gate

    def accept_writes(self, handler: WriteHandler) -> None:
        """Let `handler` answer the write endpoints."""
        self._writes = handler
        self.router.add("POST", "/write", handler)
        self.router.add("POST", "/write", handler, base="")

    async def open(self) -> None:
        """Listen.

        Raises:
            OSError: the address is not available.
        """
        loop = asyncio.get_running_loop()
        self._fallback = fallback.server(
            self._handle, self._context.intake, self._read_timeout_s
        )
        if self._writes is not None:
            self._shared = Shared(
                self._writes,
                self._response_headers,
                self._fallback,
                self._open,
                self._log if self._log_enabled else None,
                _log_failure,
                self._context.sites,
                self._context.intake,
                self._gate,
            )
        self._server = await loop.create_server(
            self._connection,
            self._host or None,
            self.port,
            ssl=self._tls,
            backlog=1024,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        if self._read_timeout_s > 0:
            self._sweeper = loop.create_task(self._sweep())

    async def close(self) -> None:
        """Stop listening, let running requests finish, then cut them off."""
        if self._server is None or self._fallback is None:
            return
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._server.close()
        for connection in list(self._open):
            connection.close()
        self._fallback.pre_shutdown()
        end = time.monotonic() + self._shutdown_timeout_s
        while self._open and time.monotonic() < end:
            await asyncio.sleep(0.01)
        for connection in list(self._open):
            connection.abort()
        await self._fallback.shutdown(max(0.0, end - time.monotonic()))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._server.wait_closed(), 1.0)

    async def answer(self, request: Request) -> Answer:
        """The response to `request`: the API without the network."""
        return await self._early(request) or await self._routed(request)

    async def _early(self, request: Request) -> Answer | None:
        """The response that depends on neither route nor body, if any."""
        if request.method not in METHODS:
            return UNMARKED_NOT_FOUND
        if request.method == "OPTIONS":
            return _OPTIONS
        clean = cleaned(request.path)
        if clean != request.path:
            return _moved(request, clean)
        if self._gate is None:
            return None
        try:
            return await self._gate.check(request)
        # after an error the request is refused
        except Exception as error:
            _log_failure(error)
            return failure(f"internal error: {type(error).__name__}", 500)

    async def _routed(self, request: Request) -> Answer:
        try:
            found = self.router.find(request.method, request.path)
            if found is None:
                return NOT_FOUND
            request.path, request.rest = found.path, found.rest
            return await found.handler(request)
        except (RefusedError, StoreError, BusyError) as error:
            return answer_to(error)
        except Exception as error:
            _log_failure(error)
            return failure(f"internal error: {type(error).__name__}", 500)

    def _connection(self) -> asyncio.Protocol:
        """The protocol that serves a new connection."""
        if self._shared is not None:
            return WriteConnection(self._shared, asyncio.get_running_loop())
        assert self._fallback is not None
        return self._fallback()

    async def _handle(self, raw: BaseRequest) -> StreamResponse:
        started = time.monotonic()
        exchange = Exchange(raw, self._context)
        request, close = exchange.request, False
        uri = request.uri
        try:
            answer = exchange.refusal()
            close = answer is not None
            # check the client before its body takes memory
            answer = answer or await self._early(request)
            if answer is None:
                await exchange.read(self._limit(request))
                await self._parse(request)
                answer = await self._routed(request)
        except UnreadError as error:
            answer, close = error.answer, error.answer.status != 413
        if self._log_enabled:
            self._log(raw.method, uri, answer.status, request.remote, started)
        try:
            return await exchange.send(answer, close=close)
        finally:
            exchange.end()

    async def _parse(self, request: Request) -> None:
        """Parse the JSON of a long body in a thread, so that it blocks nothing."""
        if len(request.body) > _QUICK_JSON_BYTES and not self._is_write(request):
            # a limited number at once, as parsing delays the event loop
            async with self._parsing:
                request.body = await asyncio.to_thread(ParsedBody.of, request.body)

    def _limit(self, request: Request) -> int:
        """Maximum size of the body of a request, in bytes."""
        return MAX_BODY_BYTES if self._is_write(request) else MAX_API_BODY_BYTES

    def _is_write(self, request: Request) -> bool:
        found = self.router.find(request.method, request.path)
        return found is not None and found.handler is self._writes

    def _log(
        self, method: str, uri: str, status: int, host: str, started: float
    ) -> None:
        log.info(
            "http request",
            extra={
                "service": "http",
                "host": host,
                "method": method,
                "uri": without_password(uri),
                "status": status,
                "duration": f"{(time.monotonic() - started) * 1000:.3f}ms",
            },
        )

    async def _routes(self, request: Request) -> Answer:
        return pretty(self.router.routes())

    async def _sweep(self) -> None:
        """Close idle connections."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._read_timeout_s / 4)
            limit = loop.time() - self._read_timeout_s
            for connection in list(self._open):
                if connection.since < limit and not connection.busy:
                    connection.expire()


def _moved(request: Request, clean: str) -> Answer:
    """The redirect from an unclean path.

    Source: Go net/http, Redirect.
    """
    query = f"?{request.query_string}" if request.query_string else ""
    location = quote(clean, safe="/:@!$&'()*+,;=~-._") + query
    if request.method not in ("GET", "HEAD"):
        headers = {"Location": location}
        return Answer(301, content_type=None, headers=headers, marked=False)
    shown = location.replace("&", "&amp;").replace('"', "&#34;")
    body = f'<a href="{shown}">Moved Permanently</a>.\n\n'
    return Answer(
        301,
        body.encode(),
        HTML,
        {"Location": location},
        marked=False,
    )


async def _ping(request: Request) -> Answer:
    return NO_CONTENT


def _log_failure(error: BaseException) -> None:
    log.error("failed to answer a request", exc_info=error, extra={"service": "http"})
