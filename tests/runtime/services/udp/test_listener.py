"""Points over UDP: `[[udp]]` sections, and their sockets."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Callable
from typing import Any

import pytest

from runtime.errors import BusyError, ConfigError, KapacitorError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.server.config.config import Config as ServerConfig
from runtime.server.config.file import decode
from runtime.services.udp.config import Config
from runtime.services.udp.listener import Listener
from tests.runtime.conftest import Api

CONFIG = Config(
    enabled=True, bind_address="127.0.0.1:0", database="d b", retention_policy="r"
)
SCRIPT = "stream|from().measurement('m')|alert().id('{{ .Name }}').crit(lambda: TRUE).topic('t')"


class Written:
    """Takes writes, and answers them as a test wants."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.queries: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def submit(self, query: str, body: bytes, encoding: str) -> None:
        await self.gate.wait()
        if b"bad" in body:
            raise KapacitorError("unable to parse")
        if b"busy" in body:
            raise BusyError("the outbox is full")
        self.queries.add(query)
        self.bodies.append(body)


def send(port: int, *packets: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for each in packets:
            sender.sendto(each, ("127.0.0.1", port))


async def until(met: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not met():
            await asyncio.sleep(0.001)


def test_packets_are_written_together() -> None:
    async def run() -> None:
        written = Written()
        listener = await Listener.opened(CONFIG, written.submit)
        written.gate.clear()
        send(listener.port, *(f"m v={n}".encode() for n in range(4)))
        await until(lambda: listener.counts["bytes_rx"] == 20)
        written.gate.set()
        await until(lambda: listener.counts["points_tx"] == 4)
        await listener.close()
        assert b"\n".join(written.bodies).splitlines() == [
            b"m v=%d" % n for n in range(4)
        ]
        assert len(written.bodies) <= 2
        assert written.queries == {"db=d+b&rp=r"}
        assert listener.statistics["points_rx"] == 4

    asyncio.run(run())


def test_a_bad_packet_takes_no_others_with_it() -> None:
    async def run() -> None:
        written = Written()
        listener = await Listener.opened(CONFIG, written.submit)
        written.gate.clear()
        send(listener.port, b"m v=1", b"m v=2", b"bad", b"m v=3\nm v=4", b"busy")
        await until(lambda: listener.counts["bytes_rx"] == 28)
        written.gate.set()
        await until(lambda: listener.counts["points_tx"] == 4)
        await listener.close()
        assert listener.statistics["points_parse_fail"] == 1
        assert listener.statistics["tx_fail"] == 1

    asyncio.run(run())


def test_too_many_packets_are_dropped_and_counted() -> None:
    async def run() -> None:
        written = Written()
        config = dataclasses.replace(CONFIG, buffer=2)
        listener = await Listener.opened(config, written.submit)
        written.gate.clear()
        send(listener.port, *[b"m v=1"] * 9)
        await until(lambda: listener.counts["bytes_rx"] == 45)
        written.gate.set()
        # pending points are written at the end
        await listener.close()
        counts = listener.statistics
        assert counts["dropped"] > 0
        assert counts["points_tx"] + counts["dropped"] == 9

    asyncio.run(run())


def test_a_section_feeds_tasks(
    config: ServerConfig, start_api: Callable[..., Api]
) -> None:
    api = start_api(dataclasses.replace(config, udp=(CONFIG, Config())))
    body = {
        "id": "t",
        "dbrps": [{"db": "d b", "rp": "r"}],
        "script": SCRIPT,
        "status": "enabled",
    }
    api.json("POST", "/tasks", body)
    [listener] = api.server._inputs._listeners
    send(listener.port, b"m v=1")
    api.until(lambda: api.ask("GET", "/alerts/topics/t")[0] == 200)
    api.until(lambda: listener.counts["points_tx"])
    shown = api.json("GET", "/debug/vars")["kapacitor"]
    [udp] = [each for each in shown.values() if each["name"] == "udp"]
    assert udp["tags"]["bind"] == f"127.0.0.1:{listener.port}"
    assert udp["values"]["points_tx"] == 1
    metrics = api.answer("GET", "/metrics").body.decode()
    line = f'kapacitor_udp_total{{address="127.0.0.1:{listener.port}",count="points_tx"}} 1.0'
    assert line in metrics.splitlines()


def test_an_address_in_use_is_refused(
    config: ServerConfig, start_api: Callable[..., Api]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        own = dataclasses.replace(CONFIG, bind_address=address)
        with pytest.raises(KapacitorError) as error:
            start_api(dataclasses.replace(config, udp=(own,)))
    assert str(error.value) == (
        f"open service *udp.Service: listen udp {address}: address already in use"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('database = "d"', "udp: bind address has to be specified in config"),
        ('bind-address = ":1"', "udp: database has to be specified in config"),
        (
            'bind-address = ":http"',
            "udp: invalid bind-address :http: it must be host:port",
        ),
        (
            'bind-address = ":1"\ndatabase = "d"\nbuffer = 0',
            "udp: buffer must be at least 1",
        ),
    ],
    ids=["address", "database", "port", "buffer"],
)
def test_checks(text: str, problem: str) -> None:
    loaded = decode(f'data_dir = "/x"\n[[udp]]\nenabled = true\n{text}', INTEGRATIONS)
    with pytest.raises(ConfigError) as error:
        loaded.config.validate()
    assert str(error.value) == problem
