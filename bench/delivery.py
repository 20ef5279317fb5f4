"""Alert events from a write to the endpoints of their handlers.

Run `python bench/delivery.py`, or name some of: events, deliveries, latency, isolation,
start, memory. A server runs as a process of its own, and so does the endpoint. Figures
are medians of the rounds; sizes are flags.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from runtime.alert.types import EventState, Level, Recipient
from runtime.delivery import Address, Backlog, Dispatcher, RetryPolicy
from runtime.delivery.messages import Message
from runtime.delivery.outbox import Outbox
from runtime.outbound.client import AiohttpClient
from runtime.server.process import loop_factory
from runtime.services.alert.specs import HandlerSpec, HandlerSpecs
from runtime.services.alert.state import StoredTopics
from runtime.services.foo.config import Config
from runtime.services.foo.handler import HandlerConfig
from runtime.services.foo.service import Service
from runtime.store.database import Store
from runtime.testing.events import sample_event
from runtime.testing.loopback import LoopbackServer

SCRIPT = """\
stream
    |from().measurement('cpu').groupBy('host')
    |alert()
        .id('{{ index .Tags "host" }}')
        .message('{{ index .Fields "at" }}')
        .crit(lambda: "at" > 0.0)
        .topic('cpu')
"""
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class _Endpoint(asyncio.Protocol):
    """Answers every request with 200 and notes when each message came."""

    def __init__(self, taken: list[tuple[str, float, float]]) -> None:
        self._taken = taken
        self._buffer = bytearray()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
            if len(self._buffer) < end + 4 + length:
                return
            body = json.loads(bytes(self._buffer[end + 4 : end + 4 + length]))
            del self._buffer[: end + 4 + length]
            message = body["message"]
            sent = float(message) if message.replace(".", "").isdigit() else 0.0
            self._taken.append((body["room"], sent, time.monotonic()))
            self._transport.write(_OK)


def _serve(pipe: Connection) -> None:
    taken: list[tuple[str, float, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Endpoint(taken), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        while (wish := await asyncio.to_thread(pipe.recv)) != "stop":
            if wish == "count":
                pipe.send(len(taken))
            else:
                pipe.send(list(taken))
                taken.clear()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())


class Endpoint:
    """The endpoint's process."""

    def __init__(self) -> None:
        self._pipe, other = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(other,))
        self._process.start()
        self.url = f"http://127.0.0.1:{self._pipe.recv()}"

    def count(self) -> int:
        """The number of its messages."""
        self._pipe.send("count")
        return int(self._pipe.recv())

    def take(self) -> list[tuple[str, float, float]]:
        """Remove its messages and return them, as room, time sent, time received."""
        self._pipe.send("take")
        return list(self._pipe.recv())

    def close(self) -> None:
        """End it."""
        self._pipe.send("stop")
        self._process.join()


class Server:
    """The server's process."""

    def __init__(self, folder: Path, url: str, more: str = "") -> None:
        self._folder = folder
        self._config = folder / "kapacitor.conf"
        self._config.write_text(f"""\
data_dir = "{folder}"
[http]
  bind-address = "127.0.0.1:9096"
  log-enabled = false
[storage]
  boltdb = "{folder}/kapacitor.db"
[replay]
  dir = "{folder}/replay"
[logging]
  level = "OFF"
[foo]
  enabled = true
  url = "{url}"
{more}
""")

    def start(self) -> float:
        """Start it, and return the time until it answers, in seconds."""
        begin = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runtime.server", "-config", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            with contextlib.suppress(OSError):
                if self.call("GET", "/kapacitor/v1/ping")[0] == 204:
                    return time.monotonic() - begin
            time.sleep(0.005)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of a request."""
        connection = http.client.HTTPConnection("127.0.0.1", 9096, timeout=60)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        connection.request(method, path, data)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def define(self, handlers: int) -> None:
        """Let each point of `cpu` be an event for some handlers."""
        task = {"id": "t", "dbrps": [{"db": "d", "rp": "r"}], "script": SCRIPT}
        self.call("POST", "/kapacitor/v1/tasks", {**task, "status": "enabled"})
        for number in range(handlers):
            self.add(
                {"id": f"h{number}", "kind": "foo", "options": {"room": f"{number}"}}
            )

    def add(self, handler: dict[str, Any]) -> None:
        """Add a handler."""
        status, _ = self.call(
            "POST", "/kapacitor/v1/alerts/topics/cpu/handlers", handler
        )
        assert status == 200

    def resident_mb(self) -> float:
        """Its resident memory, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def running(handlers: int, more: str = "") -> Iterator[tuple[Server, Endpoint]]:
    """A server whose events go to an endpoint by several handlers."""
    endpoint = Endpoint()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), endpoint.url, more)
        server.start()
        server.define(handlers)
        try:
            yield server, endpoint
        finally:
            server.stop()
            endpoint.close()


class Writer:
    """Writes points, each an event, on a connection of its own."""

    def __init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", 9096)
        self._number = 0

    def write(self, points: int, hosts: int) -> None:
        """Write some points; returns when they are acknowledged."""
        lines = []
        for _ in range(points):
            self._number += 1
            host = self._number % hosts
            lines.append(f"cpu,host=h{host} at={time.monotonic():.6f} {self._number}")
        self._connection.request("POST", "/write?db=d&rp=r", "\n".join(lines))
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 204


def events(arguments: argparse.Namespace) -> None:
    """Durable events a second, with three handlers each, and their deliveries."""
    accepted, delivered = [], []
    for _ in range(arguments.rounds):
        with running(3, "[delivery]\n  concurrency = 16\n") as (_, endpoint):
            count, begin = 0, time.monotonic()
            writer = Writer()
            while count < arguments.events:
                writer.write(arguments.batch, 1000)
                count += arguments.batch
            accepted.append(count / (time.monotonic() - begin))
            while endpoint.count() < 3 * count:
                time.sleep(0.01)
            delivered.append(3 * count / (time.monotonic() - begin))
    show("durable events/s, 3 handlers each, while delivering", accepted, 1000)
    show("… all of them delivered: deliveries/s", delivered)


def deliveries(arguments: argparse.Namespace) -> None:
    """Deliveries a second to the endpoint, each kept in the outbox until it is done."""
    figures = []
    for _ in range(arguments.rounds):
        endpoint = Endpoint()
        with tempfile.TemporaryDirectory() as folder:
            begin_count = arguments.deliveries
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                took = runner.run(_deliver(Path(folder), endpoint.url, begin_count))
            figures.append(begin_count / took)
        endpoint.close()
    show("deliveries/s", figures, 2500)


async def _deliver(folder: Path, url: str, count: int) -> float:
    store = Store(folder / "db")
    backlog = Backlog(store, policy=RetryPolicy(concurrency=16))
    dispatcher = Dispatcher(backlog)
    client = AiohttpClient()
    service = Service(Config(enabled=True, url=url), client)
    recipients = [
        Recipient(service.handler(HandlerConfig(str(number)))) for number in range(4)
    ]
    event = sample_event()
    for number in range(count // 4):
        state = EventState(f"h{number % 500}", "1.0", level=Level.CRITICAL)
        for handler_id, recipient in enumerate(recipients):
            made = type(event)("t", state, event.data)
            backlog.offer(Address("t", str(handler_id)), made, recipient)
    backlog.keep()
    backlog.release()
    begin = time.monotonic()
    await dispatcher.start()
    while backlog.pending:
        await asyncio.sleep(0.002)
    took = time.monotonic() - begin
    await dispatcher.close(1)
    await client.close()
    store.close()
    return took


def _paced(rate: float, seconds: float) -> None:
    """Write events at a rate."""
    writer = Writer()
    begin = time.monotonic()
    for number in range(int(rate * seconds)):
        left = begin + number / rate - time.monotonic()
        if left > 0:
            time.sleep(left)
        writer.write(1, 200)


def _milliseconds(taken: list[tuple[str, float, float]]) -> list[float]:
    return sorted(1000 * (received - sent) for _, sent, received in taken)


def _quantile(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def latency(arguments: argparse.Namespace) -> None:
    """From the write to the endpoint, at 50 events a second."""
    middle, high = [], []
    for _ in range(arguments.rounds):
        with running(3) as (_, endpoint):
            _paced(50, arguments.seconds)
            time.sleep(1)
            taken = _milliseconds(endpoint.take())
            assert len(taken) == 3 * int(50 * arguments.seconds)
            middle.append(_quantile(taken, 0.5))
            high.append(_quantile(taken, 0.99))
    show("write to endpoint at 50 events/s, p50 ms", middle)
    show("write to endpoint at 50 events/s, p99 ms", high, 200, less=True)


def isolation(arguments: argparse.Namespace) -> None:
    """The latency that a tenth handler which hangs adds to the other nine."""
    added = []
    for _ in range(arguments.rounds):
        high = []
        for hangs in (False, True):
            with LoopbackServer(status=204) as other:
                other.hang = hangs
                more = f'[hipchat]\n  enabled = true\n  url = "{other.url}"\n'
                with running(9, more) as (server, endpoint):
                    options = {"room": "r", "token": "t"}
                    server.add({"id": "tenth", "kind": "hipchat", "options": options})
                    _paced(50, arguments.seconds)
                    time.sleep(1)
                    high.append(_quantile(_milliseconds(endpoint.take()), 0.99))
        added.append(high[1] - high[0])
    show("added p99 of 9 handlers while a tenth hangs, ms", added, 100, less=True)


def _filled(folder: Path, *, states: int, pending: int, handlers: int) -> None:
    """A database with states and with pending deliveries."""
    store = Store(folder / "kapacitor.db")
    specs = HandlerSpecs(store)
    for number in range(handlers):
        specs.put(HandlerSpec(f"h{number}", "cpu", "foo", {"room": "r"}))
    stored, outbox, event = StoredTopics(store), Outbox(store), sample_event()
    now = time.time_ns()
    for first in range(0, states, 1000):
        with store.transaction():
            stored.write(
                (f"topic{number % 100}", state.id, state)
                for state, number in (
                    (_state(number), number)
                    for number in range(first, min(first + 1000, states))
                )
            )
    for first in range(0, pending, 1000):
        outbox.put(
            [
                Message(
                    outbox.next_id(),
                    Address("cpu", f"h{number % handlers}"),
                    type(event)("cpu", _state(number), event.data),
                    created=now,
                    due=now,
                )
                for number in range(first, min(first + 1000, pending))
            ]
        )
    store.close()


def _state(number: int) -> EventState:
    text = f"host {number} is CRITICAL"
    return EventState(f"host{number}", text, text, 1, 1, Level.CRITICAL)


def start(arguments: argparse.Namespace) -> None:
    """The time until a server with a large database answers."""
    figures = []
    with LoopbackServer() as hung:
        hung.hang = True
        for _ in range(arguments.rounds):
            with tempfile.TemporaryDirectory() as folder:
                count = arguments.states
                _filled(Path(folder), states=count, pending=count, handlers=10)
                server = Server(Path(folder), hung.url)
                figures.append(server.start())
                server.stop()
    show(f"start with {count} states and {count} pending, s", figures, 5, less=True)


def memory(arguments: argparse.Namespace) -> None:
    """The memory of a server with many deliveries pending for a dead endpoint."""
    with LoopbackServer() as hung, tempfile.TemporaryDirectory() as folder:
        hung.hang = True
        count = arguments.pending
        _filled(Path(folder), states=0, pending=count, handlers=1)
        more = f"[delivery]\n  max-pending = {2 * count}\n"
        server = Server(Path(folder), hung.url, more)
        took = server.start()
        time.sleep(2)
        _, body = server.call("GET", "/kapacitor/v1/deliveries?limit=1000")
        assert len(json.loads(body)["deliveries"]) == 1000
        show(f"memory with {count} pending, MB", [server.resident_mb()], 500, less=True)
        show(f"start with {count} pending, s", [took])
        server.stop()


def show(
    what: str, figures: list[float], aim: float | None = None, *, less: bool = False
) -> None:
    """Print the median of some figures."""
    middle = statistics.median(figures)
    wanted = "" if aim is None else f"   aim {'≤' if less else '≥'} {aim:g}"
    met = ""
    if aim is not None:
        met = "  met" if (middle <= aim) == less or middle == aim else "  MISSED"
    print(f"{what:55} {middle:10.1f}{wanted}{met}", flush=True)


BENCHES: dict[str, Callable[[argparse.Namespace], None]] = {
    each.__name__: each
    for each in (events, deliveries, latency, isolation, start, memory)
}


def main() -> None:
    """Run the chosen benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benches", nargs="*", choices=[*BENCHES, []], default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=100, help="points of a write")
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--states", type=int, default=100_000)
    parser.add_argument("--pending", type=int, default=1_000_000)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, python {sys.version.split()[0]}")
    for name in arguments.benches or BENCHES:
        BENCHES[name](arguments)


if __name__ == "__main__":
    main()
