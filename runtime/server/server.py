"""The server: builds its services, opens them in order, closes them in reverse."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import ssl
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runtime.alert.recovered import Retention
from runtime.compute import Compute
from runtime.delivery import Deliverer
from runtime.dialing import Dialer
from runtime.errors import ConfigError, KapacitorError
from runtime.http_client import AiohttpClient, HttpClient
from runtime.nodes.environment import Environment, ServerInfo
from runtime.nodes.pages import HTTPOutputs
from runtime.nodes.post_queue import PostQueues
from runtime.nodes.secret_properties import secret_fields
from runtime.records import Records
from runtime.server.authorities import warn_without_authorities
from runtime.server.config import AlertHandlers, Config
from runtime.server.log_sessions import LogSessions
from runtime.server.sections import HttpConfig
from runtime.server.statistics import Statistics
from runtime.services.alert.api import AlertAPI, Query
from runtime.services.alert.policy import Policy
from runtime.services.alert.service import AlertService
from runtime.services.auth.api import UsersAPI
from runtime.services.auth.service import AuthService
from runtime.services.auth.users import User
from runtime.services.config.sections import sections_of
from runtime.services.config.service import ConfigService
from runtime.services.deliveries.service import DeliveryService
from runtime.services.foo.service import Service as FooService
from runtime.services.hipchat.service import Service as HipChatService
from runtime.services.httpd.messages import Answer, Request, pretty
from runtime.services.httpd.openapi import OpenAPI
from runtime.services.httpd.router import Router
from runtime.services.httpd.service import HttpService
from runtime.services.httpd.write import WriteHandler
from runtime.services.httppost.service import Service as HttpPostService
from runtime.services.load.service import LoadService
from runtime.services.replay.service import ReplayService
from runtime.services.servicetest.service import ServiceTestService
from runtime.services.storage.service import StorageService
from runtime.services.task_store.records import Task, Template
from runtime.services.task_store.service import TaskStoreService
from runtime.services.task_store.tasks import Tasks
from runtime.services.task_store.templates import Templates
from runtime.settings import key_of
from runtime.store import Store
from runtime.task_master import HandlerServices, TaskMaster
from runtime.units import SECOND, Clock
from runtime.version import VERSION

log = logging.getLogger("kapacitor.server")

# How long events that wait may take at a stop.
DRAIN_LIMIT_S = 10.0
# How long what httpPost nodes have to post may take at a stop.
POSTS_LIMIT_S = 5.0
_TICK_S = 1.0
_SQLITE = b"SQLite format 3\0"
_TOPICS = "/alerts/topics"


def alert_services(config: AlertHandlers, client: HttpClient) -> HandlerServices:
    """The service of every integration."""
    return HandlerServices(
        foo=FooService(config.foo, client),
        hipchat=HipChatService(config.hipchat, client),
        httppost=HttpPostService(config.httppost, client),
    )


class Server:
    """Everything that runs, built from one configuration.

    Attributes:
        http: the API's server; its `port` is the one in use.
    """

    def __init__(
        self,
        config: Config,
        *,
        disabled_handlers: frozenset[str] = frozenset(),
        clock: Clock = time.time_ns,
    ) -> None:
        """Build the services.

        Args:
            config: valid.
            disabled_handlers: kinds whose topic handlers do not run.
            clock: the time of day.

        Raises:
            KapacitorError: a file cannot be used, or a service not be made.
        """
        self._config = config
        info = _identity(config)
        self._info = info
        self._store = _store(Path(config.storage.boltdb))
        self._dialer = Dialer(
            config.delivery.denied, limit_s=config.delivery.limits.connect_s
        )
        self._client = AiohttpClient(
            config.delivery.limits, self._dialer, config.delivery.trust
        )
        self._services = alert_services(config.handlers, self._client)
        self._deliverer = _deliverer(self._store, config, clock)
        self._alerts = AlertService(
            self._store,
            self._deliverer,
            self._services,
            dialer=self._dialer,
            persist=config.alert.persist_topics,
            disabled=disabled_handlers,
            retention=Retention(config.alert.retention, config.alert.max_recovered),
            clock=clock,
        )
        self._compute = Compute(self._alerts.transaction)
        self._pages = HTTPOutputs()
        self._posts = PostQueues()
        self._clock = clock
        self._master = TaskMaster(
            self._environment,
            clock=clock,
            default_retention_policy=config.default_retention_policy,
            transaction=self._alerts.transaction,
        )
        self._policy = _policy(config)
        self._users = Records(self._store, "users", User.decode)
        self._tasks = self._task_store()
        self._replays = self._replay_service()
        self._tasks.replays = self._replays.running
        # by the names of their tables: `_` stays where an integration's name has it
        dynamic = {
            key_of(field): getattr(self._services, field.name)
            for field in dataclasses.fields(config.handlers)
        }
        self._overrides = ConfigService(
            sections_of(config.handlers),
            dynamic,
            self._store,
            self._compute,
            enabled=config.config_override.enabled,
            policy=self._policy,
            changed=self._deliverer.hurry,
        )
        self._tests = ServiceTestService(dynamic)
        self._deliveries = DeliveryService(
            self._deliverer, self._alerts, self._compute, clock=clock
        )
        self._storage = StorageService(self._store, self._compute)
        self._statistics = Statistics(
            info,
            self._all_tasks,
            self._master,
            self._alerts,
            self._deliverer,
            self._store,
        )
        self.http = _http(config.http)
        self._add_routes(self.http.router)
        self._add_users(self.http)
        self._storage.add_routes(self.http.router)
        self._log_sessions = LogSessions()
        self._log_sessions.add_routes(self.http.router)
        self._ticker: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the services; the port last, when all is ready.

        Raises:
            KapacitorError: one cannot be opened.
        """
        warn_without_authorities()
        self._compute.start()
        try:
            self._storage.open()
            self._overrides.open(skip=self._config.skip_config_overrides)
            for service in self._each_service():
                await service.open()
            self._alerts.loop.start(self._compute.run)
            self._posts.start(self._compute.write)
            await self._compute.run(self._alerts.open, self._policy)
            await self._compute.run(self._tasks.open)
            await self._compute.run(self._replays.open)
            await self._compute.run(self._alerts.settle_orphans, self._is_stopped)
            self._deliveries.open()
            await self._deliverer.start()
            if self._config.load.enabled:
                await self._compute.run(self._load.load)
            await self._listen()
        except BaseException:
            await self.close()
            raise
        self._ticker = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """Close the services; what was taken is delivered first, if that is quick.

        A step that fails is logged, and the others go on: whatever happens, the
        database is closed and the compute thread ends.
        """
        services = reversed(list(self._each_service()))
        for step in (
            self._end_requests,
            self._replays.close,
            self._stop_tasks,
            self._alerts.loop.close,
            self._stop_delivery,
            *(service.close for service in services),
            self._client.close,
            self._compute.close,
        ):
            try:
                await step()
            except Exception:
                log.exception("a service failed to close")
        self._store.close()

    async def _end_requests(self) -> None:
        self._log_sessions.end()
        if self._ticker is not None:
            self._ticker.cancel()
        await self.http.close()

    async def _stop_tasks(self) -> None:
        await self._compute.run(self._master.close)
        unposted = await self._posts.close(POSTS_LIMIT_S)
        if unposted:
            log.warning("rows were not posted", extra={"rows": unposted})

    async def _stop_delivery(self) -> None:
        left = await self._deliverer.close(DRAIN_LIMIT_S)
        await self._deliveries.close()
        if left:
            log.info("events wait for the next start", extra={"events": left})

    async def reload(self) -> None:
        """Load the load directory again; what is wrong with it is logged."""
        if not self._config.load.enabled:
            return
        log.info("reloading tasks/templates/handlers")
        try:
            await self._compute.run(self._load.load)
        except KapacitorError as error:
            log.error(str(error), extra={"service": "load"})
        # the next reload may find files that cause no such thing
        except Exception:
            log.exception("reloading failed", extra={"service": "load"})

    async def _listen(self) -> None:
        try:
            await self.http.open()
        except OSError as error:
            raise KapacitorError(
                f"open service *httpd.Service: listen tcp "
                f"{self._config.http.bind_address}: {_bind_fault(error)}"
            ) from error
        log.info("listening", extra={"service": "http", "port": self.http.port})

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                await self._compute.run(self._master.tick)
                await self._compute.run(self._alerts.tidy)
            except KapacitorError as error:
                log.error("a tick failed", extra={"err": str(error)})
            # without ticks barriers and dead men's switches would stop for good
            except Exception:
                log.exception("a tick failed")

    def _is_stopped(self, task: str) -> bool:
        """Whether there is a task of that id that does not run."""
        known = self._all_tasks.records.get(task) is not None
        return known and self._master.get(task) is None

    def _each_service(self) -> Iterable[Any]:
        for field in dataclasses.fields(self._services):
            yield getattr(self._services, field.name)

    def _environment(self, id: str, dbrps: tuple[tuple[str, str], ...]) -> Environment:
        return Environment(
            id,
            clock=self._clock,
            services=self._services,
            topics=self._alerts,
            server_info=self._info,
            http_out=self._pages,
            dbrps=dbrps,
            posts=self._posts,
            dialer=self._dialer,
        )

    def _task_store(self) -> TaskStoreService:
        tasks = Records(self._store, "tasks", Task.decode)
        templates = Records(self._store, "templates", Template.decode)
        all_tasks = Tasks(
            tasks,
            templates,
            self._master,
            self._alerts,
            self._clock,
            secret_fields(self._services),
        )
        self._all_tasks = all_tasks
        all_templates = Templates(templates, all_tasks, self._clock)
        self._load = LoadService(
            Path(self._config.load.dir),
            all_tasks,
            all_templates,
            self._alerts,
            self._store,
        )
        return TaskStoreService(
            all_tasks,
            all_templates,
            self._pages,
            self._compute,
            self._policy,
        )

    def _replay_service(self) -> ReplayService:
        return ReplayService(
            Path(self._config.replay.dir),
            self._store,
            self._all_tasks,
            self._compute,
            self._replay_master,
            self._alerts.delete_topic,
            self._clock,
        )

    def _replay_master(self, id: str, clock: Clock) -> TaskMaster:
        """A master for one replay: alerts are real, pages and time are its own."""
        pages = HTTPOutputs()

        def environment(task: str, dbrps: tuple[tuple[str, str], ...]) -> Environment:
            real = self._environment(task, dbrps)
            return dataclasses.replace(
                real, clock=clock, http_out=pages, task_master_id=id
            )

        return TaskMaster(
            environment, clock=clock, transaction=self._alerts.transaction
        )

    def _add_routes(self, router: Router) -> None:
        tracing = self._config.http.write_tracing
        self.http.accept_writes(
            WriteHandler(
                self._compute,
                self._deliveries.bounded(self._master.take),
                tracing=tracing,
            )
        )
        self._tasks.add_routes(router)
        self._replays.add_routes(router)
        self._overrides.add_routes(router)
        self._tests.add_routes(router)
        self._deliveries.add_routes(router)
        api = AlertAPI(self._alerts, self._policy)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            for pattern in (_TOPICS, f"{_TOPICS}/"):
                router.add(method, pattern, _Topics(api, self._compute, pattern))
        router.add("GET", "/debug/vars", self._vars)
        router.add("GET", "/metrics", self._metrics, base="")
        router.add("GET", "/openapi.json", OpenAPI(router, VERSION))

    def _add_users(self, http: HttpService) -> None:
        """The two switches: users there are, and requests that need them."""
        auth, settings = self._config.auth, self._config.http
        if auth.enabled:
            self._users.load()
            api = UsersAPI(self._users, self._compute, cost=auth.bcrypt_cost)
            api.add_routes(http.router)
        if not settings.auth_enabled:
            return
        if not auth.enabled:
            log.warning(
                "requests need credentials, but as [auth] is not enabled, any are taken"
            )
        service = AuthService(
            self._users if auth.enabled else None,
            cost=auth.bcrypt_cost,
            shared_secret=settings.shared_secret,
            open_debug=settings.pprof_enabled,
            cache_expiration=auth.cache_expiration,
            clock=self._clock,
        )
        http.authenticate(service)

    async def _vars(self, request: Request) -> Answer:
        return pretty(await self._compute.run(self._statistics.variables))

    async def _metrics(self, request: Request) -> Answer:
        # most servers are not scraped
        from runtime.server.metrics import exposition

        now = await self._compute.run(self._statistics.snapshot)
        body, content_type = await asyncio.to_thread(
            exposition, self._info, now, request.accept
        )
        return Answer(200, body, content_type)


class _Topics:
    """The alert service's API behind one pattern."""

    def __init__(self, api: AlertAPI, compute: Compute, pattern: str) -> None:
        self._api = api
        self._compute = compute
        self._slash = "/" if pattern.endswith("/") else ""

    async def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        reply = await self._compute.run(
            self._api.handle,
            request.method,
            self._slash + request.rest,
            Query(request.parameter("pattern"), request.parameter("min-level")),
            request.body,
            _without_preview(request.uri),
        )
        if reply.value is None:
            return Answer(reply.status)
        return pretty(reply.value, reply.status)


def _without_preview(uri: str) -> str:
    return uri.replace("/kapacitor/v1preview/", "/kapacitor/v1/", 1)


def _deliverer(store: Store, config: Config, clock: Clock) -> Deliverer:
    said = config.delivery
    return Deliverer(
        store,
        buffer_size=config.alert.buffer_length,
        # a handler may send more than one request for an event
        time_limit_s=2 * said.timeout / SECOND,
        quota=said.max_pending,
        quota_bytes=said.max_database_size,
        retention=said.retention,
        max_ended=said.max_dead,
        policy=said.policy,
        clock=clock,
    )


def _policy(config: Config) -> Policy:
    """What clients of the API may define."""
    return Policy(
        is_open=config.is_guarded,
        log_paths=config.alert.allowed_log_paths,
        programs=config.alert.allowed_programs,
        tcp_addresses=config.alert.allowed_tcp_addresses,
        secret_files=config.alert.allowed_secret_files,
    )


def _http(config: HttpConfig) -> HttpService:
    host, port = config.address()
    tls = None
    if config.https_enabled:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            tls.load_cert_chain(
                config.https_certificate, config.https_private_key or None
            )
        except OSError as error:
            # ssl.SSLError is one, and its text has more than its `strerror`
            reason = str(error) if isinstance(error, ssl.SSLError) else error.strerror
            raise KapacitorError(
                f"http: failed to load https-certificate "
                f"{config.https_certificate}: {reason}"
            ) from error
    return HttpService(
        host,
        port,
        version=VERSION,
        log_enabled=config.log_enabled,
        shutdown_timeout_s=config.shutdown_timeout / SECOND,
        read_timeout_s=config.read_timeout / SECOND,
        tls=tls,
    )


def _store(path: Path) -> Store:
    """The database.

    Raises:
        KapacitorError: the file is something else, or cannot be used.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_SQLITE))
    except FileNotFoundError:
        start = b""
    except OSError as error:
        raise ConfigError(f"storage: open {path}: {error.strerror}") from error
    if start and start != _SQLITE:
        raise ConfigError(
            f"storage: {path} is not a database of this server (perhaps Kapacitor's "
            "own, which it cannot read); set 'boltdb' to another path"
        )
    return Store(path)


def _bind_fault(error: OSError) -> str:
    """What went wrong, without asyncio's telling of it."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return str(error.strerror or error)


def _identity(config: Config) -> ServerInfo:
    """Host name and ids; the ids are made once and kept in the data directory."""
    directory = Path(config.data_dir)
    try:
        directory.mkdir(mode=0o755, exist_ok=True)
        cluster, server = (
            _id(directory / name) for name in ("cluster.id", "server.id")
        )
    except OSError as error:
        raise KapacitorError(f"{error.filename}: {error.strerror}") from error
    return ServerInfo(config.hostname, cluster, server)


def _id(path: Path) -> str:
    if path.is_file() and (known := path.read_text().strip()):
        return known
    made = str(uuid.uuid4())
    path.write_text(made)
    return made
