"""Points on their way to a cluster: buffered, retried, bounded, counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from runtime.errors import DeliveryError, KapacitorError
from runtime.services.influxdb import point_queue
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.clusters import Clusters
from runtime.services.influxdb.point_writer import Options, PointWriter
from runtime.units import SECOND

LIMIT_S = 10.0
AWAY = DeliveryError("connection refused", retry=True)
FULL = "dropped the oldest points: too many are waiting for InfluxDB"
STOPPED = "dropped points that were not written to InfluxDB before the stop"


class FakeCluster:
    """A cluster that records its requests.

    Attributes:
        written: database, retention policy and lines of each write.
        statements: statements that were run.
        answers: the errors that the next requests raise; None for success.
        hold: requests wait for this.
        together: the most requests at a time so far.
    """

    name = "c"

    def __init__(self) -> None:
        self.written: list[tuple[str, str, list[str]]] = []
        self.queries: list[dict[str, str]] = []
        self.statements: list[str] = []
        self.answers: list[Exception | None] = []
        self.statement_answers: list[Exception | None] = []
        self.hold: asyncio.Event | None = None
        self.together = self.now = 0

    async def write(self, body: bytes, **query: str) -> None:
        self.now += 1
        self.together = max(self.together, self.now)
        try:
            if self.hold is not None:
                await self.hold.wait()
            answer = self.answers.pop(0) if self.answers else None
            if answer is not None:
                raise answer
        finally:
            self.now -= 1
        self.queries.append(query)
        lines = body.decode().splitlines()
        self.written.append((query["database"], query["retention_policy"], lines))

    async def execute(self, statement: str, *, database: str = "") -> Sequence[object]:
        self.statements.append(statement)
        answer = self.statement_answers.pop(0) if self.statement_answers else None
        if answer is not None:
            raise answer
        return ()

    @property
    def lines(self) -> list[str]:
        return [line for _, _, lines in self.written for line in lines]


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_queue, "FIRST_S", 0.001)
    monkeypatch.setattr(point_queue, "LONGEST_S", 0.002)


def run(cluster: FakeCluster, work: Callable[[Clusters], Awaitable[None]]) -> None:
    """Do something with started writers, then close them."""
    writers = clusters_of(cluster)

    async def main() -> None:
        writers.start()
        await asyncio.wait_for(work(writers), LIMIT_S)
        await writers.finish(LIMIT_S)

    asyncio.run(main())


def clusters_of(cluster: FakeCluster) -> Clusters:
    return Clusters({"c": cast(Cluster, cluster)}, "c")


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def numbered(count: int, first: int = 0) -> list[str]:
    return [f"m v={n}i {n}\n" for n in range(first, first + count)]


def opened(writers: Clusters, **options: Any) -> PointWriter:
    return writers.points.open(
        Options(**options), {"task": "t", "node": "influxdb_out1"}
    )


def test_points_wait_for_others_until_there_are_enough(cluster: FakeCluster) -> None:
    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=3)
        writer.put("d", "r", numbered(2))
        await asyncio.sleep(0)
        assert (cluster.written, writer.stats()["points_waiting"]) == ([], 2)
        writer.put("d", "r", numbered(2, 2))
        await until(lambda: cluster.written)
        assert cluster.written == [("d", "r", [line[:-1] for line in numbered(4)])]
        assert writer.stats() == {
            "points_written": 4,
            "write_errors": 0,
            "points_waiting": 0,
        }

    run(cluster, work)


def test_points_do_not_wait_longer_than_the_interval(cluster: FakeCluster) -> None:
    async def work(writers: Clusters) -> None:
        opened(writers, flush_interval=SECOND // 100).put("d", "r", numbered(1))
        await until(lambda: cluster.written)

    run(cluster, work)


def test_without_an_interval_points_do_not_wait(cluster: FakeCluster) -> None:
    async def work(writers: Clusters) -> None:
        opened(writers, flush_interval=0).put("d", "r", numbered(1))
        await until(lambda: cluster.written)

    run(cluster, work)


def test_databases_and_retention_policies_have_requests_of_their_own(
    cluster: FakeCluster,
) -> None:
    async def work(writers: Clusters) -> None:
        writer = opened(writers, precision="s", consistency="any")
        writer.put("d", "r", numbered(1))
        writer.put("d", "s", numbered(1, 1))
        writer.put("e", "", numbered(1, 2))
        writer.put("d", "r", numbered(1, 3))
        writer.close()
        await until(lambda: len(cluster.written) == 3)

    run(cluster, work)
    assert cluster.written == [
        ("d", "r", ["m v=0i 0", "m v=3i 3"]),
        ("d", "s", ["m v=1i 1"]),
        ("e", "", ["m v=2i 2"]),
    ]
    assert {(q["precision"], q["consistency"]) for q in cluster.queries} == {
        ("s", "any")
    }


def test_what_waits_is_written_when_the_task_or_the_server_stops(
    cluster: FakeCluster,
) -> None:
    async def work(writers: Clusters) -> None:
        opened(writers).put("d", "r", numbered(5))

    run(cluster, work)
    assert len(cluster.lines) == 5


def test_points_put_before_the_start_are_written(cluster: FakeCluster) -> None:
    writers = clusters_of(cluster)
    opened(writers, buffer=1).put("d", "r", numbered(2))

    async def main() -> None:
        writers.start()
        assert await writers.finish(LIMIT_S) == 0

    asyncio.run(main())
    assert len(cluster.lines) == 2


def test_a_cluster_that_is_away_is_tried_again_in_order(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.answers = [AWAY, AWAY, KapacitorError("no such InfluxDB config c"), None]

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=1)
        for number in range(5):
            writer.put("d", "r", numbered(1, number))
        await until(lambda: len(cluster.lines) == 5)
        assert writer.write_errors == 3
        assert (writer.written, writer.lost) == (5, {})

    with caplog.at_level(logging.INFO):
        run(cluster, work)
    assert cluster.lines == [line[:-1] for line in numbered(5)]
    assert [record.getMessage() for record in caplog.records] == [
        "failed to write points to InfluxDB; retrying",
        "writing points to InfluxDB succeeds again",
    ]


def test_what_waits_meanwhile_goes_into_few_requests(cluster: FakeCluster) -> None:
    async def work(writers: Clusters) -> None:
        cluster.hold = asyncio.Event()
        writer = opened(writers, buffer=10)
        for number in range(1000):
            writer.put("d", "r", numbered(10, 10 * number))
        cluster.hold.set()
        await until(lambda: len(cluster.lines) == 10_000)

    run(cluster, work)
    assert len(cluster.written) <= 3
    assert cluster.lines == [line[:-1] for line in numbered(10_000)]


def test_long_frames_are_several_requests(cluster: FakeCluster) -> None:
    async def work(writers: Clusters) -> None:
        opened(writers, buffer=100_000).put("d", "r", numbered(12_000))
        await until(lambda: len(cluster.lines) >= 10_000)

    run(cluster, work)
    assert [len(lines) for _, _, lines in cluster.written] == [5000, 5000, 2000]


def test_memory_is_bounded_and_the_oldest_points_of_the_fullest_are_lost(
    cluster: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(point_queue, "MOST_BYTES", 200_000)
    monkeypatch.setattr(point_queue, "FIRST_S", 60.0)
    monkeypatch.setattr(point_queue, "LONGEST_S", 60.0)
    cluster.answers = [AWAY, AWAY]

    async def work(writers: Clusters) -> None:
        quiet, busy = opened(writers, buffer=1), opened(writers, buffer=100)
        quiet.put("q", "r", numbered(1))
        for number in range(200):
            busy.put("d", "r", numbered(100, 100 * number))
            assert quiet.size + busy.size <= 200_000
        stats = busy.stats()
        assert stats["points_lost_full"] > 5000
        assert stats["points_lost_full"] + stats["points_waiting"] == 20_000
        assert quiet.stats()["points_waiting"] == 1
        await until(lambda: not cluster.answers)
        lost.append(stats["points_lost_full"])

    lost: list[int] = []
    run(cluster, work)
    kept = [lines for database, _, lines in cluster.written if database == "d"]
    assert [line for lines in kept for line in lines] == [
        line[:-1] for line in numbered(20_000 - lost[0], lost[0])
    ]
    texts = [r.getMessage() for r in caplog.records]
    assert texts.count(FULL) == 1


@pytest.mark.parametrize("each", [1, 100, 5000])
def test_what_waits_for_a_cluster_that_is_away_takes_little_memory(
    cluster: FakeCluster, each: int
) -> None:
    cluster.answers = [AWAY] * 2

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=1000)
        writer.put("d", "r", numbered(1000))
        await until(lambda: writer.write_errors == 1)
        cluster.hold = asyncio.Event()
        for first in range(1000, 21_000, each):
            writer.put("d", "r", numbered(each, first))
        assert writer.stats()["points_waiting"] == 21_000
        length = sum(map(len, numbered(21_000)))
        assert writer.size < length / 3
        cluster.hold.set()
        await until(lambda: writer.written == 21_000)
        assert writer.size == 0

    run(cluster, work)
    assert cluster.lines == [line[:-1] for line in numbered(21_000)]


@pytest.mark.parametrize(
    ("status", "text", "reason", "lost"),
    [
        (
            *(400, 'partial write: field type conflict: input field "v" dropped=2'),
            *("type_conflict", 2),
        ),
        (
            *(400, "partial write: points beyond retention policy dropped=4"),
            *("outside_retention", 4),
        ),
        (
            400,
            "partial write: unable to parse 'a': missing fields\nunable to parse 'b': "
            "missing fields dropped=0",
            "invalid",
            2,
        ),
        (400, "unable to parse 'm': missing fields", "invalid", 5),
        (
            400,
            "partial write: max-values-per-tag limit exceeded (1/1): x dropped=1",
            "over_limit",
            1,
        ),
        (404, 'database not found: "d"', "no_database", 5),
        (500, "retention policy not found: r", "no_retention_policy", 5),
        (403, '"u" user is not authorized to write to database "d"', "forbidden", 5),
        (413, "Request Entity Too Large", "too_large", 5),
        (None, "tls: failed to verify certificate", "unsendable", 5),
    ],
    ids=lambda each: each if isinstance(each, str) and " " not in each else None,
)
def test_refused_points_are_counted_by_reason_and_logged_once(
    cluster: FakeCluster,
    caplog: pytest.LogCaptureFixture,
    status: int | None,
    text: str,
    reason: str,
    lost: int,
) -> None:
    refused = DeliveryError(text, status=status, retry=status == 500)
    cluster.answers = [refused, refused]

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=5)
        for number in range(3):
            writer.put("d", "r", numbered(5, 5 * number))
            await until(lambda: writer.stats()["points_waiting"] == 0)
        assert writer.stats() == {
            "points_written": 15 - 2 * lost,
            "write_errors": 2,
            "points_waiting": 0,
            f"points_lost_{reason}": 2 * lost,
        }

    run(cluster, work)
    [record] = caplog.records
    words = f"dropped points that InfluxDB refused: {reason.replace('_', ' ')}"
    if status is None:
        words = "dropped points that cannot be sent to InfluxDB"
    assert record.getMessage() == words
    assert (record.task, record.node, record.err) == ("t", "influxdb_out1", text)
    assert record.points == str(lost)


def test_of_a_long_answer_the_start_is_logged(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    text = "\n".join(f"unable to parse 'm{n}': missing fields" for n in range(1000))
    cluster.answers = [DeliveryError(f"partial write: {text} dropped=0", status=400)]

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=2000)
        writer.put("d", "r", numbered(2000))
        await until(lambda: writer.written)
        assert (writer.written, writer.lost) == (1000, {"invalid": 1000})

    run(cluster, work)
    [record] = caplog.records
    assert len(record.err) == 501  # type: ignore[attr-defined]


def test_wrong_credentials_are_retried(cluster: FakeCluster) -> None:
    cluster.answers = [DeliveryError("authorization failed", status=401)] * 2

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=1)
        writer.put("d", "r", numbered(1))
        await until(lambda: writer.written)

    run(cluster, work)


def test_a_body_that_is_too_large_is_divided(cluster: FakeCluster) -> None:
    cluster.answers = [DeliveryError("Request Entity Too Large", status=413)] * 2

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=2000)
        writer.put("d", "r", numbered(2000))
        await until(lambda: writer.written == 2000)
        assert writer.size == 0

    run(cluster, work)
    assert [len(lines) for _, _, lines in cluster.written] == [500, 500, 1000]
    assert cluster.lines == [line[:-1] for line in numbered(2000)]


def test_points_that_always_fail_do_not_block_the_others_for_good(
    cluster: FakeCluster,
) -> None:
    broken = DeliveryError("internal server error", status=500, retry=True)
    cluster.answers = [broken] * 3

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=1)
        times = iter([1.0, 500.0, 1000.0])
        writer._queue.clock = lambda: next(times)
        writer.put("d", "r", numbered(1))
        await until(lambda: writer.lost)
        writer.put("d", "r", numbered(1, 1))
        await until(lambda: writer.written == 1)
        assert writer.lost == {"failing": 1}

    run(cluster, work)
    assert cluster.lines == ["m v=1i 1"]


def test_nodes_write_side_by_side_but_not_all(cluster: FakeCluster) -> None:
    async def work(writers: Clusters) -> None:
        cluster.hold = asyncio.Event()
        for _ in range(10):
            opened(writers, buffer=1).put("d", "r", numbered(1))
        await until(lambda: cluster.now == point_queue.AT_ONCE)
        cluster.hold.set()

    run(cluster, work)
    assert cluster.together == point_queue.AT_ONCE
    assert len(cluster.lines) == 10


def test_a_database_is_created_however_long_it_takes(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.statement_answers = [AWAY, AWAY]

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=1, create='CREATE DATABASE "d"')
        writer.put("d", "", numbered(1))
        await until(lambda: cluster.written)

    with caplog.at_level(logging.INFO):
        run(cluster, work)
    assert cluster.statements == ['CREATE DATABASE "d"'] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "failed to create a database in InfluxDB; retrying",
        "creating databases in InfluxDB succeeds again",
    ]


def test_a_database_that_was_dropped_is_created_again(cluster: FakeCluster) -> None:
    gone = DeliveryError('database not found: "d"', status=404)
    cluster.answers = [None, gone, None, gone, gone]

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=1, create='CREATE DATABASE "d"')
        for number in range(3):
            writer.put("d", "", numbered(1, number))
            await until(lambda: writer.stats()["points_waiting"] == 0)
        assert (writer.written, writer.lost) == (2, {"no_database": 1})

    run(cluster, work)
    assert len(cluster.statements) == 3


def test_a_database_that_may_not_be_created_is_logged_once(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.statement_answers = [DeliveryError("not allowed", status=403)]

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=1, create='CREATE DATABASE "d"')
        writer.put("d", "", numbered(1))
        await until(lambda: writer.written)

    run(cluster, work)
    [record] = caplog.records
    assert (record.getMessage(), record.err) == (
        "failed to create database",
        "not allowed",
    )


@pytest.mark.parametrize(
    ("answers", "lost"), [([], 0), ([AWAY], 5), ([None, AWAY], 3)], ids=["0", "5", "3"]
)
def test_the_end_makes_one_more_attempt_and_counts_what_is_lost(
    cluster: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answers: list[Exception | None],
    lost: int,
) -> None:
    monkeypatch.setattr(point_queue, "FIRST_S", 60.0)
    monkeypatch.setattr(point_queue, "LONGEST_S", 60.0)
    cluster.answers = [AWAY, *answers]
    writers = clusters_of(cluster)

    async def main() -> int:
        writers.start()
        writer = opened(writers, buffer=1)
        writer.put("d", "r", numbered(2))
        await until(lambda: writer.write_errors == 1)
        writer.put("e", "r", numbered(3))
        return await writers.finish(LIMIT_S)

    assert asyncio.run(main()) == lost
    assert len(cluster.lines) == 5 - lost
    dropped: list[Any] = [r for r in caplog.records if r.getMessage() == STOPPED]
    assert [each.err for each in dropped] == ["connection refused"] * bool(lost)
    # one that fails is enough: a stop does not wait for what would fail alike
    assert cluster.answers == []


def test_the_end_does_not_wait_for_a_cluster_that_hangs(cluster: FakeCluster) -> None:
    writers = clusters_of(cluster)

    async def main() -> int:
        cluster.hold = asyncio.Event()
        writers.start()
        writer = opened(writers, buffer=1)
        writer.put("d", "r", numbered(1))
        await until(lambda: cluster.now)
        writer.put("e", "r", numbered(2))
        return await writers.finish(0.05)

    assert asyncio.run(main()) == 3


def test_a_mistake_loses_one_body_and_not_the_next(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.answers = [KeyError("x")]

    async def work(writers: Clusters) -> None:
        writer = opened(writers, buffer=1)
        writer.put("d", "r", numbered(1))
        await until(lambda: writer.lost)
        writer.put("d", "r", numbered(1, 1))
        await until(lambda: writer.written)

    run(cluster, work)
    assert "failed to write points to InfluxDB" in caplog.text
