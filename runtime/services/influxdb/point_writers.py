"""Writers of points for all clusters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from runtime.compute.bridge import Bridge
from runtime.services.influxdb.point_queue import ClusterQueue, Find
from runtime.services.influxdb.point_writer import Options, PointWriter


class PointWriters:
    """The writers of all nodes, by cluster."""

    def __init__(self, find: Find, bridge: Bridge) -> None:
        """Begin without writers.

        Args:
            find: finds a cluster by name, for each attempt, as the configuration may
                change. Raises KapacitorError if there is none.
            bridge: leads to the event loop.
        """
        self._find = find
        self._bridge = bridge
        self._queues: dict[str, ClusterQueue] = {}

    def open(self, options: Options, context: Mapping[str, object]) -> PointWriter:
        """A writer for a node; on the compute thread.

        Args:
            options: options for writing its points.
            context: attributes of its log entries.

        Raises:
            KapacitorError: no cluster has that name.
        """
        name = self._find(options.cluster).name
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = ClusterQueue(name, self._find, self._bridge)
        return PointWriter(queue, options, context)

    async def close(self, limit_s: float) -> int:
        """Write the waiting points, for at most `limit_s`.

        Returns:
            Number of points that were not written.
        """
        queues = list(self._queues.values())
        lost = await asyncio.gather(*(queue.close(limit_s) for queue in queues))
        return sum(lost)
