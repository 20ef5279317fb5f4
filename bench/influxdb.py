"""Points through `influxDBOut`, on their way to InfluxDB.

    python bench/influxdb.py [--rounds 5] [--points 500000]

`stream|from()|influxDBOut()` takes frames of several sizes, whose points have two tags and
four floats. An endpoint of its own process takes the requests and counts the points.
Figures are medians: points per second of CPU time, and CPU time per point, of the task and
the event loop together; parsing is not included. Aim: 200,000 points per second.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import statistics
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from runtime.frames import Frame
from runtime.line_protocol import parse
from runtime.nodes.environment import Environment
from runtime.outbound.client import AiohttpClient
from runtime.pipeline.evaluate import evaluate
from runtime.server.process import loop_factory
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.clusters import Clusters
from runtime.services.influxdb.config import Config
from runtime.tasks.task import ExecutingTask
from runtime.tick.parser import parse as parse_script

AIM = 200_000
SIZES = (5_000, 50, 1)
SCRIPT = (
    "stream|from()|influxDBOut().database('out').measurement('copy').tag('by', 'k')"
)
LIMIT_S = 60.0
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_GZIP = 16 + zlib.MAX_WBITS


class Cost(NamedTuple):
    """One round, or the medians of several."""

    points_per_s: float
    us_per_point: float
    requests: float


class _Endpoint(asyncio.Protocol):
    """Answers writes like InfluxDB, and counts points and requests."""

    def __init__(self, counts: list[int]) -> None:
        self._counts = counts
        self._buffer = bytearray()

    def connection_made(self, transport: Any) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
            if len(self._buffer) < end + 4 + length:
                return
            body = bytes(self._buffer[end + 4 : end + 4 + length])
            del self._buffer[: end + 4 + length]
            self._counts[0] += zlib.decompress(body, _GZIP).count(b"\n")
            self._counts[1] += 1
            self._transport.write(_ANSWER)


def _serve(pipe: Connection) -> None:
    """Take writes; each message from the pipe is answered with the counts since."""
    counts = [0, 0]

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Endpoint(counts), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send(tuple(counts))
            counts[:] = (0, 0)

    asyncio.run(serve())


@contextmanager
def endpoint() -> Iterator[tuple[int, Connection]]:
    """The port of a running endpoint, and the way to ask for its counts."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv(), here
    finally:
        here.send(False)
        process.join(LIMIT_S)


def frames(points: int, size: int) -> list[Frame]:
    """Frames as writes of `size` points make them, so many points together."""
    random.seed(1)
    lines = [
        f"cpu,host=server{n % 100:03d},cpu=cpu{n % 4} usage_idle={percent()},"
        f"usage_user={percent()},usage_system={percent()},usage_iowait={percent()} "
        f"{1_700_000_000 + n // 100}000000000"
        for n in range(points)
    ]
    return [
        frame
        for start in range(0, points, size)
        for frame in parse(
            "\n".join(lines[start : start + size]).encode(), now=0, db="d", rp="r"
        ).frames
    ]


def percent() -> str:
    """A float of three decimals."""
    return f"{random.random() * 100:.3f}"


def measure(port: int, size: int, points: int) -> float:
    """CPU seconds of one round."""
    config = Config(urls=(f"http://127.0.0.1:{port}",))
    some = frames(points, size)

    async def run() -> float:
        clusters = Clusters({"c": Cluster(config, AiohttpClient())}, "c")
        clusters.start()
        environment = Environment("t", influxdb=clusters)
        script = evaluate(parse_script(SCRIPT), "stream")
        task = ExecutingTask("t", script, environment)
        begin = time.process_time()
        await asyncio.to_thread(task.frames, some)
        task.close()
        lost = await clusters.finish(LIMIT_S)
        taken = time.process_time() - begin
        for cluster in clusters:
            await cluster.close()
        if lost or task.error:
            raise SystemExit(f"lost {lost} points {task.error}")
        return taken

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(run())


def cost(port: int, pipe: Connection, size: int, points: int, rounds: int) -> Cost:
    """The medians of some rounds, after one that warms up."""
    results = []
    for _ in range(rounds + 1):
        seconds = measure(port, size, points)
        pipe.send(True)
        written, requests = pipe.recv()
        if written != points:
            raise SystemExit(f"{written} points of {points} have arrived")
        results.append(Cost(points / seconds, seconds / points * 1e6, requests))
    columns = zip(*results[1:], strict=True)
    return Cost(*(statistics.median(column) for column in columns))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--points", type=int, default=500_000)
    asked = parser.parse_args()
    print(f"{'points a frame':>14} {'points/s':>10} {'µs CPU':>8} {'requests':>9}")
    with endpoint() as (port, pipe):
        for size in SIZES:
            points = asked.points if size > 1 else asked.points // 10
            found = cost(port, pipe, size, points, asked.rounds)
            met = "met" if found.points_per_s >= AIM else "NOT met"
            print(
                f"{size:14,} {found.points_per_s:10,.0f} {found.us_per_point:8.2f} "
                f"{found.requests:9,.0f}  aim {AIM:,}: {met}",
                flush=True,
            )


if __name__ == "__main__":
    main()
