"""Answers of InfluxDB to queries, written to recordings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.errors import InvalidError
from runtime.frames import Batches
from runtime.pipeline.node import Pipeline
from runtime.services.influxdb.clusters import Clusters
from runtime.tasks.api.records import DBRP
from runtime.tasks.replay.bodies import Period
from runtime.units import Clock

# Few servers make recordings of this kind, so these modules are imported when they are
# needed.
if TYPE_CHECKING:
    from runtime.tasks.replay.answers import Question

Write = Callable[[Path], Awaitable[int]]


class Queried:
    """Records the answers to queries."""

    def __init__(self, clusters: Clusters, clock: Clock) -> None:
        """Record answers of the server's clusters.

        Args:
            clusters: the server's clusters.
            clock: wall clock, in ns since 1970 UTC.
        """
        self._clusters = clusters
        self._clock = clock

    def of_task(
        self, pipeline: Pipeline, dbrps: Sequence[DBRP], period: Period
    ) -> Write:
        """A function that records the answers to the queries of a task.

        Args:
            pipeline: nodes of the task.
            dbrps: databases and retention policies that the task may read.
            period: times between which the queries are due.

        Returns:
            It takes a path, and returns the size of the file in bytes.

        Raises:
            RefusedError: there are no clusters.
            TaskError: a query is invalid, or reads a database that the task may not
                read.
        """
        from runtime.nodes.query.queries import batch_queries
        from runtime.tasks.replay.answers import record_batches

        queries = batch_queries(pipeline, dbrps)
        if not self._clusters:
            raise InvalidError("InfluxDB not configured, cannot record batch query")

        async def write(path: Path) -> int:
            now = self._clock()
            return await record_batches(
                path,
                [
                    query.past(self._clusters, period.start, period.stop, now)
                    for query in queries
                ],
            )

        return write

    def of_query(self, text: str, cluster: str, type: str) -> Write:
        """A function that records the answer to a query.

        Args:
            text: InfluxQL.
            cluster: name of the cluster; "" for the default one.
            type: `stream` or `batch`.

        Returns:
            It takes a path, and returns the size of the file in bytes.

        Raises:
            RefusedError: the query is invalid, or there are no clusters.
        """
        from runtime.tasks.replay.answers import Question

        question = Question.of(text)
        if not self._clusters:
            raise InvalidError("InfluxDB not configured, cannot record query")
        write = self._points if type == "stream" else self._batches
        return partial(write, question, cluster)

    async def _points(self, question: Question, cluster: str, path: Path) -> int:
        from runtime.tasks.replay.answers import record_points

        answer = self._clusters.find(cluster).query(str(question.select))
        return await record_points(path, question, answer)

    async def _batches(self, question: Question, cluster: str, path: Path) -> int:
        from runtime.tasks.replay.answers import record_batches

        return await record_batches(path, [self._answered(question, cluster)])

    async def _answered(
        self, question: Question, cluster: str
    ) -> AsyncGenerator[Batches]:
        from runtime.nodes.query.answers import QueryAnswer, batches_of

        # a batch ends with its last row, as it has no period
        answer = QueryAnswer(0, by_name=False, is_grouped_by_time=True)
        series = self._clusters.find(cluster).query(str(question.select))
        async with aclosing(series):
            async for batches in batches_of(series, answer):
                yield batches
