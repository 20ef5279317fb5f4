"""Queries of batch tasks: the statements, and error messages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runtime.errors import DeliveryError, ScriptError, TaskError
from runtime.nodes.query.queries import BatchQuery, batch_queries
from runtime.pipeline.evaluate import evaluate
from runtime.pipeline.node import Pipeline
from runtime.services.influxdb.clusters import NO_CLUSTERS, NoClusterError
from runtime.tick.parser import parse
from runtime.units import MINUTE, SECOND
from tests.runtime.nodes.query.clusters import FakeCluster, clusters, series

DBRPS = [("d", "r")]


def pipeline(properties: str, query: str = "SELECT v FROM d.r.m") -> Pipeline:
    script = f"batch|query('''{query}'''){properties}"
    return evaluate(parse(script), "batch").pipeline


def one(properties: str, query: str = "SELECT v FROM d.r.m") -> BatchQuery:
    [found] = batch_queries(pipeline(properties, query), DBRPS)
    return found


@pytest.mark.parametrize(
    ("properties", "query", "statement"),
    [
        (
            ".period(10s).every(10s)",
            "SELECT mean(v) FROM d.r.m",
            "SELECT mean(v) FROM d.r.m WHERE time >= '1970-01-01T00:01:30Z'"
            " AND time < '1970-01-01T00:01:40Z'",
        ),
        (
            ".period(10s).every(10s).groupBy('host', time(2s), 'a b').fill(0)",
            "SELECT mean(v) FROM d.r.m WHERE x = 'y' GROUP BY z fill(none)",
            "SELECT mean(v) FROM d.r.m WHERE x = 'y' AND time >="
            " '1970-01-01T00:01:30Z' AND time < '1970-01-01T00:01:40Z'"
            ' GROUP BY host, time(2s, 0s), "a b" fill(0)',
        ),
        (
            ".period(10s).every(10s).groupBy(*)",
            "SELECT v FROM d.r.m",
            "SELECT v FROM d.r.m WHERE time >= '1970-01-01T00:01:30Z'"
            " AND time < '1970-01-01T00:01:40Z' GROUP BY *",
        ),
        (
            ".period(1m).every(10s).groupBy(time(30s, -5s)).fill('previous')",
            "SELECT max(v) FROM d.r.m",
            "SELECT max(v) FROM d.r.m WHERE time >= '1970-01-01T00:00:40Z'"
            " AND time < '1970-01-01T00:01:40Z' GROUP BY time(30s, -5s)"
            " fill(previous)",
        ),
        # the groups begin with the period, which began at 40 s
        (
            ".period(1m).every(10s).groupBy(time(30s)).alignGroup()",
            "SELECT max(v) FROM d.r.m",
            "SELECT max(v) FROM d.r.m WHERE time >= '1970-01-01T00:00:40Z'"
            " AND time < '1970-01-01T00:01:40Z' GROUP BY time(30s, 10s)",
        ),
        (
            ".period(10s).cron('* * * * *').groupBy(5s)",
            "SELECT max(v) FROM d.r.m",
            "SELECT max(v) FROM d.r.m WHERE time >= '1970-01-01T00:01:30Z'"
            " AND time < '1970-01-01T00:01:40Z' GROUP BY time(5s, 0s)",
        ),
    ],
    ids=["times", "group by", "star", "offset", "align group", "duration"],
)
def test_statements(properties: str, query: str, statement: str) -> None:
    assert one(properties, query).statement(100 * SECOND) == statement


def test_the_offset_moves_the_period() -> None:
    query = one(".period(10s).every(10s).offset(1m)")
    assert query.stop(100 * SECOND) == 40 * SECOND
    assert "time < '1970-01-01T00:00:40Z'" in query.statement(query.stop(100 * SECOND))


@pytest.mark.parametrize(
    ("properties", "query", "reason"),
    [
        ("", "SELECT v FROM d.r.m", "must define one of 'every' or 'cron'"),
        (
            ".every(1s).cron('* * * * *')",
            "SELECT v FROM d.r.m",
            "must not set both 'every' and 'cron' properties",
        ),
        (
            ".every(1s).groupBy(time(1s), time(2s))",
            "SELECT v FROM d.r.m",
            "groupBy cannot have more than one time dimension",
        ),
        (
            ".every(1s).groupBy(1)",
            "SELECT v FROM d.r.m",
            "invalid dimension type:int64, must be string or time.Duration",
        ),
        (
            ".every(1s).groupBy(lambda: TRUE)",
            "SELECT v FROM d.r.m",
            "invalid dimension type:*ast.LambdaNode, must be string or time.Duration",
        ),
        (
            ".every(1s).fill('x')",
            "SELECT v FROM d.r.m",
            "unexpected fill option x",
        ),
        (
            ".every(1s)",
            "SELECT v FROM m",
            'batch query is not allowed to request data from "".""',
        ),
        (
            ".every(1s)",
            "SELECT v FROM d.r.m, d.other.m",
            'batch query is not allowed to request data from "d"."other"',
        ),
        (
            ".every(1s)",
            "SELECT v FROM (SELECT v FROM d.r.m)",
            "unknown query source *influxql.SubQuery",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_what_kapacitor_refuses_at_the_start(
    properties: str, query: str, reason: str
) -> None:
    with pytest.raises(TaskError) as refused:
        one(properties, query)
    assert str(refused.value) == reason


@pytest.mark.parametrize("query", ["SELECT", "x", "SELECT v FROM d.r.m; x"])
def test_a_query_that_does_not_parse(query: str) -> None:
    with pytest.raises(TaskError, match=r"failed to parse InfluxQL query: "):
        one(".every(1s)", query)


def test_statements_of_other_kinds() -> None:
    with pytest.raises(TaskError, match="query is not a select statement"):
        one(".every(1s)", "DROP DATABASE d")
    text = "query must be a single select statement, got 2 statements"
    with pytest.raises(TaskError, match=text):
        one(".every(1s)", "SELECT v FROM d.r.m; SELECT v FROM d.r.m")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (".period(1)", "value of type int64 is not assignable to type time.Duration"),
        (".align(TRUE)", "Call with too many input arguments"),
        (".groupBy(time())", "Call with too few input arguments"),
        (".groupBy(time(1))", "Call using int64 as type time.Duration"),
    ],
)
def test_what_is_refused_when_a_task_is_defined(properties: str, reason: str) -> None:
    with pytest.raises(ScriptError, match=reason):
        pipeline(properties)


def test_several_queries_are_in_the_order_of_the_script() -> None:
    script = "".join(
        f"batch|query('SELECT v FROM d.r.{name}').every({number}s)\n"
        for number, name in enumerate("abc", 1)
    )
    found = batch_queries(evaluate(parse(script), "batch").pipeline, DBRPS)
    assert [each.statement(0)[:20] for each in found] == [
        f"SELECT v FROM d.r.{name} " for name in "abc"
    ]


def test_the_past_of_a_query() -> None:
    query = one(".period(10s).every(10s).offset(1s)")
    minute = 100 * MINUTE
    stops = [*query.stops(minute, minute + 35 * SECOND, now=2 * minute)]
    assert [(stop - minute) / SECOND for stop in stops] == [9, 19, 29]
    # nothing that has not come yet
    now = minute + 20 * SECOND
    assert [*query.stops(minute, 2 * minute, now)] == stops[:2]


def test_the_batches_of_the_past() -> None:
    cluster = FakeCluster()
    cluster.answer = lambda text: [series("m", {}, [(1, 1.0)])]

    async def past(**arguments: Any) -> list[int]:
        query = one(".period(10s).every(10s)")
        return [
            batch.tmax // SECOND
            async for batches in query.past(start=0, now=MINUTE, **arguments)
            for batch in batches
        ]

    found = past(clusters=clusters(one=cluster), stop=30 * SECOND)
    assert asyncio.run(found) == [10, 20, 30]
    assert len(cluster.statements) == 3
    with pytest.raises(NoClusterError):
        asyncio.run(past(clusters=NO_CLUSTERS, stop=MINUTE))
    cluster.answer = lambda text: [DeliveryError("no")]
    with pytest.raises(DeliveryError):
        asyncio.run(past(clusters=clusters(one=cluster), stop=MINUTE))
    assert cluster.open == 0
