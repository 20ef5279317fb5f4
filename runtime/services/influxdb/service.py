"""The server's clusters: configuration, health, service test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.errors import DeliveryError, FailedError
from runtime.golang.quoting import quote
from runtime.services.httpd.messages import NO_CONTENT, Answer, Request
from runtime.services.httpd.router import Router
from runtime.services.influxdb.clusters import Clusters
from runtime.services.influxdb.config import Config, default_of

if TYPE_CHECKING:
    from runtime.services.influxdb.cluster import Cluster
    from runtime.services.influxdb.links import ClusterLink, Surroundings


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        cluster: name of a cluster.
    """

    # not a test class of pytest
    __test__ = False

    cluster: str = ""


class InfluxDBService:
    """Owns the clusters. Modules for clusters are imported with the first cluster.

    Attributes:
        clusters: the enabled clusters, for tasks.
    """

    def __init__(
        self, configs: Sequence[Config], surroundings: Callable[[], Surroundings]
    ) -> None:
        """Create the clusters.

        Args:
            configs: valid clusters of the configuration.
            surroundings: returns the parts of the server that clusters use.

        Raises:
            ConfigError: a file of certificates cannot be used.
        """
        self.clusters = Clusters()
        self._surroundings = surroundings
        self._by_name: dict[str, Cluster] = {}
        self._links: dict[str, ClusterLink] = {}
        self._is_open = False
        self._leaving: set[asyncio.Task[None]] = set()
        self.prepared(configs)()

    def add_routes(self, router: Router) -> None:
        """Add the route that updates subscriptions on request."""
        router.add("POST", "/subscriptions", self._subscribe)

    @property
    def subscriptions(self) -> Mapping[str, int]:
        """The number of subscriptions by cluster."""
        return {name: link.size for name, link in [*self._links.items()]}

    def open(self) -> None:
        """Start watching the clusters; on the event loop."""
        self._is_open = True
        self._link()

    async def close(self) -> None:
        """Stop watching. Subscriptions stay, and tasks can still write."""
        self._is_open = False
        if self._leaving:
            await asyncio.wait(self._leaving)
        for link in self._links.values():
            await link.close()
        self._links.clear()

    async def disconnect(self) -> None:
        """Close all connections."""
        for cluster in self._by_name.values():
            await cluster.close()

    def prepared(self, configs: Sequence[Config]) -> Callable[[], None]:
        """A function that applies other clusters; before its call nothing changes.

        Raises:
            ConfigError: there is no default among several clusters, or a file of
                certificates cannot be used.
        """
        enabled = [each for each in configs if each.enabled]
        default = default_of(enabled)
        if not enabled:
            return lambda: self._replace({}, "")
        from runtime.services.influxdb.cluster import Access, Cluster

        around = self._surroundings()
        made: dict[str, Cluster] = {}
        changed: dict[str, Access] = {}
        for each in enabled:
            if each.name in self._by_name:
                changed[each.name] = Access.of(each)
            else:
                client = around.client()
                made[each.name] = Cluster(each, client, around.shared_secret)

        def put_in_force() -> None:
            for name, access in changed.items():
                self._by_name[name].use(access)
            kept = {name: self._by_name[name] for name in changed}
            self._replace({**kept, **made}, default)

        return put_in_force

    def _replace(self, clusters: Mapping[str, Cluster], default: str) -> None:
        """Replace the clusters."""
        former = self._by_name
        self._by_name = dict(clusters)
        self.clusters.replace(clusters, default)
        for name in former.keys() - clusters.keys():
            self._remove(name, former[name])
        if self._is_open:
            self._link()

    def _link(self) -> None:
        """Watch every cluster with its current configuration."""
        if not self._by_name:
            return
        from runtime.services.influxdb.links import ClusterLink

        for name, cluster in self._by_name.items():
            if name in self._links:
                self._links[name].update()
            else:
                self._links[name] = link = ClusterLink(cluster, self._surroundings())
                link.open([*self._leaving])

    def _remove(self, name: str, cluster: Cluster) -> None:
        """Drop the subscriptions of a cluster and its connections, in the background."""
        link = self._links.pop(name, None)

        async def leave() -> None:
            if link is not None:
                await link.leave()
            await cluster.close()

        if self._is_open:
            task = asyncio.get_running_loop().create_task(leave())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def test_options(self) -> TestOptions:
        """The options of the service test, with the default cluster."""
        return TestOptions(self.clusters.default)

    async def test(self, options: TestOptions) -> None:
        """Check that a cluster is up.

        Raises:
            DeliveryError: the cluster is down, or not configured.

        Source: Kapacitor services/influxdb/service.go, Service.Test.
        """
        cluster = self._by_name.get(options.cluster)
        name = quote(options.cluster)
        if cluster is None:
            raise DeliveryError(f"cluster {name} is not enabled or does not exist")
        try:
            await cluster.ping()
        except DeliveryError as error:
            text = f"failed to ping the influxdb cluster {name}: {error}"
            raise error.replace(text) from None

    async def _subscribe(self, request: Request) -> Answer:
        """Update the subscriptions of all clusters now."""
        for name, link in [*self._links.items()]:
            try:
                await link.synchronize()
            except DeliveryError as error:
                text = f"failed to link subscriptions: linking cluster {name}: {error}"
                raise FailedError(text) from None
        return NO_CONTENT
