"""Points of all nodes that wait for one cluster."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from runtime.compute.bridge import Bridge
from runtime.errors import KapacitorError
from runtime.trouble import Trouble

# Maximum memory of the points that wait for one cluster.
MOST_BYTES = 32 << 20
# Maximum number of concurrent requests to one cluster.
AT_ONCE = 4
# Upper bounds of the first retry's delay and of all delays.
FIRST_S, LONGEST_S = 0.5, 30.0

_log = logging.getLogger("kapacitor.influxdb")


class Cluster(Protocol):
    """A cluster, as writers of points use it."""

    @property
    def name(self) -> str:
        """The cluster's name in the configuration."""

    async def write(
        self,
        body: bytes,
        *,
        database: str,
        retention_policy: str = "",
        precision: str = "n",
        consistency: str = "",
    ) -> None:
        """Write points.

        Raises:
            DeliveryError: some or all points were not written.
        """

    async def execute(self, statement: str, *, database: str = "") -> Sequence[object]:
        """Run a statement.

        Raises:
            DeliveryError: the statement was not run.
        """


Find = Callable[[str], Cluster]


class Writer(Protocol):
    """A node's writer, as the queue uses it.

    Attributes:
        lost: number of points that were not written, by reason.
        size: bytes in memory of its waiting points.
    """

    lost: Counter[str]
    size: int

    def lose_oldest(self, reason: str, error: KapacitorError) -> int:
        """Drop the oldest points that are not being sent; return their number."""

    async def run(self) -> None:
        """Write the waiting points."""

    def close(self) -> None:
        """End as soon as the waiting points are written."""

    def give_up(self) -> None:
        """Drop the waiting points, as the server stops."""


class ClusterQueue:
    """The points of all nodes that wait for one cluster, bounded in memory.

    Beyond the bound, the oldest points of the node with the most points are dropped.

    Attributes:
        writers: the nodes' writers, in their order.
        lock: guards the waiting points.
        size: bytes of the waiting points in memory.
        clock: monotonic clock, in seconds.
        writing: reports failures to write points.
        creating: reports failures to create databases.
        is_closing: True while the server stops.
    """

    def __init__(self, name: str, find: Find, bridge: Bridge) -> None:
        self.writers: dict[Writer, None] = {}
        self.lock = threading.RLock()
        self.size = 0
        self.clock = time.monotonic
        self._find = find
        self._bridge = bridge
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._closing = asyncio.Event()
        self._running: dict[asyncio.Task[None], Writer] = {}
        self.writing = Trouble(
            _log,
            "failed to write points to InfluxDB; retrying",
            "writing points to InfluxDB succeeds again",
            context={"cluster": name},
        )
        self.creating = Trouble(
            _log,
            "failed to create a database in InfluxDB; retrying",
            "creating databases in InfluxDB succeeds again",
            context={"cluster": name},
        )

    @property
    def is_closing(self) -> bool:
        """True while the server stops: each body gets one more attempt."""
        return self._closing.is_set()

    def bound(self) -> None:
        """Drop the oldest points while there are too many; with the lock held."""
        while self.size > MOST_BYTES:
            fullest = max(self.writers, key=lambda writer: writer.size)
            text = f"more than {MOST_BYTES >> 20} MiB wait for the cluster"
            if not fullest.lose_oldest("full", KapacitorError(text)):
                return

    def begin(self, writer: Writer) -> None:
        """Write the waiting points of a node; from any thread."""
        self._bridge.soon(self._begin, writer)

    def later(self, delay_s: float, flush: Callable[[], None]) -> None:
        """Flush after a delay, unless the server stops earlier; from any thread."""
        self._bridge.soon(self._later, delay_s, flush)

    async def write(self, cluster: str, text: bytes, **query: str) -> None:
        """Write points, a few requests at a time.

        Raises:
            KapacitorError: some or all points were not written.
        """
        async with self._turns:
            await self._find(cluster).write(text, **query)

    async def execute(self, cluster: str, statement: str) -> None:
        """Run a statement.

        Raises:
            KapacitorError: the statement was not run.
        """
        await self._find(cluster).execute(statement)

    async def back_off(self, failures: int) -> None:
        """Wait before another attempt, longer after more failures."""
        longest = min(FIRST_S * 2 ** min(failures - 1, 30), LONGEST_S)
        # random, so that nodes whose attempts failed together do not retry together
        delay_s = longest * (1 + random.random()) / 2
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), delay_s)

    async def close(self, limit_s: float) -> int:
        """Write the waiting points, for at most `limit_s`.

        Returns:
            Number of points that were not written, and are lost.
        """
        writers = list(self.writers)
        self._closing.set()
        for writer in writers:
            writer.close()
        # writers that another thread started only begin in the next iteration of the
        # loop
        await asyncio.sleep(0)
        running = list(self._running)
        if running:
            await asyncio.wait(running, timeout=limit_s)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for writer in writers:
            writer.give_up()
        return sum(writer.lost["stopped"] for writer in writers)

    def _begin(self, writer: Writer) -> None:
        task = self._bridge.spawn(writer.run())
        self._running[task] = writer
        task.add_done_callback(lambda done: self._running.pop(done, None))

    def _later(self, delay_s: float, flush: Callable[[], None]) -> None:
        # when the server stops, all writers are flushed anyway
        if self._bridge.is_open:
            self._bridge.later(delay_s, flush)
