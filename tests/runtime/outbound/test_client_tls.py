"""Endpoints that speak TLS, wrongly."""

import asyncio
import contextlib
import datetime
import ipaddress
import logging
import os
import socket
import ssl
import threading
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from runtime.errors import ConfigError, DeliveryError
from runtime.outbound.client import AiohttpClient, Request, TimeLimits
from runtime.outbound.trust import Trust
from runtime.services.deliveries.config import Config

LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


def self_signed(folder, name, alternative, *, days=1):
    """A certificate that signs itself, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=9))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    certificate_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return certificate_file, key_file


@pytest.fixture(scope="module")
def certificate(folder):
    return self_signed(folder, "own", LOOPBACK)


@pytest.fixture(scope="module")
def expired(folder):
    return self_signed(folder, "old", LOOPBACK, days=-1)


@pytest.fixture(scope="module")
def elsewhere(folder):
    return self_signed(folder, "else", x509.DNSName("else.test"))


@contextlib.contextmanager
def tls_server(certificate, *, version=None):
    """A server that answers every request with 200; its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    if version is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                connection.settimeout(30)
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(65536)
                    secured.sendall(ANSWER)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(30)


def attempt(url, limits=None, *, verify=True, trusted=None):
    trust = trusted and Trust(trusted[0])

    async def run():
        client = AiohttpClient(limits or TimeLimits(30, 30), trust=trust)
        try:
            return await client.send(Request("POST", url, body=b"x", verify=verify))
        finally:
            await client.close()

    try:
        return asyncio.run(run())
    except DeliveryError as error:
        return error


def test_a_certificate_that_nobody_trusts_is_refused_for_good(certificate):
    with tls_server(certificate) as url:
        error = attempt(url)
    assert not error.retry
    assert not error.maybe_duplicate
    assert str(error).endswith(
        "tls: failed to verify certificate: x509: self-signed certificate"
    )


def test_one_that_is_trusted_is_taken(certificate):
    with tls_server(certificate) as url:
        assert attempt(url, trusted=certificate).status == 200


def test_one_for_another_host_is_refused_for_good(elsewhere):
    with tls_server(elsewhere) as url:
        error = attempt(url, trusted=elsewhere)
    assert not error.retry
    assert "IP address mismatch" in str(error)


def test_one_that_has_expired_is_refused_for_good(expired):
    with tls_server(expired) as url:
        error = attempt(url, trusted=expired)
    assert not error.retry
    assert str(error).endswith("x509: certificate has expired")


def test_old_versions_are_refused_for_good(certificate):
    with tls_server(certificate, version=ssl.TLSVersion.TLSv1) as url:
        error = attempt(url, trusted=certificate)
    assert not error.retry
    assert str(error).endswith("tls: protocol version not supported")


def test_who_asks_for_it_gets_no_check_and_a_warning(expired, caplog):
    with tls_server(expired) as url, caplog.at_level(logging.WARNING):
        answers = [attempt(f"{url}?token=secret", verify=False)]
    assert answers[0].status == 200
    [record] = caplog.records
    assert record.getMessage() == "the certificate of an endpoint is not verified"
    assert record.url == url.rstrip("/")


def test_the_warning_comes_once_for_each_endpoint(certificate, caplog):
    async def run(url):
        client = AiohttpClient(TimeLimits(30, 30))
        for path in ("a", "b"):
            await client.send(Request("POST", url + path, verify=False))
        await client.close()

    with tls_server(certificate) as url:
        asyncio.run(run(url))
    assert len(caplog.records) == 1


def put(path, content):
    """Replace a file by another, as a rotation does."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)


def test_authorities_are_read_again_when_they_change(
    certificate, elsewhere, tmp_path, caplog
):
    caplog.set_level(logging.INFO)
    file = tmp_path / "ca.pem"
    file.write_bytes(elsewhere[0].read_bytes())
    client = AiohttpClient(TimeLimits(30, 30), trust=Config(ssl_ca=str(file)).trust)

    async def asked(url):
        try:
            return (await client.send(Request("POST", url))).status
        except DeliveryError as error:
            return error.retry

    async def run(url):
        found = [await asked(url)]
        put(file, certificate[0].read_bytes())
        found.append(await asked(url))
        # while it is missing or broken, what was read last counts
        file.unlink()
        found += [await asked(url), await asked(url)]
        file.write_bytes(b"nonsense")
        found.append(await asked(url))
        put(file, elsewhere[0].read_bytes())
        found.append(await asked(url))
        await client.close()
        return found

    with tls_server(certificate) as url:
        assert asyncio.run(run(url)) == [False, 200, 200, 200, 200, False]
    said = [(each.getMessage(), getattr(each, "err", "")) for each in caplog.records]
    again, failed = (
        "reloaded certificates",
        "failed to read certificates: the previous ones stay in use",
    )
    assert said == [
        (again, ""),
        (failed, "No such file or directory"),
        (failed, "contains no certificates in PEM format"),
        (again, ""),
    ]


def test_authorities_that_cannot_be_read_keep_the_server_from_starting(tmp_path):
    file = tmp_path / "ca.pem"
    with pytest.raises(ConfigError, match=r"ssl-ca .*: No such file or directory"):
        _ = Config(ssl_ca=str(file)).trust
    file.write_text("nonsense")
    with pytest.raises(
        ConfigError, match=r"ssl-ca .*: contains no certificates in PEM"
    ):
        _ = Config(ssl_ca=str(file)).trust
    assert Config().trust is None


def test_a_change_of_authorities_that_keeps_the_time_is_seen(certificate, tmp_path):
    file = tmp_path / "ca.pem"
    file.write_bytes(certificate[0].read_bytes())
    trust = Trust(file)
    before, found = trust.context(), file.stat()
    assert trust.context() is before
    file.write_bytes(certificate[0].read_bytes())
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert trust.context() is not before


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
        thread.join(30)
    assert error.retry


def greet(listener):
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.recv(1000)
