"""Inputs of points besides the API: subscriptions of InfluxDB, and UDP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runtime.errors import KapacitorError
from runtime.nodes.environment import ServerInfo
from runtime.outbound.client import AiohttpClient
from runtime.outbound.dialing import Dialer
from runtime.server.config.config import Config
from runtime.server.factories import bind_fault, time_limits
from runtime.services.influxdb.service import InfluxDBService
from runtime.services.udp.config import Config as UdpConfig

if TYPE_CHECKING:
    from runtime.services.auth.subscriptions import SubscriptionTokens
    from runtime.services.influxdb.links import Report, Surroundings
    from runtime.services.udp.listener import Listener, Submit

# Many, as a slow query must not keep others waiting for a connection.
_CONNECTIONS = 128


class Inputs:
    """Opens and closes the inputs. Modules are imported only for existing sections.

    Attributes:
        influxdb: the clusters of InfluxDB.
    """

    def __init__(
        self,
        config: Config,
        info: ServerInfo,
        tokens: SubscriptionTokens | None,
        *,
        submit: Submit,
        report: Report,
        port: Callable[[], int],
        add_host: Callable[[str], None],
    ) -> None:
        """Create the inputs.

        Args:
            config: valid configuration.
            info: identity of the server.
            tokens: tokens of subscriptions; None if writes need no credentials.
            submit: starts a write.
            report: called with changes in the state of clusters.
            port: returns the port of the API.
            add_host: adds a name under which the API is served.

        Raises:
            ConfigError: a file of certificates cannot be used.
        """
        self._config = config
        self._info = info
        self._tokens = tokens
        self._submit = submit
        self._report = report
        self._port = port
        self._add_host = add_host
        self._listeners: list[Listener] = []
        self.influxdb = InfluxDBService(config.influxdb, self._surroundings)

    async def open(self) -> None:
        """Begin to receive points.

        Raises:
            KapacitorError: the address of a UDP listener cannot be used.
        """
        for each in self._config.udp:
            if each.enabled:
                await self._open(each)
        if self._tokens is not None:
            names = [each.name for each in self.influxdb.clusters]
            await self._tokens.keep_clusters(names)
        self.influxdb.open()

    async def close(self) -> None:
        """Stop receiving points."""
        await self.influxdb.close()
        for each in [*self._listeners]:
            await each.close()

    def udp(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """The counters of open UDP listeners, by address."""
        for each in [*self._listeners]:
            if each.is_open:
                yield each.address, each.statistics

    async def _open(self, config: UdpConfig) -> None:
        try:
            await self._listen(config)
        except OSError as error:
            raise KapacitorError(
                f"open service *udp.Service: listen udp {config.bind_address}: "
                f"{bind_fault(error)}"
            ) from error

    async def _listen(self, config: UdpConfig) -> Any:
        """An open listener, counted until it is closed.

        Raises:
            OSError: its address cannot be used.
        """
        from runtime.services.udp.listener import Listener

        listener = await Listener.opened(config, self._submit)
        self._listeners = [each for each in self._listeners if each.is_open]
        self._listeners.append(listener)
        return listener

    def _surroundings(self) -> Surroundings:
        from runtime.services.influxdb.links import Surroundings

        return Surroundings(
            client=self._client,
            report=self._report,
            listen=self._listen,
            hostname=self._config.hostname,
            port=self._port,
            add_host=self._add_host,
            ids=self._id,
            tokens=self._tokens,
            shared_secret=self._config.http.shared_secret,
        )

    def _client(self) -> AiohttpClient:
        """A client for one cluster."""
        limits = time_limits(self._config.delivery)
        dialer = Dialer(self._config.delivery.denied, limit_s=limits.connect_s)
        trust = self._config.delivery.trust
        return AiohttpClient(limits, dialer, trust, connections=_CONNECTIONS)

    def _id(self, mode: str) -> str:
        return self._info.server_id if mode == "server" else self._info.cluster_id
