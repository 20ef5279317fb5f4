"""Delays of pings and small writes while the server is busy with something large.

Run `python bench/busy.py`, or name some of: idle, expire, purge, events, groups, tasks,
define, delete, resend, backup. A client of its own process pings every few milliseconds and writes a line every
thirty; printed are the slowest answers while the work is done. The aim is 100 ms.
`machine` is the delay with which that client wakes up, caused by other work of the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import multiprocessing
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from runtime.alert.types import Event, EventState, Level
from runtime.delivery import Address
from runtime.delivery.messages import Message
from runtime.delivery.outbox import Outbox
from runtime.services.alert.specs import HandlerSpec, HandlerSpecs
from runtime.services.alert.state import StoredTopics
from runtime.store.database import Store
from runtime.testing.events import sample_event
from runtime.units import DAY

BASE = "/kapacitor/v1"
SCRIPT = """\
stream
    |from().measurement('cpu').groupBy('host')
    |alert().id('{{ index .Tags "host" }}').crit(lambda: "v" > 0.0).topic('small')
"""
_AIM_MS = 100


def _probe(port: int, pipe: Connection) -> None:
    """Ping and write until a message arrives; then send the times taken, in ms."""
    end = threading.Event()
    taken: dict[str, list[float]] = {"ping": [], "write": [], "machine": []}

    def ask(name: str, method: str, path: str, body: str, pause_s: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        number = 0
        while not end.is_set():
            number += 1
            text = body and f"{body},host=h{number % 100} v=1 {number}"
            begin = time.monotonic()
            connection.request(method, path, text or None)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 204, answer.status
            taken[name].append(1000 * (time.monotonic() - begin))
            time.sleep(pause_s)

    def wake() -> None:
        while not end.is_set():
            begin = time.monotonic()
            time.sleep(0.003)
            taken["machine"].append(1000 * (time.monotonic() - begin) - 3)

    threads = [
        threading.Thread(target=wake),
        threading.Thread(target=ask, args=("ping", "GET", f"{BASE}/ping", "", 0.003)),
        threading.Thread(
            target=ask, args=("write", "POST", "/write?db=d&rp=r", "cpu", 0.03)
        ),
    ]
    for thread in threads:
        thread.start()
    pipe.recv()
    end.set()
    for thread in threads:
        thread.join()
    pipe.send(taken)


class Server:
    """A server's process on a database that was filled before."""

    def __init__(self, folder: Path, more: str = "", command: str = "") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = folder / "kapacitor.conf"
        config.write_text(f"""\
data_dir = "{folder}"
[http]
  bind-address = "127.0.0.1:{self.port}"
  log-enabled = false
[storage]
  boltdb = "{folder}/kapacitor.db"
[replay]
  dir = "{folder}/replay"
[logging]
  level = "OFF"
{more}
""")
        self._process = subprocess.Popen(
            [
                *([command] if command else [sys.executable, "-m", "runtime.server"]),
                *("-config", str(config)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            with contextlib.suppress(OSError):
                if self.call("GET", f"{BASE}/ping")[0] == 204:
                    break
            time.sleep(0.005)
        task = {"id": "probe", "dbrps": [{"db": "d", "rp": "r"}], "script": SCRIPT}
        self.call("POST", f"{BASE}/tasks", {**task, "status": "enabled"})

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request(method, path, body and json.dumps(body))
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def write(self, lines: str) -> None:
        """Write points, and retry while the server has no room for more events."""
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
            connection.request("POST", "/write?db=d&rp=r", lines)
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            if answer.status == 204:
                return
            assert answer.status == 503, text
            time.sleep(1)

    def count(self, state: str) -> int:
        """Number of deliveries in a state, at most one page."""
        _, body = self.call("GET", f"{BASE}/deliveries?state={state}&limit=1000")
        return len(json.loads(body)["deliveries"])

    def resident_mb(self) -> float:
        """Its resident memory, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def probed(server: Server, name: str) -> Iterator[None]:
    """Print how long pings and writes take meanwhile."""
    mine, others = multiprocessing.Pipe()
    probe = multiprocessing.Process(target=_probe, args=(server.port, others))
    probe.start()
    begin = time.monotonic()
    yield
    took = time.monotonic() - begin
    mine.send("end")
    taken = mine.recv()
    probe.join()
    figures = []
    for what, times in taken.items():
        times.sort()
        p50, slowest = times[len(times) // 2], times[-1]
        figure = f"{what} p50 {p50:6.1f} slowest {slowest:7.1f} ms"
        if what != "machine":
            figure += " met" if slowest <= _AIM_MS else " MISSED"
        figures.append(figure)
    print(f"{name:8} {took:6.1f} s   " + "   ".join(figures), flush=True)


def _filled(folder: Path, *, states: int = 0, deliveries: int = 0, **row: Any) -> None:
    """Make a database with states of the topic `big` and with deliveries of it."""
    store = Store(folder / "kapacitor.db")
    HandlerSpecs(store).put(
        HandlerSpec("h", "big", "tcp", {"address": "127.0.0.1:9"}, match="FALSE")
    )
    stored, outbox, event = StoredTopics(store), Outbox(store), sample_event()
    for first in range(0, max(states, deliveries), 1000):
        numbers = range(first, first + 1000)
        if first < states:
            with store.transaction():
                stored.write(("big", f"host{n}", _state(n)) for n in numbers)
        if first < deliveries:
            outbox.put(
                [
                    Message(
                        outbox.next_id(),
                        row.get("address", Address("big", "h")),
                        Event("big", _state(n), event.data),
                        row.get("state", "pending"),
                        created=row.get("created", time.time_ns()),
                    )
                    for n in numbers
                ]
            )
    store.close()


def _state(number: int) -> EventState:
    text = f"host {number} is CRITICAL: " + 500 * "x"
    return EventState(f"host{number}", text, text, 1, 1, Level.CRITICAL)


@contextlib.contextmanager
def _running(
    more: str = "", before: Callable[[Server], None] | None = None, **filled: Any
) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        if before is not None:
            server = Server(Path(folder), more)
            before(server)
            server.stop()
        _filled(Path(folder), **filled)
        server = Server(Path(folder), more)
        try:
            yield server
        finally:
            server.stop()


def _until(met: Callable[[], bool], limit_s: float = 120.0) -> None:
    end = time.monotonic() + limit_s
    while not met():
        assert time.monotonic() < end
        time.sleep(0.25)


def idle(count: int) -> None:
    """Nothing else to do."""
    with _running() as server, probed(server, "idle"):
        time.sleep(5)


def expire(count: int) -> None:
    """Deliveries of a missing handler expire; takes some thirty seconds."""
    old = time.time_ns() - 3 * DAY
    # of a task that is disabled: it may come back
    address = Address("main:gone:alert2", "tcp0")
    row = {"created": old, "address": address}
    task = {"id": "gone", "dbrps": [{"db": "d", "rp": "r"}], "script": SCRIPT}

    def define(server: Server) -> None:
        server.call("POST", f"{BASE}/tasks", {**task, "status": "disabled"})

    with (
        _running(before=define, deliveries=count, **row) as server,
        probed(server, "expire"),
    ):
        _until(lambda: not server.count("pending"))


def purge(count: int) -> None:
    """Dead letters are purged; takes some thirty seconds."""
    row = {"created": time.time_ns() - 30 * DAY, "state": "dead"}
    with _running(deliveries=count, **row) as server, probed(server, "purge"):
        _until(lambda: not server.count("dead"))


def events(count: int) -> None:
    """Eight readers list all events of a topic."""
    with _running(states=count) as server, probed(server, "events"):

        def read() -> None:
            path = f"{BASE}/alerts/topics/big/events?limit={count}"
            status, body = server.call("GET", path)
            assert status == 200
            assert body.count(b'"state"') == count

        readers = [threading.Thread(target=read) for _ in range(8)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()


def groups(count: int) -> None:
    """Points of as many new groups all fire, twice, in writes of 5,000 points."""
    with _running() as server, probed(server, "groups"):
        for time_ns in (1, 2):
            for first in range(0, count, 5000):
                lines = (
                    f"cpu,host=g{number} v=1 {time_ns}"
                    for number in range(first, first + 5000)
                )
                server.write("\n".join(lines))
            print(f"groups   {server.resident_mb():6.0f} MB resident")


def tasks(count: int) -> None:
    """A tenth of as many points in one write fire in twenty tasks of two kinds."""
    script = SCRIPT.replace("cpu", "many").replace("small", "big")
    with _running() as server:
        for number in range(20):
            # odd tasks share the nodes before their alert, even ones share nothing
            lead = "" if number % 2 else f"|eval(lambda: \"v\" + {number}.0).as('v')"
            text = script.replace("|alert()", f"{lead}|alert()")
            task = {"id": f"t{number}", "script": text, "status": "enabled"}
            dbrps = [{"db": "d", "rp": "r"}]
            status, body = server.call("POST", f"{BASE}/tasks", task | {"dbrps": dbrps})
            assert status == 200, body
        with probed(server, "tasks"):
            lines = (f"many,host=g{n} v=1 1" for n in range(count // 10))
            server.write("\n".join(lines))


def define(count: int) -> None:
    """Tasks of a twentieth as many lambdas, and of as many nodes, are defined."""
    some = range(1, count // 20)
    stream = "var s = stream|from().measurement('m')"
    lambdas = ", ".join(f'lambda: "v" * {n}.0' for n in some)
    names = ", ".join(f"'x{n}'" for n in some)
    scripts = {
        "lambdas": f"{stream}\ns|eval({lambdas}).as({names})",
        "nodes": "\n".join([stream, *(f's|where(lambda: "v" > {n})' for n in some)]),
    }
    with _running() as server:
        for name, script in scripts.items():
            task = {"id": name, "script": script, "status": "enabled"}
            dbrps = [{"db": "d", "rp": "r"}]
            with probed(server, name):
                status, body = server.call(
                    "POST", f"{BASE}/tasks", task | {"dbrps": dbrps}
                )
                assert status == 200, body


def delete(count: int) -> None:
    """A topic is deleted, and its rows are removed."""
    with _running(states=count) as server, probed(server, "delete"):
        status, _ = server.call("DELETE", f"{BASE}/alerts/topics/big")
        assert status == 204
        time.sleep(10)


def resend(count: int) -> None:
    """Dead letters are sent again."""
    with _running(deliveries=count, state="dead") as server, probed(server, "resend"):
        status, body = server.call("POST", f"{BASE}/deliveries/resend")
        assert (status, json.loads(body)["count"]) == (200, count)


def backup(count: int) -> None:
    """The database is copied."""
    with (
        _running(states=count, deliveries=count, state="dead") as server,
        probed(server, "backup"),
    ):
        status, _ = server.call("GET", f"{BASE}/storage/backup")
        assert status == 200


_ALL = {
    each.__name__: each
    for each in (
        *(idle, expire, purge, events, groups, tasks, define),
        *(delete, resend, backup),
    )
}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="*", choices=[[], *_ALL])
    parser.add_argument("--count", type=int, default=100_000)
    arguments = parser.parse_args()
    for name in arguments.what or _ALL:
        _ALL[name](arguments.count)


if __name__ == "__main__":
    main()
