"""The recording TCP server of tests and fakes, on 127.0.0.1."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from types import TracebackType

from runtime.testing.loopback import Recorded

_LIMIT_S = 10.0


class TcpServer:
    """Answers every message alike and keeps what it received.

    A message ends where its sender closes its side.

    Attributes:
        body: text of the answers.
        received: the messages as requests `TCP message`, in order of arrival.
    """

    __test__ = False  # pytest would collect a subclass called `Test…`

    def __init__(self, *, body: str = "") -> None:
        self.body = body
        self.received: queue.SimpleQueue[Recorded] = queue.SimpleQueue()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._address = "{}:{}".format(*self._socket.getsockname())
        self._is_closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Its address: `127.0.0.1:40001`."""
        return self._address

    def next(self, timeout_s: float = 5.0) -> Recorded:
        """The oldest message not yet taken.

        Raises:
            TimeoutError: no message arrived within `timeout_s`.
        """
        try:
            return self.received.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError(f"no message within {timeout_s} s") from None

    def refuse(self) -> None:
        """Stop listening: from now on connections are refused."""
        self.close()

    def close(self) -> None:
        """Stop. May be called more than once."""
        if self._is_closing:
            return
        self._is_closing = True
        # a blocked `accept` ends where the socket is shut down
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(_LIMIT_S)

    def __enter__(self) -> TcpServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _serve(self) -> None:
        while not self._is_closing:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_LIMIT_S)
                self.received.put(Recorded("TCP", "message", body=_read(connection)))
                connection.sendall(self.body.encode())


def _read(connection: socket.socket) -> bytes:
    """All that comes until the sender closes its side."""
    message = b""
    while part := connection.recv(65536):
        message += part
    return message
