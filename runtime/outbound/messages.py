"""Requests to endpoints and their answers, and failures to get one."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
import msgspec

from runtime.errors import DeliveryError
from runtime.golang.utf8 import scrub
from runtime.outbound.connection import Connection
from runtime.outbound.failures import may_have_come, reason_of
from runtime.outbound.headers import HeaderNameError, check_names
from runtime.outbound.identity import Identity
from runtime.secrets.urls import shown_url
from runtime.units import SECOND

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PROXY = re.compile(r"http://[^/?#\s]+/?", re.IGNORECASE)
_AUTHORITY = re.compile(r"[^:/?#]*://[^/?#]*")
# characters that stay as they are: those of URLs, and escapes
_IN_PATH = "%/:?#[]@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class Request:
    """A request to an endpoint.

    Attributes:
        method: `POST`, `PUT`, …; to `tcp://` `WRITE`, or `EXCHANGE` to read an answer.
        url: complete, with its query; may hold secrets, so it is never logged.
            `tcp://host:port` receives the body alone.
        headers: headers, with values on one line; `http_headers.RESERVED` are not sent.
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
        """This request over a connection; settings that the connection lacks stay."""
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


def check(request: Request) -> None:
    """Refuse a request that cannot be sent over HTTP.

    Raises:
        DeliveryError: the scheme, the URL or the proxy is invalid.
        HeaderNameError: the name of a header is invalid.
    """
    scheme = urlsplit(request.url).scheme
    if scheme not in ("http", "https"):
        raise failure(request, f'unsupported protocol scheme "{scheme}"')
    check_names(request.headers)
    if _CONTROL.search(request.url):
        text = "net/url: invalid control character in URL"
        raise failure(request, text)
    if request.proxy and not _PROXY.fullmatch(request.proxy):
        text = "proxyconnect tcp: the proxy's URL must begin with http://"
        raise failure(request, text)


@contextlib.contextmanager
def failures_of(request: Request) -> Iterator[None]:
    """Report a failure to get an answer, in Go's words."""
    try:
        yield
    except HeaderNameError as error:
        raise failure(request, str(error)) from None
    except TimeoutError as error:
        is_connect = isinstance(error, aiohttp.ServerTimeoutError)
        text = "dial tcp: i/o timeout" if is_connect else "context deadline exceeded"
        raise failure(
            request, text, retry=True, maybe_duplicate=not is_connect
        ) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        text, retry = reason_of(error)
        # not `from error`: its text shows the URL
        raise failure(
            request, text, retry=retry, maybe_duplicate=may_have_come(error)
        ) from None


def failure(
    request: Request,
    reason: str,
    *,
    retry: bool = False,
    maybe_duplicate: bool = False,
) -> DeliveryError:
    """The error for a request without an answer; its text shows no secrets."""
    method = request.method.capitalize()
    return DeliveryError(
        f'{method} "{shown_url(request.url)}": {reason}',
        retry=retry,
        maybe_duplicate=maybe_duplicate,
    )


def escaped(url: str) -> str:
    """`url` with percent-encoding for characters that a request line cannot hold.

    The host and existing escapes stay unchanged.
    """
    head = _AUTHORITY.match(url)
    at = head.end() if head else 0
    return url[:at] + quote(scrub(url[at:]), safe=_IN_PATH)


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


def redirected(request: Request, status: int, location: str) -> Request | None:
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
