"""The one place that does outbound HTTP for integrations."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import logging
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from runtime.errors import DeliveryError
from runtime.golang.utf8 import scrub
from runtime.outbound import tcp
from runtime.outbound.addresses import DeniedAddressError
from runtime.outbound.connection import Connection
from runtime.outbound.dialing import NEXT_ADDRESS_S, Dialer
from runtime.outbound.failures import may_have_come, reason_of
from runtime.outbound.headers import RESERVED, HeaderNameError, check_names, sendable
from runtime.outbound.idempotency import idempotency_key
from runtime.outbound.identity import Identity
from runtime.outbound.network import Network
from runtime.outbound.trust import Trust
from runtime.secrets.urls import shown_url
from runtime.units import SECOND


@dataclass(frozen=True, slots=True)
class Request:
    """A request to an endpoint.

    Attributes:
        method: `POST`, `PUT`, …; to `tcp://` `WRITE`, or `EXCHANGE` to read an answer.
        url: complete, with its query; may hold secrets, so it is never logged.
            `tcp://host:port` takes the body alone.
        headers: sent with values on one line; `http_headers.RESERVED` are not.
        body: the bytes of the body.
        verify: True to require a trusted certificate.
        limit_s: time limit of the whole request, in seconds; None for the client's own
            limit.
        identity: certificates of the service; None for those of the client.
        proxy: URL of an HTTP proxy; "" for none. It may hold a password.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    verify: bool = True
    limit_s: float | None = None
    identity: Identity | None = None
    proxy: str = ""

    def over(self, connection: Connection, identity: Identity | None) -> Request:
        """This request over a connection; what that leaves open stays."""
        return dataclasses.replace(
            self,
            verify=self.verify and connection.verify,
            limit_s=connection.limit / SECOND or self.limit_s,
            identity=identity or self.identity,
            proxy=connection.proxy or self.proxy,
        )


@dataclass(frozen=True, slots=True)
class Response:
    """An endpoint's answer.

    Attributes:
        status: HTTP status.
        body: at most 64 KiB of the body.
        retry_after_s: parsed `Retry-After`, seconds from now.
    """

    status: int
    body: bytes = b""
    retry_after_s: float | None = None

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body decoded from JSON, or None if it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return None

    def error(self, message: str) -> DeliveryError:
        """The error for an answer that means failure."""
        retry = self.status in (408, 425, 429) or (
            self.status >= 500 and self.status not in (501, 505)
        )
        return DeliveryError(
            message,
            retry=retry,
            status=self.status,
            retry_after_s=self.retry_after_s,
        )


class HttpClient(Protocol):
    """Sends requests."""

    @property
    def network(self) -> Network:
        """The network of services that send in another way."""

    async def send(self, request: Request) -> Response:
        """Send `request` and read the answer.

        Raises:
            DeliveryError: no answer came; the text names the endpoint without secrets.
        """


BODY_LIMIT_BYTES = 64 * 1024
_LARGE_BODY_BYTES = 64 * 1024
_CONNECTIONS = 16  # to one endpoint at a time
_USER_AGENT = "kapacitor-runtime"
_MAX_REDIRECTS = 10
_PROXY_REFUSES = 407
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PROXY = re.compile(r"http://[^/?#\s]+/?", re.IGNORECASE)
_AUTHORITY = re.compile(r"[^:/?#]*://[^/?#]*")
# left alone: the characters of URLs, and escapes
_IN_PATH = "%/:?#[]@!$&'()*+,;=~-._"

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
        """Make a client.

        Args:
            limits: time limits of requests.
            dialer: makes the connections.
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
        """The network of services that send in another way."""
        return Network(self._dialer, self._trust)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._dialer.close()

    async def send(self, request: Request) -> Response:
        """Send `request` and read the answer.

        Raises:
            DeliveryError: no answer came; the text names the endpoint without secrets.
        """
        with _failures_of(request):
            scheme, place = urlsplit(request.url)[:2]
            if scheme == "tcp":
                return await self._over_tcp(place, request)
            _check(request)
            async with asyncio.timeout(request.limit_s or self._limits.total_s):
                return await self._follow(request)

    @contextlib.asynccontextmanager
    async def streamed(
        self, request: Request, *, idle_s: float
    ) -> AsyncIterator[Streamed]:
        """Send `request`, and read an answer of any length part by part.

        Redirects are not followed.

        Args:
            request: request over HTTP; `limit_s` is for the whole answer, None for no
                limit.
            idle_s: time limit for the first and each next part, in seconds.

        Raises:
            DeliveryError: no answer came.
        """
        with _failures_of(request):
            _check(request)
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
            following = _redirected(request, response.status, location)
            if following is None:
                return response
            request = following
        raise _failure(request, f"stopped after {_MAX_REDIRECTS} redirects")

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
            # as with Go, a header counts before the user in a URL
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
            raise _failure(request, "Proxy Authentication Required", retry=True)
        return answer

    def _tls(self, request: Request) -> ssl.SSLContext | bool:
        """The certificates that a request trusts, and its own."""
        if request.identity is not None:
            return request.identity.context(self._trust, verify=request.verify)
        if self._trust is not None and request.verify:
            return self._trust.context()
        return request.verify

    async def _check_behind(self, url: URL) -> None:
        """Refuse a denied address behind a proxy, which would connect to it for us.

        A name that only the proxy can look up is left to it.
        """
        try:
            await self._dialer.addresses(url.host or "")
        except DeniedAddressError:
            raise
        except OSError:
            return

    def _warn_of_reserved(self, headers: Mapping[str, str]) -> None:
        """Report once that a header is the client's own."""
        for name in RESERVED & {name.lower() for name in headers} - self._reserved:
            self._reserved.add(name)
            _log.warning(
                "ignored a header that the server sets itself", extra={"header": name}
            )

    def _warn(self, url: URL) -> None:
        """Warn once that others on the way can read the requests of an endpoint."""
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
            # the dialer looks a name up once at a time; an answer is not kept, as the
            # next attempt must reach the endpoint where it is then
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
        with _failures_of(self._request):
            async with asyncio.timeout_at(_earlier(self._ends, self._idle_s)):
                return await _response(self._answer)

    async def parts(self) -> AsyncIterator[bytes]:
        """The body, decompressed, as it arrives.

        Raises:
            DeliveryError: it ended early, or too late.
        """
        while True:
            with _failures_of(self._request):
                async with asyncio.timeout_at(_earlier(self._ends, self._idle_s)):
                    part = await self._answer.content.readany()
            if not part:
                return
            yield part


class _Resolver(AbstractResolver):
    """Looks names up with a dialer."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """The addresses of `host` that may be connected to."""
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
        """Nothing: the dialer is the client's."""


def retry_after_s(text: str, now_s: float) -> float | None:
    """The delay of a `Retry-After` header in seconds; None if it is missing or invalid.

    Args:
        text: seconds, or an HTTP date: `Wed, 21 Oct 2026 07:28:00 GMT`.
        now_s: the time, in seconds since 1970 UTC.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None


def _check(request: Request) -> None:
    """Refuse a request that cannot be sent over HTTP."""
    scheme = urlsplit(request.url).scheme
    if scheme not in ("http", "https"):
        raise _failure(request, f'unsupported protocol scheme "{scheme}"')
    check_names(request.headers)
    if _CONTROL.search(request.url):
        text = "net/url: invalid control character in URL"
        raise _failure(request, text)
    if request.proxy and not _PROXY.fullmatch(request.proxy):
        text = "proxyconnect tcp: the proxy's URL must begin with http://"
        raise _failure(request, text)


def _earlier(ends: float | None, idle_s: float) -> float:
    """The time at which the next part is late, by the loop's clock."""
    late = asyncio.get_running_loop().time() + idle_s
    return late if ends is None else min(ends, late)


@contextlib.contextmanager
def _failures_of(request: Request) -> Iterator[None]:
    """Report a failure to get an answer, in Go's words."""
    try:
        yield
    except HeaderNameError as error:
        raise _failure(request, str(error)) from None
    except TimeoutError as error:
        is_connect = isinstance(error, aiohttp.ServerTimeoutError)
        text = "dial tcp: i/o timeout" if is_connect else "context deadline exceeded"
        raise _failure(
            request, text, retry=True, maybe_duplicate=not is_connect
        ) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        text, retry = reason_of(error)
        # not `from error`: its text shows the URL
        raise _failure(
            request, text, retry=retry, maybe_duplicate=may_have_come(error)
        ) from None


def _failure(
    request: Request,
    reason: str,
    *,
    retry: bool = False,
    maybe_duplicate: bool = False,
) -> DeliveryError:
    method = request.method.capitalize()
    return DeliveryError(
        f'{method} "{shown_url(request.url)}": {reason}',
        retry=retry,
        maybe_duplicate=maybe_duplicate,
    )


def escaped(url: str) -> str:
    """`url` with characters percent-encoded that a request line cannot hold.

    Those of the host stay, and escapes that it has already.
    """
    head = _AUTHORITY.match(url)
    at = head.end() if head else 0
    return url[:at] + quote(scrub(url[at:]), safe=_IN_PATH)


def _body(body: bytes) -> bytes | io.BytesIO | None:
    # large bodies are written in parts, so that others have their turn
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


def _redirected(request: Request, status: int, location: str) -> Request | None:
    """The request that follows a redirect; None if the response is final."""
    if status not in (301, 302, 303, 307, 308) or not location:
        return None
    url = urljoin(request.url, location)
    if _host(url) != _host(request.url):
        return None
    if status in (307, 308):
        return dataclasses.replace(request, url=url)
    headers = {
        name: value
        for name, value in request.headers.items()
        if not name.lower().startswith("content-")
    }
    method = "HEAD" if request.method == "HEAD" else "GET"
    return dataclasses.replace(
        request, method=method, url=url, headers=headers, body=b""
    )


def _host(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
