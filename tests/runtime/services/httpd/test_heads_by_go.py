"""Heads of requests, answered as Go's server answers them.

`heads_by_go.jsonl` has what a server of Go 1.26 (`net/http`, a handler that answers 204)
said to each; `served` is any answer of its handler. The names begin with `w` where the
write path is asked, with `g` for another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runtime.services.httpd.framing import Framing
from runtime.services.httpd.intake import Intake
from runtime.services.httpd.messages import NO_CONTENT, Answer, Request
from runtime.services.httpd.router import Router
from tests.runtime.services.httpd.test_service import Sent, serving, with_server

TABLE = Path(__file__).with_name("heads_by_go.jsonl")
# Not served, though Go does: a proxy may take these for other requests than Go, or the
# parser knows no such thing.
STRICTER = {
    "bare lf": "400",
    "bare lf line": "400",
    "folded": "400",
    "HTTP/1.2": "400",
    "HTTP/1.9": "400",
    "star": "400",
    "scheme only": "400",
    "mailto": "400",
    "pri": "505",
    "utf8 target": "400",
    "latin1 target": "400",
    "chunked 1.0": "400",
    "chunked 1.0 len": "400",
    "chunked and length": "400",
    "chunk blank": "400",
    "length empty": "400",
    "length twice same": "400",
}
# the line that Go gives to a header that it cannot read at all
TEXTS = {"tab before colon", "name paren", "name utf8"}
REFUSALS = ("400", "417", "431", "501", "505")


class Row(NamedTuple):
    name: str
    sent: bytes
    answer: str
    text: str

    @property
    def kind(self) -> str:
        """The name without the path that it is about."""
        return self.name.removeprefix("w-").removeprefix("g-")


ROWS = [
    Row(row["name"], row["sent"].encode("latin-1"), row["answer"], row["text"])
    for row in map(json.loads, TABLE.read_text().splitlines())
]


def answered(port: int, pieces: list[bytes]) -> tuple[str, str]:
    """Status and text of the first answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for piece in pieces:
            connection.sendall(piece)
        text = b""
        while b"\r\n\r\n" not in text:
            data = connection.recv(65536)
            assert data, f"closed after {text!r}"
            text += data
        head, _, body = text.partition(b"\r\n\r\n")
        status = head.split(b" ")[1].decode()
        if status in REFUSALS and b"content-length: 0" not in head.lower():
            while data := connection.recv(65536):
                body += data
    # the write path refuses what names no database: that is an answer, too
    if body == b"database is required\n":
        return "served", ""
    return (status, body.decode()) if status in REFUSALS else ("served", "")


def expected(row: Row) -> tuple[str, str | None]:
    # on the write path a query may have any bytes, as in Go
    is_plain = row.name in ("w-utf8 target", "w-latin1 target")
    if row.answer == "served" and row.kind in STRICTER and not is_plain:
        return STRICTER[row.kind], None
    return row.answer, None if row.kind in TEXTS else row.text


def check(port: int, cut: Callable[[bytes], list[bytes]]) -> dict[str, Any]:
    """Rows that are answered otherwise."""
    wrong: dict[str, Any] = {}
    for row in ROWS:
        try:
            status, text = answered(port, cut(row.sent))
        except (OSError, AssertionError) as error:
            wrong[row.name] = error
            continue
        wanted, words = expected(row)
        if row.answer == "400" and row.name.startswith("chunk"):
            # the wording of Go's handler differs
            words = None
        if status != wanted or (words is not None and text != words):
            wrong[row.name] = (status, text), (wanted, words)
    return wrong


def test_heads_are_refused_as_by_go() -> None:
    assert with_server(Sent(), lambda port: check(port, lambda sent: [sent])) == {}


def test_heads_that_come_in_pieces_are_refused_as_well() -> None:
    def cut(sent: bytes) -> list[bytes]:
        return [sent[:3], sent[3:]]

    assert with_server(Sent(), lambda port: check(port, cut)) == {}


def test_a_malformed_head_behind_others_is_refused_in_its_turn() -> None:
    ping = b"GET /kapacitor/v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
    chunked = (
        b"POST /kapacitor/v1/write?db=d HTTP/1.1\r\nHost: localhost\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nm v=1\r\n0\r\nX: a\r\n\r\n"
    )
    length = (
        b"POST /kapacitor/v1/tasks HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    sent = Sent()
    text = ping + chunked + length + ping + ping.replace(b" ", b"  ", 1) + ping

    def use(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(text)
            found = b""
            while data := connection.recv(65536):
                found += data
            return found

    answers = with_server(sent, use)
    statuses = re.findall(rb"HTTP/1\.[01] (\d+) ", answers)
    assert statuses == [b"204", b"204", b"404", b"204", b"400"]
    assert [body for body, *_ in sent] == [b"m v=1"]


@pytest.mark.parametrize("size", [1, 3, 64])
def test_bodies_arrive_whole_however_they_are_cut(size: int) -> None:
    body = b"".join(b"%x\r\n%b\r\n" % (n, b"m" * n) for n in range(1, 40))
    head = (
        b"POST /kapacitor/v1/write?db=d HTTP/1.1\r\nHost: localhost\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    text = 2 * (head + body + b"0\r\n\r\n")
    sent = Sent()

    def use(port: int) -> int:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(text), size):
                connection.sendall(text[at : at + size])
            found = b""
            while found.count(b"HTTP/1.1 204") < 2:
                data = connection.recv(65536)
                assert data
                found += data
            return found.count(b"HTTP/1.1 204")

    assert with_server(sent, use) == 2
    assert [len(each) for each, *_ in sent] == [sum(range(40))] * 2


def test_a_body_that_breaks_off_its_chunks_is_refused_at_once() -> None:
    head = (
        b"POST /kapacitor/v1/tasks HTTP/1.1\r\nHost: localhost\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )

    def use(port: int) -> tuple[str, str]:
        return answered(port, [head, b"2\r\n{}\r\n", b"zz\r\n"])

    assert with_server(Sent(), use) == ("400", "400 Bad Request")


@pytest.mark.parametrize("turns", range(10))
def test_a_body_is_refused_whatever_the_loop_does_meanwhile(turns: int) -> None:
    head = b"POST /kapacitor/v1/tasks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def run() -> bytes:
        async with serving(Sent()) as service, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            loop = asyncio.get_running_loop()

            def send(after: int) -> None:
                """Send the rest, behind what arrives in that turn of the loop."""
                if after:
                    loop.call_later(0, send, after - 1)
                else:
                    writer.write(b"zz\r\n")

            writer.write(head)
            send(turns)
            found = await reader.read()
            writer.close()
            return found

    assert asyncio.run(run()).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_goes_before_its_refusal_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def shutdown(transport: asyncio.Transport) -> None:
        """Fail as a socket does whose client has reset the connection."""
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    transport = asyncio.selector_events._SelectorSocketTransport
    monkeypatch.setattr(transport, "write_eof", shutdown)

    def use(port: int) -> tuple[str, str]:
        return answered(port, [b"nonsense\r\n\r\n"])

    assert with_server(Sent(), use)[0] == "400"
    assert caplog.records == []


STARTS = (
    b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n",
    b"GET /kapacitor/v1/ping HTTP/1.1\r\nHost: localhost\r\n",
)
GO_LIMIT = (1 << 20) + 4096


@pytest.mark.parametrize("start", STARTS, ids=["write", "ping"])
@pytest.mark.parametrize(
    ("field", "answer"),
    [
        (b"Cookie: " + b"a" * 9_000, "served"),
        (b"X: " + b"a" * 900_000, "served"),
        (b"X: a\r\n" * 1_900 + b"X: a", "served"),
        (b"X: " + b"a" * GO_LIMIT, "431"),
        # those that Go serves
        (b"X: a\r\n" * 2_100 + b"X: a", "431"),
    ],
    ids=["a long field", "a large field", "many fields", "too large", "too many"],
)
def test_large_heads_are_served_up_to_gos_limit(
    start: bytes, field: bytes, answer: str
) -> None:
    head = start + field + b"\r\n\r\n" + b"m v=1"

    def use(port: int) -> tuple[str, str]:
        return answered(port, [head])

    text = "431 Request Header Fields Too Large" if answer == "431" else ""
    assert with_server(Sent(), use) == (answer, text)


@pytest.mark.parametrize(
    ("path", "answer"),
    [(b"?x=" + b"a" * 60_000, "served"), (b"?" + b"&" * 70_000, "431")],
)
def test_long_targets_are_refused(path: bytes, answer: str) -> None:
    def use(port: int) -> tuple[str, str]:
        start = b"GET /kapacitor/v1/ping" + path + b" HTTP/1.1\r\n"
        return answered(port, [start, b"Host: localhost\r\n\r\n"])

    assert with_server(Sent(), use)[0] == answer


def test_a_request_line_without_end_is_refused() -> None:
    def use(port: int) -> tuple[str, str]:
        return answered(port, [b"GET /", b"a" * 70_000])

    assert with_server(Sent(), use)[0] == "431"


def test_a_client_that_sends_on_gets_the_whole_refusal() -> None:
    def use(port: int) -> tuple[str, str]:
        return answered(port, [b"GET /", *[b"a" * 70_000] * 40])

    assert with_server(Sent(), use)[0] == "431"


@pytest.mark.parametrize("name", [b"Host: ", b"Origin: http://"])
def test_names_that_are_none_hold_nothing_up(name: bytes) -> None:
    host = b"" if name == b"Host: " else b"Host: localhost\r\n"
    head = b"POST /kapacitor/v1/tasks HTTP/1.1\r\nContent-Length: 0\r\n" + host
    long = head + name + b"a.b" * 300_000 + b"\r\n\r\n"

    def use(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(long)
            return connection.recv(65536)

    began = time.process_time()
    answer = with_server(Sent(), use)
    assert time.process_time() - began < 1
    assert answer[9:12] in (b"421", b"403")
    assert len(answer) < 3_000


async def _nothing(request: Request) -> Answer:
    return NO_CONTENT


def test_paths_of_many_parts_are_found_or_not_in_no_time() -> None:
    router = Router()
    router.add("GET", "/tasks/", _nothing)
    began = time.process_time()
    assert router.find("GET", "/a" * 100_000) is None
    assert router.find("GET", "/kapacitor/v1/tasks" + "/a" * 100_000) is not None
    assert time.process_time() - began < 1


def test_a_head_in_small_pieces_takes_no_longer() -> None:
    head = STARTS[1] + b"X: " + b"a" * 500_000 + b"\r\n\r\n"
    framing = Framing()
    began = time.process_time()
    found = [
        piece
        for at in range(0, len(head), 10)
        for piece in framing.pieces(head[at : at + 10])
    ]
    assert time.process_time() - began < 3
    assert found == [head]
    assert framing.waiting == 0


def test_heads_in_memory_are_counted() -> None:
    intake = Intake(limit=100_000)
    part = STARTS[1] + b"X: " + b"a" * 60_000

    def use(port: int) -> str:
        with contextlib.ExitStack() as stack:
            first, second = (
                stack.enter_context(
                    socket.create_connection(("127.0.0.1", port), timeout=30)
                )
                for _ in range(2)
            )
            first.sendall(part)
            end = time.monotonic() + 30
            while intake.total < 60_000 and time.monotonic() < end:
                time.sleep(0.001)
            second.sendall(part)
            return first.recv(65536).partition(b"\r\n")[0].decode()

    assert with_server(Sent(), use, intake=intake).endswith("503 Service Unavailable")
    assert intake.total == 0
