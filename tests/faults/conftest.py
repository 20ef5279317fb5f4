"""Shared by the tests of faults: a sink that records messages, and the ledger.

The suite runs in a short form; `FAULTS=long pytest tests/faults` runs all of it.
"""

from __future__ import annotations

import functools
import http.client
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from runtime.testing.loopback import Answer, LoopbackServer, Recorded

LONG = os.environ.get("FAULTS") == "long"


class Received(NamedTuple):
    """A message that the sink took: `room` is the handler, `seq` grows by host."""

    room: str
    host: str
    seq: int
    key: str


class Sink(LoopbackServer):
    """Accepts messages `HOST SEQ`, sometimes slowly, sometimes only later.

    Attributes:
        taken: the accepted messages, in order.
        failing: the share of requests that it refuses with 503.
        slow_s: the longest time for an answer.
    """

    def __init__(self) -> None:
        self.taken: list[Received] = []
        self.failing = 0.0
        self.slow_s = 0.0
        self._order = threading.Lock()
        super().__init__()

    def answer(self, request: Recorded) -> Answer:
        if self.slow_s:
            threading.Event().wait(random.random() * self.slow_s)
        if random.random() < self.failing:
            return Answer(503)
        said = request.json
        host, seq = said["message"].split()
        with self._order:
            key = request.headers["Idempotency-Key"]
            self.taken.append(Received(said["room"], host, int(seq), key))
        return Answer(200)


class Ledger:
    """Acknowledged events, compared with those that the sink accepted.

    Attributes:
        acknowledged: host and number of each event whose write was answered with 204.
        rooms: the handlers that get every event.
        kills: the number of times that the server was killed.
    """

    def __init__(self, rooms: tuple[str, ...]) -> None:
        self.acknowledged: set[tuple[str, int]] = set()
        self.rooms = rooms
        self.kills = 0

    def missing(self, sink: Sink) -> set[tuple[str, str, int]]:
        """Return the events that a room did not get."""
        got = {(each.room, each.host, each.seq) for each in list(sink.taken)}
        return {
            (room, host, seq)
            for room in self.rooms
            for host, seq in self.acknowledged
            if (room, host, seq) not in got
        }

    def check(self, sink: Sink, workers: int) -> str:
        """Nothing is lost, little arrives twice, nothing overtakes; the numbers."""
        assert not self.missing(sink)
        keys = Counter(each.key for each in sink.taken)
        twice = sum(count - 1 for count in keys.values())
        assert twice <= self.kills * workers, f"{twice} duplicates, {self.kills} kills"
        newest: dict[tuple[str, str], int] = {}
        for each in sink.taken:
            way = each.room, each.host
            assert each.seq >= newest.get(way, 0), f"{each} came too late"
            newest[way] = each.seq
        return (
            f"{len(self.acknowledged)} events acknowledged, {len(sink.taken)} "
            f"deliveries, {self.kills} kills: lost 0, twice {twice}, out of order 0"
        )


class Writer(threading.Thread):
    """Writes the events of one host, each until it is acknowledged."""

    def __init__(self, server: Any, ledger: Ledger, host: str) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._ledger = ledger
        self._host = host
        self._stopping = threading.Event()

    def run(self) -> None:
        seq = 0
        while not self._stopping.is_set():
            seq += 1
            while not self._written(seq) and not self._stopping.wait(0.01):
                pass

    def _written(self, seq: int) -> bool:
        line = f"cpu,host={self._host} seq={seq}i {seq}"
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._server.port, timeout=5
        )
        try:
            connection.request("POST", "/write?db=d&rp=r", line)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if status == 204:
            self._ledger.acknowledged.add((self._host, seq))
        return status == 204

    def stop(self) -> None:
        self._stopping.set()
        self.join(10)


SCRIPT = """\
stream
    |from().measurement('cpu').groupBy('host')
    |alert()
        .id('{{ index .Tags "host" }}')
        .message('{{ index .Tags "host" }} {{ index .Fields "seq" }}')
        .crit(lambda: "seq" > 0)
        .topic('cpu')
"""


def sections(sink: LoopbackServer, **delivery: object) -> str:
    """The configuration of a server that delivers to `sink` and tries again soon."""
    said = {
        "retry-base": '"10ms"',
        "retry-max": '"50ms"',
        "probe-interval": '"50ms"',
        **{name.replace("_", "-"): value for name, value in delivery.items()},
    }
    lines = "\n".join(f"  {name} = {value}" for name, value in said.items())
    return f"""
[foo]
  enabled = true
  url = "{sink.url}"
[logging]
  level = "ERROR"
[delivery]
{lines}
"""


def define(server: Any, rooms: tuple[str, ...]) -> None:
    """Let every point of `cpu` go to each of the rooms."""
    task = {"id": "t", "dbrps": [{"db": "d", "rp": "r"}], "script": SCRIPT}
    server.json("POST", "/tasks", {**task, "status": "enabled"})
    for room in rooms:
        handler = {"id": room, "kind": "foo", "options": {"room": room}}
        server.json("POST", "/alerts/topics/cpu/handlers", handler)


def until(met: Callable[[], Any], limit_s: float = 30.0) -> Any:
    """Wait until `met` holds."""
    end = time.monotonic() + limit_s
    while not (found := met()):
        assert time.monotonic() < end, "it did not happen in time"
        threading.Event().wait(0.01)
    return found


class Kit(NamedTuple):
    """All of the above, for tests."""

    ledger: type[Ledger]
    writer: type[Writer]
    sections: Callable[..., str]
    define: Callable[..., None]
    until: Callable[..., Any]
    long: bool


@pytest.fixture
def start_kapacitord(start_kapacitord: Callable[..., Any]) -> Callable[..., Any]:
    """Starts servers; in the long form as a shell does."""
    return functools.partial(start_kapacitord, is_forked=not LONG)


@pytest.fixture
def kit() -> Kit:
    """The ledger described above."""
    return Kit(Ledger, Writer, sections, define, until, LONG)


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A sink."""
    with Sink() as server:
        yield server  # type: ignore[misc]
