"""The link to a cluster: its health and its subscriptions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from runtime.errors import DeliveryError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.auth.subscriptions import SubscriptionTokens
from runtime.services.influxdb.cluster import Cluster, StreamingClient
from runtime.services.influxdb.subscriptions import ClusterSubscriptions, Listen
from runtime.trouble import Trouble
from runtime.units import SECOND

# Maximum delay before the first attempt after a failure; doubled for each further one …
FIRST_S = 0.5
# … up to this.
MOST_S = 60.0
# Time limit for dropping the subscriptions of a removed cluster.
LEAVE_S = 10.0

_log = logging.getLogger("kapacitor.influxdb")


class Report(Protocol):
    """Called with changes in the state of a cluster."""

    def __call__(self, cluster: str, problem: str, *, is_expected: bool) -> None:
        """Report that a cluster cannot be used, or is used ("").

        Args:
            cluster: name of the cluster.
            problem: the reason, without secrets.
            is_expected: True soon after the start, while the cluster may be starting
                too.
        """


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The server, as clusters use it.

    Attributes:
        client: creates a client for the requests of one cluster.
        report: called with changes in the state of clusters.
        listen: opens a UDP listener whose points are fed to tasks.
        hostname: host of the server, for destinations of subscriptions.
        port: returns the port of its API.
        add_host: adds a name under which the API is served.
        ids: ids of the server, by subscription mode.
        tokens: tokens of subscriptions; None if writes need no credentials.
        shared_secret: secret that signs tokens.
    """

    client: Callable[[], StreamingClient]
    report: Report
    listen: Listen
    hostname: str
    port: Callable[[], int]
    add_host: Callable[[str], None]
    ids: Callable[[str], str]
    tokens: SubscriptionTokens | None = None
    shared_secret: Secret = NO_SECRET


class ClusterLink:
    """Checks that a cluster is up, and updates its subscriptions; on the event loop.

    After a failure it tries again with growing delays, as often as necessary.
    """

    def __init__(self, cluster: Cluster, surroundings: Surroundings) -> None:
        self._cluster = cluster
        self._report = surroundings.report
        self._subscriptions = ClusterSubscriptions(
            cluster,
            hostname=surroundings.hostname,
            port=surroundings.port,
            add_host=surroundings.add_host,
            ids=surroundings.ids,
            tokens=surroundings.tokens,
            listen=surroundings.listen,
        )
        self._since_s = time.monotonic()
        self._trouble = Trouble(
            _log,
            f"failed to connect to InfluxDB cluster {cluster.name}, retrying",
            f"InfluxDB cluster {cluster.name} is connected again",
        )
        self._one = asyncio.Lock()
        self._changed = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    @property
    def size(self) -> int:
        """Number of subscriptions."""
        return self._subscriptions.size

    def open(self, former: Collection[asyncio.Task[None]] = ()) -> None:
        """Start.

        Args:
            former: removals of clusters to wait for, as they might drop the
                subscriptions that this link creates.
        """
        self._running = asyncio.get_running_loop().create_task(self._run(former))

    def update(self) -> None:
        """Apply a changed configuration of the cluster soon."""
        self._changed.set()

    async def close(self) -> None:
        """Stop, but keep the subscriptions."""
        await self._stop()
        await self._subscriptions.close()

    async def leave(self) -> None:
        """Stop, and drop the subscriptions if the cluster answers soon."""
        await self._stop()
        try:
            async with asyncio.timeout(LEAVE_S), self._one:
                await self._subscriptions.drop()
        except (DeliveryError, TimeoutError) as error:
            _log.error(
                "failed to unlink subscriptions for cluster",
                extra={"cluster": self._cluster.name, "err": str(error)},
            )
        await self._subscriptions.close()
        self._report(self._cluster.name, "", is_expected=False)

    async def synchronize(self) -> None:
        """Check that the cluster answers, and update its subscriptions.

        Raises:
            DeliveryError: it does not answer, or refuses a statement.
        """
        async with self._one:
            await self._cluster.ping()
            await self._subscriptions.synchronize()

    async def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
            self._running = None

    async def _run(self, former: Collection[asyncio.Task[None]]) -> None:
        failures = 0
        if former:
            await asyncio.wait(former)
        while True:
            self._changed.clear()
            try:
                await self.synchronize()
            # any error: attempts go on even after an internal error
            except Exception as error:
                failures += 1
                self._failed(error)
                wait_s = _delay_s(failures)
            else:
                failures = 0
                self._trouble.ended()
                self._report(self._cluster.name, "", is_expected=False)
                wait_s = self._cluster.config.subscriptions_sync_interval / SECOND
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait_s)

    def _failed(self, error: Exception) -> None:
        self._trouble.failed(error)
        name, startup = self._cluster.name, self._cluster.config.startup_timeout
        is_expected = time.monotonic() - self._since_s < startup / SECOND
        is_known = isinstance(error, DeliveryError)
        reason = str(error) if is_known else "internal error, see the log"
        self._report(name, reason, is_expected=is_expected)


def _delay_s(failures: int) -> float:
    """A random delay before the next attempt, so that servers do not retry together."""
    most = min(MOST_S, FIRST_S * 2.0 ** min(failures - 1, 20))
    return most * random.uniform(0.5, 1.0)
