"""The recording TCP server of tests and fakes, on 127.0.0.1."""

from __future__ import annotations

import contextlib
import socket
import threading

from runtime.testing.loopback import Recorded, RecordingServer

_LIMIT_S = 10.0


class TcpServer(RecordingServer):
    """Gives the same answer to every message, and keeps the messages.

    A message ends when its sender closes its side; it is kept as the request `TCP
    message`.

    Attributes:
        body: text of the answers.
    """

    def __init__(self, *, body: str = "") -> None:
        super().__init__()
        self.body = body
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._address = "{}:{}".format(*self._socket.getsockname())
        self._is_closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Address of the server: `127.0.0.1:40001`."""
        return self._address

    def close(self) -> None:
        """Stop. May be called more than once."""
        if self._is_closing:
            return
        self._is_closing = True
        # shutting down the socket ends a blocked `accept`
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(_LIMIT_S)

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
    """All data until the sender closes its side."""
    message = b""
    while part := connection.recv(65536):
        message += part
    return message
