"""Points to InfluxDB through `influxDBOut`, and rows of its answers through `query`.

    python bench/influxdb.py [out] [query] [--rounds 5] [--points 500000] [--rows 100000]

`out`: `stream|from()|influxDBOut()` takes frames of several sizes, whose points have two
tags and four floats. Figures are points per second of CPU time, and CPU time per point, of
the task and the event loop together; parsing is not included. Aim: 200,000 points per
second.

`query`: an answer with 100 series goes through `query|mean|alert`, and the same rows as
writes of 5,000 points through `from|window|mean|alert`. Figures are rows per second, and CPU
time per row, from the first byte to the last event. Aim: at most twice the CPU of the
stream.

InfluxDB is an endpoint of its own process. Figures are medians.
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
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from runtime.frames import Frame
from runtime.line_protocol import parse
from runtime.nodes.environment import Environment
from runtime.nodes.query.queries import batch_queries
from runtime.outbound.client import AiohttpClient
from runtime.pipeline.evaluate import evaluate
from runtime.server.process import loop_factory
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.clusters import Clusters
from runtime.services.influxdb.config import Config
from runtime.tasks.task import ExecutingTask
from runtime.tick.parser import parse as parse_script
from runtime.units import SECOND

AIM = 200_000
RATIO = 2
HOSTS = 100
START_S = 1_700_000_000
SIZES = (5_000, 50, 1)
SCRIPT = (
    "stream|from()|influxDBOut().database('out').measurement('copy').tag('by', 'k')"
)
AFTER = "|mean('usage_user').as('mean')|alert().crit(lambda: \"mean\" > 1000.0)"
STREAM = (
    "stream|from().measurement('cpu').groupBy('host')"
    "|window().period({s}s).every({s}s)" + AFTER
)
BATCH = (
    "batch|query('SELECT usage_user FROM d.r.cpu').period({s}s).every({s}s)"
    ".groupBy('host')" + AFTER
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
    """Answers like InfluxDB, and counts the points and requests of writes."""

    def __init__(self, counts: list[int], answer: bytes) -> None:
        self._counts = counts
        self._answer = answer
        self._buffer = bytearray()

    def connection_made(self, transport: Any) -> None:
        """Keep the transport for answers."""
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
            if head.startswith(b"post /query"):
                self._transport.write(self._answer)
                continue
            self._counts[0] += zlib.decompress(body, _GZIP).count(b"\n")
            self._counts[1] += 1
            self._transport.write(_ANSWER)


def _answer(rows: int) -> bytes:
    """An answer to a query, a document for each series."""
    random.seed(1)
    documents = []
    for host in range(HOSTS):
        values = ",".join(
            f"[{START_S + n}000000000,{percent()}]" for n in range(rows // HOSTS)
        )
        documents.append(
            '{"results":[{"statement_id":0,"series":[{"name":"cpu","tags":{"host":'
            f'"server{host:03d}"}},"columns":["time","usage_user"],"values":[{values}]'
            "}]}]}\n"
        )
    body = "".join(documents).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _serve(pipe: Connection, rows: int) -> None:
    """Serve; each message from the pipe is answered with the counts since."""
    counts = [0, 0]
    answer = _answer(rows)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Endpoint(counts, answer), "127.0.0.1", 0
        )
        pipe.send(server.sockets[0].getsockname()[1])
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send(tuple(counts))
            counts[:] = (0, 0)

    asyncio.run(serve())


@contextmanager
def endpoint(rows: int) -> Iterator[tuple[int, Connection]]:
    """The port of a running endpoint, and the way to ask for its counts."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(there, rows), daemon=True)
    process.start()
    there.close()
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


def task_of(script: str, kind: str) -> ExecutingTask:
    """A running task, whose queries are asked here."""
    return ExecutingTask(
        "t", evaluate(parse_script(script), kind), Environment("t", dbrps=[("d", "r")])
    )


def queried(port: int, rows: int) -> float:
    """CPU seconds of an answer through a batch task."""
    seconds = rows // HOSTS
    script = BATCH.format(s=seconds)
    task = task_of(script, "batch")
    pipeline = evaluate(parse_script(script), "batch").pipeline
    [query] = batch_queries(pipeline, [("d", "r")])
    config = Config(urls=(f"http://127.0.0.1:{port}",))

    async def run() -> float:
        cluster = Cluster(config, AiohttpClient())
        begin = time.process_time()
        async for batches in query.answer(cluster, (START_S + seconds) * SECOND):
            task.queried(0, batches)
        taken = time.process_time() - begin
        await cluster.close()
        return taken

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        taken = runner.run(run())
    check(task)
    return taken


def streamed(rows: int) -> float:
    """CPU seconds of the same rows through a stream task, as writes."""
    seconds = rows // HOSTS
    task = task_of(STREAM.format(s=seconds), "stream")
    random.seed(1)
    # the last second ends the windows
    lines = [
        f"cpu,host=server{n % HOSTS:03d} usage_user={percent()} {START_S + n // HOSTS}000000000"
        for n in range(rows + HOSTS)
    ]
    bodies = [
        "\n".join(lines[start : start + SIZES[0]]).encode()
        for start in range(0, len(lines), SIZES[0])
    ]
    begin = time.process_time()
    for body in bodies:
        task.write(parse(body, now=0, db="d", rp="r"))
    taken = time.process_time() - begin
    check(task)
    return taken


def check(task: ExecutingTask) -> None:
    """Check that each host has its mean."""
    means = task.nodes[-1].collected
    if means != HOSTS or task.error:
        raise SystemExit(f"{means} means of {HOSTS} {task.error}")


def out(asked: argparse.Namespace) -> None:
    """Print the table of points out."""
    print(f"{'points a frame':>14} {'points/s':>10} {'µs CPU':>8} {'requests':>9}")
    with endpoint(asked.rows) as (port, pipe):
        for size in SIZES:
            points = asked.points if size > 1 else asked.points // 10
            found = cost(port, pipe, size, points, asked.rounds)
            met = "met" if found.points_per_s >= AIM else "NOT met"
            print(
                f"{size:14,} {found.points_per_s:10,.0f} {found.us_per_point:8.2f} "
                f"{found.requests:9,.0f}  aim {AIM:,}: {met}",
                flush=True,
            )


def query(asked: argparse.Namespace) -> None:
    """Print the table of rows in."""
    print(f"{'rows by':>14} {'rows/s':>10} {'µs CPU':>8}")
    with endpoint(asked.rows) as (port, _):
        ways = {"query": partial(queried, port), "stream": streamed}
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(asked.rounds + 1):
            for way, run in ways.items():
                taken[way].append(run(asked.rows))
    medians = {way: statistics.median(all[1:]) for way, all in taken.items()}
    for way, seconds in medians.items():
        per_row = seconds / asked.rows
        print(f"{way:>14} {1 / per_row:10,.0f} {per_row * 1e6:8.2f}")
    ratio = medians["query"] / medians["stream"]
    met = "met" if ratio <= RATIO else "NOT met"
    print(f"a row of a query costs {ratio:.2f} × a point  aim {RATIO} ×: {met}")


PARTS = {"out": out, "query": query}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--points", type=int, default=500_000)
    parser.add_argument("--rows", type=int, default=100_000)
    asked = parser.parse_args()
    for part in asked.parts or PARTS:
        PARTS[part](asked)


if __name__ == "__main__":
    main()
