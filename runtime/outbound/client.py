"""The one place that does outbound HTTP for integrations."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from runtime.outbound import tcp
from runtime.outbound.addresses import DeniedAddressError
from runtime.outbound.dialing import NEXT_ADDRESS_S, Dialer
from runtime.outbound.headers import RESERVED, sendable
from runtime.outbound.idempotency import idempotency_key
from runtime.outbound.messages import (
    Request,
    Response,
    check,
    escaped,
    failure,
    failures_of,
    redirected,
    retry_after_s,
)
from runtime.outbound.network import Network
from runtime.outbound.trust import Trust

__all__ = [
    "AiohttpClient",
    "HttpClient",
    "Request",
    "Response",
    "Streamed",
    "TimeLimits",
]


class HttpClient(Protocol):
    """Sends requests."""

    @property
    def network(self) -> Network:
        """The network of services that do not send over this client."""

    async def send(self, request: Request) -> Response:
        """Send `request` and read the answer.

        Raises:
            DeliveryError: there was no answer; the text names the endpoint without
                secrets.
        """


BODY_LIMIT_BYTES = 64 * 1024
_LARGE_BODY_BYTES = 64 * 1024
_CONNECTIONS = 16  # to one endpoint at a time
_USER_AGENT = "kapacitor-runtime"
_MAX_REDIRECTS = 10
_PROXY_REFUSES = 407

_log = logging.getLogger("kapacitor.http_client")


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Time limits of a request.

    Attributes:
        connect_s: time limit for connecting, in seconds.
        total_s: time limit of the whole request, in seconds, including the response's
            body and redirects.
    """

    connect_s: float = 5.0
    total_s: float = 30.0


class AiohttpClient:
    """Sends requests with aiohttp, within limits of time and size.

    Redirects are followed as Go does, but only on the endpoint's own host. Error texts
    are Go's, without query values, user names or parts of the path that look secret.
    """

    def __init__(
        self,
        limits: TimeLimits | None = None,
        dialer: Dialer | None = None,
        trust: Trust | None = None,
        *,
        connections: int = _CONNECTIONS,
    ) -> None:
        """Create a client.

        Args:
            limits: time limits of requests.
            dialer: opens the connections.
            trust: authorities that are trusted in addition to the system's store.
            connections: maximum number of connections to one endpoint.
        """
        self._connections = connections
        self._limits = limits or TimeLimits()
        self._dialer = dialer or Dialer(limit_s=self._limits.connect_s)
        self._session: aiohttp.ClientSession | None = None
        self._trust = trust
        self._unchecked: set[str] = set()
        self._reserved: set[str] = set()

    @property
    def network(self) -> Network:
        """The network of services that do not send over this client."""
        return Network(self._dialer, self._trust, client=self)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._dialer.close()

    async def send(self, request: Request) -> Response:
        """Send `request` and read the answer.

        Raises:
            DeliveryError: there was no answer; the text names the endpoint without
                secrets.
        """
        with failures_of(request):
            scheme, place = urlsplit(request.url)[:2]
            if scheme == "tcp":
                return await self._over_tcp(place, request)
            check(request)
            async with asyncio.timeout(request.limit_s or self._limits.total_s):
                return await self._follow(request)

    @contextlib.asynccontextmanager
    async def streamed(
        self, request: Request, *, idle_s: float
    ) -> AsyncIterator[Streamed]:
        """Send `request`, and read an answer of any length part by part.

        Redirects are not followed.

        Args:
            request: request over HTTP; `limit_s` limits the whole answer, unless it is
                None.
            idle_s: time limit of the first and each later part, in seconds.

        Raises:
            DeliveryError: there was no answer.
        """
        with failures_of(request):
            check(request)
            loop = asyncio.get_running_loop()
            limit_s = request.limit_s
            ends = None if limit_s is None else loop.time() + limit_s
            async with asyncio.timeout_at(_earlier(ends, idle_s)):
                answer = await self._sent(request)
        try:
            yield Streamed(request, answer, ends, idle_s)
        finally:
            # the unread rest may be long
            answer.close()

    async def _over_tcp(self, address: str, request: Request) -> Response:
        """Write the body to a TCP address; the answer has the status 200."""
        reads = request.method == tcp.EXCHANGE
        async with asyncio.timeout(request.limit_s or self._limits.total_s):
            body = await tcp.exchange(self._dialer, address, request.body, reads=reads)
        return Response(200, body)

    async def _follow(self, request: Request) -> Response:
        for _ in range(_MAX_REDIRECTS):
            response, location = await self._exchange(request)
            following = redirected(request, response.status, location)
            if following is None:
                return response
            request = following
        raise failure(request, f"stopped after {_MAX_REDIRECTS} redirects")

    async def _exchange(self, request: Request) -> tuple[Response, str]:
        async with await self._sent(request) as answer:
            return await _response(answer), answer.headers.get("Location", "")

    async def _sent(self, request: Request) -> aiohttp.ClientResponse:
        """Send a request; the answer's body is not read yet."""
        key = idempotency_key.get()
        own = {"User-Agent": _USER_AGENT} | ({"Idempotency-Key": key} if key else {})
        self._warn_of_reserved(request.headers)
        url = URL(escaped(request.url), encoded=True)
        if not request.verify:
            self._warn(url)
        if any(name.lower() == "authorization" for name in request.headers):
            # as with Go, a header takes precedence over the user in a URL
            url = url.with_user(None)
        if request.proxy:
            await self._check_behind(url)
        answer = await self._opened().request(
            request.method,
            url,
            headers=sendable(own, request.headers),
            data=_body(request.body),
            allow_redirects=False,
            ssl=self._tls(request),
            proxy=URL(request.proxy) if request.proxy else None,
            skip_auto_headers=("Accept", "Content-Type"),
        )
        if request.proxy and answer.status == _PROXY_REFUSES:
            answer.close()
            raise failure(request, "Proxy Authentication Required", retry=True)
        return answer

    def _tls(self, request: Request) -> ssl.SSLContext | bool:
        """The TLS context of a request: certificates that it trusts, and its own."""
        if request.identity is not None:
            return request.identity.context(self._trust, verify=request.verify)
        if self._trust is not None and request.verify:
            return self._trust.context()
        return request.verify

    async def _check_behind(self, url: URL) -> None:
        """Refuse a denied address as the target of a proxy.

        A name that only the proxy can look up is allowed.
        """
        try:
            await self._dialer.addresses(url.host or "")
        except DeniedAddressError:
            raise
        except OSError:
            return

    def _warn_of_reserved(self, headers: Mapping[str, str]) -> None:
        """Warn once that a header is ignored, as the client sets it."""
        for name in RESERVED & {name.lower() for name in headers} - self._reserved:
            self._reserved.add(name)
            _log.warning(
                "ignored a header that the server sets itself", extra={"header": name}
            )

    def _warn(self, url: URL) -> None:
        """Warn once about an endpoint whose requests others on the way can read."""
        origin = str(url.origin())
        if origin not in self._unchecked:
            self._unchecked.add(origin)
            text = "the certificate of an endpoint is not verified"
            _log.warning(text, extra={"url": origin})

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(
                total=None,
                connect=None,
                sock_connect=self._limits.connect_s,
            )
            self._session = aiohttp.ClientSession(
                timeout=timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=self._connector(),
                # proxies and passwords only from the configuration
                trust_env=False,
            )
        return self._session

    def _connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            limit=0,
            # without a limit a burst of alerts overflows the endpoint's listen backlog
            limit_per_host=self._connections,
            resolver=_Resolver(self._dialer),
            # the dialer runs each lookup once at a time; its results are not kept, as
            # the next attempt must use the current addresses
            use_dns_cache=False,
            happy_eyeballs_delay=NEXT_ADDRESS_S,
            socket_factory=self._dialer.socket,
        )


class Streamed:
    """An answer whose body is read part by part.

    Attributes:
        status: HTTP status.
    """

    def __init__(
        self,
        request: Request,
        answer: aiohttp.ClientResponse,
        ends: float | None,
        idle_s: float,
    ) -> None:
        self.status = answer.status
        self._request = request
        self._answer = answer
        self._ends = ends
        self._idle_s = idle_s

    async def response(self) -> Response:
        """The answer with at most 64 KiB of its body."""
        with failures_of(self._request):
            async with asyncio.timeout_at(_earlier(self._ends, self._idle_s)):
                return await _response(self._answer)

    async def parts(self) -> AsyncIterator[bytes]:
        """The body, decompressed, as it arrives.

        Raises:
            DeliveryError: the body ended early, or was late.
        """
        while True:
            with failures_of(self._request):
                async with asyncio.timeout_at(_earlier(self._ends, self._idle_s)):
                    part = await self._answer.content.readany()
            if not part:
                return
            yield part


class _Resolver(AbstractResolver):
    """Looks up names with a dialer."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """The addresses of `host` that are not denied."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in await self._dialer.addresses(host)
        ]

    async def close(self) -> None:
        """Close nothing: the client owns the dialer."""


def _earlier(ends: float | None, idle_s: float) -> float:
    """The time after which the next part is late, by the loop's clock."""
    late = asyncio.get_running_loop().time() + idle_s
    return late if ends is None else min(ends, late)


def _body(body: bytes) -> bytes | io.BytesIO | None:
    # large bodies are written in parts, so that other tasks can run in between
    return io.BytesIO(body) if len(body) > _LARGE_BODY_BYTES else body or None


async def _response(answer: aiohttp.ClientResponse) -> Response:
    body = await _read(answer)
    wait_s = retry_after_s(answer.headers.get("Retry-After", ""), time.time())
    return Response(answer.status, body, wait_s)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while len(body) < BODY_LIMIT_BYTES:
        chunk = await answer.content.read(BODY_LIMIT_BYTES - len(body))
        if not chunk:
            return bytes(body)
        body += chunk
    answer.close()  # the rest, which may have no end, stays unread
    return bytes(body)
