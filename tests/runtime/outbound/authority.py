"""An authority of its own, the certificates that it signs, and servers that have them."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Pair(NamedTuple):
    """The files of a certificate and of its key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; its own is in `file`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(self._name, self._key, is_authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made)

    def pair(self, name: str, *, password: bytes = b"") -> Pair:
        """A certificate for 127.0.0.1, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.certificate.write_bytes(self._signed(_name(name), key))
        secret = BestAvailableEncryption(password) if password else NoEncryption()
        form = (Encoding.PEM, PrivateFormat.PKCS8, secret)
        pair.key.write_bytes(key.private_bytes(*form))
        return pair

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        is_authority: bool = False,
    ) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        constraints = x509.BasicConstraints(ca=is_authority, path_length=None)
        made = (
            x509.CertificateBuilder(self._name, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.SubjectAlternativeName([LOOPBACK]), critical=False)
            .add_extension(constraints, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Endpoint:
    """A server that answers every request with 200.

    Attributes:
        url: its URL.
        clients: names in the certificates of its connections, in their order; "" for
            one without a certificate.
        requests: the number of requests.
    """

    def __init__(self, pair: Pair, clients: Authority | None) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*pair)
        if clients is not None:
            self._context.load_verify_locations(clients.file)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.clients: list[str] = []
        self.requests = 0
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop; open connections are cut."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(30)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(30)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # a client that refuses the certificate cuts the connection
        with (
            contextlib.suppress(OSError),
            connection,
            self._context.wrap_socket(connection, server_side=True) as secured,
        ):
            self._open.append(secured)
            subject = dict(secured.getpeercert() or {}).get("subject", ())
            names = [value for ((_, value),) in subject]
            self.clients.append(str(names[0]) if names else "")
            while secured.recv(65536):
                self.requests += 1
                secured.sendall(ANSWER)


@contextlib.contextmanager
def endpoint(pair: Pair, clients: Authority | None = None) -> Iterator[Endpoint]:
    """A server with a certificate.

    Args:
        pair: its certificate and key.
        clients: authority of the clients' certificates, which are then required.
    """
    made = Endpoint(pair, clients)
    try:
        yield made
    finally:
        made.close()
