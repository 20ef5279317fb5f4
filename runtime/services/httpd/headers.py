"""The headers that answers have in common."""

from __future__ import annotations

import secrets
import time
from email.utils import formatdate
from http import HTTPStatus

from runtime.services.httpd.messages import JSON, Answer
from runtime.version import PRODUCT_VERSION

# between the epochs of UUIDs (1582) and of Unix, in units of 100 ns
_UUID_EPOCH = 0x01B21DD213814000

_END = "\r\n"

# Clients adapt to the version in Kapacitor's own header.
PRODUCT_HEADER = "X-Scaffold-Alerts-Version"

CORS_METHODS = "DELETE, GET, OPTIONS, POST, PATCH"
CORS_HEADERS = (
    "Accept, Accept-Encoding, Authorization, Content-Length, Content-Type, "
    "X-CSRF-Token, X-HTTP-Method-Override"
)


class RequestIds:
    """Time-based UUIDs, each later than the one before."""

    def __init__(self) -> None:
        self._last = 0
        # the multicast bit marks a node that is not a hardware address
        sequence = 0x8000 | secrets.randbits(14)
        node = 0x010000000000 | secrets.randbits(48)
        self._tail = f"{sequence:04x}-{node:012x}"

    def next(self) -> str:
        """Return a new id.

        Source: RFC 4122, version 1.
        """
        stamp = max(time.time_ns() // 100 + _UUID_EPOCH, self._last + 1)
        self._last = stamp
        low, middle, high = stamp & 0xFFFFFFFF, stamp >> 32 & 0xFFFF, stamp >> 48
        return f"{low:08x}-{middle:04x}-1{high & 0xFFF:03x}-{self._tail}"


class Clock:
    """The `Date` header, formatted once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def text(self) -> str:
        """The current time in the format of HTTP."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._text = formatdate(second, usegmt=True)
        return self._text


class ResponseHeaders:
    """Adds the headers of every response.

    Attributes:
        version: version of Kapacitor that clients see.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        self._ids = RequestIds()
        self._clock = Clock()

    def headers(self, answer: Answer, origin: str, gzip: bool) -> dict[str, str]:
        """The headers of `answer`, except those about its length.

        Args:
            answer: response to send.
            origin: origin whose pages may read the response, or "".
            gzip: True if the body is compressed.
        """
        headers = dict(answer.headers)
        if answer.content_type is not None:
            headers["Content-Type"] = answer.content_type
        if answer.marked:
            headers["X-Kapacitor-Version"] = self.version
            headers[PRODUCT_HEADER] = PRODUCT_VERSION
            headers["Request-Id"] = self._ids.next()
        if gzip:
            headers["Content-Encoding"] = "gzip"
        if origin:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Methods"] = CORS_METHODS
            headers["Access-Control-Allow-Headers"] = CORS_HEADERS
            headers["Vary"] = "Origin"
        headers["Date"] = self._clock.text()
        return headers

    def no_content(self, *, gzip: bool, close: bool) -> bytes:
        """The complete answer to a successful write; small writes are frequent."""
        return (
            "HTTP/1.1 204 No Content\r\n"
            f"Content-Type: {JSON}\r\n"
            f"X-Kapacitor-Version: {self.version}\r\n"
            f"{PRODUCT_HEADER}: {PRODUCT_VERSION}\r\n"
            f"Request-Id: {self._ids.next()}\r\n"
            f"{'Content-Encoding: gzip' + _END if gzip else ''}"
            f"Date: {self._clock.text()}\r\n"
            f"{'Connection: close' + _END if close else ''}\r\n"
        ).encode("latin-1")

    def head(self, answer: Answer, *, gzip: bool, close: bool, length: int) -> bytes:
        """Status line and headers of `answer` as bytes, up to the empty line."""
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{k}: {v}" for k, v in self.headers(answer, "", gzip).items()]
        if answer.status != 204:
            lines.append(f"Content-Length: {length}")
        if close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
