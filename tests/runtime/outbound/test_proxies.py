"""Requests through an HTTP proxy."""

import asyncio
import base64
import contextlib
import socket
import threading

import pytest

from runtime.errors import DeliveryError
from runtime.outbound.addresses import DeniedNetworks
from runtime.outbound.client import AiohttpClient, Request, TimeLimits
from runtime.outbound.connection import Certificates, Connection
from runtime.outbound.dialing import Dialer
from runtime.outbound.identity import Identity
from runtime.testing.loopback import LoopbackServer
from tests.runtime.outbound.authority import Authority, endpoint

HOSTS = {"endpoint.test": ["127.0.0.1"], "inside.test": ["10.1.2.3"]}


class Tunnel:
    """A proxy that opens one tunnel to a port of this machine; `head` is its request."""

    def __init__(self, port, answer=b"HTTP/1.1 200 OK\r\n\r\n"):
        self._answer, self._port = answer, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.head = ""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            with client:
                self.head = client.recv(65536).decode()
                client.sendall(self._answer)
                with socket.create_connection(("127.0.0.1", self._port)) as target:
                    back = threading.Thread(target=pump, args=(target, client))
                    back.start()
                    pump(client, target)
                    back.join(30)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(30)


def pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


def look_up(host):
    if host not in HOSTS:
        raise OSError("no such host")
    return HOSTS[host]


def send(url, proxy, *, identity=None, denied=("10.0.0.0/8",)):
    async def run():
        dialer = Dialer(DeniedNetworks.parsed(denied), lookup=look_up)
        client = AiohttpClient(TimeLimits(30, 30), dialer)
        request = Request("POST", url, body=b"x")
        try:
            connection = Connection(proxy=proxy)
            return await client.send(request.over(connection, identity))
        finally:
            await client.close()

    try:
        return asyncio.run(run())
    except DeliveryError as error:
        return error


@pytest.fixture
def proxy():
    with LoopbackServer() as server:
        yield server


def test_a_plain_request_goes_to_the_proxy(proxy):
    at = proxy.url.replace("http://", "http://user:pass@")
    assert send("http://endpoint.test/a?b=c", at).status == 200
    request = proxy.next()
    assert request.path == "http://endpoint.test/a"
    token = base64.b64encode(b"user:pass").decode()
    assert request.headers["Proxy-Authorization"] == f"Basic {token}"
    assert request.headers["Host"] == "endpoint.test"


def test_tls_goes_through_the_proxy(tmp_path):
    authority = Authority(tmp_path, "authority")
    identity = Identity(Certificates(str(authority.file)))
    with endpoint(authority.pair("endpoint")) as server:
        port = int(server.url.rpartition(":")[2].strip("/"))
        with Tunnel(port) as tunnel:
            assert send(server.url, tunnel.url, identity=identity).status == 200
        assert tunnel.head.startswith(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n")
        assert server.requests == 1


def test_a_name_that_only_the_proxy_knows_is_left_to_it(proxy):
    assert send("http://elsewhere.test/", proxy.url).status == 200


@pytest.mark.parametrize("host", ["inside.test", "10.9.9.9", "[::ffff:10.0.0.1]"])
def test_denied_addresses_are_denied_behind_a_proxy(proxy, host):
    error = send(f"http://{host}/", proxy.url)
    assert str(error).endswith("is denied by [delivery] denied-networks")
    assert not error.retry
    assert not error.maybe_duplicate
    assert proxy.received.empty()


def test_a_proxy_at_a_denied_address_is_not_reached(proxy):
    error = send("http://endpoint.test/", "http://inside.test:3128")
    assert "address 10.1.2.3 is denied" in str(error)
    assert not error.retry


def test_a_proxy_that_is_down_is_tried_again(proxy):
    proxy.close()
    error = send("http://endpoint.test/", proxy.url.replace("//", "//user:pass@"))
    port = proxy.url.rpartition(":")[2]
    assert str(error) == (
        'Post "http://endpoint.test/": proxyconnect tcp: '
        f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    )
    assert error.retry
    assert not error.maybe_duplicate


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_tried_again(proxy, scheme):
    proxy.status = 407
    error = send(f"{scheme}://endpoint.test/", proxy.url)
    assert str(error).endswith("Proxy Authentication Required")
    assert error.retry
    assert not error.maybe_duplicate


def test_a_proxy_that_refuses_is_tried_again(proxy):
    proxy.status, proxy.body = 502, "secret"
    error = send("https://endpoint.test/", proxy.url)
    assert str(error) == 'Post "https://endpoint.test/": Bad Gateway'
    assert error.retry


@pytest.mark.parametrize("url", ["socks5://p:1", "p:1", "http://", "http://p:1/path"])
def test_what_is_no_http_proxy_is_refused(url):
    error = send("http://endpoint.test/", url)
    assert str(error).endswith(
        "proxyconnect tcp: the proxy's URL must begin with http://"
    )
    assert not error.retry


def test_a_time_limit_is_kept(proxy):
    proxy.hang = True

    async def run():
        client = AiohttpClient(TimeLimits(30, 30))
        connection = Connection(limit=50_000_000)
        try:
            await client.send(Request("POST", proxy.url).over(connection, None))
        finally:
            await client.close()

    with pytest.raises(DeliveryError, match="context deadline exceeded"):
        asyncio.run(run())
