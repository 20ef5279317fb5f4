"""The server's whole configuration, with its defaults and its rules."""

# ruff: noqa: RUF009 - the calls in defaults make frozen values
from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.errors import ConfigError
from runtime.integration import instances_of
from runtime.lazy import given
from runtime.pipeline.node import DeadmanSettings
from runtime.server.config.sections import (
    AlertConfig,
    AuthConfig,
    HttpConfig,
    LoadConfig,
    LoggingConfig,
    OverrideConfig,
    ReplayConfig,
    StorageConfig,
    TaskConfig,
)
from runtime.services.deliveries.config import Config as DeliveryConfig
from runtime.services.influxdb.config import Config as InfluxDBConfig
from runtime.services.influxdb.config import validate as validate_clusters
from runtime.services.udp.config import Config as UdpConfig
from runtime.settings import setting

# Errors of these sections need no prefix, as in Kapacitor.
_UNPREFIXED = frozenset({"load", "discord"})


@dataclass(slots=True)
class Config:
    """The whole file.

    Attributes:
        hostname: hostname of the server in alerts.
        data_dir: directory of the ids of cluster and server; required.
        skip_config_overrides: True to ignore stored overrides at the start.
        default_retention_policy: retention policy of writes that name none.
        influxdb: clusters of InfluxDB; none without a section in the file.
        udp: sockets that take points.
        handlers: the sections of alert handlers by their names: a frozen value each, or
            a tuple of such values. In the file they are beside the other sections.
            Sections that are not set may be lazy: their defaults are valid, and disable
            the service.
    """

    hostname: str = "localhost"
    data_dir: str = setting("", key="data_dir")
    skip_config_overrides: bool = False
    default_retention_policy: str = ""
    alert: AlertConfig = AlertConfig()
    deadman: DeadmanSettings = DeadmanSettings()
    delivery: DeliveryConfig = DeliveryConfig()
    auth: AuthConfig = AuthConfig()
    http: HttpConfig = HttpConfig()
    replay: ReplayConfig = ReplayConfig()
    storage: StorageConfig = StorageConfig()
    task: TaskConfig = TaskConfig()
    load: LoadConfig = LoadConfig()
    logging: LoggingConfig = LoggingConfig()
    influxdb: tuple[InfluxDBConfig, ...] = ()
    config_override: OverrideConfig = OverrideConfig()
    udp: tuple[UdpConfig, ...] = ()
    handlers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def requires_users(self) -> bool:
        """True if every request comes from a user whose password was checked."""
        return self.http.auth_enabled and self.auth.enabled

    @property
    def is_guarded(self) -> bool:
        """True if strangers cannot send requests."""
        return self.requires_users or self.http.is_loopback

    def validate(self) -> None:
        """Check all values, in Kapacitor's order.

        Raises:
            ConfigError: a value is invalid; the error is the first, with its section's
                name.

        Source: Kapacitor server/config.go, Config.Validate.
        """
        if not self.hostname:
            raise ConfigError("must configure valid hostname")
        if not self.data_dir:
            raise ConfigError("must configure valid data dir")
        for section in _CHECKED:
            _validate(section, getattr(self, section))
        validate_clusters(self.influxdb)
        for listener in self.udp:
            _validate("udp", listener)
        for name, value in given(self.handlers).items():
            elements = value if isinstance(value, tuple) else (value,)
            for element in elements:
                _validate(name, element)
            if elements and (rules := instances_of(type(elements[0]))):
                with _prefixed(name):
                    rules.validate(elements)


def demo_config(home: Path, handlers: Mapping[str, Any]) -> Config:
    """The configuration of a server without a file: everything is below `home`.

    Args:
        home: the user's home directory.
        handlers: the sections of alert handlers.

    Source: Kapacitor server/config.go, NewDemoConfig.
    """
    root = home / ".kapacitor"
    return Config(
        data_dir=str(root),
        replay=ReplayConfig(dir=str(root / "replay")),
        storage=StorageConfig(boltdb=str(root / "kapacitor.db")),
        load=LoadConfig(dir=str(root / "load")),
        handlers=handlers,
    )


# in Kapacitor's order, then ours
_CHECKED = (
    *("replay", "auth", "storage", "http", "load", "delivery", "alert"),
    "deadman",
)


def _validate(section: str, value: object) -> None:
    validate = getattr(value, "validate", None)
    if validate is not None:
        with _prefixed(section):
            validate()


@contextlib.contextmanager
def _prefixed(section: str) -> Iterator[None]:
    """Name the section in the errors of the block."""
    try:
        yield
    except ConfigError as error:
        if section in _UNPREFIXED:
            raise
        raise ConfigError(f"{section}: {error}") from None
