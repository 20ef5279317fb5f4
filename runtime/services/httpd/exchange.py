"""A request read by aiohttp, and its response on the wire."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import NamedTuple
from urllib.parse import unquote

# not from aiohttp.web, whose application framework takes memory
from aiohttp.http import HttpVersion10, HttpVersion11
from aiohttp.web_protocol import RequestPayloadError
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse

from runtime.services.httpd.framing import (
    WRONG_CODING,
    WRONG_VERSION,
    bad_request,
    unserved,
)
from runtime.services.httpd.headers import ResponseHeaders
from runtime.services.httpd.intake import TOO_MANY, Intake
from runtime.services.httpd.messages import (
    STATUS_PATH,
    TOO_SLOW,
    Answer,
    Request,
    failure,
)
from runtime.services.httpd.sites import Sites, cross_site, misdirected

# A client that does not take this much …
PART_BYTES = 256 * 1024
# … in this time has stalled.
PART_TIMEOUT_S = 30.0
# Shorter bodies are compressed in less time than a hand-over to a thread takes.
_QUICK_BYTES = 64 * 1024
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")


_WRONG_EXPECTATION = unserved(417)


class ExchangeContext(NamedTuple):
    """Common part of a server's exchanges.

    Attributes:
        response_headers: headers of every response.
        sites: hosts and origins that are served.
        intake: limit on the bodies in memory.
        read_timeout_s: time limit for receiving a body, in seconds; 0 for none.
        part_timeout_s: time limit for the client to take a part of the response, in
            seconds.
    """

    response_headers: ResponseHeaders
    sites: Sites
    intake: Intake
    read_timeout_s: float
    part_timeout_s: float = PART_TIMEOUT_S


class UnreadError(Exception):
    """A body could not be read completely.

    Attributes:
        answer: response to the client.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Exchange:
    """One request and its answer.

    Attributes:
        request: request, initially without its body.
        is_arriving: True if more of the body is expected.
    """

    def __init__(self, raw: BaseRequest, context: ExchangeContext) -> None:
        self._raw = raw
        self._in = context
        self._timer: asyncio.Timeout | None = None
        self._is_cut = False
        target = raw.path_qs if raw.raw_path == "*" else raw.raw_path
        absolute = _ABSOLUTE.match(target)
        self._authorities = raw.headers.getall("Host", [])
        if absolute is not None:
            # the form of requests to proxies, which names the host twice
            self._authorities = [absolute[1], *self._authorities]
            target = target[absolute.end() :]
            target = target if target.startswith("/") else f"/{target}"
        path, _, query = target.partition("?")
        self.is_arriving = False
        self.request = Request(
            raw.method,
            unquote(path),
            target,
            query,
            content_encoding=raw.headers.get("Content-Encoding", ""),
            authorization=raw.headers.get("Authorization", ""),
            accept=raw.headers.get("Accept", ""),
            remote=raw.remote or "",
        )

    def refusal(self) -> Answer | None:
        """The response to a request that is refused for every client."""
        headers = self._raw.headers
        if self._raw.version not in (HttpVersion10, HttpVersion11):
            return WRONG_VERSION
        if headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
            return WRONG_CODING
        refused = self._misdirected() or self._foreign()
        if refused is None and self._expected() not in ("", "100-continue"):
            return _WRONG_EXPECTATION
        return refused

    def _misdirected(self) -> Answer | None:
        local = self._raw.get_extra_info("sockname")
        for authority in self._authorities:
            try:
                served = self._in.sites.serves(
                    authority, str(local[0]) if local else ""
                )
            except ValueError:
                return bad_request("malformed Host header")
            if not served:
                return failure(misdirected(authority), 421)
        return None

    def _foreign(self) -> Answer | None:
        if self._raw.method == "OPTIONS" or self._is_visit():
            # OPTIONS has no effect, and without headers that allow more the browser
            # stops
            return None
        authority = self._authorities[0] if self._authorities else ""
        origins = self._raw.headers.getall("Origin", [])
        fetch_sites = self._raw.headers.getall("Sec-Fetch-Site", [])
        if self._in.sites.is_foreign(authority, origins, fetch_sites):
            return failure(cross_site(origins), 403)
        return None

    def _is_visit(self) -> bool:
        """True if a browser followed a link of another site to the status page.

        Then the page is alone in its window, and no script of that site can read it.
        """
        headers = self._raw.headers
        return (
            self.request.path == STATUS_PATH
            and self._raw.method in ("GET", "HEAD")
            and "Origin" not in headers
            and headers.getall("Sec-Fetch-Mode", []) == ["navigate"]
            and headers.getall("Sec-Fetch-Dest", []) == ["document"]
        )

    def _expected(self) -> str:
        return ",".join(self._raw.headers.getall("Expect", [])).lower()

    async def read(self, limit: int) -> None:
        """Read the body into the request.

        Args:
            limit: maximum size of the body, in bytes.

        Raises:
            UnreadError: the body is too long, too slow or malformed.
        """
        too_large = failure(f"the body is larger than {limit} bytes", 413)
        if (self._raw.content_length or 0) > limit:
            raise UnreadError(too_large)
        if self._expected() and not self._raw.content.is_eof():
            await self._raw.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._raw.writer.output_size = 0
        body = bytearray()
        self.is_arriving = True
        try:
            async with asyncio.timeout(self._in.read_timeout_s or None) as self._timer:
                async for part in self._raw.content.iter_any():
                    body += part
                    if len(body) > limit:
                        raise UnreadError(too_large)
                    self._in.intake.hold(self, len(body))
        except TimeoutError:
            raise UnreadError(TOO_MANY if self._is_cut else TOO_SLOW) from None
        # the client disconnected, or its chunks are invalid
        except (ConnectionError, RequestPayloadError):
            raise UnreadError(bad_request()) from None
        finally:
            self.is_arriving = False
        self.request.body = bytes(body)

    def cut(self) -> None:
        """Drop the arriving body."""
        self._is_cut = True
        if self._timer is not None:
            self._timer.reschedule(0)

    def end(self) -> None:
        """Release the body."""
        self._in.intake.release(self)

    async def send(self, answer: Answer, *, close: bool) -> StreamResponse:
        """Send `answer`; a client that stalls is cut off."""
        if answer.stream is None:
            body = answer.body
            zipped = (
                answer.marked
                and answer.content_type is not None
                and "gzip" in self._raw.headers.get("Accept-Encoding", "")
            )
            if zipped and body:
                body = await _compressed(body)
            if len(body) <= PART_BYTES:
                whole = Response(
                    status=answer.status,
                    body=body or None,
                    headers=self._headers(answer, zipped),
                )
                return await self._sent(whole, _parts(b""), close=close)
            parts = _parts(body)
        else:
            body, zipped, parts = b"", False, answer.stream
        response = StreamResponse(
            status=answer.status, headers=self._headers(answer, zipped)
        )
        if answer.stream is None:
            response.content_length = len(body)
        return await self._sent(response, parts, close=close)

    def _headers(self, answer: Answer, zipped: bool) -> dict[str, str]:
        origin = self._raw.headers.get("Origin", "")
        trusted = origin if origin and self._in.sites.trusts(origin) else ""
        return self._in.response_headers.headers(answer, trusted, zipped)

    async def _sent(
        self,
        response: StreamResponse,
        parts: AsyncIterator[bytes],
        *,
        close: bool,
    ) -> StreamResponse:
        if close:
            response.force_close()
        limit_s = self._in.part_timeout_s
        try:
            await response.prepare(self._raw)
            async for part in parts:
                async with asyncio.timeout(limit_s):
                    await response.write(part)
            async with asyncio.timeout(limit_s):
                await response.write_eof()
        # the client has disconnected, so there is no one to answer
        except ConnectionError:
            response.force_close()
        except TimeoutError:
            response.force_close()
            if self._raw.transport is not None:
                self._raw.transport.abort()
        finally:
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()
        return response


async def _parts(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PART_BYTES):
        yield body[start : start + PART_BYTES]


async def _compressed(body: bytes) -> bytes:
    if len(body) <= _QUICK_BYTES:
        return gzip.compress(body, 5)
    return await asyncio.to_thread(gzip.compress, body, 5)
