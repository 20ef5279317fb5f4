"""Throughput of a whole server: from points over HTTP to the alerts of all tasks.

    python bench/throughput.py [SHAPE ...] [--rounds 3] [--points 100000]
        [--tasks 1 10 100]

Each round has a server of its own, each write a connection, each task its thresholds. CPU
is the server's, user and system; MiB is the most that was resident. Medians of the
rounds. Writes of 50 points and of one bring fewer points. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from runtime.testing.loopback import LoopbackServer

BATCHES = (5000, 50, 1)
# between from and alert
SHAPES = {
    "simple": "",
    "where": ".where(lambda: \"host\" != 'nobody').groupBy('host')",
    "window": (
        ".groupBy('host')|window().period(10s).every(10s)"
        "|mean('usage_user').as('usage_user')"
    ),
    "varied": "",
}
START_S = 1_700_000_000
HOSTS = 100
CONFIG = """\
data_dir = "{folder}/data"
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[logging]
  level = "ERROR"
[storage]
  boltdb = "{folder}/kapacitor.db"
[hipchat]
  enabled = true
  url = "{url}/v2/room"
  room = "r"
  token = "t"
"""


class Middle(NamedTuple):
    """The nodes between `from` and `alert`, and the condition of the alert.

    Attributes:
        nodes: part of the script.
        field: field that the levels compare.
        limit: the first level's limit; the others are one and two above.
    """

    nodes: str
    field: str = "usage_user"
    limit: float = 1000


def middle(shape: str, number: int) -> Middle:
    """The middle of a task; of shape `varied` no two are alike."""
    if shape != "varied":
        return Middle(SHAPES[shape], limit=1000 + number)
    match number % 5:
        case 0:
            regex = f"/h0[0-{number % 9}]/"
            return Middle(f'.where(lambda: "host" =~ {regex})', limit=1000 + number)
        case 1:
            product = f'"usage_user" * {number + 1}.0 + "usage_idle"'
            nodes = f".groupBy('host')|eval(lambda: {product}).as('x')"
            return Middle(nodes, "x", 1000 * (number + 1))
        case 2:
            length, reduce = 5 + number, ("max", "last", "spread")[number // 5 % 3]
            nodes = (
                f".groupBy('host')|window().period({length}s).every({length}s)"
                f"|{reduce}('usage_user').as('u')"
            )
            return Middle(nodes, "u", 150 + number / 10)
        case 3:
            nodes = (
                f".groupBy('host')|derivative('usage_user').unit({1 + number}s)"
                ".nonNegative().as('d')"
            )
            return Middle(nodes, "d", 500 * (1 + number))
    both = f'"usage_idle" + "usage_user" > {150 + number / 10}'
    return Middle(f"|where(lambda: {both})", limit=1000 + number)


class Result(NamedTuple):
    """One round, or the medians of several."""

    points_per_s: float
    cpu_us_per_point: float
    peak_mib: float


class Kapacitord:
    """A running server."""

    def __init__(self, folder: Path, alerts_to: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        config = folder / "kapacitor.conf"
        config.write_text(CONFIG.format(folder=folder, port=self._port, url=alerts_to))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runtime.server", "-config", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._proc = Path("/proc") / str(self._process.pid)
        end = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                self.call("GET", "/kapacitor/v1/ping")
                return
            if time.monotonic() > end or self._process.poll() is not None:
                raise SystemExit("the server does not start")
            time.sleep(0.05)

    def call(self, method: str, path: str, body: bytes = b"") -> None:
        """Send a request that must succeed."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, body, {"Connection": "close"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise SystemExit(f"{method} {path}: {answer.status} {text!r}")
        finally:
            connection.close()

    def define(self, number: int, shape: str) -> None:
        """Start a task."""
        nodes, field, limit = middle(shape, number)
        levels = "".join(
            f'.{level}(lambda: "{field}" > {float(limit + above)})'
            for above, level in enumerate(("info", "warn", "crit"))
        )
        script = (
            f"stream|from().measurement('cpu'){nodes}|alert(){levels}"
            ".id('{{ .TaskName }}').message('{{ .ID }}').stateChangesOnly().hipChat()"
        )
        task = {
            "id": f"task{number}",
            "type": "stream",
            "dbrps": [{"db": "d", "rp": "r"}],
            "script": script,
            "status": "enabled",
        }
        self.call("POST", "/kapacitor/v1/tasks", json.dumps(task).encode())

    @property
    def cpu_s(self) -> float:
        """The CPU time that it has used so far."""
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak_mib(self) -> float:
        """The peak of its memory."""
        status = (self._proc / "status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(30)


def line(shape: str, number: int) -> str:
    """A point; of shape `where` there are three measurements, as agents send."""
    host, second = number % HOSTS, START_S + number // HOSTS
    percent = random.uniform(0, 100)
    if shape == "where" and number % 5 == 0:
        return f"mem,host=h{host:02} used_percent={percent:.2f},free=7i {second}"
    if shape == "where" and number % 5 == 1:
        return f"disk,host=h{host:02},path=/ used_percent={percent:.2f} {second}"
    return (
        f"cpu,host=h{host:02},region=eu usage_idle={100 - percent:.3f},"
        f"usage_user={percent:.3f},usage_system=1.5 {second}"
    )


def writes(shape: str, points: int, batch: int) -> Iterator[bytes]:
    """The bodies; the last one fires every alert, of windows too."""
    random.seed(3)
    for start in range(0, points, batch):
        lines = [line(shape, start + number) for number in range(batch)]
        yield "\n".join(lines).encode()
    end = START_S + points // HOSTS
    # low and high within each window: a single point has no spread
    last = (
        f"cpu,host=h00,region=eu usage_idle=1,usage_user={percent} {end + after}"
        for window in (5, 60, 600)
        for percent, after in ((1, window), (9999, window + 1))
    )
    yield "\n".join(last).encode()


def measured(shape: str, tasks: int, points: int, batch: int) -> Result:
    """One round."""
    bodies = list(writes(shape, points, batch))
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        LoopbackServer() as room,
    ):
        server = Kapacitord(Path(folder), room.url)
        try:
            for number in range(tasks):
                server.define(number, shape)
            cpu_s, start = server.cpu_s, time.perf_counter()
            for body in bodies:
                server.call("POST", "/kapacitor/v1/write?db=d&rp=r&precision=s", body)
            told: set[str] = set()
            while len(told) < tasks:
                told.add(room.next(timeout_s=60).json["message"])
            wall_s = time.perf_counter() - start
            cpu_us = (server.cpu_s - cpu_s) * 1e6
            return Result(points / wall_s, cpu_us / points, server.peak_mib)
        finally:
            server.close()


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("shapes", nargs="*", choices=[[], *SHAPES])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--points", type=int, default=100_000)
    arguments.add_argument("--tasks", type=int, nargs="+", default=[1, 10, 100])
    asked = arguments.parse_args()
    print("shape   points/write  tasks  points/s  CPU us/point  us/point/task  MiB")
    for shape in asked.shapes or SHAPES:
        for batch in BATCHES:
            for tasks in asked.tasks:
                # a connection for each point takes its time
                points = asked.points // {5000: 1, 50: 5, 1: 20}[batch]
                rounds = [
                    measured(shape, tasks, points, batch) for _ in range(asked.rounds)
                ]
                per_s, cpu_us, mib = map(statistics.median, zip(*rounds, strict=True))
                print(
                    f"{shape:7} {batch:12,} {tasks:6,} {per_s:9,.0f} {cpu_us:13.2f}"
                    f" {cpu_us / tasks:14.3f} {mib:4.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
