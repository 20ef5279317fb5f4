"""Bodies and responses of slow clients, and of clients without credentials."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from runtime.compute.thread import Compute
from runtime.services.httpd.connection import Gate
from runtime.services.httpd.intake import Intake
from runtime.services.httpd.messages import Answer, Request, failure, pretty
from runtime.services.httpd.service import HttpServer
from runtime.services.httpd.users import User
from runtime.services.httpd.write import WriteHandler
from runtime.services.storage.service import StorageService
from runtime.store.database import Store

MIB = 1024 * 1024
WRITE = b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\n"
CHANGE = b"POST /kapacitor/v1/change HTTP/1.1\r\nHost: localhost\r\n"


class Door(Gate):
    """Knows one password, and takes its time."""

    def __init__(self) -> None:
        self.asked = 0

    async def check(self, request: Request) -> Answer | None:
        self.asked += 1
        await asyncio.sleep(0)
        if request.authorization == "open":
            request.user = User("u", admin=True)
            return None
        return failure("authorization failed", 401)

    def knows_writer(self, authorization: str, query: str) -> bool:
        return authorization == "known"


async def _change(request: Request) -> Answer:
    return pretty({"body": len(request.body)})


@contextlib.asynccontextmanager
async def serving(
    taken: list[bytes],
    gate: Gate | None = None,
    store: Store | None = None,
    **more: Any,
) -> AsyncIterator[HttpServer]:
    compute = Compute()
    compute.start()
    service = HttpServer("127.0.0.1", 0, version="1", shutdown_timeout_s=1, **more)
    service.accept_writes(WriteHandler(compute, lambda body, *_: taken.append(body)))
    service.router.add("POST", "/change", _change)
    if store is not None:
        StorageService(store, compute).add_routes(service.router)
    if gate is not None:
        service.authenticate(gate)
    await service.open()
    try:
        yield service
    finally:
        await service.close()
        await compute.close()


def with_server(use: Any, **more: Any) -> list[bytes]:
    taken: list[bytes] = []

    async def run() -> None:
        async with serving(taken, **more) as service:
            await asyncio.to_thread(use, service.port)

    asyncio.run(run())
    return taken


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def test_the_bodies_of_strangers_are_not_kept() -> None:
    before = resident_mib()

    def use(port: int) -> None:
        with contextlib.ExitStack() as stack:
            for start in (WRITE, CHANGE) * 10:
                client = stack.enter_context(connect(port))
                client.sendall(start + b"Content-Length: 26000000\r\n\r\n")
                assert client.recv(65536).startswith(b"HTTP/1.1 401 ")
                # it is answered; whatever it sends is dropped
                with contextlib.suppress(ConnectionError):
                    client.sendall(b"x" * 20 * MIB)
            assert resident_mib() - before < 60

    assert with_server(use, gate=Door()) == []


def test_a_stranger_who_sent_all_keeps_the_connection() -> None:
    door = Door()

    def use(port: int) -> None:
        head = WRITE + b"Content-Length: 5\r\nAuthorization: "
        with connect(port) as client, client.makefile("rb") as answers:
            for word in (b"no", b"open", b"known", b"no", b"open"):
                client.sendall(head + word + b"\r\n\r\nm v=1")
                status = answers.readline()[9:12]
                assert status == (b"401" if word == b"no" else b"204")
                length = 0
                while (line := answers.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split()[1])
                answers.read(length)

    assert with_server(use, gate=door) == [b"m v=1"] * 3
    assert door.asked == 4


def test_a_slow_body_goes_on_once_its_writer_is_known() -> None:
    def use(port: int) -> None:
        with connect(port) as client:
            client.sendall(
                WRITE + b"Content-Length: 300000\r\nAuthorization: open\r\n\r\n"
            )
            for _ in range(3):
                client.sendall((b"x" * 999 + b"\n") * 100)
            assert client.recv(12) == b"HTTP/1.1 204"

    taken = with_server(use, gate=Door())
    assert [len(body) for body in taken] == [300_000]


def test_whoever_dribbles_longest_makes_room() -> None:
    def use(port: int) -> None:
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(connect(port)) for _ in range(3)]
            for client, start in zip(slow, (WRITE, CHANGE, WRITE), strict=True):
                client.sendall(
                    start + b"Content-Length: 900000\r\n\r\n" + b"x" * 400_000
                )
            # this one is through long before they are
            with connect(port) as quick:
                quick.sendall(WRITE + b"Content-Length: 500000\r\n\r\n")
                quick.sendall((b"x" * 49_999 + b"\n") * 10)
                assert quick.recv(12) == b"HTTP/1.1 204"
            answer = slow[0].recv(65536)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 5\r\n" in answer
            assert b"too many requests are arriving at once" in answer

    intake = Intake(MIB)
    assert len(with_server(use, intake=intake)) == 1
    assert intake.total == 0


def test_a_client_that_reads_no_answers_waits() -> None:
    # The system holds some tens of megabytes of requests on their way, and, for a
    # client with a small buffer, few answers: a server that reads on while answers
    # are not taken holds the rest itself, and takes them all.
    batch = (WRITE + b"Content-Length: 5\r\n\r\nm v=1") * 1000
    batches = 4000

    def use(port: int) -> None:
        sent = 0
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.connect(("127.0.0.1", port))
            client.settimeout(1)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(batches):
                    client.sendall(batch)
                    sent += 1
        assert sent < batches // 2

    taken = with_server(use, read_timeout_s=5)
    assert len(taken) < batches * 100


def test_stalled_downloads_end_and_are_few(tmp_path: Path) -> None:
    store = Store(tmp_path / "kapacitor.db")
    for number in range(8):
        store.values.put("tasks", str(number), os.urandom(2 * MIB))
    get = b"GET /kapacitor/v1/storage/backup HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def use(port: int) -> None:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect(port)) for _ in range(2)]
            for client in clients:
                client.sendall(get)
                assert client.recv(12) == b"HTTP/1.1 200"
            with connect(port) as another:
                another.sendall(get)
                answer = another.recv(65536)
                assert answer.startswith(b"HTTP/1.1 503 ")
                assert b"Retry-After" in answer
            # reading stops: both are cut, and there is space again
            end = time.monotonic() + 30
            while time.monotonic() < end:
                with connect(port) as another:
                    another.sendall(get)
                    if another.recv(12) == b"HTTP/1.1 200":
                        return
        raise AssertionError("the downloads are still open")

    with_server(use, store=store, part_timeout_s=2)
    store.close()
    assert not list(tmp_path.glob(".backup-*"))
