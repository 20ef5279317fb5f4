"""A cluster in front of a server whose answers the test chooses."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from runtime.errors import DeliveryError
from runtime.outbound.client import AiohttpClient
from runtime.secrets import Secret
from runtime.services.auth.tokens import verify
from runtime.services.influxdb import cluster as module
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.config import Config
from runtime.services.influxdb.series import Series
from runtime.testing.loopback import Answer, LoopbackServer

T = TypeVar("T")


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as made:
        made.status = 204
        yield made


def run(
    work: Callable[[Cluster], Awaitable[T]],
    *servers: LoopbackServer,
    shared_secret: Secret | None = None,
    **changes: Any,
) -> T:
    urls = tuple(each.url for each in servers)

    async def running() -> T:
        config = Config(**{"urls": urls, **changes})
        client = AiohttpClient()
        made = Cluster(config, client, shared_secret or Secret())
        try:
            return await asyncio.wait_for(work(made), 20)
        finally:
            await made.close()

    return asyncio.run(running())


async def read(cluster: Cluster) -> list[Series]:
    return [each async for each in cluster.query("SELECT 1", database="d")]


def document(*rows: list[Any], **more: Any) -> bytes:
    series = {"name": "m", "columns": ["time", "v"], "values": rows, **more}
    return json.dumps({"results": [{"series": [series]}]}).encode() + b"\n"


def test_the_request_of_a_write(server: LoopbackServer) -> None:
    async def work(cluster: Cluster) -> None:
        await cluster.write(
            b"m v=1", database="d b", retention_policy="r", consistency="all"
        )
        await cluster.write(b"m v=2", database="d", precision="s")

    run(work, server, username="u", password=Secret("5ecret"))
    first, second = server.next(), server.next()
    assert first.path == "/write"
    assert first.query == {
        "db": "d b",
        "rp": "r",
        "precision": "n",
        "consistency": "all",
    }
    assert gzip.decompress(first.body) == b"m v=1"
    assert first.headers["Authorization"] == "Basic dTo1ZWNyZXQ="
    assert second.query == {"db": "d", "precision": "s"}


def test_tokens(server: LoopbackServer) -> None:
    async def work(cluster: Cluster) -> None:
        await cluster.ping()

    run(work, server, username="u", password=Secret("p"), token=Secret("t0ken"))
    assert server.next().headers["Authorization"] == "Token t0ken"
    secret = Secret("shared secret")
    run(work, server, username="u", http_shared_secret=True, shared_secret=secret)
    bearer = server.next().headers["Authorization"]
    assert bearer.startswith("Bearer ")
    now = 0
    assert verify(bearer.removeprefix("Bearer "), secret, now).username == "u"


def test_a_document_may_come_in_pieces(server: LoopbackServer) -> None:
    server.status = 200
    server.body = document([1, 2.5], partial=True) + b"\n" + document([2, None]).strip()
    first, second = run(read, server)
    assert (first.partial, second.partial) == (True, False)
    assert second.fields["v"].present is not None
    assert server.next().query["epoch"] == "ns"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"error":"too bad"}', "too bad"),
        (b'{"results":[{"error":"no such thing"}]}', "no such thing"),
        (b"<html>", "failed to decode JSON of InfluxDB's answer"),
        (document([1, 2, 3]), "failed to read the rows of InfluxDB's answer"),
        (document(["yesterday", 2]), "unexpected time value: yesterday"),
        (document([1 << 70, 2]), "failed to read the rows of InfluxDB's answer"),
    ],
    ids=["error", "result", "html", "columns", "time", "far"],
)
def test_answers_that_are_none(
    server: LoopbackServer, body: bytes, problem: str
) -> None:
    server.status, server.body = 200, document([1, 1]) + body
    seen: list[Series] = []

    async def work(cluster: Cluster) -> None:
        async for each in cluster.query("SELECT 1"):
            seen.append(each)

    with pytest.raises(DeliveryError) as error:
        run(work, server)
    assert str(error.value) == problem
    assert len(seen) == 1


def test_a_part_has_a_limit(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DOCUMENT_BYTES", 1000)
    server.status, server.body = 200, b" " * 300_000
    with pytest.raises(DeliveryError, match="is larger than 1000 bytes"):
        run(read, server)


def test_a_server_that_is_out_of_order_is_passed_over(server: LoopbackServer) -> None:
    with LoopbackServer() as broken:
        broken.status = 503
        server.status, server.body = 200, document([1, 1])

        async def work(cluster: Cluster) -> None:
            assert len(await read(cluster)) == 1
            # and left alone afterwards
            assert len(await read(cluster)) == 1

        run(work, broken, server)
        broken.next()
        with pytest.raises(TimeoutError):
            broken.next(0.01)


@pytest.mark.parametrize(
    ("answer", "text", "retry"),
    [
        (Answer(500, '{"error":"timeout"}'), "timeout", True),
        (Answer(503, "busy"), "invalid response: code 503", True),
        (
            Answer(400, '{"error":"partial write: x dropped=1"}'),
            "partial write: x dropped=1",
            False,
        ),
        (Answer(401, '{"error":"no for 5ecret5ecret"}'), "no for ***", False),
        (Answer(302, ""), "invalid response: code 302", False),
    ],
    ids=["error", "busy", "partial", "secret", "moved"],
)
def test_failures_of_writes(
    server: LoopbackServer, answer: Answer, text: str, retry: bool
) -> None:
    server.answers.append(answer)

    async def work(cluster: Cluster) -> None:
        await cluster.write(b"m v=1", database="d")

    with pytest.raises(DeliveryError) as error:
        run(work, server, password=Secret("5ecret5ecret"))
    assert (str(error.value), error.value.retry) == (text, retry)
    assert error.value.status == answer.status


def test_a_timeout_ends_a_query(server: LoopbackServer) -> None:
    server.hang = True
    with pytest.raises(DeliveryError) as error:
        run(read, server, timeout=50_000_000)
    assert "context deadline exceeded" in str(error.value)
    assert error.value.retry


def test_silence_ends_a_query(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.05)
    server.hang = True
    with pytest.raises(DeliveryError, match="context deadline exceeded"):
        run(read, server)
