"""Deliveries in the server: the API, the limits, the topic `_internal`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Iterator

from runtime.alert.types import Event, Level
from runtime.compute.bridge import Bridge
from runtime.compute.thread import Compute
from runtime.delivery import Dispatcher
from runtime.errors import BusyError
from runtime.line_protocol import Write
from runtime.services.alert.service import AlertService
from runtime.services.deliveries.api import DeliveriesAPI
from runtime.services.deliveries.health import (
    CLUSTER,
    LOAD,
    OUTBOX,
    TASK,
    TOPIC,
    Health,
    address_of,
    name_of,
)
from runtime.services.httpd.router import Router
from runtime.services.httpd.write import Points
from runtime.services.influxdb.clusters import NO_CLUSTERS, Clusters
from runtime.trouble import Trouble
from runtime.units import Clock

log = logging.getLogger("kapacitor.delivery")


class DeliveryService:
    """Serves the backlog over HTTP, limits it, and reports trouble to `_internal`."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        alerts: AlertService,
        compute: Compute,
        *,
        clusters: Clusters = NO_CLUSTERS,
        clock: Clock = time.time_ns,
    ) -> None:
        """Create a service; `open` starts it.

        Args:
            dispatcher: source of the figures.
            alerts: alert service, which receives events of the topic `_internal`.
            compute: compute thread, which collects these events.
            clusters: clusters of InfluxDB; changes with the configuration.
            clock: wall clock, in ns since 1970 UTC.
        """
        self._dispatcher = dispatcher
        self._backlog = dispatcher.backlog
        self._alerts = alerts
        self._compute = compute
        self._clusters = clusters
        self._health = Health(self._report, clock=clock)
        self._problem = ""
        self._noting = Trouble(
            log,
            "failed to report the state of a handler",
            "states of handlers are reported again",
        )
        self._bridge = Bridge()

    def add_routes(self, router: Router) -> None:
        """Add the routes of the API."""
        DeliveriesAPI(self._backlog, self._compute).add_routes(router)

    def open(self) -> None:
        """Start reporting, on the event loop."""
        self._bridge.start()
        self._dispatcher.noticed = self._health.handler
        self._dispatcher.forgotten = self._health.forget
        self._bridge.spawn(self._clear_former())

    async def close(self) -> None:
        """Stop reporting."""
        self._bridge.stop()
        await asyncio.gather(*self._bridge.tasks)

    def bounded(self, points: Points) -> Points:
        """`points`, refused while too many events are pending; on the compute thread."""

        def take(
            body: bytes | Write, db: str, rp: str, precision: str
        ) -> Iterator[None] | None:
            try:
                self._backlog.check_room()
            except BusyError as error:
                self._note_room(str(error))
                raise
            self._note_room("")
            return points(body, db, rp, precision)

        return take

    def note_cluster(self, cluster: str, problem: str, *, is_expected: bool) -> None:
        """Report that a cluster cannot be used, or is used (""); on the event loop.

        Args:
            cluster: name of the cluster.
            problem: reason without secrets.
            is_expected: True soon after the start.
        """
        self._health.cluster(cluster, problem, is_expected=is_expected)

    def _note_room(self, problem: str) -> None:
        if bool(problem) == bool(self._problem):
            return
        self._problem = problem
        if problem:
            log.error(
                "writes are answered with 503 until the outbox has room",
                extra={"reason": problem},
            )
        self._bridge.soon(self._health.outbox, problem)

    def _report(self, event: Event) -> None:
        if self._bridge.is_open:
            self._bridge.spawn(self._log_failure(self._compute.run(self._note, event)))

    async def _clear_former(self) -> None:
        """Settle the events about handlers that no longer exist after a start."""
        await self._log_failure(self._compute.run(self._find_former))

    def _find_former(self) -> None:
        topic = self._alerts.topics.get(TOPIC)
        if topic is None:
            return
        queues = [each.address for each in self._backlog.queues.all()]
        waiting = [each.address for each in self._backlog.orphans.all()]
        known = set(map(name_of, (*queues, *waiting)))
        for state in topic.at_least(Level.INFO):
            if state.id == OUTBOX:
                if not self._problem:
                    self._bridge.soon(self._health.outbox, "")
            elif state.id.startswith(CLUSTER):
                name = state.id.removeprefix(CLUSTER)
                if name not in {each.name for each in self._clusters}:
                    self._bridge.soon(self.note_cluster, name, "", is_expected=False)
            elif state.id not in known and not state.id.startswith((LOAD, TASK)):
                self._bridge.soon(self._health.forget, address_of(state.id))

    async def _log_failure(self, noted: Awaitable[None]) -> None:
        try:
            await noted
        # its result is not awaited, so every failure is logged here
        except Exception as error:
            self._noting.failed(error)
        else:
            self._noting.ended()

    def _note(self, event: Event) -> None:
        before = self._alerts.event_state(event.topic, event.state.id)
        level = Level.OK if before is None else before.level
        # neither a restart nor a handler that has always worked causes an event
        if event.state.level != level:
            with self._alerts.transaction():
                self._alerts.collect(event)
