"""Configuration of deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtime.errors import ConfigError
from runtime.outbound.addresses import DEFAULT_DENIED, DeniedNetworks
from runtime.outbound.trust import Trust
from runtime.units import DAY, HOUR, MINUTE, SECOND, Duration


@dataclass(frozen=True, slots=True)
class Config:
    """The `[delivery]` table.

    Attributes:
        concurrency: how many events of different ids a handler gets at a time.
        rate: how many events a handler gets a second; 0: as many as it takes.
        connect_timeout: how long a connection to an endpoint may take.
        timeout: how long an endpoint may take to answer.
        retry_base: the longest first delay; each further one may be twice as long.
        retry_max: the longest delay.
        max_retry_after: the longest delay that an endpoint may ask for.
        max_age: how old an event may get before it is given up.
        probe_interval: how often a handler is tried that keeps failing.
        auth_probe_interval: how often a handler is tried whose credentials are refused.
        max_pending: how many deliveries may wait before writes are refused.
        max_database_size: how large the database may get before writes are refused.
        retention: how long deliveries that were given up can be sent again.
        max_dead: how many of them are kept; the oldest go first.
        denied_networks: where endpoints are not connected to, as CIDRs.
        ssl_ca: a file of authorities that are trusted besides the system's.
    """

    concurrency: int = 4
    rate: float = 0.0
    connect_timeout: Duration = Duration(5 * SECOND)
    timeout: Duration = Duration(30 * SECOND)
    retry_base: Duration = Duration(SECOND)
    retry_max: Duration = Duration(5 * MINUTE)
    max_retry_after: Duration = Duration(HOUR)
    max_age: Duration = Duration(DAY)
    probe_interval: Duration = Duration(30 * SECOND)
    auth_probe_interval: Duration = Duration(5 * MINUTE)
    max_pending: int = 1_000_000
    max_database_size: int = 1 << 30
    retention: Duration = Duration(7 * DAY)
    max_dead: int = 100_000
    denied_networks: tuple[str, ...] = DEFAULT_DENIED
    ssl_ca: str = ""

    @property
    def denied(self) -> DeniedNetworks:
        """The networks that are never connected to.

        Raises:
            ConfigError: one of `denied_networks` is no network.
        """
        try:
            return DeniedNetworks.parsed(self.denied_networks)
        except ValueError as error:
            raise ConfigError(f"denied-networks: {error}") from None

    @property
    def trust(self) -> Trust | None:
        """The certificate authorities trusted besides those of the system's store.

        Raises:
            ConfigError: the file has no certificates.
        """
        return Trust(Path(self.ssl_ca)) if self.ssl_ca else None

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one is too small, no network, or no file of certificates.
        """
        _ = self.denied, self.trust
        for name in ("concurrency", "max_pending", "max_database_size", "max_dead"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name.replace('_', '-')} must be at least 1")
        if not self.rate >= 0:
            raise ConfigError("rate must not be negative")
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name.replace('_', '-')} must be positive")


_POSITIVE = (
    "connect_timeout",
    "timeout",
    "retry_base",
    "retry_max",
    "max_retry_after",
    "max_age",
    "probe_interval",
    "auth_probe_interval",
    "retention",
)
