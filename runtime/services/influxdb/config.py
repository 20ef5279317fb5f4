"""Configuration of clusters of InfluxDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runtime.errors import ConfigError
from runtime.golang.quoting import quote
from runtime.outbound.connection import Certificates
from runtime.secrets import NO_SECRET, Secret
from runtime.services.urls import check_url
from runtime.units import MINUTE, Duration

_MODES = ("cluster", "server")
_PROTOCOLS = ("http", "https", "udp")
_COMPRESSIONS = ("gzip", "none")
# the database of Kapacitor's own statistics
_EXCLUDED = {"_kapacitor": ("autogen",)}
_NOT_NEGATIVE = (
    "timeout",
    "startup_timeout",
    "subscriptions_sync_interval",
    "http_port",
    "udp_buffer",
    "udp_read_buffer",
)
_HIGHEST_PORT = 65535
UDP_BUFFER = 1000
"""Packets that wait between a socket and the tasks."""


@dataclass(frozen=True, slots=True)
class Config:
    """One `[[influxdb]]` table: a cluster.

    Attributes:
        enabled: True to use the cluster.
        name: name of the cluster in tasks.
        default: True for the cluster of tasks that name none.
        urls: base URLs of its servers, tried in turn.
        username: user of requests; "" for none.
        password: password of that user.
        token: token of requests, in place of the user.
        http_shared_secret: True to send, in place of a password, tokens that are signed
            with the `shared-secret` of `[http]`.
        ssl_ca: file of trusted authorities.
        ssl_cert: file of the client's certificate.
        ssl_key: file of its key.
        insecure_skip_verify: True to accept any certificate.
        timeout: time limit of a request; 0 for none.
        disable_subscriptions: True to subscribe to nothing.
        subscription_protocol: `http`, `https` or `udp`.
        subscription_mode: `cluster` or `server`: the id in the names of subscriptions.
        subscriptions: retention policies to subscribe to, by database; all if empty.
        excluded_subscriptions: retention policies not to subscribe to, by database.
        kapacitor_hostname: host of the subscriptions' destination; "" for the server's.
        http_port: port of the destination; 0 for that of the API.
        udp_bind: address that UDP listeners bind to; "" for all.
        udp_buffer: packets that may wait at a UDP listener.
        udp_read_buffer: size of its socket's buffer in bytes; 0 for the system's.
        startup_timeout: time after the start in which failures to connect are expected.
        subscriptions_sync_interval: interval of updating subscriptions.
        subscription_path: path of the subscriptions' destination.
        compression: compression of writes, `gzip` or `none`.
    """

    enabled: bool = True
    name: str = "default"
    default: bool = False
    urls: tuple[str, ...] = ("http://localhost:8086",)
    username: str = ""
    password: Secret = NO_SECRET
    token: Secret = NO_SECRET
    http_shared_secret: bool = False
    ssl_ca: str = ""
    ssl_cert: str = ""
    ssl_key: str = ""
    insecure_skip_verify: bool = False
    timeout: Duration = Duration(0)
    disable_subscriptions: bool = False
    subscription_protocol: str = "http"
    subscription_mode: str = "cluster"
    subscriptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded_subscriptions: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: dict(_EXCLUDED)
    )
    kapacitor_hostname: str = ""
    http_port: int = 0
    udp_bind: str = ""
    udp_buffer: int = UDP_BUFFER
    udp_read_buffer: int = 0
    startup_timeout: Duration = Duration(5 * MINUTE)
    subscriptions_sync_interval: Duration = Duration(MINUTE)
    subscription_path: str = ""
    compression: str = "gzip"

    def __post_init__(self) -> None:
        """Replace zeros with their defaults.

        Source: Kapacitor services/influxdb/config.go, ApplyConditionalDefaults.
        """
        for name, default in _NONZERO.items():
            if not getattr(self, name):
                object.__setattr__(self, name, default)

    @property
    def certificates(self) -> Certificates:
        """The files of certificates."""
        return Certificates(self.ssl_ca, self.ssl_cert, self.ssl_key)

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is invalid; the text is Kapacitor's, without secrets.

        Source: Kapacitor services/influxdb/config.go, Validate.
        """
        if not self.name:
            raise ConfigError("influxdb cluster must be given a name")
        if not all(each in "-._0123456789" or each.isalpha() for each in self.name):
            raise ConfigError(
                "influxdb cluster name must contain only numbers, letters or '.', '-', "
                "and '_' characters"
            )
        if not self.urls:
            raise ConfigError("must specify at least one InfluxDB URL")
        for url in self.urls:
            _check_address(url)
        if any(self.certificates[:3]):
            from runtime.outbound.identity import Identity

            Identity(self.certificates)
        if self.subscription_protocol not in _PROTOCOLS:
            raise ConfigError(
                "invalid subscription protocol, must be one of 'udp', 'http' or "
                f"'https', got {quote(self.subscription_protocol)}"
            )
        if self.subscription_mode not in _MODES:
            mode = quote(self.subscription_mode)
            raise ConfigError(f"unknown subscription mode {mode}")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise ConfigError(f"{name.replace('_', '-')} must not be negative")
        if self.http_port > _HIGHEST_PORT:
            raise ConfigError(f"invalid http-port {self.http_port}")
        if self.compression not in _COMPRESSIONS:
            raise ConfigError(
                "Invalid compression, must be one of 'gzip' or 'none', "
                f"got {self.compression}"
            )


_NONZERO = {
    "udp_buffer": UDP_BUFFER,
    "startup_timeout": Duration(5 * MINUTE),
    "subscription_protocol": "http",
    "subscriptions_sync_interval": Duration(MINUTE),
    "compression": "gzip",
}


def _check_address(url: str) -> None:
    """Refuse a URL that is not an HTTP URL."""
    check_url(url)
    scheme, colon, _ = url.partition("://")
    if not colon or scheme.lower() not in ("http", "https"):
        shown = scheme if colon else ""
        raise ConfigError(
            f"invalid URLs: Unsupported protocol scheme: {shown}, your address must "
            "start with http:// or https://"
        )


def validate(configs: Sequence[Config]) -> None:
    """Check the clusters of a configuration file.

    Raises:
        ConfigError: a cluster is invalid, two share a name, or there is no default
            among several.

    Source: Kapacitor server/config.go, Config.Validate.
    """
    names: set[str] = set()
    for config in configs:
        if config.name in names:
            name = quote(config.name)
            raise ConfigError(f"duplicate name {name} for influxdb configs")
        names.add(config.name)
        config.validate()
    enabled = [each for each in configs if each.enabled]
    defaults = [each.name for each in enabled if each.default]
    if len(defaults) > 1:
        raise ConfigError(
            "More than one InfluxDB default was specified: "
            f"{defaults[1]} {defaults[0]}"
        )
    if len(enabled) > 1 and not defaults:
        raise ConfigError(
            "at least one of the enabled InfluxDB clusters must be marked as default."
        )


def default_of(configs: Sequence[Config]) -> str:
    """The name of the default cluster: the only one, or the last with the flag.

    Args:
        configs: the enabled clusters.

    Raises:
        ConfigError: there are several clusters, and none has the flag.

    Source: Kapacitor services/influxdb/service.go, updateConfigs.
    """
    if not configs:
        return ""
    flagged = [each.name for each in configs if each.default]
    if len(configs) > 1 and not flagged:
        raise ConfigError("no default cluster found")
    return configs[0].name if len(configs) == 1 else flagged[-1]
