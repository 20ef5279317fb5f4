"""Heads that Go's server refuses are refused on every path."""

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from runtime.compute.thread import Compute
from runtime.services.httpd.heads import plain_head
from runtime.services.httpd.messages import Answer, Request, pretty
from runtime.services.httpd.service import HttpServer
from runtime.services.httpd.write import WriteHandler

HOST = b"Host: localhost:9092\r\n"
LENGTH = b"Content-Length: 5\r\n"
BODY = b"m v=1"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKS = b"5\r\nm v=1\r\n0\r\n\r\n"
STATUSES = (b"400", b"417", b"421", b"501", b"505")
TARGETS = (b"/write?db=d", b"/kapacitor/v1/write?db=d", b"/kapacitor/v1/echo?db=d")

# the text after `POST TARGET`, up to the end
REFUSED = {
    "a bare LF hides a coding": b" HTTP/1.1\r\n"
    + HOST
    + b"X: a\nTransfer-Encoding: chunked\r\n"
    + LENGTH
    + b"\r\n"
    + BODY,
    "a bare LF hides a length": b" HTTP/1.1\r\n"
    + HOST
    + b"X: a\nContent-Length: 3\r\n"
    + LENGTH
    + b"\r\n"
    + BODY,
    "LF alone": b" HTTP/1.1\nHost: localhost\nContent-Length: 5\n\n" + BODY,
    "LF after the request line": b" HTTP/1.1\n" + HOST + LENGTH + b"\r\n" + BODY,
    "LF at the end": b" HTTP/1.1\r\n" + HOST + LENGTH + b"\n" + BODY,
    "a control character in the target": b"&x=\x01 HTTP/1.1\r\n"
    + HOST
    + LENGTH
    + b"\r\n"
    + BODY,
    "DEL in the target": b"&x=\x7f HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY,
    "NUL in the target": b"&x=\0 HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY,
    "a tab in the target": b"&x=\t HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY,
    "a blank in the target": b"&x= y HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY,
    "no host": b" HTTP/1.1\r\n" + LENGTH + b"\r\n" + BODY,
    "an empty host": b" HTTP/1.1\r\nHost:\r\n" + LENGTH + b"\r\n" + BODY,
    "two hosts": b" HTTP/1.1\r\n" + HOST + HOST + LENGTH + b"\r\n" + BODY,
    "two hosts of old": b" HTTP/1.0\r\n" + HOST + HOST + LENGTH + b"\r\n" + BODY,
    "a malformed host": b" HTTP/1.1\r\nHost: a b\r\n" + LENGTH + b"\r\n" + BODY,
    "length and chunks": b" HTTP/1.1\r\n"
    + HOST
    + LENGTH
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + CHUNKS,
    "chunks and length": b" HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n"
    + LENGTH
    + b"\r\n"
    + CHUNKS,
    "a broken chunk": b" HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nm v=1\r\n0\r\n\r\n",
    "chunks with LF": b" HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n5\nm v=1\n0\n\n",
    "a folded line": b" HTTP/1.1\r\n"
    + HOST
    + b"X: a\r\n b\r\n"
    + LENGTH
    + b"\r\n"
    + BODY,
    "a folded first line": b" HTTP/1.1\r\n X: b\r\n" + HOST + LENGTH + b"\r\n" + BODY,
    "a blank before a colon": b" HTTP/1.1\r\n"
    + HOST
    + b"X : a\r\n"
    + LENGTH
    + b"\r\n"
    + BODY,
    "a tab before a colon": b" HTTP/1.1\r\n"
    + HOST
    + b"Content-Length\t: 5\r\n\r\n"
    + BODY,
    **{
        f"the line {line!r}": b" HTTP/1.1\r\n"
        + HOST
        + line
        + b"\r\n"
        + LENGTH
        + b"\r\n"
        + BODY
        for line in (
            *(b"X: a\0b", b"X: a\rb", b"X: a\x01b", b"X: a\x7fb", b"X\0: a", b"Xa"),
            *(b": a", b"X(a): a", b"X\xe4: a", b"Content-Length: 3"),
            *(
                b"Expect: zzz",
                b"Expect: 200-ok",
                b"Expect: 100-continue, x",
                b"Transfer-Encoding:",
            ),
        )
    },
    **{
        f"a length of {length!r}": b" HTTP/1.1\r\n"
        + HOST
        + b"Content-Length:"
        + length
        + b"\r\n\r\n"
        + BODY
        for length in (
            *(b" +5", b" -5", b" 0x5", b" 0_5", b" 5, 5", b" 5,5", b" 5 5", b""),
            *(b" 5\x0b", b" 5.0", b" \xb2", b" 18446744073709551621", b" " + b"9" * 20),
        )
    },
    **{
        f"the coding {coding!r}": b" HTTP/1.1\r\n"
        + HOST
        + b"Transfer-Encoding: "
        + coding
        + b"\r\n\r\n"
        + CHUNKS
        for coding in (
            *(b"xchunked", b"identity", b"gzip, chunked", b"chunked, chunked"),
            *(
                b"chunked\r\nTransfer-Encoding: chunked",
                b"chunked, identity",
                b"\x0bchunked",
            ),
        )
    },
    **{
        f"the version {version!r}": version + b"\r\n" + HOST + LENGTH + b"\r\n" + BODY
        for version in (
            *(b" HTTP/2.0", b" HTTP/0.9", b" HTTP/1.2", b" HTTP/1.", b" HTTP/1.10"),
            *(b" http/1.1", b"", b" HTTP/1.1 ", b" HTTP/11"),
        )
    },
}
ACCEPTED = {
    "plain": b" HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY,
    "of old": b" HTTP/1.0\r\n" + LENGTH + b"\r\n" + BODY,
    "chunks": b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: Chunked\r\n\r\n" + CHUNKS,
    **{
        f"the line {line!r}": b" HTTP/1.1\r\n"
        + HOST
        + line
        + b"\r\n"
        + LENGTH
        + b"\r\n"
        + BODY
        for line in (
            *(b"X: a\tb", b"X: \xe4\xff", b"X:", b"X_a: b", b"Expect: 100-continue"),
            *(b"Expect: 100-Continue", b"Connection: Upgrade\r\nUpgrade: h2c"),
        )
    },
}


async def _echo(request: Request) -> Answer:
    return pretty({"body": request.body.decode()})


def _answer(port: int, sent: bytes) -> bytes:
    """The head of the server's answer; of a refusal, all until it closes."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(sent)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer = (answer + part).removeprefix(CONTINUE)
                if b" 20" in answer.partition(b"\r\n\r\n")[0]:
                    break
        return answer


def with_server(use: Any) -> list[bytes]:
    taken: list[bytes] = []

    async def run() -> None:
        compute = Compute()
        compute.start()
        service = HttpServer("127.0.0.1", 0, version="1", shutdown_timeout_s=1)
        service.accept_writes(
            WriteHandler(compute, lambda body, *_: taken.append(body))
        )
        service.router.add("POST", "/echo", _echo)
        await service.open()
        try:
            await asyncio.to_thread(use, service.port)
        finally:
            await service.close()
            await compute.close()

    asyncio.run(run())
    return taken


def test_malformed_heads_are_refused_on_both_paths() -> None:
    def use(port: int) -> None:
        for name, rest in REFUSED.items():
            for target in TARGETS:
                answer = _answer(port, b"POST " + target + rest)
                status = answer[9:12]
                assert status in STATUSES, (name, target, answer)

    assert with_server(use) == []


def test_lawful_heads_are_served_on_both_paths() -> None:
    def use(port: int) -> None:
        for name, rest in ACCEPTED.items():
            for target in TARGETS:
                answer = _answer(port, b"POST " + target + rest)
                assert answer[8:11] == b" 20", (name, target, answer)
                assert b"Server:" not in answer

    assert with_server(use) == [BODY] * 2 * len(ACCEPTED)


def test_an_unknown_expectation_fails() -> None:
    def use(port: int) -> None:
        for target in TARGETS:
            start = b"POST " + target + b" HTTP/1.1\r\n" + HOST + LENGTH
            answer = _answer(port, start + b"Expect: zzz\r\n\r\n" + BODY)
            assert answer.startswith(b"HTTP/1.1 417 Expectation Failed\r\n")

    assert with_server(use) == []


def test_a_client_that_waits_is_told_to_continue() -> None:
    def use(port: int) -> None:
        for target in TARGETS:
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                start = b"POST " + target + b" HTTP/1.1\r\n" + HOST + LENGTH
                connection.sendall(start + b"Expect: 100-continue\r\n\r\n")
                assert connection.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE
                connection.sendall(BODY)
                assert connection.recv(11).startswith(b"HTTP/1.1 20")

    assert with_server(use) == [BODY] * 2


@pytest.mark.parametrize("line", [b"Content-Encoding: ", b"Authorization: "])
def test_a_header_that_matters_twice_goes_the_long_way(line: bytes) -> None:
    head = b"POST /write?db=d HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
    assert plain_head(head + line + b"a") is not None
    assert plain_head(head + line + b"a\r\n" + line.lower() + b"b") is None


def test_targets_are_utf8() -> None:
    head = plain_head("POST /write?db=dä HTTP/1.0\r\nContent-Length: 5".encode())
    assert head is not None
    assert head.target == "/write?db=dä"
