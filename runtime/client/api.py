"""Requests to the server's API."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import sys
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runtime.client.errors import AddressError, CommandError
from runtime.golang.quoting import quote

BASE = "/kapacitor/v1"
PREVIEW = "/kapacitor/v1preview"
_PAGE = 100
_WARNING = re.compile(r'\d{3} \S+ "(.*)"')
_PART_BYTES = 1 << 18

Query = Mapping[str, str | Sequence[str]]


class Api:
    """One server; each request opens a connection."""

    def __init__(
        self, url: str, *, verify: bool = True, timeout_s: float | None = None
    ) -> None:
        """Store the server's address; a path in the URL is ignored.

        Args:
            url: URL of the server.
            verify: True to verify its certificate.
            timeout_s: maximum number of seconds without data; None for no limit.

        Raises:
            AddressError: the URL is malformed, has no host, or is neither http nor https.
        """
        parts = _parsed(url)
        if parts.scheme not in ("http", "https"):
            scheme = parts.scheme if parts.netloc else ""
            raise AddressError(
                f"Unsupported protocol scheme: {scheme}, "
                "your address must start with http:// or https://"
            )
        if not parts.hostname:
            raise AddressError(f"parse {quote(url)}: missing host")
        # shown in error texts without the password, as by Go
        place = parts.netloc.rpartition("@")[2]
        known = "" if parts.username is None else f"{parts.username}:***@"
        self._url = f"{parts.scheme}://{known}{place}"
        self._parts = parts
        self._verify = verify
        self._timeout_s = timeout_s
        self._warned: set[str] = set()

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON of the answer to GET `path`."""
        return self.send("GET", path, query=query)

    def post(self, path: str, body: object) -> Any:
        """POST `body` as JSON."""
        return self.send("POST", path, body)

    def delete(self, path: str) -> None:
        """DELETE `path`."""
        self.send("DELETE", path)

    def all_pages(self, path: str, key: str, query: Query) -> list[Any]:
        """All items of a paged list.

        Raises:
            CommandError: the server refuses or cannot be reached.
        """
        found: list[Any] = []
        while True:
            page = {"limit": str(_PAGE), "offset": str(len(found))}
            items = self.get(path, {**query, **page})[key] or []
            # some of Kapacitor's lists do not support pages, and are complete each time
            if len(items) > _PAGE or (found and items == found):
                return list(items)
            found += items
            if len(items) < _PAGE:
                return found

    def exists(self, path: str) -> bool:
        """True if GET `path` finds an object.

        Raises:
            CommandError: the server answers neither 200 nor 404.
        """
        status, data = self.raw("GET", path)
        if status not in (200, 404):
            raise CommandError(_fault(status, data))
        return status == 200

    def send(
        self, method: str, path: str, body: object = None, *, query: Query | None = None
    ) -> Any:
        """Send a request below the API's base; return the decoded answer, or None.

        Raises:
            CommandError: the server refuses or cannot be reached.
        """
        content = None if method in ("GET", "DELETE") else json.dumps(body).encode()
        status, data = self.raw(method, path, content, query)
        if not 200 <= status < 300:
            raise CommandError(_fault(status, data))
        try:
            return json.loads(data) if data else None
        except ValueError:
            raise CommandError(_fault(status, data)) from None

    def raw(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        query: Query | None = None,
    ) -> tuple[int, bytes]:
        """Send a request; return the status and body of the answer.

        Raises:
            CommandError: the server cannot be reached.
        """
        target = BASE + urllib.parse.quote(path, safe="/:@!$&'()*+,;=~")
        if query:
            target += "?" + urllib.parse.urlencode(sorted(query.items()), doseq=True)
        connection = self._connection()
        try:
            connection.request(method, target, content, self._headers(content))
            answer = connection.getresponse()
            self._show_warnings(answer)
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as fault:
            verb = method.capitalize()
            where = f"{self._parts.hostname}:{connection.port}"
            raise CommandError(
                f'{verb} "{self._url}{target}": {_network_fault(fault, where)}'
            ) from fault
        finally:
            connection.close()

    def _show_warnings(self, answer: http.client.HTTPResponse) -> None:
        """Print the warnings of the server, each once."""
        for text in answer.headers.get_all("Warning", ()):
            if text not in self._warned:
                self._warned.add(text)
                found = _WARNING.fullmatch(text)
                print(f"Warning: {found[1] if found else text}", file=sys.stderr)

    def lines(self, path: str, query: Query) -> Iterator[str]:
        """The lines of an answer below the preview's base, as they arrive.

        Raises:
            CommandError: the server refuses or cannot be reached.
        """
        target = f"{PREVIEW}{path}?{urllib.parse.urlencode(sorted(query.items()))}"
        with self._answered("GET", target) as answer:
            for line in answer:
                yield line.decode("utf-8", "replace").rstrip("\n")

    def parts(self, path: str) -> Iterator[bytes]:
        """Stream the answer to GET `path` in chunks; it may be too large for memory.

        Raises:
            CommandError: the server refuses, cannot be reached, or breaks off.
        """
        with self._answered("GET", BASE + path) as answer:
            left = int(answer.headers.get("Content-Length") or -1)
            while part := answer.read(_PART_BYTES):
                left -= len(part)
                yield part
            if left > 0:
                raise CommandError("unexpected EOF")

    @contextlib.contextmanager
    def _answered(self, method: str, target: str) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request that must succeed, with its body unread."""
        connection = self._connection()
        try:
            connection.request(method, target, headers=self._headers(None))
            answer = connection.getresponse()
            if answer.status != 200:
                raise CommandError(_fault(answer.status, answer.read()))
            yield answer
        except (OSError, http.client.HTTPException) as fault:
            where = f"{self._parts.hostname}:{connection.port}"
            raise CommandError(
                f'{method.capitalize()} "{self._url}{target}": '
                f"{_network_fault(fault, where)}"
            ) from fault
        finally:
            connection.close()

    def _headers(self, content: bytes | None) -> dict[str, str]:
        headers = {"User-Agent": "KapacitorClient"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if self._parts.username is not None:
            import base64

            user = urllib.parse.unquote(self._parts.username)
            password = urllib.parse.unquote(self._parts.password or "")
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        return headers

    def _connection(self) -> http.client.HTTPConnection:
        host = self._parts.hostname or ""
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(
                host, self._parts.port, timeout=self._timeout_s
            )
        context = ssl.create_default_context()
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(
            host, self._parts.port, timeout=self._timeout_s, context=context
        )


def _parsed(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        known_port = parts.port is None or parts.port > 0
    except ValueError as fault:
        raise AddressError(f"parse {quote(url)}: {str(fault).lower()}") from fault
    if not known_port or any(char <= " " or char == "\x7f" for char in parts.netloc):
        raise AddressError(f"parse {quote(url)}: invalid host")
    return parts


def _fault(status: int, data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    try:
        error = json.loads(text).get("error")
    except (ValueError, AttributeError):
        error = None
    return str(error) if error else f"invalid response: code {status}: body: {text}"


def _network_fault(fault: Exception, where: str) -> str:
    if isinstance(fault, ConnectionRefusedError):
        return f"dial tcp {where}: connect: connection refused"
    if isinstance(fault, socket.gaierror):
        return f"dial tcp: lookup {where.rpartition(':')[0]}: {fault.strerror}"
    if isinstance(fault, http.client.RemoteDisconnected):
        return "EOF"
    # an SSLError is an OSError with OpenSSL's error number
    if isinstance(fault, ssl.SSLError):
        return _tls_fault(fault)
    if isinstance(fault, OSError) and fault.errno is not None and fault.errno > 0:
        return f"dial tcp {where}: {os.strerror(fault.errno).lower()}"
    return str(fault) or type(fault).__name__


def _tls_fault(fault: ssl.SSLError) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: {fault.verify_message}"
    if fault.reason == "WRONG_VERSION_NUMBER":
        return "http: server gave HTTP response to HTTPS client"
    return f"tls: {str(fault.reason or fault).replace('_', ' ').lower()}"
