"""The clusters of a server by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from runtime.compute.bridge import Bridge
from runtime.errors import KapacitorError

if TYPE_CHECKING:
    from runtime.services.influxdb.cluster import Cluster
    from runtime.services.influxdb.point_writers import PointWriters


class NoClusterError(KapacitorError):
    """No enabled cluster has the name that a task chooses."""


class Clusters:
    """The enabled clusters, which configuration changes replace while tasks run.

    `bool(clusters)` is False if the configuration has none.
    """

    def __init__(
        self, clusters: Mapping[str, Cluster] | None = None, default: str = ""
    ) -> None:
        """Hold clusters.

        Args:
            clusters: clusters by name.
            default: name of the cluster of tasks that name none.
        """
        self._clusters: Mapping[str, Cluster] = {}
        self._default = ""
        self._bridge = Bridge()
        self._points: PointWriters | None = None
        self.replace(clusters or {}, default)

    def find(self, name: str = "") -> Cluster:
        """A cluster by name; the default one for "".

        Raises:
            NoClusterError: no cluster has that name.

        Source: Kapacitor services/influxdb/service.go, NewNamedClient.
        """
        wanted = name or self._default
        try:
            return self._clusters[wanted]
        except KeyError:
            raise NoClusterError(f"no such InfluxDB config {wanted}") from None

    def replace(self, clusters: Mapping[str, Cluster], default: str) -> None:
        """Replace the clusters."""
        self._clusters, self._default = dict(clusters), default

    @property
    def default(self) -> str:
        """Name of the cluster of tasks that name none; "" if there are no clusters."""
        return self._default

    @property
    def points(self) -> PointWriters:
        """The writers of points. Before `start`, points are only collected."""
        if self._points is None:
            # imported here: only needed by tasks that write points
            from runtime.services.influxdb.point_writers import PointWriters

            self._points = PointWriters(self.find, self._bridge)
        return self._points

    def start(self) -> None:
        """Start writing points; on the event loop."""
        self._bridge.start()

    async def finish(self, limit_s: float) -> int:
        """Write the waiting points, for at most `limit_s`.

        Returns:
            Number of points that were not written.
        """
        lost = 0 if self._points is None else await self._points.close(limit_s)
        self._bridge.stop()
        return lost

    def __iter__(self) -> Iterator[Cluster]:
        return iter(tuple(self._clusters.values()))

    def __bool__(self) -> bool:
        return bool(self._clusters)


NO_CLUSTERS = Clusters()
