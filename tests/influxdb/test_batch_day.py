"""A batch task over a day of data alerts as the same day streamed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import aclosing

import pytest

from runtime import line_protocol
from runtime.alert.types import Event
from runtime.frames import Batches
from runtime.nodes.environment import Environment
from runtime.nodes.query.queries import batch_queries
from runtime.pipeline.evaluate import evaluate
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.clusters import Clusters
from runtime.tasks.task import ExecutingTask
from runtime.testing.alerts import RecordingTopics
from runtime.testing.clock import ManualClock
from runtime.tick.parser import parse
from runtime.units import DAY, MINUTE, SECOND
from tests.influxdb.conftest import InfluxDB

# 2026-03-01T00:00:00Z
START = 1_772_323_200 * SECOND
HOSTS = ("a", "b", "c")
QUERY = (
    "batch|query('SELECT usage FROM \"{database}\".autogen.cpu')"
    ".period(10m).every(10m).align().groupBy('host')"
)
AFTER = (
    "|mean('usage')|alert().warn(lambda: \"mean\" > 60.0)"
    '.crit(lambda: "mean" > 80.0).message(\'{{ .ID }} {{ .Level }} {{ index .Fields '
    '"mean" }} {{ .Time }}\')',
    "|percentile('usage', 90.0)|alert().crit(lambda: \"percentile\" > 85.0)"
    ".stateChangesOnly()",
    '|alert().crit(lambda: "usage" > 50.0).all()',
    "|alert().crit(lambda: \"usage\" > 95.0).details('{{ .Tags.host }}')",
    "|where(lambda: \"usage\" > 30.0)|count('usage')"
    '|alert().crit(lambda: "count" >= 8)',
    "|eval(lambda: \"usage\" / 100.0, lambda: if(\"usage\" > 70.0, 'high', 'low'))"
    ".as('share', 'grade').keep('share', 'grade')"
    '|alert().crit(lambda: "grade" == \'high\' AND "share" > 0.9)',
    '|stateDuration(lambda: "usage" > 60.0).unit(1m)'
    '|alert().crit(lambda: "state_duration" >= 4)',
    "|max('usage').usePointTimes()|alert().crit(lambda: \"max\" > 90.0)",
)


def day() -> Sequence[str]:
    """Lines of line protocol: a value a minute of each host, without a few gaps."""
    chance = random.Random(7)
    lines = []
    # a minute more, which ends the last windows of the stream
    for minute in range(24 * 60 + 1):
        for number, host in enumerate(HOSTS):
            if chance.random() < 0.02 and minute % 10:
                continue
            wave = 50 + 45 * math.sin(minute / (70.0 + 20 * number))
            value = min(99.5, max(0.5, wave + chance.uniform(-8, 8)))
            time = START + minute * MINUTE
            lines.append(f"cpu,host={host} usage={value:.3f} {time}")
    return lines


@pytest.fixture(scope="module")
def answers(influxdb: InfluxDB) -> Iterator[list[Batches]]:
    """The answers of InfluxDB to the queries of the day."""
    database = influxdb.create()
    influxdb.write("\n".join(day()), database)
    script = QUERY.format(database=database)
    [query] = batch_queries(
        evaluate(parse(script), "batch").pipeline, [(database, "autogen")]
    )

    async def work(cluster: Cluster) -> list[Batches]:
        clusters = Clusters({"one": cluster}, "one")
        past = query.past(clusters, START, START + DAY, START + 2 * DAY)
        async with aclosing(past) as found:
            return [batches async for batches in found]

    yield influxdb.on_cluster(work)
    influxdb.query(f'DROP DATABASE "{database}"')


def told(events: Sequence[Event]) -> list[tuple[object, ...]]:
    """All that a receiver sees, in the order of times; hosts have no order."""
    each = [
        (
            event.state.time,
            event.state.id,
            str(event.state.level),
            event.state.message,
            event.state.details,
            event.state.duration,
            str(event.previous_level),
            dict(event.data.tags),
            dict(event.data.fields),
        )
        for event in events
    ]
    return sorted(each, key=lambda event: (event[0], event[1]))  # type: ignore[arg-type]


def streamed(after: str) -> Sequence[Event]:
    """The events of the day as a stream."""
    task, topics = running(
        "stream|from().measurement('cpu').groupBy('host')"
        f"|window().period(10m).every(10m).align(){after}",
        "stream",
    )
    lines = day()
    for start in range(0, len(lines), 500):
        body = "\n".join(lines[start : start + 500]).encode()
        task.write(line_protocol.parse(body, now=START, db="d", rp="r"))
    assert task.error == ""
    return topics.events


def queried(after: str, answers: Sequence[Batches]) -> Sequence[Event]:
    """The events of the day as batches."""
    task, topics = running(QUERY.format(database="d") + after, "batch")
    for batches in answers:
        task.queried(0, batches)
    assert task.error == ""
    # each of three hosts in each ten minutes
    assert task.queries[0].collected == 3 * 144
    return topics.events


def running(script: str, edge: str) -> tuple[ExecutingTask, RecordingTopics]:
    topics = RecordingTopics()
    environment = Environment("t", clock=ManualClock(START), topics=topics)
    made = evaluate(parse(f"{script}.topic('all')"), edge)
    return ExecutingTask("t", made, environment), topics


@pytest.mark.parametrize("after", AFTER, ids=[text[:30] for text in AFTER])
def test_a_day_of_batches_alerts_as_the_same_day_streamed(
    answers: list[Batches], after: str
) -> None:
    batches = told(queried(after, answers))
    assert len(batches) > 10
    assert batches == told(streamed(after))
