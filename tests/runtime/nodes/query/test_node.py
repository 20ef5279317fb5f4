"""Tasks that query a cluster: the points that their nodes get, and failures."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from runtime.errors import DeliveryError, TaskError
from runtime.frames import Batches
from runtime.nodes.environment import Environment
from runtime.nodes.post_queue import Resume, Step
from runtime.nodes.query import schedule
from runtime.nodes.query_loops import QueryLoops
from runtime.pipeline.evaluate import evaluate
from runtime.services.influxdb.clusters import NO_CLUSTERS, Clusters
from runtime.services.influxdb.series import Series
from runtime.tasks.task import ExecutingTask
from runtime.testing.clock import ManualClock
from runtime.testing.frames import Collector
from runtime.tick.parser import parse
from runtime.units import MINUTE, SECOND
from tests.runtime.nodes.query.clusters import FakeCluster, clusters, series

QUERY = "batch|query('SELECT v FROM d.r.m').period(10s).every(10s)"
START = 1000 * SECOND
DEADLINE_S = 20.0


class Running:
    """A batch task on an event loop, whose clock stands still until a test moves it."""

    def __init__(self, script: str, known: Clusters, **more: Any) -> None:
        self.clock = ManualClock(START)
        self.loops = QueryLoops()
        self.outcomes: list[tuple[str, str]] = []
        arguments: dict[str, Any] = {
            **{"clock": self.clock, "dbrps": [("d", "r")], "influxdb": known},
            **{"queries": self.loops, "note_query": self._note},
            **more,
        }
        self.environment = Environment("t", **arguments)
        pipeline = evaluate(parse(script), "batch")
        self.task = ExecutingTask("t", pipeline, self.environment)
        self.collector = Collector()
        [*_, last] = [node for node in self.task.nodes if node.name[:4] != "noop"]
        last.link(self.collector)

    def _note(self, node: str, failure: str) -> None:
        self.outcomes.append((node, failure))

    async def __aenter__(self) -> Running:
        async def run(resume: Resume, step: Step) -> None:
            resume(step)

        self.loops.start(run)
        self.task.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.close()
        await self.loops.close()

    async def tick(self, met: Callable[[], object], seconds: float = 10) -> None:
        """Move the clock on, and wait for what that causes."""
        # the loop looks at the clock before it sleeps
        await asyncio.sleep(0.01)
        self.clock.advance(round(seconds * SECOND))
        await until(met)


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not met():
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loops look at the clock, which stands still, every millisecond."""
    monkeypatch.setattr(schedule, "_LOOK", SECOND // 1000)


def worked(
    script: str,
    work: Callable[[Running, FakeCluster], Awaitable[None]],
    *answer: Series | Exception,
) -> Running:
    """A task that has done its work with a cluster that answers always alike."""

    async def run() -> Running:
        cluster = FakeCluster()
        cluster.answer = lambda text: answer
        async with Running(script, clusters(fake=cluster)) as running:
            await work(running, cluster)
        return running

    return asyncio.run(run())


def node_stats(running: Running, node: str) -> Any:
    return running.task.stats()["node-stats"][node]


def test_each_tick_asks_for_its_period_and_passes_the_answer_on() -> None:
    async def work(running: Running, cluster: FakeCluster) -> None:
        got = running.collector.got
        await running.tick(lambda: len(got) == 2)
        assert [(batch.group, batch.tmax // SECOND) for batch in got] == [
            ("h=a", 1010),
            ("h=b", 1010),
        ]
        await running.tick(lambda: len(got) == 4)
        assert cluster.statements == [
            f"SELECT v FROM d.r.m WHERE time >= '1970-01-01T00:{start}Z' AND time <"
            f" '1970-01-01T00:{stop}Z'"
            for start, stop in (("16:40", "16:50"), ("16:50", "17:00"))
        ]

    running = worked(
        QUERY,
        work,
        series("m", {"h": "a"}, [(1, 1), (2, 2)]),
        series("m", {"h": "b"}, [(1, 3)]),
    )
    stats = node_stats(running, "query1")
    assert {key: stats[key] for key in ("batches_queried", "points_queried")} == {
        "batches_queried": 4,
        "points_queried": 6,
    }
    assert (stats["collected"], stats["emitted"]) == (4, 4)
    assert (stats["errors"], stats["query_errors"]) == (0, 0)
    edges = {(edge.parent, edge.child, edge.type) for edge in running.task.edges()}
    assert edges == {("batch", "batch0", "batch")}
    assert running.outcomes == [("query1", "")]


def test_the_graph_shows_queries_and_what_follows() -> None:
    async def work(running: Running, cluster: FakeCluster) -> None:
        await running.tick(lambda: running.collector.points or running.collector.got)

    rows = series("m", {"h": "a"}, [(1, 1), (2, 2)])
    running = worked(f"{QUERY}|mean('v')|httpOut('x')", work, rows)
    dot = running.task.dot()
    assert dot.startswith('digraph t {\ngraph [throughput="0.00 batches/s"];\n\nquery1')
    assert 'query1 -> mean2 [processed="1"];' in dot
    assert 'batches_queried="1"' in dot
    assert 'query_errors="0"' in dot
    assert "batch0" not in dot


def test_a_query_that_fails_is_counted_and_the_next_one_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(running: Running, cluster: FakeCluster) -> None:
        cluster.answer = lambda text: [DeliveryError("database not found: d")]
        await running.tick(lambda: running.outcomes)
        await running.tick(lambda: len(running.outcomes) == 2)
        assert running.collector.got == []
        cluster.answer = lambda text: [series("m", {}, [(1, 1)])]
        await running.tick(lambda: running.collector.got)
        await until(lambda: len(running.outcomes) == 3)

    with caplog.at_level(logging.INFO, "kapacitor"):
        running = worked(QUERY, work)
    stats = node_stats(running, "query1")
    assert (stats["query_errors"], stats["errors"]) == (2, 2)
    failure = ("query1", "database not found: d")
    assert running.outcomes == [failure, failure, ("query1", "")]
    # the second failure is counted, and not logged
    records: list[Any] = [r for r in caplog.records if r.name == "kapacitor.kapacitor"]
    assert [(each.message, each.failures) for each in records[1:]] == [
        ("queries succeed again", "2")
    ]
    record = records[0]
    assert (record.message, record.err) == ("error executing query", failure[1])
    assert (record.task, record.node) == ("t", "query1")
    assert running.task.error == ""


def test_an_answer_that_breaks_off_gives_the_series_that_were_complete() -> None:
    async def work(running: Running, cluster: FakeCluster) -> None:
        await running.tick(lambda: running.outcomes)

    running = worked(
        QUERY,
        work,
        series("a", {}, [(1, 1)]),
        series("b", {}, [(1, 1)]),
        series("c", {}, [(1, 1)], partial=True),
        DeliveryError("timeout"),
    )
    assert [batch.name for batch in running.collector.got] == ["a"]
    assert running.outcomes == [("query1", "timeout")]


def test_a_mistake_ends_neither_the_schedule_nor_the_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(running: Running, cluster: FakeCluster) -> None:
        cluster.answer = lambda text: [ZeroDivisionError("no")]
        await running.tick(lambda: running.outcomes)
        cluster.answer = lambda text: [series("m", {}, [(1, 1)])]
        await running.tick(lambda: running.collector.got)

    running = worked(QUERY, work)
    assert running.outcomes[0] == ("query1", "internal error: ZeroDivisionError: no")
    [record] = [each for each in caplog.records if each.exc_info]
    assert record.message == "error executing query"


def test_a_quiet_query_logs_and_counts_no_errors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(running: Running, cluster: FakeCluster) -> None:
        await running.tick(lambda: running.outcomes)

    running = worked(f"{QUERY}.quiet()", work, DeliveryError("timeout"))
    stats = node_stats(running, "query1")
    assert (stats["query_errors"], stats["errors"]) == (1, 0)
    assert caplog.records == []


def test_a_slow_query_does_not_delay_another_of_the_task() -> None:
    script = "\n".join(
        f"batch|query('SELECT v FROM d.r.{name}').period(10s).every(10s)"
        f".cluster('{name}')"
        for name in ("slow", "quick")
    )

    async def run() -> None:
        slow, quick = FakeCluster(), FakeCluster()
        slow.hangs = True
        quick.answer = lambda text: [series("m", {}, [(1, 1)])]
        known = clusters(slow=slow, quick=quick)
        async with Running(script, known) as running:
            for count in (1, 2, 3):
                await running.tick(lambda n=count: len(running.collector.got) == n)
            assert (len(slow.statements), slow.open) == (1, 1)
            # one of those that were missed is made up for
            slow.hangs = False
            await until(lambda: len(slow.statements) == 2)
        assert len(running.collector.got) == 3

    asyncio.run(run())


def test_the_end_of_a_task_ends_its_query() -> None:
    async def run() -> None:
        cluster = FakeCluster()
        cluster.hangs = True
        running = Running(QUERY, clusters(fake=cluster))
        async with running:
            await running.tick(lambda: cluster.open)
            running.task.close()
            await until(lambda: not cluster.open)
            running.clock.advance(MINUTE)
        assert len(cluster.statements) == 1

    asyncio.run(run())


def test_the_end_of_the_server_ends_all_queries() -> None:
    async def run() -> None:
        cluster = FakeCluster()
        cluster.hangs = True
        running = Running(QUERY, clusters(fake=cluster))
        async with running:
            await running.tick(lambda: cluster.open)
            await running.loops.close()
            assert cluster.open == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    ("script", "known", "reason"),
    [
        (
            QUERY,
            NO_CLUSTERS,
            "InfluxDB not configured, cannot query InfluxDB for batch query",
        ),
        (
            f"{QUERY}.cluster('other')",
            clusters(fake=FakeCluster()),
            "failed to get InfluxDB client: no such InfluxDB config other",
        ),
        (
            "batch|query('SELECT v FROM x.r.m').every(1s)",
            clusters(fake=FakeCluster()),
            'batch query is not allowed to request data from "x"."r"',
        ),
        (
            "batch|query('SELECT v FROM d.r.m').cron('0 0 30 2 *')",
            clusters(fake=FakeCluster()),
            "cron: '0 0 30 2 *' has no future time",
        ),
        (
            "batch|queryFlux('x').every(1s)",
            clusters(fake=FakeCluster()),
            "queryFlux1: Flux queries are not supported by this server: use |query() with InfluxQL",
        ),
    ],
    ids=["none", "other", "dbrp", "never", "flux"],
)
def test_tasks_that_cannot_start(script: str, known: Clusters, reason: str) -> None:
    with pytest.raises(TaskError) as refused:
        Running(script, known)
    assert str(refused.value) == reason


def test_a_cluster_that_vanishes_fails_the_queries() -> None:
    async def work(running: Running, cluster: FakeCluster) -> None:
        running.environment.influxdb.replace({}, "")
        await running.tick(lambda: running.outcomes)
        assert cluster.statements == []

    running = worked(QUERY, work)
    assert running.outcomes == [("query1", "no such InfluxDB config ")]


def test_a_task_of_a_replay_asks_nobody_and_takes_batches() -> None:
    async def run() -> None:
        running = Running(
            f"{QUERY}|mean('v')", NO_CLUSTERS, queries=None, dbrps=[("x", "y")]
        )
        async with running:
            [batches] = await _answered(series("m", {"h": "a"}, [(1, 1), (2, 2)]))
            running.task.queried(0, batches)
        [point] = running.collector.points
        assert (point.fields, point.time) == ({"mean": 1.5}, 5)
        stats = node_stats(running, "query1")
        assert (stats["collected"], stats["batches_queried"]) == (1, 0)

    asyncio.run(run())


async def _answered(*given: Series) -> Sequence[Any]:
    from runtime.nodes.query.answers import QueryAnswer

    answer = QueryAnswer(5, by_name=False, is_grouped_by_time=False)
    return [b for each in given for b in answer.add(each)] + list(answer.end())


def pipeline_of(after: str, *rounds: Sequence[Series]) -> Running:
    """A task with nodes after its query, fed with the answers of some ticks."""

    async def work(running: Running, cluster: FakeCluster) -> None:
        for number, answer in enumerate(rounds, 1):
            cluster.answer = lambda text, answer=answer: answer
            await running.tick(lambda n=number: len(cluster.statements) == n)
            await until(lambda: not cluster.open)

    return worked(f"{QUERY}{after}", work)


ROWS = [(time * SECOND, float(time)) for time in range(1, 5)]
MANY = [(time * SECOND, float(time)) for time in range(1, 101)]


@pytest.mark.parametrize("rows", [ROWS, MANY], ids=["points", "columns"])
@pytest.mark.parametrize(
    ("after", "field", "expected"),
    [
        ("|sum('v')", "sum", lambda v: sum(v)),
        ("|count('v')", "count", lambda v: len(v)),
        ("|max('v')", "max", lambda v: max(v)),
        ("|percentile('v', 50.0)", "percentile", lambda v: v[len(v) // 2 - 1]),
        ("|where(lambda: \"v\" > 2.0)|count('v')", "count", lambda v: len(v) - 2),
        ("|eval(lambda: \"v\" * 2.0).as('w')|max('w')", "max", lambda v: 2 * max(v)),
        ("|groupBy()|barrier().idle(1h)|last('v')", "", None),
        ("|stateCount(lambda: \"v\" > 1.0)|last('state_count')", "last", None),
        ("|derivative('v')|mean('v')", "mean", lambda v: 1.0),
        ("|default().field('x', 7)|sum('x')", "sum", lambda v: 7 * len(v)),
        ("|sample(2)|count('v')", "count", None),
        ("|cumulativeSum('v')|last('cumulativeSum')", "last", lambda v: sum(v)),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_nodes_after_a_query(
    rows: list[tuple[int, float]], after: str, field: str, expected: Any
) -> None:
    running = pipeline_of(after, [series("m", {"h": "a"}, rows)])
    assert running.task.error == ""
    if expected is not None:
        values = [value for _, value in rows]
        [point] = running.collector.points
        assert point.fields == {field: pytest.approx(expected(values))}
        assert (point.time, dict(point.tags)) == (1010 * SECOND, {"h": "a"})


def test_shifted_batches() -> None:
    running = pipeline_of("|shift(1h)", [series("m", {}, [(SECOND, 1)])])
    [batch] = running.collector.got
    assert batch.tmax == 1010 * SECOND + 60 * MINUTE
    assert batch.points[0].time == SECOND + 60 * MINUTE


@pytest.mark.parametrize("parent", ["q", "batch"])
def test_statistics_of_a_query_and_of_the_source(parent: str) -> None:
    async def work(running: Running, cluster: FakeCluster) -> None:
        await running.tick(lambda: running.task.queries[0].collected)
        running.clock.advance(10 * SECOND)
        running.environment.timers.run()

    script = f"var q = {QUERY}\n{parent}|stats(10s)"
    running = worked(script, work, series("m", {"h": "a"}, [(1, 1), (2, 2)]))
    [point] = running.collector.points[-1:]
    assert point.fields == {"emitted": 2}
    assert dict(point.tags) == {"h": "a"}


def test_joined_batches() -> None:
    script = """
var a = batch|query('SELECT v FROM d.r.a').period(10s).every(10s).align()
var b = batch|query('SELECT v FROM d.r.b').period(10s).every(10s).align()
a|join(b).as('a', 'b')|eval(lambda: "a.v" - "b.v").as('difference')
"""

    async def work(running: Running, cluster: FakeCluster) -> None:
        def answer(text: str) -> Sequence[Series]:
            value = 5 if "d.r.a" in text else 3
            return [series("m", {"h": "x"}, [(SECOND, value)])]

        cluster.answer = answer
        await running.tick(lambda: running.collector.got)

    running = worked(script, work)
    [batch] = running.collector.got
    assert [dict(point.fields) for point in batch.points] == [{"difference": 2.0}]


def test_a_union_of_batches() -> None:
    script = """
var a = batch|query('SELECT v FROM d.r.a').period(10s).every(10s).align()
var b = batch|query('SELECT v FROM d.r.b').period(10s).every(10s).align()
a|union(b)
"""

    async def work(running: Running, cluster: FakeCluster) -> None:
        cluster.answer = lambda text: [series(text.split()[3][-1], {}, [(SECOND, 1)])]
        await running.tick(lambda: len(cluster.statements) == 2)
        await running.tick(lambda: len(running.collector.got) >= 2)

    running = worked(script, work)
    assert {batch.name for batch in running.collector.got} == {"a", "b"}


def test_tasks_that_work_long_on_a_row_take_fewer_rows_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    async def work(running: Running, cluster: FakeCluster) -> None:
        query = running.task.queries[0]
        take = query.batches
        spent_s = [0.0]
        monkeypatch.setattr(time, "thread_time", lambda: spent_s[0])

        def slow(batches: Batches) -> None:
            sizes.append(len(batches.frame))
            # a tenth of a millisecond for each row
            spent_s[0] += len(batches.frame) / 10_000
            take(batches)

        query.deliver = slow
        for number in (1, 2):
            await running.tick(lambda n=number: len(cluster.statements) == n)
            await until(lambda: not cluster.open)

    hosts = [series("m", {"h": str(n)}, [(1, 1.0)] * 50) for n in range(40)]
    worked(QUERY, work, *hosts)
    # 1024 rows at first, then what takes 20 ms
    assert sizes == [1050, 950, *[200] * 10]
