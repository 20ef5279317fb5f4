"""The server: builds its services, opens them in order, closes them in reverse."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.alert.recovered import Retention
from runtime.compute.bridge import Bridge
from runtime.compute.thread import Compute
from runtime.errors import KapacitorError
from runtime.integration import Integrations, Service
from runtime.lazy import Lazy
from runtime.nodes.secret_properties import ScriptHandlers
from runtime.nodes.timers import Timers
from runtime.outbound.client import AiohttpClient
from runtime.outbound.dialing import Dialer
from runtime.server.authorities import warn_without_authorities
from runtime.server.config.config import Config
from runtime.server.factories import (
    backlog,
    bind_fault,
    dispatcher,
    http_service,
    policy,
    sites,
    store,
    time_limits,
)
from runtime.server.identity import described, identity
from runtime.server.inputs import Inputs
from runtime.server.log_sessions import LogSessions
from runtime.server.monitoring import Monitoring
from runtime.server.periodic import run_timers, sweep
from runtime.server.statistics import Statistics
from runtime.server.status.service import StatusPage
from runtime.server.task_masters import TaskMasters
from runtime.services.alert.api import AlertAPI
from runtime.services.alert.service import AlertService
from runtime.services.config.sections import Section, sections_of
from runtime.services.config.service import ConfigService
from runtime.services.deliveries.service import DeliveryService
from runtime.services.httpd.openapi import OpenAPI
from runtime.services.httpd.router import Router
from runtime.services.httpd.write import WriteHandler
from runtime.services.influxdb.config import Config as InfluxDBConfig
from runtime.services.servicetest.service import ServiceTestService
from runtime.services.sideload.service import SideloadService
from runtime.services.storage.service import StorageService
from runtime.store.records import Records
from runtime.tasks.api.records import Task, TaskTemplate
from runtime.tasks.api.service import TaskStoreService
from runtime.tasks.api.tasks import Tasks
from runtime.tasks.api.templates import TaskTemplates
from runtime.tasks.load.service import LoadService
from runtime.tasks.replay.service import ReplayService
from runtime.units import Clock
from runtime.version import VERSION

if TYPE_CHECKING:
    from runtime.services.auth.subscriptions import SubscriptionTokens

log = logging.getLogger("kapacitor.server")

# Time limit for pending events when the server stops.
DRAIN_LIMIT_S = 10.0
# Time limit for posts of httpPost nodes and points of influxDBOut nodes at a stop.
POSTS_LIMIT_S = 5.0


class RunningServer:
    """The running server, built from one configuration.

    Attributes:
        http: HTTP server of the API; its `port` is the one in use.
    """

    def __init__(
        self,
        config: Config,
        integrations: Integrations,
        *,
        disabled_handlers: frozenset[str] = frozenset(),
        clock: Clock = time.time_ns,
    ) -> None:
        """Build the services.

        Args:
            config: valid configuration.
            integrations: available handlers.
            disabled_handlers: kinds whose topic handlers do not run.
            clock: wall clock, in ns since 1970 UTC.

        Raises:
            KapacitorError: a file cannot be used, or a service cannot be created.
        """
        self._config = config
        self._clock = clock
        self._info = identity(config)
        self._policy = policy(config)
        self._store = store(Path(config.storage.boltdb))
        self._opening = Bridge()
        self._ticking: Sequence[asyncio.Task[None]] = ()
        self._build_delivery(integrations, disabled_handlers)
        served, tokens = sites(config), self._subscription_tokens()
        self._inputs = Inputs(
            config,
            self._info,
            tokens,
            submit=self._submit,
            report=self._note_cluster,
            port=self._port,
            add_host=served.add_host,
        )
        self._build_tasks()
        self._build_services()
        self._build_pages()
        self.http = http_service(config.http, served)
        self._add_routes(self.http.router)
        if config.auth.enabled or config.http.auth_enabled:
            # imported here: most servers have no users, and code for passwords takes
            # memory
            from runtime.server.authorization import guard

            guard(self.http, config, self._store, self._compute, clock, tokens)

    def _build_delivery(
        self, integrations: Integrations, disabled: frozenset[str]
    ) -> None:
        """Build topics, their handlers, and the thread on which events arise."""
        config, clock = self._config, self._clock
        limits = time_limits(config.delivery)
        self._dialer = Dialer(config.delivery.denied, limit_s=limits.connect_s)
        self._client = AiohttpClient(limits, self._dialer, config.delivery.trust)
        self._services = integrations.started(
            config.handlers, self._client, described(config, clock)
        )
        self._backlog = backlog(self._store, config, clock)
        self._dispatcher = dispatcher(self._backlog, config)
        self._alerts = AlertService(
            self._store,
            self._backlog,
            self._services,
            dialer=self._dialer,
            persist=config.alert.persist_topics,
            disabled=disabled,
            retention=Retention(config.alert.retention, config.alert.max_recovered),
            clock=clock,
        )
        self._compute = Compute(
            self._alerts.transaction,
            self._alerts.staging,
            lambda: self._alerts.has_staged,
            lambda: self._master.is_heavy,
            lambda: self._alerts.in_transaction,
        )

    def _subscription_tokens(self) -> SubscriptionTokens | None:
        """The tokens of subscriptions, if writes need credentials."""
        if not self._config.http.auth_enabled:
            return None
        from runtime.services.auth.subscriptions import SubscriptionTokens

        return SubscriptionTokens(self._store, self._compute)

    def _build_tasks(self) -> None:
        """Build tasks, templates, and everything that defines or runs them."""
        clock = self._clock
        masters = TaskMasters(
            self._config,
            self._info,
            self._services,
            self._alerts,
            self._dialer,
            clock,
            # monotonic: periods stay the same when the time of day is set
            Timers(time.monotonic_ns if clock is time.time_ns else clock),
            self._compute.give_way,
            self._inputs.influxdb.clusters,
        )
        self._master, self._posts = masters.live, masters.posts
        self._queries = masters.queries
        self._sideload = SideloadService(masters.sideload, self._compute)
        tasks = Records(self._store, "tasks", Task.decode)
        templates = Records(self._store, "templates", TaskTemplate.decode)
        self._all_tasks = Tasks(
            tasks,
            templates,
            self._master,
            self._alerts,
            clock,
            ScriptHandlers(self._services),
            self._config.deadman,
            self._compute.give_way,
        )
        all_templates = TaskTemplates(templates, self._all_tasks, clock)
        self._tasks = TaskStoreService(
            self._all_tasks, all_templates, masters.pages, self._compute, self._policy
        )
        self._load = LoadService(
            Path(self._config.load.dir),
            self._all_tasks,
            all_templates,
            self._alerts,
            self._store,
            self._compute,
            clock,
        )
        self._replays = ReplayService(
            Path(self._config.replay.dir),
            self._store,
            self._all_tasks,
            self._compute,
            masters.of_replay,
            self._alerts.delete_topic,
            clock,
            self._inputs.influxdb.clusters,
        )
        self._tasks.replays = self._replays.running

    def _build_services(self) -> None:
        """Build the other parts of the API."""
        handlers = self._services.services
        started: dict[str, Any] = {**self._services.active}
        started["influxdb"] = self._inputs.influxdb
        services = Lazy(handlers, handlers.__getitem__, started)
        clusters = Section(
            "influxdb", InfluxDBConfig, self._config.influxdb, element_key="name"
        )
        self._overrides = ConfigService(
            sections_of(self._services.integrations, self._config.handlers, clusters),
            services,
            self._store,
            self._compute,
            enabled=self._config.config_override.enabled,
            policy=self._policy,
            changed=self._backlog.retry_now,
        )
        self._tests = ServiceTestService(services)
        self._deliveries = DeliveryService(
            self._dispatcher,
            self._alerts,
            self._compute,
            clusters=self._inputs.influxdb.clusters,
            clock=self._clock,
        )
        self._storage = StorageService(
            self._store, self._compute, lambda: self._load.rejected
        )
        self._log_sessions = LogSessions()
        self._write = WriteHandler(
            self._compute,
            self._deliveries.bounded(self._master.steps),
            parser=self._master,
            tracing=self._config.http.write_tracing,
        )

    def _build_pages(self) -> None:
        """Build statistics, and the pages that show them."""
        self._statistics = Statistics(
            self._info,
            self._all_tasks,
            self._master,
            self._alerts,
            self._backlog,
            self._store,
            self._inputs,
        )
        self._monitoring = Monitoring(self._info, self._statistics, self._compute)
        self._status_page = StatusPage(
            self._info,
            self._all_tasks,
            self._alerts,
            self._backlog,
            self._compute,
            self._clock,
        )

    def _add_routes(self, router: Router) -> None:
        self.http.accept_writes(self._write)
        for service in (
            self._tasks,
            self._replays,
            self._overrides,
            self._tests,
            self._inputs.influxdb,
            self._deliveries,
            self._monitoring,
            self._status_page,
            self._storage,
            self._sideload,
            self._log_sessions,
        ):
            service.add_routes(router)
        AlertAPI(self._alerts, self._policy).add_routes(router, self._compute)
        router.add("GET", "/openapi.json", OpenAPI(router, VERSION))

    async def open(self) -> None:
        """Open the services, and the port last.

        Raises:
            KapacitorError: one cannot be opened.
        """
        warn_without_authorities()
        if not self._config.is_guarded:
            log.warning(
                "other machines can use the API without credentials: bind it to "
                "127.0.0.1, or set [auth] enabled and [http] auth-enabled",
                extra={"address": self._config.http.bind_address},
            )
        if self._config.deadman.is_global:
            log.info(
                "Deadman's switch is configured globally", extra={"service": "deadman"}
            )
        self._compute.start()
        try:
            self._storage.open()
            self._overrides.open(skip=self._config.skip_config_overrides)
            await self._open_services()
            self._alerts.loop.start(self._compute.run)
            self._posts.start(self._compute.write)
            self._inputs.influxdb.clusters.start()
            self._queries.start(self._compute.write)
            await self._compute.run(self._alerts.open, self._policy)
            await self._compute.run(self._tasks.open)
            await self._compute.run(self._replays.open)
            await self._compute.run(self._alerts.cancel_orphans, self._is_stopped)
            self._deliveries.open()
            await self._dispatcher.start()
            if self._config.load.enabled:
                await self._load.load()
            await self._listen()
            await self._inputs.open()
        except BaseException:
            await self.close()
            raise
        self._ticking = [
            asyncio.create_task(each)
            for each in (
                run_timers(self._master, self._compute),
                sweep(self._master, self._alerts, self._compute),
            )
        ]

    async def _open_services(self) -> None:
        """Open the active services, and later ones as soon as they are created."""
        active = list(self._services.active.values())
        self._opening.start()
        # services are created on the compute thread, where handlers are defined
        self._services.observe(
            lambda each: self._opening.soon(self._begin_opening, each)
        )
        for service in active:
            await service.open()

    def _begin_opening(self, service: Service) -> None:
        self._opening.spawn(_opened(service))

    async def close(self) -> None:
        """Close the services after delivering accepted events, if that is quick.

        A step that fails is logged, and the others continue: in any case the database
        is closed and the compute thread ends.
        """
        self._opening.stop()
        services = reversed(list(self._services.active.values()))
        for step in (
            self._end_requests,
            self._inputs.close,
            self._replays.close,
            self._stop_tasks,
            self._alerts.loop.close,
            self._stop_delivery,
            self._inputs.influxdb.disconnect,
            *(service.close for service in services),
            self._client.close,
            self._compute.close,
        ):
            try:
                await step()
            except Exception:
                log.exception("failed to close a service")
        self._store.close()

    async def _end_requests(self) -> None:
        self._log_sessions.end()
        for each in self._ticking:
            each.cancel()
        await self.http.close()

    async def _stop_tasks(self) -> None:
        await self._compute.run(self._master.close)
        await self._queries.close()
        unposted, unwritten = await asyncio.gather(
            self._posts.close(POSTS_LIMIT_S),
            self._inputs.influxdb.clusters.finish(POSTS_LIMIT_S),
        )
        if unposted:
            log.warning(
                "discarded rows that were not posted before the stop",
                extra={"rows": unposted},
            )
        if unwritten:
            log.warning(
                "discarded points that were not written to InfluxDB before the stop",
                extra={"points": unwritten},
            )

    async def _stop_delivery(self) -> None:
        left = await self._dispatcher.close(DRAIN_LIMIT_S)
        await self._deliveries.close()
        if left:
            log.info(
                "undelivered events are kept for the next start", extra={"events": left}
            )

    async def reload(self) -> None:
        """Reload the load directory and log its errors."""
        if not self._config.load.enabled:
            return
        log.info("reloading tasks/templates/handlers")
        try:
            await self._load.load()
        except KapacitorError as error:
            log.error(str(error), extra={"service": "load"})
        # an error of one reload must not stop later ones
        except Exception:
            log.exception(
                "failed to reload tasks/templates/handlers", extra={"service": "load"}
            )

    async def _listen(self) -> None:
        try:
            await self.http.open()
        except OSError as error:
            raise KapacitorError(
                f"open service *httpd.Service: listen tcp "
                f"{self._config.http.bind_address}: {bind_fault(error)}"
            ) from error
        log.info("listening", extra={"service": "http", "port": self.http.port})

    def _is_stopped(self, task: str) -> bool:
        """True if a task of that id exists but does not run."""
        known = self._all_tasks.records.get(task) is not None
        return known and self._master.get(task) is None

    def _submit(self, query: str, body: bytes, encoding: str) -> asyncio.Future[Any]:
        """Start a write that does not come from the API."""
        return self._write.submit(query, body, encoding)

    def _note_cluster(self, cluster: str, problem: str, *, is_expected: bool) -> None:
        self._deliveries.note_cluster(cluster, problem, is_expected=is_expected)

    def _port(self) -> int:
        return self.http.port


async def _opened(service: Service) -> None:
    """Open a service that was created while the server runs."""
    try:
        await service.open()
    # no request waits for it: deliveries of the service fail and are retried
    except Exception:
        log.exception("failed to open a service", extra={"service": service.kind})
