"""Subscriptions of this server in a cluster, which then sends its points here.

Source: Kapacitor services/influxdb/service.go, linkSubscriptions.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from runtime.errors import DeliveryError
from runtime.golang.glob import PatternError, match
from runtime.services.auth.subscriptions import SubscriptionTokens
from runtime.services.httpd.credentials import SUBSCRIBER
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.config import Config
from runtime.services.udp.config import Config as UdpConfig

# the name that old versions of Kapacitor used
_LEGACY = "kapacitor"
_PREFIX = "kapacitor-"
_MODE = "ANY"

_log = logging.getLogger("kapacitor.influxdb")


class Listener(Protocol):
    """A socket that receives points over UDP."""

    @property
    def port(self) -> int:
        """The port of the socket."""

    async def close(self) -> None:
        """Close the socket."""


Listen = Callable[[UdpConfig], Awaitable[Listener]]


class RetentionPolicy(NamedTuple):
    """A retention policy of a database."""

    database: str
    name: str


class _Subscription(NamedTuple):
    """A subscription that exists in the cluster."""

    policy: RetentionPolicy
    name: str
    destinations: Sequence[str]


class ClusterSubscriptions:
    """The subscriptions of one cluster to this server; on the event loop.

    Attributes:
        size: number of subscriptions.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        hostname: str,
        port: Callable[[], int],
        add_host: Callable[[str], None],
        ids: Callable[[str], str],
        tokens: SubscriptionTokens | None,
        listen: Listen,
    ) -> None:
        """Begin without subscriptions.

        Args:
            cluster: the cluster.
            hostname: host of destinations, unless the configuration has one.
            port: returns the port of destinations, unless the configuration has one.
            add_host: adds a name under which the API is served.
            ids: returns the id of a subscription mode.
            tokens: tokens for writes; None if writes need no credentials.
            listen: opens UDP listeners.
        """
        self.size = 0
        self._cluster = cluster
        self._hostname = hostname
        self._port = port
        self._add_host = add_host
        self._ids = ids
        self._all_tokens = tokens
        self._listen = listen
        self._listeners: dict[RetentionPolicy, Listener] = {}
        self._listens_as: object = None
        # the name of the subscriptions that this process knows to exist
        self._name = ""

    @property
    def _config(self) -> Config:
        return self._cluster.config

    @property
    def _tokens(self) -> SubscriptionTokens | None:
        """The tokens, if the protocol of destinations supports them."""
        is_http = self._config.subscription_protocol != "udp"
        return self._all_tokens if is_http else None

    async def synchronize(self) -> None:
        """Create missing subscriptions, and drop wrong or unwanted ones.

        Raises:
            DeliveryError: the cluster refuses a statement.
        """
        config = self._config
        name = _PREFIX + self._ids(config.subscription_mode)
        if self._name and (config.disable_subscriptions or self._name != name):
            await self.drop()
        if config.disable_subscriptions:
            return
        # the `Host` header of InfluxDB's writes has this name
        self._add_host(self._host)
        await self._close_changed()
        wanted = [each for each in await self._policies() if _is_wanted(each, config)]
        kept: dict[RetentionPolicy, str] = {}
        for each in await self._existing():
            if each.name not in (name, _LEGACY, self._ids("cluster")):
                continue
            is_kept = each.name == name and each.policy in wanted
            if is_kept and await self._is_right(each):
                kept[each.policy] = each.destinations[0]
            else:
                await self._drop(each.name, each.policy)
        failures: list[DeliveryError] = []
        for policy in wanted:
            if policy not in kept:
                try:
                    kept[policy] = await self._create(name, policy)
                except DeliveryError as error:
                    # one refusal must not prevent the others from being created
                    failures.append(error)
        self._name, self.size = name, len(kept)
        for policy in self._listeners.keys() - kept.keys():
            await self._close_listener(policy)
        if self._all_tokens is not None:
            tokens = [urlsplit(each).password or "" for each in kept.values()]
            await self._all_tokens.keep(self._cluster.name, tokens)
        if failures:
            raise failures[0]

    async def drop(self) -> None:
        """Drop all subscriptions to this server.

        Raises:
            DeliveryError: the cluster refuses a statement.
        """
        name = self._name or _PREFIX + self._ids(self._config.subscription_mode)
        for each in await self._existing():
            if each.name == name:
                await self._drop(name, each.policy)
        self._name, self.size = "", 0
        if self._all_tokens is not None:
            await self._all_tokens.keep(self._cluster.name, ())

    async def close(self) -> None:
        """Close the listeners."""
        for policy in [*self._listeners]:
            await self._close_listener(policy)

    async def _policies(self) -> Sequence[RetentionPolicy]:
        """The retention policies of all databases."""
        found = []
        for row in await self._rows("SHOW DATABASES"):
            database = str(row["name"])
            statement = f"SHOW RETENTION POLICIES ON {_identifier(database)}"
            try:
                rows = await self._rows(statement)
            except DeliveryError as error:
                # the database may have been dropped meanwhile
                if error.status != 200:
                    raise
                continue
            found += [RetentionPolicy(database, str(each["name"])) for each in rows]
        return found

    async def _rows(self, statement: str) -> Sequence[Mapping[str, object]]:
        answer = await self._cluster.execute(statement)
        return [row for series in answer for row in series.rows()]

    async def _existing(self) -> Sequence[_Subscription]:
        """All subscriptions in the cluster."""
        try:
            answer = await self._cluster.execute("SHOW SUBSCRIPTIONS")
        except DeliveryError as error:
            if "not implemented" not in str(error):
                raise
            text = f"{error}; set disable-subscriptions = true, as for InfluxDB 2 and 3"
            raise error.replace(text) from None
        found = []
        for series in answer:
            for row in series.rows():
                policy = RetentionPolicy(series.name, str(row["retention_policy"]))
                destinations = row["destinations"]
                found.append(_Subscription(policy, str(row["name"]), destinations))
        return found

    async def _is_right(self, found: _Subscription) -> bool:
        """True if a subscription leads to this server and its writes are accepted.

        Source: Kapacitor services/influxdb/service.go, changedOrInvalid.
        """
        try:
            parts = urlsplit(found.destinations[0])
            port = parts.port
        except (IndexError, ValueError):
            return False
        protocol = self._config.subscription_protocol
        if (parts.scheme, parts.hostname) != (protocol, self._host.lower()):
            return False
        if protocol == "udp":
            return port is not None and await self._listens(found.policy, port)
        if (port, parts.path.lstrip("/")) != self._address:
            return False
        if self._tokens is None:
            return parts.username is None
        return parts.username == SUBSCRIBER and self._tokens.knows(
            parts.password or "", self._cluster.name, found.policy.database
        )

    async def _listens(self, policy: RetentionPolicy, port: int) -> bool:
        """True if a listener has a port, or can be opened on it."""
        listener = self._listeners.get(policy)
        if listener is not None:
            return listener.port == port
        try:
            await self._open_listener(policy, port)
        except OSError:
            # another program uses the port: the subscription is created again with
            # another one
            return False
        return True

    async def _create(self, name: str, policy: RetentionPolicy) -> str:
        """Create a subscription; return its destination."""
        destination = await self._destination(policy)
        await self._cluster.execute(
            f"CREATE SUBSCRIPTION {_identifier(name)} ON {_on(policy)} "
            f"DESTINATIONS {_MODE} {_string(destination)}"
        )
        return destination

    async def _destination(self, policy: RetentionPolicy) -> str:
        """The destination URL of a new subscription."""
        protocol, host = self._config.subscription_protocol, _bracketed(self._host)
        if protocol == "udp":
            listener = self._listeners.get(policy) or await self._open_listener(
                policy, 0
            )
            return f"udp://{host}:{listener.port}"
        user = ""
        if self._tokens is not None:
            token = await self._tokens.made(self._cluster.name, policy.database)
            user = f"{SUBSCRIBER}:{token}@"
        port, path = self._address
        return f"{protocol}://{user}{host}:{port}{path and f'/{quote(path)}'}"

    async def _open_listener(self, policy: RetentionPolicy, port: int) -> Listener:
        """Open a listener.

        Raises:
            OSError: the address cannot be used.
        """
        config = self._config
        listener = await self._listen(
            UdpConfig(
                enabled=True,
                bind_address=f"{_bracketed(config.udp_bind)}:{port}",
                read_buffer=config.udp_read_buffer,
                buffer=config.udp_buffer,
                database=policy.database,
                retention_policy=policy.name,
            )
        )
        self._listeners[policy] = listener
        self._listens_as = _socket_settings(config)
        return listener

    async def _close_changed(self) -> None:
        """Close listeners with outdated settings; subscriptions open them again."""
        if self._listeners and self._listens_as != _socket_settings(self._config):
            await self.close()

    async def _drop(self, name: str, policy: RetentionPolicy) -> None:
        await self._cluster.execute(
            f"DROP SUBSCRIPTION {_identifier(name)} ON {_on(policy)}"
        )
        await self._close_listener(policy)

    async def _close_listener(self, policy: RetentionPolicy) -> None:
        if listener := self._listeners.pop(policy, None):
            await listener.close()

    @property
    def _host(self) -> str:
        return self._config.kapacitor_hostname or self._hostname

    @property
    def _address(self) -> tuple[int, str]:
        """Port and path of destinations over HTTP."""
        port = self._config.http_port or self._port()
        return port, self._config.subscription_path.lstrip("/")


def _is_wanted(policy: RetentionPolicy, config: Config) -> bool:
    """True if a retention policy is to be subscribed to."""
    wanted, excluded = config.subscriptions, config.excluded_subscriptions
    return (not wanted or _is_in(policy, wanted)) and not _is_in(policy, excluded)


def _is_in(policy: RetentionPolicy, patterns: Mapping[str, Sequence[str]]) -> bool:
    return any(
        _matches(database, policy.database) and _matches(pattern, policy.name)
        for database, policy_patterns in patterns.items()
        for pattern in policy_patterns
    )


def _matches(pattern: str, name: str) -> bool:
    """True if a name equals a pattern, or matches it as a glob."""
    try:
        return pattern == name or (pattern != "" and match(pattern, name))
    except PatternError:
        return False


def _socket_settings(config: Config) -> object:
    return config.udp_bind, config.udp_buffer, config.udp_read_buffer


def _on(policy: RetentionPolicy) -> str:
    return f"{_identifier(policy.database)}.{_identifier(policy.name)}"


def _identifier(name: str) -> str:
    """A name in InfluxQL.

    Source: influxql, QuoteIdent.
    """
    return f'"{_escaped(name, quote=chr(34))}"'


def _string(text: str) -> str:
    """A string in InfluxQL.

    Source: influxql, QuoteString.
    """
    return f"'{_escaped(text, quote=chr(39))}'"


def _escaped(text: str, *, quote: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace(quote, f"\\{quote}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
