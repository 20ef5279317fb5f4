"""The one recording HTTP server of tests and fakes, on 127.0.0.1."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from runtime.outbound.headers import canonical

_POLL_S = 0.01  # serve_forever's own default costs up to half a second at each stop
_HANG_S = 60.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request that arrived.

    Attributes:
        method: `POST`, …
        path: path as sent, still percent-encoded, without the query.
        query: decoded parameters; the last value of a repeated one.
        headers: names in canonical form: `Content-Type`.
        body: the whole body.
        raw_query: the query as sent, without `?`.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw_query: str = ""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body decoded from JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request."""

    status: int = 200
    body: str | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class RecordingServer(ABC):
    """A test server that keeps its requests.

    Attributes:
        received: the requests, in order of arrival.
    """

    __test__ = False  # pytest would collect a subclass called `Test…`

    def __init__(self) -> None:
        self.received: queue.SimpleQueue[Recorded] = queue.SimpleQueue()

    def next(self, timeout_s: float = 5.0) -> Recorded:
        """The oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
        """
        try:
            return self.received.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError(f"no request within {timeout_s} s") from None

    def taken(self) -> list[Recorded]:
        """All requests that arrived and are not yet taken, the oldest first."""
        found = []
        while not self.received.empty():
            found.append(self.received.get())
        return found

    def refuse(self) -> None:
        """Stop listening: new connections are refused; the address stays the same."""
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Stop. May be called more than once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class LoopbackServer(RecordingServer):
    """Gives the same answer to every request, and keeps the requests.

    Attributes:
        status: status of the answers; may be changed at any time.
        body: body of the answers.
        headers: additional headers of the answers.
        hang: True to record requests without answering them.
        answers: answers to the next requests, used before `status`, `body` and
            `headers`.
    """

    def __init__(
        self,
        *,
        status: int = 200,
        body: str | bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.status = status
        self.body = body
        self.headers: Mapping[str, str] = dict(headers or {})
        self.hang = False
        self.answers: deque[Answer] = deque()
        self._closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL, without a path: `http://127.0.0.1:40001`."""
        return self._url

    def close(self) -> None:
        """Stop, and cut open connections. May be called more than once."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._server.shutdown()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def answer(self, request: Recorded) -> Answer:
        """Answer `request`; fakes may inspect it first."""
        if self.answers:
            return self.answers.popleft()
        return Answer(self.status, self.body, self.headers)

    def connected(self, connection: socket.socket, *, is_open: bool) -> None:
        """Note that a connection was opened or closed."""
        with self._lock:
            if is_open:
                self._connections.add(connection)
            else:
                self._connections.discard(connection)

    def wait_for_close(self) -> None:
        """Return when the server stops; ends a hanging request."""
        self._closing.wait(_HANG_S)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close joins them
    allow_reuse_address = True

    def __init__(self, owner: LoopbackServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind looks up the host's name, which may take long
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: clients under test cut connections on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # any method is fine
            return self._serve
        raise AttributeError(name)

    def setup(self) -> None:
        super().setup()
        self._owner.connected(self.connection, is_open=True)

    def finish(self) -> None:
        self._owner.connected(self.connection, is_open=False)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    @property
    def _owner(self) -> LoopbackServer:
        assert isinstance(self.server, _Server)
        return self.server.owner

    def _serve(self) -> None:
        request = self._read()
        owner = self._owner
        hang = owner.hang
        answer = None if hang else owner.answer(request)
        owner.received.put(request)
        if answer is None:
            owner.wait_for_close()
            self.close_connection = True
            return
        self._send(answer)

    def _read(self) -> Recorded:
        path, _, raw_query = self.path.partition("?")
        return Recorded(
            self.command,
            path,
            dict(parse_qsl(raw_query, keep_blank_values=True)),
            {canonical(name): value for name, value in self.headers.items()},
            self._body(),
            raw_query,
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, answer: Answer) -> None:
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        bodiless = answer.status in (204, 304) or answer.status < 200
        if not bodiless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not bodiless and self.command != "HEAD":
            self.wfile.write(body)
