"""`influxDBOut` into a real InfluxDB: values, refusals, restarts, memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from runtime.frames import Point
from runtime.nodes.environment import Environment
from runtime.outbound.client import AiohttpClient
from runtime.pipeline.evaluate import evaluate
from runtime.services.influxdb import point_queue
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.clusters import Clusters
from runtime.tasks.task import ExecutingTask
from runtime.testing.frames import frame_of
from runtime.tick.parser import parse
from runtime.units import SECOND

LIMIT_S = 60.0
NOW = 1_700_000_000 * SECOND


class Run:
    """A task with an `influxDBOut` node, on an event loop.

    Attributes:
        task: the task.
        node: the node.
        clusters: the cluster that it writes to.
    """

    def __init__(self, influxdb: Any, properties: str, script: str) -> None:
        cluster = Cluster(influxdb.config(), AiohttpClient())
        self.clusters = Clusters({"c": cluster}, "c")
        made = evaluate(parse(f"{script}|influxDBOut(){properties}"), "stream")
        environment = Environment("t", influxdb=self.clusters)
        self.task = ExecutingTask("t", made, environment)
        self.node: Any = self.task.nodes[-1]

    def write(self, points: list[Point]) -> None:
        self.task.frames([frame_of(points)])
        assert self.task.error == ""

    @property
    def stats(self) -> dict[str, int]:
        counts: dict[str, int] = self.node.stats()
        return {n: c for n, c in counts.items() if n.startswith(("points", "write"))}


def write(
    influxdb: Any,
    properties: str,
    points: list[Point],
    script: str = "stream|from()",
) -> dict[str, int]:
    """Write points by a task that then ends; the counters of its writes."""

    async def work(run: Run) -> None:
        run.write(points)

    return during(influxdb, properties, work, script).stats


def during(
    influxdb: Any,
    properties: str,
    work: Callable[[Run], Awaitable[None]],
    script: str = "stream|from()",
) -> Run:
    """A task after some work with it, when it has written what it could."""

    async def main() -> Run:
        run = Run(influxdb, properties, script)
        run.clusters.start()
        await asyncio.wait_for(work(run), LIMIT_S)
        run.task.close()
        await run.clusters.finish(LIMIT_S)
        for cluster in run.clusters:
            await cluster.close()
        return run

    return asyncio.run(main())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def until_written(run: Run, count: int) -> None:
    await until(lambda: run.stats["points_written"] >= count)


def point(time: int = NOW, tags: dict[str, str] | None = None, **fields: Any) -> Point:
    return Point("m", time, tags or {}, fields)


def numbered(count: int, first: int = 0) -> list[Point]:
    return [point(NOW + n * SECOND, v=n) for n in range(first, first + count)]


def selected(influxdb: Any, database: str, query: str) -> list[list[Any]]:
    series = influxdb.query(query, database)
    return [row for each in series for row in each["values"]]


def test_values_of_all_kinds_arrive(influxdb: Any, database: str) -> None:
    fields = {"f": 1.5, "i": 7, "s": 'a"b\\ c', "b": True, "big": 1e300, "one": 1.0}
    points = [point(tags={"h": "a b", "k": "=,"}, **fields)] * 100
    stats = write(influxdb, f".database('{database}').tag('t', 'x')", points)
    assert stats == {"points_written": 100, "write_errors": 0, "points_waiting": 0}
    [series] = influxdb.query("SELECT * FROM m", database)
    [values] = series["values"]
    assert dict(zip(series["columns"], values, strict=True)) == {
        **fields,
        "time": NOW,
        "h": "a b",
        "k": "=,",
        "t": "x",
    }
    kinds = selected(influxdb, database, "SHOW FIELD KEYS FROM m")
    assert dict(kinds) == {
        "f": "float",
        "i": "integer",
        "s": "string",
        "b": "boolean",
        "big": "float",
        "one": "float",
    }


AWKWARD = [
    "a,b",
    "a=b",
    "a b",
    'a"b',
    "a\\b",
    " a ",
    "é☃",
    "a\\\\b",
    "'a'",
    "#",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_names_and_texts_arrive(
    influxdb: Any, database: str, text: str
) -> None:
    points = [Point(f"m{text}", NOW, {text: text}, {f"f{text}": text, "v": 1.0})]
    stats = write(influxdb, f".database('{database}')", points)
    assert stats["points_written"] == 1
    [series] = influxdb.query("SELECT * FROM /.*/", database)
    assert series["name"] == f"m{text}"
    found = dict(zip(series["columns"], series["values"][0], strict=True))
    assert found == {"time": NOW, text: text, f"f{text}": text, "v": 1}


def test_what_would_end_a_line_damages_no_other_point(
    influxdb: Any, database: str
) -> None:
    points = [
        point(tags={"h": "x\nevil v=1"}, v=1.0),
        point(tags={"h": "c:\\"}, v=2.0),
        Point("m", NOW, {"h": "\\"}, {"v": 3.0, "w\\,": 1.0}),
        point(v="two\nlines"),
    ]
    stats = write(influxdb, f".database('{database}')", points[:3])
    assert stats["points_written"] == 3
    rows = selected(influxdb, database, "SELECT v, h FROM m")
    assert sorted([value, tag or ""] for _, value, tag in rows) == [
        [1, "x\\nevil v=1"],
        [2, "c:"],
        [3, ""],
    ]
    write(influxdb, f".database('{database}').measurement('n')", points[3:])
    assert selected(influxdb, database, "SELECT v FROM n") == [[NOW, "two\nlines"]]


@pytest.mark.parametrize(
    ("precision", "kept"),
    [("ns", 1), ("u", 1000), ("ms", 10**6), ("s", 10**9), ("m", 60 * 10**9)],
)
def test_precisions(influxdb: Any, database: str, precision: str, kept: int) -> None:
    time = NOW + 123_456_789
    properties = f".database('{database}').precision('{precision}')"
    write(influxdb, properties, [point(time, v=1.0)])
    assert selected(influxdb, database, "SELECT v FROM m") == [[time - time % kept, 1]]


def test_batches_arrive(influxdb: Any, database: str) -> None:
    script = "stream|from().groupBy('h')|window().period(10s).every(10s)|mean('v')"
    points = [point(NOW + n * SECOND, {"h": "a"}, v=float(n)) for n in range(31)]
    properties = f".database('{database}').measurement('means')"
    stats = write(influxdb, properties, points, script)
    assert stats["points_written"] == 3
    rows = selected(influxdb, database, "SELECT mean, h FROM means")
    assert [row[1:] for row in rows] == [[4.5, "a"], [14.5, "a"], [24.5, "a"]]


def test_windows_arrive_with_all_their_points(influxdb: Any, database: str) -> None:
    script = "stream|from()|window().period(10s).every(10s)"
    stats = write(influxdb, f".database('{database}')", numbered(31), script)
    assert stats["points_written"] == 30
    assert selected(influxdb, database, "SELECT count(v) FROM m")[0][1] == 30


def test_a_database_and_its_retention_policy_are_created(influxdb: Any) -> None:
    name = f'new "{id(influxdb):x}"'
    properties = f""".create().database('{name}').retentionPolicy('a b')"""
    try:
        stats = write(influxdb, properties, [point(v=1.0)])
        assert stats["points_written"] == 1
        quoted = name.replace('"', '\\"')
        rows = selected(influxdb, name, f'SELECT v FROM "{quoted}"."a b".m')
        assert rows == [[NOW, 1]]
    finally:
        influxdb.query(f'DROP DATABASE "{quoted}"')


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (".database('nowhere')", "no_database"),
        (".database('{}').retentionPolicy('none')", "no_retention_policy"),
        (".database('{}').writeConsistency('most')", "invalid"),
    ],
    ids=lambda each: each if "(" not in each else None,
)
def test_refusals_are_counted_by_reason_and_logged_once(
    influxdb: Any, database: str, properties: str, reason: str, caplog: Any
) -> None:
    given = f"{properties.format(database)}.buffer(1)"

    async def work(run: Run) -> None:
        for number in range(3):
            run.write(numbered(5, 5 * number))
            await until(lambda: not run.stats["points_waiting"])

    with caplog.at_level(logging.ERROR):
        run = during(influxdb, given, work)
    assert run.stats[f"points_lost_{reason}"] == 15
    assert run.stats["points_written"] == 0
    assert len(caplog.records) == 1


def test_of_a_partial_write_only_the_refused_points_are_lost(
    influxdb: Any, database: str
) -> None:
    influxdb.write(f"m v=1.5 {NOW + 99 * SECOND}", database)
    points = [*numbered(3), point(NOW + 50 * SECOND, v=1.0)]
    stats = write(influxdb, f".database('{database}')", points)
    assert stats == {
        "points_written": 1,
        "write_errors": 1,
        "points_waiting": 0,
        "points_lost_type_conflict": 3,
    }


def test_points_outside_of_the_retention_policy_are_lost(
    influxdb: Any, database: str
) -> None:
    influxdb.query(
        f'CREATE RETENTION POLICY short ON "{database}" DURATION 1h REPLICATION 1'
    )
    properties = f".database('{database}').retentionPolicy('short')"
    stats = write(influxdb, properties, [point(1, v=1.0), point(2, v=1.0)])
    assert stats["points_lost_outside_retention"] == 2


def test_a_restart_of_influxdb_loses_nothing(
    own_influxdb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_queue, "FIRST_S", 0.05)
    monkeypatch.setattr(point_queue, "LONGEST_S", 0.2)
    influxdb = own_influxdb()
    database = influxdb.create()

    async def work(run: Run) -> None:
        run.write(numbered(1000))
        await until(lambda: run.stats["points_written"] == 1000)
        await asyncio.to_thread(influxdb.stop)
        for number in range(1, 5):
            run.write(numbered(1000, 1000 * number))
        await until(lambda: run.stats["write_errors"] > 1)
        await asyncio.to_thread(influxdb.start)
        await until(lambda: run.stats["points_written"] == 5000)

    run = during(influxdb, f".database('{database}')", work)
    assert not [name for name in run.stats if name.startswith("points_lost")]
    [[_, count, total]] = selected(influxdb, database, "SELECT count(v), sum(v) FROM m")
    assert (count, total) == (5000, sum(range(5000)))


def test_killing_influxdb_while_it_is_written_to_loses_nothing(
    own_influxdb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_queue, "FIRST_S", 0.05)
    monkeypatch.setattr(point_queue, "LONGEST_S", 0.2)
    influxdb = own_influxdb()
    database = influxdb.create()

    async def feed(run: Run) -> None:
        for number in range(200):
            run.write(numbered(500, 500 * number))
            await asyncio.sleep(0.005)

    async def work(run: Run) -> None:
        feeding = asyncio.create_task(feed(run))
        for count in (10_000, 20_000, 30_000):
            await until_written(run, count)
            influxdb.process.kill()
            await asyncio.to_thread(influxdb.process.wait)
            await asyncio.to_thread(influxdb.start)
        await feeding
        await until_written(run, 100_000)

    run = during(influxdb, f".database('{database}').buffer(500)", work)
    assert run.stats["write_errors"] > 0
    [[_, count, total]] = selected(influxdb, database, "SELECT count(v), sum(v) FROM m")
    assert (count, total) == (100_000, sum(range(100_000)))


def test_memory_is_bounded_while_influxdb_is_away(
    own_influxdb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_queue, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(point_queue, "FIRST_S", 0.05)
    monkeypatch.setattr(point_queue, "LONGEST_S", 0.2)
    influxdb = own_influxdb()
    database = influxdb.create()

    async def work(run: Run) -> None:
        await asyncio.to_thread(influxdb.stop)
        for number in range(100):
            run.write(numbered(1000, 1000 * number))
            assert run.node._writer.size <= 1 << 20
        await until(lambda: run.stats["write_errors"] > 1)
        await asyncio.to_thread(influxdb.start)
        await until(lambda: not run.stats["points_waiting"])

    stats = during(influxdb, f".database('{database}')", work).stats
    assert stats["points_lost_full"] > 50_000
    assert stats["points_written"] + stats["points_lost_full"] == 100_000
    # the newest are there, the oldest are not
    [[_, count, least, most]] = selected(
        influxdb, database, "SELECT count(v), min(v), max(v) FROM m"
    )
    assert (count, most) == (stats["points_written"], 99_999)
    assert least > 50_000


def test_a_database_that_is_dropped_meanwhile_is_created_again(influxdb: Any) -> None:
    database = f"dropped_{id(influxdb):x}"

    async def work(run: Run) -> None:
        run.write([point(v=1.0)])
        await until(lambda: run.stats["points_written"] == 1)
        await asyncio.to_thread(influxdb.query, f'DROP DATABASE "{database}"')
        run.write([point(v=2.0)])
        await until(lambda: run.stats["points_written"] == 2)

    try:
        during(influxdb, f".create().buffer(1).database('{database}')", work)
        assert selected(influxdb, database, "SELECT v FROM m") == [[NOW, 2]]
    finally:
        influxdb.query(f'DROP DATABASE "{database}"')
