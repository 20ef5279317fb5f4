"""`influxDBOut` nodes: their points, their targets, their counters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from runtime.errors import DeliveryError, TaskError
from runtime.frames import Frame, Point
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.clusters import Clusters
from runtime.tasks.task import ExecutingTask
from runtime.testing.frames import batch_of, batches_of, frame_of, points
from runtime.tick.parser import parse

LIMIT_S = 10.0
SOME = 'm,h=a v=1 1\nm,h=b v=2,s="x" 2'
LINES = ["m,h=a v=1.0 1000000000", 'm,h=b s="x",v=2.0 2000000000']


class FakeCluster:
    """A cluster that keeps what it is sent."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.writes: list[dict[str, str]] = []
        self.lines: list[str] = []
        self.statements: list[str] = []
        self.answer: Exception | None = None

    async def write(self, body: bytes, **query: str) -> None:
        if self.answer is not None:
            raise self.answer
        self.writes.append(query)
        self.lines += body.decode().splitlines()

    async def execute(self, statement: str, *, database: str = "") -> Sequence[Any]:
        self.statements.append(statement)
        return ()


class Run:
    """A task with an `influxDBOut` node and two clusters.

    Attributes:
        node: the node.
        first: the default cluster.
        second: another.
    """

    def __init__(self, properties: str = "", script: str = "stream|from()") -> None:
        self.first, self.second = FakeCluster("first"), FakeCluster("second")
        both = {each.name: cast(Cluster, each) for each in (self.first, self.second)}
        self.clusters = Clusters(both, "first")
        self.environment = Environment("t", influxdb=self.clusters)
        made = evaluate(parse(f"{script}|influxDBOut(){properties}"), "stream")
        self.task = ExecutingTask("t", made, self.environment)
        self.node: Any = self.task.nodes[-1]

    def finish(self) -> int:
        """Write what waits; number of lost points."""
        self.task.close()

        async def finish() -> int:
            self.clusters.start()
            return await self.clusters.finish(LIMIT_S)

        return asyncio.run(finish())


def repeated(count: int) -> Frame:
    return frame_of(
        [Point("m", n, {"h": "a"}, {"v": n}, db="d", rp="r") for n in range(count)]
    )


def test_points_are_written_where_they_came_from() -> None:
    run = Run()
    for point in points(SOME):
        run.node.point(point)
    assert run.finish() == 0
    assert run.first.lines == LINES
    assert run.first.writes == [
        {
            "database": "d",
            "retention_policy": "r",
            "precision": "ns",
            "consistency": "",
        }
    ]
    assert run.node.stats()["points_written"] == 2


def test_properties_say_where_and_how() -> None:
    run = Run(
        ".cluster('second').database('e').retentionPolicy('q').measurement('n')"
        ".writeConsistency('quorum').precision('s').tag('h', 'z').tag('k', 'v')"
    )
    run.node.frame(frame_of(points(SOME) * 10))
    assert run.finish() == 0
    assert run.first.lines == []
    assert run.second.lines == ["n,h=z,k=v v=1.0 1", 'n,h=z,k=v s="x",v=2.0 2'] * 10
    assert run.second.writes == [
        {
            "database": "e",
            "retention_policy": "q",
            "precision": "s",
            "consistency": "quorum",
        }
    ]


@pytest.mark.parametrize(
    ("given", "sent"),
    [("", "ns"), ("n", "ns"), ("us", "u"), ("µs", "u"), ("u", "u"), ("h", "h")],
)
def test_precisions_are_sent_as_influxdb_spells_them(given: str, sent: str) -> None:
    run = Run(f".precision('{given}')" if given else "")
    run.node.point(points(SOME)[0])
    run.finish()
    assert run.first.writes[0]["precision"] == sent


@pytest.mark.parametrize("in_columns", [False, True])
def test_batches_are_written_too(in_columns: bool) -> None:
    run = Run(script="stream|from()|window().period(10s).every(10s)")
    batch = batch_of(points(SOME, group_by="h")[:1] * 2, 5)
    if in_columns:
        run.node.batches(batches_of([batch, batch]))
    else:
        run.node.batch(batch)
        run.node.batch(batch)
    run.node.batch(batch.with_points(()))
    run.finish()
    assert run.first.lines == LINES[:1] * 4


def test_a_whole_task_writes_by_columns_and_by_rows_alike() -> None:
    script = "stream|from().measurement('m').where(lambda: \"v\" >= 2)"
    columns, rows = Run(script=script), Run(script=script)
    frame = repeated(100)
    columns.task.frames([frame])
    rows.task.points(frame.points())
    columns.finish()
    rows.finish()
    assert columns.first.lines == rows.first.lines
    assert len(rows.first.lines) == 98
    assert columns.node.stats() == rows.node.stats()


def test_points_without_a_writable_field_are_counted(caplog: Any) -> None:
    run = Run()
    some = [Point("m", 1, {}, {"v": float("nan")}), Point("m", 2, {}, {"v": 1.0})]
    run.node.point(some[0])
    run.node.frame(frame_of(some * 10))
    run.finish()
    stats = run.node.stats()
    assert (stats["points_written"], stats["points_lost_no_fields"]) == (10, 11)
    [record] = caplog.records
    assert record.getMessage() == (
        "dropped points without a field that InfluxDB can store"
    )


def test_failed_writes_are_counted_as_errors_of_the_node() -> None:
    run = Run()
    run.first.answer = DeliveryError("unable to parse 'x'", status=400)
    run.node.point(points(SOME)[0])
    run.finish()
    stats = run.node.stats()
    assert (stats["write_errors"], stats["errors"], stats["points_written"]) == (
        *(1, 1, 0),
    )
    assert stats["points_lost_invalid"] == 1


@pytest.mark.parametrize(
    ("properties", "statement"),
    [
        (".database('a b')", 'CREATE DATABASE "a b"'),
        (
            ".database('d').retentionPolicy('q\"r')",
            'CREATE DATABASE "d" WITH NAME "q\\"r"',
        ),
    ],
)
def test_the_database_is_created_at_the_start(properties: str, statement: str) -> None:
    run = Run(f"{properties}.create()")
    run.finish()
    assert run.first.statements == [statement]


def test_what_has_no_name_is_not_created(caplog: Any) -> None:
    run = Run(".create()")
    run.finish()
    assert run.first.statements == []
    assert caplog.records[0].getMessage() == "failed to create database"
    assert run.node.stats()["errors"] == 1


def test_an_unknown_cluster_is_refused_at_the_start() -> None:
    with pytest.raises(TaskError) as caught:
        Run(".cluster('third')")
    assert str(caught.value) == (
        "failed to get InfluxDB client: no such InfluxDB config third"
    )


def test_an_unknown_precision_is_refused_at_the_start() -> None:
    with pytest.raises(TaskError) as caught:
        Run(".precision('d')")
    assert str(caught.value) == (
        'influxdb_out2: unknown precision "d": use one of ns, u, ms, s, m, h'
    )


def test_a_cluster_may_be_replaced_while_the_task_runs() -> None:
    run = Run()
    run.node.point(points(SOME)[0])
    other = FakeCluster("other")
    run.clusters.replace({"other": cast(Cluster, other)}, "other")
    run.finish()
    assert other.lines == LINES[:1]
