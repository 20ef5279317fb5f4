"""Finds requests in the bytes of a connection, and refuses the same heads as Go.

aiohttp's parser accepts some heads that Go's server refuses: with blank lines before
them, with two spaces in a row, or with arbitrary bytes as method. A proxy in front may
see another request in them than this server does. So each head is checked before the
parser gets it.

Source: Go net/http, readRequest and parseRequestLine; net/textproto, ReadMIMEHeader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from runtime.services.httpd.messages import TEXT, Answer

# Go's limit: a megabyte, and the size of its read buffer.
MAX_HEAD_BYTES = (1 << 20) + 4096
# Go has no such limits. Parsing a path or query of a megabyte, or a hundred thousand
# short lines, would delay other requests.
MAX_TARGET_BYTES = 64 * 1024
MAX_HEAD_LINES = 2_000
_MAX_CHUNK_LINE_BYTES = 8190

_TOKEN_BYTES = b"!#$%&'*+\\-.^_`|~0-9A-Za-z"
_TOKEN = re.compile(rb"[%s]+" % _TOKEN_BYTES)
_VERSION = re.compile(rb"HTTP/(\d)\.(\d)")
# an absolute path, `*`, or a URL of any scheme
_TARGET = re.compile(rb"/|\*\Z|[A-Za-z][A-Za-z0-9+.\-]*:")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[^\r\n]*)?\r\n")


class MalformedError(Exception):
    """The connection has sent bytes that must not be served.

    Attributes:
        answer: response that Go's server sends.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def bad_request(reason: str = "") -> Answer:
    """Go's answer to a request that is not HTTP."""
    return unserved(400, f"400 Bad Request{reason and f': {reason}'}")


def unserved(status: int, text: str = "") -> Answer:
    """An answer without the headers of the API."""
    return Answer(status, text.encode(), TEXT if text else None, marked=False)


WRONG_VERSION = unserved(
    505, "505 HTTP Version Not Supported: unsupported protocol version"
)
TOO_LARGE = unserved(431, "431 Request Header Fields Too Large")
WRONG_CODING = unserved(501, "Unsupported transfer encoding")


class Framing:
    """Splits the input of a connection into heads and bodies."""

    __slots__ = ("_body", "_chunks", "_head", "_is_begun", "_searched")

    def __init__(self) -> None:
        # the incomplete head
        self._head = bytearray()
        # length of the part that is known to have no end of a head
        self._searched = 0
        # True if its request line is complete and was checked
        self._is_begun = False
        # number of bytes of the body to come
        self._body = 0
        self._chunks: _Chunks | None = None

    @property
    def is_in_body(self) -> bool:
        """True if more of a body is expected."""
        return self._chunks is not None or self._body > 0

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The pieces of `data` for the parser, each of one request.

        Raises:
            MalformedError: the next bytes must not be served.
        """
        while data:
            if self._chunks is not None:
                end = self._chunks.end(data)
                yield data[:end]
                if end is None:
                    return
                self._chunks, data = None, data[end:]
            elif self._body:
                piece, data = data[: self._body], data[self._body :]
                self._body -= len(piece)
                yield piece
            else:
                head, data = self._taken(data)
                if head:
                    yield head

    @property
    def waiting(self) -> int:
        """Bytes of an incomplete head."""
        return len(self._head)

    def _taken(self, data: bytes) -> tuple[bytes, bytes]:
        """A head if it is complete, and the rest of `data`."""
        head: bytes | bytearray = data
        if self._head:
            self._head += data
            head = self._head
        if not self._is_begun:
            self._is_begun = _is_begun(head, self._searched)
        # do not search any part twice, however small the pieces are
        start = max(0, self._searched - 3)
        end = head.find(b"\r\n\r\n", start, MAX_HEAD_BYTES)
        # the parser refuses line ends without carriage returns
        if head.find(b"\n\n", start, end if end >= 0 else MAX_HEAD_BYTES) >= 0:
            self._forget()
            return bytes(head), b""
        if end < 0:
            if len(head) >= MAX_HEAD_BYTES:
                raise MalformedError(TOO_LARGE)
            if head is not self._head:
                self._head = bytearray(head)
            self._searched = len(head)
            return b"", b""
        self._forget()
        checked = _checked(bytes(head[:end]))
        self._note_body(checked)
        return checked + b"\r\n\r\n", bytes(head[end + 4 :])

    def _forget(self) -> None:
        self._head, self._searched, self._is_begun = bytearray(), 0, False

    def _note_body(self, head: bytes) -> None:
        """Determine the length of the body; the parser refuses ambiguous heads."""
        lengths = _values(head, b"content-length")
        if _values(head, b"transfer-encoding"):
            self._chunks = _Chunks()
        elif lengths and lengths[0].isdigit() and len(lengths[0]) < 19:
            self._body = int(lengths[0])


class _Chunks:
    """Finds the end of a body in chunks."""

    __slots__ = ("_expects", "_line", "_skip")

    def __init__(self) -> None:
        self._skip = 0
        self._line = b""
        self._expects: Literal["size", "end", "trailer"] = "size"

    def end(self, data: bytes) -> int | None:
        """The end of the body in `data`; None if it continues.

        Raises:
            MalformedError: the body is not in chunks.
        """
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            stop = data.find(b"\n", at) + 1
            self._line += data[at : stop or len(data)]
            if not stop:
                if len(self._line) > _MAX_CHUNK_LINE_BYTES:
                    raise MalformedError(bad_request())
                return None
            line, self._line, at = self._line, b"", stop
            if self._is_last(line):
                return at
        return None

    def _is_last(self, line: bytes) -> bool:
        """Read a line with its end; True if it ends the body."""
        if self._expects == "trailer":
            return line in (b"\r\n", b"\n")
        if self._expects == "end":
            if line != b"\r\n":
                raise MalformedError(bad_request())
            self._expects = "size"
            return False
        size = _CHUNK.fullmatch(line)
        if size is None:
            raise MalformedError(bad_request())
        self._skip = int(size[1], 16)
        self._expects = "end" if self._skip else "trailer"
        return False


def _is_begun(head: bytes | bytearray, searched: int) -> bool:
    """True if the request line is complete; a malformed one is refused at once.

    Args:
        head: received part of the head.
        searched: number of its bytes known to contain no line end.

    Raises:
        MalformedError: Go would refuse it.
    """
    end = head.find(b"\n", searched, MAX_HEAD_BYTES)
    if end < 0:
        # TLS that is sent to a plain port may never have a line end
        if _TOKEN.match(head) is None:
            raise MalformedError(bad_request())
        if len(head) > MAX_TARGET_BYTES:
            raise MalformedError(TOO_LARGE)
        return False
    if end > MAX_TARGET_BYTES:
        raise MalformedError(TOO_LARGE)
    line = bytes(head[:end]).removesuffix(b"\r")
    method, _, rest = line.partition(b" ")
    target, _, version = rest.partition(b" ")
    if (
        _TOKEN.fullmatch(method) is None
        or _VERSION.fullmatch(version) is None
        or not _is_target(method, target)
    ):
        raise MalformedError(bad_request())
    return True


def _is_target(method: bytes, target: bytes) -> bool:
    if method == b"CONNECT" and not target.startswith(b"/"):
        return bool(target)
    path = target.partition(b"?")[0]
    return bool(_TARGET.match(target)) and not _BROKEN_ESCAPE.search(path)


def _checked(head: bytes) -> bytes:
    """A head for the parser, after a check of its other lines.

    Raises:
        MalformedError: Go would refuse it.
    """
    lines = head.count(b"\n")
    if lines > MAX_HEAD_LINES:
        raise MalformedError(TOO_LARGE)
    if lines > head.count(b"\r\n"):
        # the parser refuses line ends without carriage returns
        return head
    line, _, _ = head.partition(b"\r\n")
    version = line[-3:]
    codings = _values(head, b"transfer-encoding")
    if codings and version[:1] == b"1":
        if version == b"1.0":
            # Go ignores the header, and reads the body as the next request
            raise MalformedError(bad_request())
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise MalformedError(WRONG_CODING)
    if version[:1] != b"1":
        raise MalformedError(WRONG_VERSION)
    hosts = _values(head, b"host")
    if version != b"1.0" and not hosts and not line.startswith(b"CONNECT "):
        raise MalformedError(bad_request("missing required Host header"))
    for field in head.split(b"\r\n")[1:]:
        name, colon, _ = field.partition(b":")
        if colon and name and name[:1] not in b" \t" and not _TOKEN.fullmatch(name):
            raise MalformedError(bad_request("invalid header name"))
    return head


def _values(head: bytes, name: bytes) -> list[bytes]:
    """The values of a header."""
    if name not in (lower := head.lower()):
        return []
    fields = (field.partition(b":") for field in lower.split(b"\r\n")[1:])
    return [value.strip(b" \t") for key, _, value in fields if key == name]
