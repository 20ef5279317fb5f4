"""Certificates of one service: its own authorities, and its own certificate."""

import asyncio
import os

import pytest

from runtime.errors import ConfigError, DeliveryError
from runtime.outbound.client import AiohttpClient, Request, TimeLimits
from runtime.outbound.connection import Certificates, Connection
from runtime.outbound.identity import Identity
from runtime.outbound.trust import Trust
from tests.runtime.outbound.authority import Authority, endpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("identity")


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def stranger(folder):
    return Authority(folder, "stranger")


@pytest.fixture(scope="module")
def pair(authority):
    return authority.pair("endpoint")


def identity(authority=None, pair=None):
    return Identity(
        Certificates(
            str(authority.file) if authority else "",
            *map(str, pair or ("", "")),
        )
    )


def sent(url, *identities, trust=None, verify=True):
    """The statuses of requests with identities, or their errors."""

    async def run():
        client = AiohttpClient(TimeLimits(30, 30), trust=trust)
        found = []
        for each in identities:
            request = Request("POST", url).over(Connection(verify), each)
            try:
                found.append((await client.send(request)).status)
            except DeliveryError as error:
                found.append(str(error))
        await client.close()
        return found

    return asyncio.run(run())


def test_only_the_services_own_authorities_are_trusted(authority, stranger, pair):
    with endpoint(pair) as server:
        trust = Trust(authority.file)
        found = sent(
            server.url, identity(authority), identity(stranger), None, trust=trust
        )
    assert found[0] == found[2] == 200
    assert "tls: failed to verify certificate: x509: " in found[1]


def test_a_client_certificate_is_shown(authority, pair):
    client = authority.pair("client")
    with endpoint(pair, clients=authority) as server:
        assert sent(server.url, identity(authority, client)) == [200]
        assert server.clients == ["client"]
        [error] = sent(server.url, identity(authority))
        assert error.startswith('Post "https://127.0.0.1:')


def test_it_is_shown_to_an_endpoint_that_is_not_verified(authority, pair):
    client = authority.pair("unverified")
    with endpoint(pair, clients=authority) as server:
        assert sent(server.url, identity(None, client), verify=False) == [200]
        assert server.clients == ["unverified"]


def test_the_servers_authorities_count_where_a_service_has_none(
    authority, stranger, pair
):
    client = authority.pair("shared")
    with endpoint(pair, clients=authority) as server:
        mine = identity(None, client)
        assert sent(server.url, mine, trust=Trust(authority.file)) == [200]
        [error] = sent(server.url, mine, trust=Trust(stranger.file))
        assert "tls: failed to verify certificate" in error


def test_connections_are_shared_within_an_identity_alone(authority, pair):
    one, other = identity(authority), identity(authority)
    with endpoint(pair) as server:
        assert sent(server.url, one, one, other, one, other) == [200] * 5
        assert server.requests == 5
        assert len(server.clients) == 2


def test_files_are_read_once(authority, pair, tmp_path):
    mine = tmp_path / "ca.pem"
    mine.write_bytes(authority.file.read_bytes())
    made = Identity(Certificates(str(mine)))
    mine.unlink()
    with endpoint(pair) as server:
        assert sent(server.url, made) == [200]


def written(folder, name, text):
    file = folder / name
    file.write_text(text)
    return str(file)


def problem(*files, **named):
    with pytest.raises(ConfigError) as caught:
        Identity(Certificates(*files, **named))
    return str(caught.value)


def test_a_certificate_and_its_key_come_together():
    # Kapacitor's texts
    lone = "Must provide both key and cert files: only {} file provided."
    assert problem("", "cert.pem", "") == lone.format("cert")
    assert problem("", "", "key.pem") == lone.format("key")


@pytest.mark.parametrize("content", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nA"])
def test_a_file_without_authorities_is_refused(tmp_path, content):
    file = written(tmp_path, "ca.pem", content)
    assert problem(file) == (
        f"Could not load TLS CA: open {file}: "
        "contains no certificates in PEM format (ssl-ca)"
    )


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/no/such/file.pem", "no such file or directory"),
        ("/", "is a directory"),
        (os.devnull, "is not a file of certificates"),
        ("a\0b", "invalid path"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(path, reason):
    text = f"open {path}: {reason}"
    assert problem(path) == f"Could not load TLS CA: {text} (ssl-ca)"
    assert problem("", path, path) == (
        f"Could not load TLS client key/certificate: {text} (ssl-cert)"
    )


def test_a_large_file_is_not_read(tmp_path):
    file = written(tmp_path, "large.pem", "x" * (1 << 20) + "x")
    assert "is not a file of certificates" in problem(file)


def test_what_makes_no_pair_is_refused(authority, tmp_path):
    one, other = authority.pair("one"), authority.pair("other")
    secret = authority.pair("secret", password=b"pass")
    junk = written(tmp_path, "junk", "nonsense")
    damaged = written(tmp_path, "damaged", "-----BEGIN PRIVATE KEY-----\nA")
    start = "Could not load TLS client key/certificate: "
    assert problem("", str(one.certificate), str(other.key)) == (
        f"{start}tls: private key does not match public key (ssl-cert, ssl-key)"
    )
    assert problem("", junk, str(one.key)) == (
        f"{start}tls: failed to find any PEM data in certificate input (ssl-cert)"
    )
    assert problem("", str(one.certificate), junk) == (
        f"{start}tls: failed to find any PEM data in key input (ssl-key)"
    )
    assert problem("", str(secret.certificate), str(secret.key)) == (
        f"{start}the key is encrypted; decrypt it with `openssl pkey` (ssl-key)"
    )
    assert problem("", str(one.certificate), damaged) == (
        f"{start}a file is damaged (ssl-cert, ssl-key)"
    )


def test_errors_have_the_names_of_the_settings():
    names = ("root", "mine", "my-key")
    assert problem("/no", settings=names).endswith("(root)")
    assert problem("", "/no", "/no", settings=names).endswith("(mine)")
