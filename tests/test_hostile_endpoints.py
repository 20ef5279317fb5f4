"""Every integration against misbehaving endpoints.

The integrations are found in the registry: one that is added is covered.
"""

import contextlib
import email.utils
import socket
import threading
import time

import pytest

from runtime.delivery.policy import FailureKind
from runtime.errors import DeliveryError
from runtime.outbound.client import TimeLimits
from runtime.secrets import Secret, redact
from runtime.testing.loopback import Answer, LoopbackServer
from runtime.testing.registry import HTTP_KINDS, integration, send
from tests.draws import drawn

# for endpoints that answer, on a machine that is busy
ROOMY = TimeLimits(connect_s=30.0, total_s=30.0)
# for endpoints that never do
SHORT = TimeLimits(connect_s=0.3, total_s=0.3)
# beyond the limits, on a machine that is busy
GRACE_S = 10.0


class RawServer:
    """Accepts connections and answers each with what `answer` writes."""

    def __init__(self, answer):
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open = []
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.recv(65536)
            self._answer(connection, self.closing)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closing.set()
        for each in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)


def hang(connection, closing):
    closing.wait(2 * GRACE_S)


def drip(connection, closing):
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + b"x" * 10000:
        connection.sendall(bytes([byte]))
        if closing.wait(0.05):
            return


def endless_body(connection, closing):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
    while not closing.is_set():
        connection.sendall(b"x" * 65536)


def endless_headers(connection, closing):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not closing.is_set():
        connection.sendall(b"X-Header: " + b"x" * 60000 + b"\r\n")


def many_headers(connection, closing):
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 40) for n in range(20_000))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + lines + b"\r\n")


def endless_lines(connection, closing):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not closing.is_set():
        connection.sendall(b"X-Header: value\r\n" * 4096)


def endless_drip(connection, closing):
    connection.sendall(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not closing.wait(0.02):
        connection.sendall(b"1\r\nx\r\n")


def cut(connection, closing):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")


def close(connection, closing):
    """Say nothing."""


def garbage(connection, closing):
    connection.sendall(b"\x00\xff" * 100 + b"\r\n\r\n")


def attempt(kind, url, limits=ROOMY):
    """Return the error of one delivery, or None; its text contains no secret."""
    made = integration(kind, url)
    begin = time.monotonic()
    try:
        send(made, limits)
    except DeliveryError as error:
        found = error
    else:
        found = None
    assert time.monotonic() - begin < limits.total_s + GRACE_S
    if found is not None:
        for canary in made.canaries:
            assert redact(str(found), [Secret(canary)]) == str(found)
    return found


def kind_of(error):
    return None if error is None else FailureKind.of(error)


@pytest.fixture(params=drawn(HTTP_KINDS, 8))
def kind(request):
    return request.param


def test_a_connection_that_is_refused(kind):
    server = LoopbackServer()
    server.refuse()
    error = attempt(kind, server.url)
    assert kind_of(error) is FailureKind.UNREACHABLE
    assert not error.maybe_duplicate


def test_a_host_that_does_not_exist(kind):
    assert (
        kind_of(attempt(kind, "http://nowhere.invalid", SHORT))
        is FailureKind.UNREACHABLE
    )


@pytest.mark.parametrize("answer", [hang, drip, endless_drip, close, cut])
def test_an_answer_that_does_not_come(kind, answer):
    with RawServer(answer) as server:
        error = attempt(kind, server.url, SHORT)
    assert kind_of(error) is FailureKind.UNREACHABLE
    # the endpoint may have taken it all the same
    assert error.maybe_duplicate


@pytest.mark.parametrize(
    "answer", [endless_body, endless_headers, endless_lines, many_headers, garbage]
)
def test_an_answer_that_has_no_end_or_no_sense(kind, answer):
    with RawServer(answer) as server:
        found = kind_of(attempt(kind, server.url, SHORT))
    # some read the body to detect success, and retry if they cannot
    kinds = (FailureKind.UNREACHABLE, FailureKind.REJECTED, FailureKind.FAILED)
    assert found in (None, *kinds)


@pytest.mark.parametrize("answer", [endless_headers, endless_lines, many_headers])
def test_headers_are_cut_off_before_they_fill_the_memory(answer):
    with (
        RawServer(answer) as server,
        pytest.raises(DeliveryError, match="malformed HTTP response"),
    ):
        send(integration("foo", server.url), ROOMY)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(kind, status):
    with LoopbackServer() as other, LoopbackServer(status=status) as server:
        server.headers = {"Location": f"{other.url}/steal"}
        assert kind_of(attempt(kind, server.url)) is FailureKind.REJECTED
        assert other.received.empty()


def test_a_redirect_in_a_circle_ends(kind):
    with LoopbackServer(status=307, headers={"Location": "/x"}) as server:
        assert kind_of(attempt(kind, server.url)) is FailureKind.REJECTED


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, FailureKind.REJECTED),
        (401, FailureKind.AUTH),
        (403, FailureKind.AUTH),
        (404, FailureKind.REJECTED),
        (405, FailureKind.REJECTED),
        (408, FailureKind.FAILED),
        (410, FailureKind.REJECTED),
        (413, FailureKind.REJECTED),
        (418, FailureKind.REJECTED),
        (422, FailureKind.REJECTED),
        (425, FailureKind.FAILED),
        (429, FailureKind.LIMITED),
        (451, FailureKind.REJECTED),
        (500, FailureKind.FAILED),
        (501, FailureKind.REJECTED),
        (502, FailureKind.FAILED),
        (503, FailureKind.FAILED),
        (504, FailureKind.FAILED),
        (505, FailureKind.REJECTED),
        (599, FailureKind.FAILED),
    ],
)
def test_statuses(kind, status, expected):
    with LoopbackServer(status=status) as server:
        assert kind_of(attempt(kind, server.url)) is expected


@pytest.mark.parametrize(
    ("text", "least_s", "most_s"),
    [
        ("5", 5, 5),
        (" 7 ", 7, 7),
        ("0", 0, 0),
        ("3600000", 3600000, 3600000),
        ("9" * 30, 1, float("inf")),
        ("-1", None, None),
        ("1.5", None, None),
        ("soon", None, None),
        ("", None, None),
        ("+60", 50, 70),
        ("-60", 0, 0),
        ("Wed, 99 Foo 2026 07:28:00 GMT", None, None),
    ],
)
def test_how_long_an_endpoint_asks_to_wait(kind, text, least_s, most_s):
    if text[:1] in ("+", "-") and len(text) == 3:
        text = email.utils.formatdate(time.time() + int(text), usegmt=True)
    with LoopbackServer(status=429, headers={"Retry-After": text}) as server:
        error = attempt(kind, server.url)
    assert kind_of(error) is FailureKind.LIMITED
    if least_s is None:
        assert error.retry_after_s is None
    else:
        assert least_s <= error.retry_after_s <= most_s


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"error": 1, "ok": "x", "errors": {"a": [1]}, "message": {"x": []}}',
        b"<html>",
    ],
)
def test_a_body_that_is_not_what_it_should_be(kind, status, body):
    with LoopbackServer(status=status, body=body) as server:
        error = attempt(kind, server.url)
    if status >= 400:
        expected = FailureKind.REJECTED if status == 400 else FailureKind.FAILED
        assert kind_of(error) is expected
        assert len(str(error)) < 128 * 1024


def test_an_endpoint_that_repeats_what_it_was_sent(kind):
    class Echo(LoopbackServer):
        def answer(self, request):
            shown = f"{request.path}?{request.raw_query} {request.headers} "
            return Answer(400, shown.encode() + request.body)

    with Echo() as server:
        assert kind_of(attempt(kind, server.url)) is FailureKind.REJECTED


def test_one_that_is_well_gets_the_event(kind):
    with LoopbackServer() as server:
        error = attempt(kind, server.url)
        assert not server.received.empty()
    # some want to see more than a good status
    assert error is None or error.status is not None
