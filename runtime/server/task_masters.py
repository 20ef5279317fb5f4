"""Task masters: the live one, and those of replays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from runtime.integration import HandlerServices
from runtime.nodes.budget import Budget
from runtime.nodes.environment import Environment, ServerInfo
from runtime.nodes.http_out_results import HTTPOutputs
from runtime.nodes.post_queue import PostQueues
from runtime.nodes.query_loops import QueryLoops
from runtime.nodes.timers import Timers
from runtime.outbound.dialing import Dialer
from runtime.server.config.config import Config
from runtime.services.alert.service import AlertService
from runtime.services.influxdb.clusters import Clusters
from runtime.services.sideload.sources import Sources
from runtime.tasks.task_master import TaskMaster
from runtime.units import Clock


class TaskMasters:
    """Creates task masters with the environment of their tasks.

    Attributes:
        live: runs the tasks that receive writes.
        pages: results of its `httpOut` nodes.
        posts: posts queued by `httpPost` nodes of all masters.
        queries: loops of the queries of its batch tasks.
        sideload: values for `sideload` nodes of all masters.
    """

    def __init__(
        self,
        config: Config,
        info: ServerInfo,
        services: HandlerServices,
        alerts: AlertService,
        dialer: Dialer,
        clock: Clock,
        timers: Timers,
        pause: Callable[[], None],
        clusters: Clusters,
    ) -> None:
        self._info = info
        self._limits = config.task.limits
        self._services = services
        self._alerts = alerts
        self._dialer = dialer
        self._clock = clock
        self._clusters = clusters
        self.pages = HTTPOutputs()
        self.posts = PostQueues()
        self.queries = QueryLoops()
        self.sideload = Sources()
        self.live = TaskMaster(
            self._environment,
            clock=clock,
            timers=timers,
            default_retention_policy=config.default_retention_policy,
            transaction=alerts.transaction,
            pause=pause,
        )

    def of_replay(self, id: str, clock: Clock) -> TaskMaster:
        """A master for one replay: its alerts are real, its pages and clock its own."""
        pages = HTTPOutputs()

        def environment(task: str, dbrps: tuple[tuple[str, str], ...]) -> Environment:
            real = self._environment(task, dbrps)
            return dataclasses.replace(
                real, clock=clock, http_out=pages, task_master_id=id, queries=None
            )

        return TaskMaster(
            environment, clock=clock, transaction=self._alerts.transaction
        )

    def _environment(self, id: str, dbrps: tuple[tuple[str, str], ...]) -> Environment:
        return Environment(
            id,
            clock=self._clock,
            services=self._services,
            topics=self._alerts,
            server_info=self._info,
            http_out=self.pages,
            dbrps=dbrps,
            posts=self.posts,
            dialer=self._dialer,
            sideload=self.sideload,
            queries=self.queries,
            influxdb=self._clusters,
            budget=Budget(self._limits),
        )
