"""Endpoints that speak TLS, wrongly."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from runtime.errors import DeliveryError
from runtime.http_client import AiohttpClient, Request, TimeLimits

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is missing"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, file = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-keyout", str(key), "-out", str(file)),
            *("-days", "1", "-subj", "/CN=localhost"),
        ],
        check=True,
        capture_output=True,
    )
    return file, key


def attempt(url, limits=None):
    async def run():
        client = AiohttpClient(limits or TimeLimits(2, 2))
        try:
            return await client.send(Request("POST", url, body=b"x"))
        finally:
            await client.close()

    try:
        return asyncio.run(run())
    except DeliveryError as error:
        return error


def test_a_certificate_that_nobody_trusts_is_refused_for_good(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=shake, args=(listener, context))
        thread.start()
        error = attempt(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join(5)
    assert not error.retry
    assert str(error).endswith("tls: failed to verify certificate")


def shake(listener, context):
    connection, _ = listener.accept()
    with connection:
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            return


def test_a_handshake_that_stalls_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        error = attempt(url, TimeLimits(0.2, 0.3))
    assert error.retry


def test_what_speaks_no_tls_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        error = attempt(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join(5)
    assert error.retry


def greet(listener):
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.recv(1000)
