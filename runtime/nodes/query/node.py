"""`batch` and `query`: queries a cluster on a schedule, and passes on the answers.

The schedule and the queries run on the event loop, the other nodes on the compute
thread. The next rows of an answer are read after the task has taken the previous ones.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from runtime.errors import KapacitorError, TaskError
from runtime.frames import Batch, Batches
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.nodes.query.queries import BatchQuery
from runtime.nodes.query.schedule import ticks
from runtime.nodes.query_loops import QueryLoop
from runtime.pipeline import source as pipeline
from runtime.trouble import Trouble
from runtime.units import Nanoseconds

if TYPE_CHECKING:
    from runtime.services.influxdb.clusters import Clusters

_log = logging.getLogger("kapacitor.kapacitor")

# Desired duration of a step, as other tasks run between steps, and bounds of its rows.
_STEP_S = 0.02
_LEAST = 128
_MOST = 8192


class BatchNode(Node):
    """The source of a batch task. Its queries emit their batches themselves."""

    def __init__(self, spec: pipeline.BatchNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._watching: list[Node] = []

    def observe(self, observer: Node) -> None:
        """Also pass all answers to `observer`."""
        self._watching.append(observer)

    def show(self, batches: Batches) -> None:
        """Pass answers of a query to the observers."""
        for each in self._watching:
            each.batches(batches)

    @property
    def collected(self) -> int:
        """Number of batches of all queries."""
        return sum(child.own_collected for child in self.children)


class QueryNode(Node):
    """Passes on the answers of one query.

    Attributes:
        deliver: takes batches on the compute thread; a task guards and measures it.

    Source: Kapacitor batch.go, QueryNode.
    """

    def __init__(self, spec: pipeline.QueryNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self.counters = {
            **{"batches_queried": 0, "points_queried": 0, "query_errors": 0},
        }
        self.deliver: Callable[[Batches], None] = self.batches
        self._query = BatchQuery(spec)
        # None: not known yet, as the cause of an earlier failure may have been removed
        self._failure: str | None = None
        # a cluster that is down fails every query
        self._trouble = Trouble(
            _log, "error executing query", "queries succeed again", context=self.context
        )
        self._loop: QueryLoop | None = None
        # in a replay the task is fed with batches
        if environment.queries is not None:
            self._query.check_sources(environment.dbrps)
            self._check_cluster(environment.influxdb)
            if self._query.schedule.first(environment.clock()) is None:
                raise TaskError(f"cron: '{spec.cron}' has no future time")

    def begin(self) -> None:
        """Start querying, unless a replay feeds the task."""
        if self.environment.queries is not None:
            self._loop = self.environment.queries.begin(self._ask_again_and_again)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self.fail("batches of a query come in columns")

    def batches(self, batches: Batches) -> None:
        """Take batches of an answer."""
        self.own_collected += len(batches)
        for parent in self.parents:
            if isinstance(parent, BatchNode):
                parent.show(batches)
        self.emit_batches(batches)

    def close(self) -> None:
        """Stop querying; a running query is cancelled."""
        if self._loop is not None and self.environment.queries is not None:
            self.environment.queries.end(self._loop)

    # on the event loop

    async def _ask_again_and_again(self) -> None:
        async for due in ticks(self._query.schedule, self.environment.clock):
            await self._ask(due)

    async def _ask(self, due: Nanoseconds) -> None:
        """Run the query that is due, and pass on its answer."""
        stop = self._query.stop(due)
        text = self._query.statement(stop)
        _log.debug("starting next batch query", extra={**self.context, "query": text})
        failure: Exception | None = None
        try:
            cluster = self.environment.influxdb.find(self._query.cluster)
            async with aclosing(self._query.answer(cluster, stop)) as answer:
                async for batches in answer:
                    await self._go_on(partial(self._take, batches))
        except KapacitorError as error:
            failure = error
        # an internal error must not end the schedule
        except Exception as error:
            failure = error
        if failure is not None or self._failure != "":
            await self._report(failure)

    async def _report(self, failure: Exception | None) -> None:
        try:
            await self._go_on(partial(self._note, failure))
        # the database cannot be written, or the server stops; the next query still runs
        except (KapacitorError, RuntimeError) as error:
            extra = {**self.context, "err": str(error)}
            _log.error("failed to note the outcome of a query", extra=extra)

    async def _go_on(self, step: Callable[[], None]) -> None:
        """Run a step of the task on the compute thread."""
        queries = self.environment.queries
        assert queries is not None
        await queries.go_on(self.environment.resume, step)

    # on the compute thread

    def _take(self, batches: Batches) -> None:
        self.counters["batches_queried"] += len(batches)
        self.counters["points_queried"] += len(batches.frame)
        began = time.thread_time()
        self.deliver(batches)
        work_s = time.thread_time() - began
        # assumes that the duration of a step is proportional to its rows
        fitting = round(_STEP_S / max(work_s, 1e-6) * max(len(batches.frame), 1))
        self._query.rows_at_once = min(max(fitting, _LEAST), _MOST)

    def _note(self, failure: Exception | None) -> None:
        """Note that a query failed or succeeded."""
        self._failure = "" if failure is None else _text(failure)
        if failure is None:
            self._trouble.ended()
        else:
            self.counters["query_errors"] += 1
            if self.count_error():
                self._trouble.failed(failure)
        self.environment.note_query(self.name, self._failure)

    def _check_cluster(self, clusters: Clusters) -> None:
        if not clusters:
            raise TaskError(
                "InfluxDB not configured, cannot query InfluxDB for batch query"
            )
        try:
            clusters.find(self._query.cluster)
        except KapacitorError as error:
            raise TaskError(f"failed to get InfluxDB client: {error}") from error


def _text(failure: Exception) -> str:
    """The failure as text for operators; unexpected errors are marked as internal."""
    if isinstance(failure, KapacitorError):
        return str(failure)
    return f"internal error: {type(failure).__name__}: {failure}"
