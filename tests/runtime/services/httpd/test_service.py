"""The HTTP server's conventions, on the wire."""

import asyncio
import contextlib
import gzip
import http.client
import re
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from runtime.compute.thread import Compute
from runtime.errors import InvalidError
from runtime.services.httpd.messages import Answer, Request, pretty
from runtime.services.httpd.service import HttpServer
from runtime.services.httpd.write import WriteHandler
from runtime.version import PRODUCT_VERSION

ERROR = '{{\n    "error": "{0}",\n    "message": "{0}"\n}}'


class Sent(list[tuple[bytes, str, str, str]]):
    """Points that reached the tasks."""

    def __call__(self, body: bytes, db: str, rp: str, precision: str) -> None:
        if body == b"bad":
            raise InvalidError("unable to parse 'bad': missing fields")
        if body == b"broken":
            raise KeyError("broken")
        self.append((body, db, rp, precision))


async def _echo(request: Request) -> Answer:
    return pretty({"path": request.path, "rest": request.rest, "a": "<&>"})


async def _fail(request: Request) -> Answer:
    raise KeyError("a mistake")


@contextlib.asynccontextmanager
async def serving(sent: Sent | None = None, **more: Any) -> AsyncIterator[HttpServer]:
    compute = Compute()
    compute.start()
    service = HttpServer("127.0.0.1", 0, version="1.8.3", shutdown_timeout_s=2, **more)
    service.accept_writes(WriteHandler(compute, sent if sent is not None else Sent()))
    service.router.add("GET", "/config", _echo)
    service.router.add("GET", "/config/", _echo)
    service.router.add("GET", "/fail", _fail)
    await service.open()
    try:
        yield service
    finally:
        await service.close()
        await compute.close()


def ask(
    method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    async def run() -> Any:
        async with serving() as service:
            return await asyncio.to_thread(
                request, service.port, method, path, body, headers
            )

    return asyncio.run(run())  # type: ignore[no-any-return] # what request gives


def request(
    port: int, method: str, path: str, body: bytes, headers: dict[str, str] | None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def with_server(sent: Sent, use: Callable[[int], Any], **more: Any) -> Any:
    async def run() -> Any:
        async with serving(sent, **more) as service:
            return await asyncio.to_thread(use, service.port)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/kapacitor/v1/ping"),
        ("GET", "/"),
        ("GET", "/kapacitor/v1/nope"),
        ("GET", "/kapacitor/v1preview/nope"),
        ("GET", "/kapacitor/v1/logs"),
        ("GET", "/kapacitor/v1/write"),
    ],
)
def test_what_has_no_route_is_not_found(method: str, path: str) -> None:
    status, headers, body = ask(method, path)
    assert (404, ERROR.format("Not Found")) == (status, body.decode())
    assert headers["X-Kapacitor-Version"] == "1.8.3"
    assert headers["X-Scaffold-Alerts-Version"] == PRODUCT_VERSION


def test_an_unknown_method_is_not_found_and_unmarked() -> None:
    status, headers, body = ask("FOO", "/kapacitor/v1/ping")
    assert (404, ERROR.format("Not Found")) == (status, body.decode())
    assert "Request-Id" not in headers
    assert "X-Kapacitor-Version" not in headers


def test_ping_has_headers_but_no_body() -> None:
    status, headers, body = ask("GET", "/kapacitor/v1/ping")
    assert (status, body) == (204, b"")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["X-Kapacitor-Version"] == "1.8.3"
    assert headers["X-Scaffold-Alerts-Version"] == PRODUCT_VERSION
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-.*", headers["Request-Id"]
    )


def test_head_is_for_ping_only() -> None:
    assert ask("HEAD", "/kapacitor/v1/ping")[0] == 204
    assert ask("HEAD", "/kapacitor/v1/config")[0] == 404


def test_options_succeeds_anywhere() -> None:
    status, headers, body = ask("OPTIONS", "/kapacitor/v1/no/such")
    assert (status, body) == (200, b"")
    assert "X-Kapacitor-Version" not in headers
    assert "Content-Type" not in headers
    assert "Access-Control-Allow-Origin" not in headers


def test_an_unclean_path_moves() -> None:
    status, headers, body = ask("GET", "/kapacitor/v1//config")
    assert status == 301
    assert headers["Location"] == "/kapacitor/v1/config"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert body == b'<a href="/kapacitor/v1/config">Moved Permanently</a>.\n\n'
    assert "Request-Id" not in headers


def test_the_preview_base_leads_to_the_current_one() -> None:
    _, _, body = ask("GET", "/kapacitor/v1preview/config/hipchat/")
    assert b'"path": "/kapacitor/v1/config/hipchat/"' in body
    assert b'"rest": "hipchat/"' in body


def test_matching_is_on_the_decoded_path() -> None:
    _, _, body = ask("GET", "/kapacitor/v1/config%2Fa%20b")
    assert b'"rest": "a b"' in body


def test_answers_are_zipped_on_request() -> None:
    headers = {"Accept-Encoding": "gzip"}
    _, answer, body = ask("GET", "/kapacitor/v1/config", headers=headers)
    assert answer["Content-Encoding"] == "gzip"
    assert b'"a": "\\u003c\\u0026\\u003e"' in gzip.decompress(body)
    _, answer, body = ask("GET", "/kapacitor/v1/ping", headers=headers)
    assert (answer["Content-Encoding"], body) == ("gzip", b"")


def test_a_mistake_of_a_handler_is_an_error_not_a_dead_server() -> None:
    status, _, body = ask("GET", "/kapacitor/v1/fail")
    assert (500, ERROR.format("internal error: KeyError")) == (status, body.decode())


def test_routes_lists_methods_by_pattern() -> None:
    _, _, body = ask("GET", "/kapacitor/v1/:routes")
    assert b'"/kapacitor/v1/ping": [' in body


@pytest.mark.parametrize("path", ["/write", "/kapacitor/v1/write"])
@pytest.mark.parametrize("extra", [{}, {"Sec-Fetch-Site": "none"}])
def test_a_write_reaches_the_tasks(path: str, extra: dict[str, str]) -> None:
    # a header that the short path does not know sends the request the long way
    sent = Sent()
    status, headers, body = with_server(
        sent,
        lambda port: request(port, "POST", f"{path}?db=d&rp=r", b"m v=1", extra),
    )
    assert (status, body) == (204, b"")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["X-Kapacitor-Version"] == "1.8.3"
    assert headers["X-Scaffold-Alerts-Version"] == PRODUCT_VERSION
    assert sent == [(b"m v=1", "d", "r", "")]


@pytest.mark.parametrize("extra", [{}, {"Sec-Fetch-Site": "none"}])
def test_a_refused_write_is_plain_text(extra: dict[str, str]) -> None:
    status, headers, body = ask("POST", "/write?db=d", b"bad", extra)
    assert (status, body) == (400, b"unable to parse 'bad': missing fields\n")
    assert headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (gzip.compress(b"m v=1", mtime=0), 204, b""),
        (
            gzip.compress(b"m v=1", mtime=0) + gzip.compress(b"\nm v=2", mtime=0),
            204,
            b"",
        ),
        (gzip.compress(b"m v=1" * 100, mtime=0)[:-12], 400, b"unexpected EOF\n"),
        (b"no gzip at all", 400, b"gzip: invalid header\n"),
        (b"", 400, b"EOF\n"),
    ],
)
def test_zipped_writes(body: bytes, status: int, text: bytes) -> None:
    answer = ask("POST", "/write?db=d", body, {"Content-Encoding": "gzip"})
    assert (status, text) == (answer[0], answer[2])


def test_a_write_that_fails_by_mistake_is_an_error() -> None:
    assert ask("POST", "/write?db=d", b"broken")[0] == 500


def read_answers(connection: socket.socket, count: int) -> bytes:
    text = b""
    while text.count(b"HTTP/1.1 ") < count or not text.endswith(b"\r\n\r\n"):
        data = connection.recv(65536)
        if not data:
            break
        text += data
    return text


def test_pipelined_and_split_writes_are_answered_in_order() -> None:
    sent = Sent()
    one = b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nm v=%d"

    def use(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            text = b"".join(one % number for number in range(3))
            for at in range(0, len(text), 7):
                connection.sendall(text[at : at + 7])
            return read_answers(connection, 3)

    assert with_server(sent, use).count(b"HTTP/1.1 204 No Content") == 3
    assert [body for body, *_ in sent] == [b"m v=0", b"m v=1", b"m v=2"]


def test_a_connection_may_go_from_writes_to_other_requests() -> None:
    sent = Sent()
    text = (
        b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nm v=1"
        b"GET /kapacitor/v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
        b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nm v=2"
    )

    def use(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(text)
            return read_answers(connection, 3)

    assert with_server(sent, use).count(b"HTTP/1.1 204 No Content") == 3
    assert [body for body, *_ in sent] == [b"m v=1", b"m v=2"]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nm v=1\r\n0\r\n\r\n",
        b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nm v=1",
    ],
)
def test_unusual_framing_goes_the_long_way(head: bytes) -> None:
    sent = Sent()

    def use(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(head)
            text = b""
            while b"204 No Content" not in text:
                data = connection.recv(65536)
                assert data
                text += data
            return text

    with_server(sent, use)
    assert [body for body, *_ in sent] == [b"m v=1"]


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: +5",
        b"Content-Length : 5",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    ],
)
def test_ambiguous_framing_is_refused(lines: bytes) -> None:
    sent = Sent()

    def use(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(
                b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\n"
                + lines
                + b"\r\n\r\nm v=1"
            )
            return connection.recv(65536)

    assert b" 400 Bad Request" in with_server(sent, use)
    assert sent == []


WRITE = b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("start", "answered"),
    [
        (b"", False),
        (b"POST /wri", True),
        (WRITE, True),
        (WRITE + b"Content-Length: 9\r\n\r\nm v", True),
        (WRITE + b"Transfer-Encoding: chunked\r\n\r\n1\r\nm", True),
        (
            b"GET /kapacitor/v1/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n",
            True,
        ),
        (b"GET /kapacitor/v1/config HTTP/1.1\r\nHost", False),
    ],
)
def test_a_request_that_never_ends_is_cut(start: bytes, answered: bool) -> None:
    sent = Sent()

    def use(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
            slow.sendall(start)
            # others are served in the meantime
            for _ in range(3):
                assert request(port, "POST", "/write?db=d", b"m v=1", None)[0] == 204
            text = b""
            with contextlib.suppress(ConnectionResetError):
                while data := slow.recv(65536):
                    text += data
            return text

    text = with_server(sent, use, read_timeout_s=0.2)
    assert text.startswith(b"HTTP/1.1 408 ") == answered, text
    assert len(sent) == 3


def test_a_body_that_drips_is_cut() -> None:
    def use(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=0.05) as slow:
            slow.sendall(WRITE + b"Content-Length: 1000000\r\n\r\n")
            for _ in range(200):
                with contextlib.suppress(TimeoutError):
                    return slow.recv(65536)
                slow.sendall(b"m")
        raise AssertionError("it is still open")

    sent = Sent()
    text = with_server(sent, use, read_timeout_s=0.2)
    assert text.startswith(b"HTTP/1.1 408 ")
    assert b"the request took too long" in text
    assert sent == []


def test_many_idle_connections_leave_room_for_others() -> None:
    sent = Sent()

    def use(port: int) -> None:
        with contextlib.ExitStack() as idle:
            for number in range(400):
                each = socket.create_connection(("127.0.0.1", port), timeout=30)
                idle.enter_context(contextlib.closing(each))
                if number % 2:
                    each.sendall(b"GET /kap")
            assert request(port, "POST", "/write?db=d", b"m v=1", None)[0] == 204
            assert request(port, "GET", "/kapacitor/v1/ping", b"", None)[0] == 204

    with_server(sent, use)
    assert len(sent) == 1


@pytest.mark.parametrize(
    "start",
    [
        WRITE + b"Content-Length: 9\r\n\r\nm v",
        WRITE + b"Content-Length: 9\r\nTE: trailers\r\n\r\nm v",
        WRITE + b"Transfer-Encoding: chunked\r\n\r\n1\r\nm",
        WRITE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nm",
    ],
)
def test_a_client_that_goes_away_in_the_middle_is_no_failure(
    start: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    sent = Sent()

    def use(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(start)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while connection.recv(65536):
                    pass

    with_server(sent, use)
    assert sent == []
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []
