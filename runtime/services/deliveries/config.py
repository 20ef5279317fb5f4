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
        concurrency: maximum number of concurrent deliveries per handler, of events with
            different ids.
        rate: maximum number of deliveries per handler and second; 0 for no limit.
        connect_timeout: time limit for connecting to an endpoint.
        timeout: time limit of a request to an endpoint.
        retry_base: upper bound of the first delay; doubled for each further delay.
        retry_max: upper bound of all delays.
        max_retry_after: longest delay that an endpoint may request.
        max_age: age at which an event becomes a dead letter.
        probe_interval: interval of attempts for a handler that keeps failing.
        auth_probe_interval: interval of attempts for a handler whose credentials are
            refused.
        max_pending: number of pending deliveries at which writes are refused.
        max_database_size: size of the database at which writes are refused.
        retention: time that dead and cancelled deliveries are kept for resending.
        max_dead: maximum number of these; the oldest are purged first.
        denied_networks: networks, as CIDRs, that the server must not connect to.
        ssl_ca: file of authorities that are trusted in addition to the system's.
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
        """The networks that the server must not connect to.

        Raises:
            ConfigError: one of `denied_networks` is not a network.
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
            ConfigError: a value is too small, or not a network or a file of
                certificates.
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
