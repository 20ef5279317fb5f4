"""The queries of a batch task: their statements and their times."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from runtime.errors import ScriptError, TaskError
from runtime.frames import Batches
from runtime.golang.quoting import quote
from runtime.influxql.parser import parse
from runtime.influxql.tree import (
    Measurement,
    Select,
    Subquery,
    TimeDimension,
    Wildcard,
)
from runtime.nodes.query.answers import ROWS_AT_ONCE, QueryAnswer, batches_of
from runtime.nodes.query.schedule import Schedule, schedule_of
from runtime.pipeline.node import Pipeline
from runtime.pipeline.properties import go_type
from runtime.pipeline.source import QueryNode
from runtime.tick import ast
from runtime.units import Duration, Nanoseconds

if TYPE_CHECKING:
    from runtime.services.influxdb.cluster import Cluster
    from runtime.services.influxdb.clusters import Clusters

DBRP = tuple[str, str]


class BatchQuery:
    """One `|query()` of a script.

    Attributes:
        cluster: name of the cluster; "" for the default one.
        by_name: the measurement is part of the group.
        schedule: times of the query.
        rows_at_once: rows of an answer that a task takes in one step.
    """

    def __init__(self, spec: QueryNode) -> None:
        """Read a query.

        Raises:
            TaskError: the query, its dimensions, its `fill` or its schedule is invalid.

        Source: Kapacitor batch.go, newQueryNode.
        """
        self.cluster = spec.cluster
        self.by_name = spec.group_by_measurement
        self._period = int(spec.period)
        self._offset = int(spec.offset)
        self._is_aligned = spec.align_group
        try:
            self._select = parse(spec.query)
        except ScriptError as error:
            raise TaskError(str(error)) from None
        self._dimensions = [*map(_dimension, spec.dimensions)]
        try:
            # in place of a GROUP BY of the statement, as in Kapacitor
            self._select = self._select.with_group_by(self._dimensions)
            if isinstance(spec.fill, str | int | float):
                self._select = self._select.with_fill(spec.fill)
        except ValueError as error:
            raise TaskError(str(error)) from None
        self.schedule: Schedule = schedule_of(spec)
        self.rows_at_once = ROWS_AT_ONCE

    @property
    def is_grouped_by_time(self) -> bool:
        """True if the rows of an answer are intervals."""
        return any(isinstance(each, TimeDimension) for each in self._dimensions)

    def check_sources(self, dbrps: Sequence[DBRP]) -> None:
        """Check that the task may read the query's sources.

        Args:
            dbrps: databases and retention policies of the task.

        Raises:
            TaskError: the task may not, or a source is not a measurement.

        Source: Kapacitor task.go, checkDBRPs.
        """
        for source in self._select.sources:
            # its own sources would have to be checked as well; Kapacitor refuses it, too
            if isinstance(source, Subquery):
                raise TaskError("unknown query source *influxql.SubQuery")
            if (source.database, source.retention_policy) not in dbrps:
                raise TaskError(
                    f"batch query is not allowed to request data from {_shown(source)}"
                )

    def stop(self, due: Nanoseconds) -> Nanoseconds:
        """The end of the period for the query that is due at a time."""
        return due - self._offset

    def statement(self, stop: Nanoseconds) -> str:
        """The query of the period that ends at `stop`."""
        return str(self._between(stop - self._period, stop))

    def stops(
        self, start: Nanoseconds, stop: Nanoseconds, now: Nanoseconds
    ) -> Iterator[Nanoseconds]:
        """The ends of the periods of all queries between two times.

        Args:
            start: time after which queries are due.
            stop: last time at which a query is due.
            now: present time; no period ends later.

        Source: Kapacitor batch.go, QueryNode.Queries.
        """
        due = self.schedule.past(start)
        # points may still arrive for a period that has not ended
        while due is not None and due <= stop and self.stop(due) <= now:
            yield self.stop(due)
            due = self.schedule.past(due)

    async def answer(
        self, cluster: Cluster, stop: Nanoseconds
    ) -> AsyncGenerator[Batches]:
        """Query the period that ends at `stop`; yield batches as they arrive.

        Raises:
            DeliveryError: the query fails, perhaps after some batches.
        """
        answer = QueryAnswer(
            stop,
            by_name=self.by_name,
            is_grouped_by_time=self.is_grouped_by_time,
            rows_at_once=self.rows_at_once,
        )
        # Closed here if the caller stops early: left to the garbage collector, the
        # connection would stay occupied.
        async with aclosing(cluster.query(self.statement(stop))) as series:
            async for batches in batches_of(series, answer):
                yield batches

    async def past(
        self,
        clusters: Clusters,
        start: Nanoseconds,
        stop: Nanoseconds,
        now: Nanoseconds,
    ) -> AsyncGenerator[Batches]:
        """The batches of all periods between two times, in order.

        Args:
            clusters: the server's clusters.
            start: time after which queries are due.
            stop: last time at which a query is due.
            now: present time; no period ends later.

        Raises:
            NoClusterError: the cluster is missing.
            DeliveryError: a query fails.
        """
        cluster = clusters.find(self.cluster)
        # one after the other: a recording of months has thousands of periods
        for each in self.stops(start, stop, now):
            async with aclosing(self.answer(cluster, each)) as answer:
                async for batches in answer:
                    yield batches

    def _between(self, start: Nanoseconds, stop: Nanoseconds) -> Select:
        select = self._select.with_times(start, stop)
        # intervals that begin with the period, not at multiples of their length since 1970
        if self._is_aligned and self.is_grouped_by_time:
            select = select.with_group_by(
                each.aligned(start) if isinstance(each, TimeDimension) else each
                for each in self._dimensions
            )
        return select


def batch_queries(pipeline: Pipeline, dbrps: Sequence[DBRP]) -> list[BatchQuery]:
    """The queries of a script, in its order.

    Args:
        pipeline: nodes of the script.
        dbrps: databases and retention policies that the task may read.

    Raises:
        TaskError: a query is invalid, or reads a database that the task may not read.
    """
    found = [
        BatchQuery(node)
        for node in pipeline.source.children
        if isinstance(node, QueryNode)
    ]
    for query in found:
        query.check_sources(dbrps)
    return found


def _dimension(value: object) -> str | TimeDimension | Wildcard:
    """A dimension of the script: a name, `*`, a duration or `time(…)`."""
    match value:
        case str():
            return value
        case ast.StarNode():
            return Wildcard()
        case Duration():
            return TimeDimension(value)
        case ast.FunctionNode():
            lengths = [
                each.value
                for each in value.arguments
                if isinstance(each, ast.DurationNode)
            ]
            return TimeDimension(*lengths)
        case _:
            raise TaskError(
                f"invalid dimension type:{go_type(value)}, must be string or"
                " time.Duration"
            )


def _shown(source: Measurement) -> str:
    return f"{quote(source.database)}.{quote(source.retention_policy)}"
