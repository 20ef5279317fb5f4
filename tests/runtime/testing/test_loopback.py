import http.client
import time
import urllib.request
from urllib.parse import urlsplit

import pytest

from runtime.testing.clock import ManualClock
from runtime.testing.loopback import Answer, LoopbackServer, Recorded


def send(url, method="POST", path="/", body=b"", headers=None, timeout=30):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_records_a_request_as_it_was_sent():
    with LoopbackServer(status=202, body="fine") as server:
        answer = send(
            server.url, "PUT", "/a%20b/c?x=1&y=%26", b'{"k":1}', {"x-api-key": "s"}
        )
        request = server.next(1)
    assert answer == (202, b"fine")
    assert (request.method, request.path) == ("PUT", "/a%20b/c")
    assert request.query == {"x": "1", "y": "&"}
    assert request.raw_query == "x=1&y=%26"
    assert request.headers["X-Api-Key"] == "s"
    assert request.json == {"k": 1}


def test_status_body_and_headers_may_change_between_requests():
    with LoopbackServer() as server:
        server.answers.append(Answer(503, "later", {"Retry-After": "2"}))
        first = send(server.url)
        server.status, server.body = 204, b""
        second = send(server.url)
    assert [first, second] == [(503, b"later"), (204, b"")]


def test_reads_chunked_bodies():
    with LoopbackServer() as server:
        request = urllib.request.Request(server.url, data=iter([b"ab", b"cd"]))
        urllib.request.urlopen(request, timeout=30).close()
        assert server.next(1).body == b"abcd"


def test_next_has_a_time_limit():
    with LoopbackServer() as server, pytest.raises(TimeoutError):
        server.next(0.01)


def test_a_hanging_server_records_and_stops_quickly():
    with LoopbackServer() as server:
        server.hang = True
        with pytest.raises(TimeoutError):
            send(server.url, timeout=0.05)
        assert isinstance(server.next(1), Recorded)
        started = time.monotonic()
    assert time.monotonic() - started < 1


def test_refuses_connections_when_told_to():
    server = LoopbackServer()
    server.refuse()
    with pytest.raises(ConnectionRefusedError):
        send(server.url)


def test_an_idle_connection_does_not_delay_the_stop():
    with LoopbackServer() as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
        connection.request("GET", "/")
        connection.getresponse().read()
        started = time.monotonic()
    assert time.monotonic() - started < 1
    connection.close()


def test_a_manual_clock_moves_when_it_is_moved():
    clock = ManualClock(5)
    clock.advance(-2)
    assert clock() == 3
