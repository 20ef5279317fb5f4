"""Messages to TCP addresses."""

import asyncio
import socket
import threading

import pytest

from runtime.errors import DeliveryError
from runtime.outbound.client import AiohttpClient, Request
from runtime.outbound.dialing import Dialer
from runtime.testing.tcp import TcpServer
from tests.runtime.outbound.test_dialing import LOCAL_DENIED


@pytest.fixture
def server():
    with TcpServer(body="ok\n") as server:
        yield server


def send(url, method="EXCHANGE", body=b"a\nb", *, limit_s=5.0, dialer=None):
    async def run():
        client = AiohttpClient(dialer=dialer)
        try:
            return await client.send(Request(method, url, body=body, limit_s=limit_s))
        finally:
            await client.close()

    return asyncio.run(run())


def failing(*arguments, **more):
    with pytest.raises(DeliveryError) as caught:
        send(*arguments, **more)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [("ok", "ok"), ("ok\n", "ok"), ("ok\r\nmore", "ok"), ("", ""), ("é", "é")],
)
def test_an_answer_is_the_first_line(server, answer, wanted):
    server.body = answer
    response = send(f"tcp://{server.address}")
    assert (response.status, response.text) == (200, wanted)
    assert server.next().body == b"a\nb"


def test_an_answer_has_a_limit(server):
    server.body = "x" * 200_000
    assert len(send(f"tcp://{server.address}").body) <= 64 * 1024


def test_no_answer_is_read_without_need(server):
    assert send(f"tcp://{server.address}", "WRITE").text == ""
    assert server.next().text == "a\nb"


@pytest.mark.parametrize(
    ("address", "problem", "retry"),
    [
        ("nowhere", "dial tcp nowhere: missing port in address", False),
        ("127.0.0.1:x", "dial tcp 127.0.0.1:x: invalid port", False),
        ("127.0.0.1:70000", "dial tcp 127.0.0.1:70000: invalid port", False),
        ("127.0.0.1:99999999", "dial tcp 127.0.0.1:99999999: invalid port", False),
    ],
)
def test_addresses_that_cannot_be_dialled(address, problem, retry):
    error = failing(f"tcp://{address}")
    assert (str(error), error.retry) == (problem, retry)


def test_a_refused_connection_is_retried(server):
    server.refuse()
    error = failing(f"tcp://{server.address}")
    assert error.retry
    assert not error.maybe_duplicate
    assert str(error).startswith(f"dial tcp {server.address}: ")


def test_a_denied_address_is_never_dialled(server):
    dialer = Dialer(LOCAL_DENIED)
    error = failing(f"tcp://{server.address}", dialer=dialer)
    assert not error.retry
    assert server.received.empty()


def test_a_server_that_says_nothing_is_left(server):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kept = []
        accepting = threading.Thread(target=lambda: kept.append(silent.accept()))
        accepting.start()
        host, port = silent.getsockname()
        error = failing(f"tcp://{host}:{port}", limit_s=0.2)
        accepting.join(5)
        kept[0][0].close()
    assert error.retry
    assert error.maybe_duplicate
