"""The server's own tables of the configuration file."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from runtime.errors import ConfigError
from runtime.nodes.budget import TaskLimits
from runtime.secrets import NO_SECRET, Secret
from runtime.services.httpd.sites import parsed_host, parsed_origin
from runtime.units import DAY, HOUR, MINUTE, SECOND, Duration

_PORT_CHARACTERS = 100
DEFAULT_BUFFER_LENGTH = 5000
MINIMUM_BUFFER_LENGTH = 1000
LOG_LEVELS = {
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "OFF": logging.CRITICAL + 1,
}


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """The `[http]` table.

    Attributes:
        bind_address: `host:port`; without a host, every address of the machine.
        auth_enabled: True if requests need credentials.
        log_enabled: True to log each request.
        write_tracing: True to log the bodies of writes.
        pprof_enabled: True to serve `/debug/…` without credentials.
        https_enabled: True if the port uses TLS.
        https_certificate: PEM file of the certificate chain.
        https_private_key: PEM file of the key; empty means the certificate's file.
        shutdown_timeout: time in which open requests may end when the server stops.
        read_timeout: time limit for receiving a request; 0 for none.
        shared_secret: secret that signs tokens.
        allowed_hosts: names of the server for clients and proxies, in addition to those
            of loopback, of the machine and of `bind_address`.
        allowed_origins: origins whose pages may use the API: `https://grafana.example`.
    """

    bind_address: str = "127.0.0.1:9092"
    auth_enabled: bool = False
    log_enabled: bool = True
    write_tracing: bool = False
    pprof_enabled: bool = False
    https_enabled: bool = False
    https_certificate: str = "/etc/ssl/kapacitor.pem"
    https_private_key: str = ""
    shutdown_timeout: Duration = Duration(10 * SECOND)
    read_timeout: Duration = Duration(3 * MINUTE)
    shared_secret: Secret = NO_SECRET
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()

    def address(self) -> tuple[str, int]:
        """Host and port to listen on; an empty host means every address.

        Raises:
            ConfigError: the address is invalid.

        Source: Kapacitor services/httpd/config.go, Config.Validate; Go net.SplitHostPort.
        """
        try:
            host, port = split_host_port(self.bind_address)
        except ValueError as error:
            raise ConfigError(
                f"invalid http bind address {self.bind_address}: {error}"
            ) from None
        if not port:
            return host, 0
        unsigned = port[1:] if port[0] in "+-" else port
        if not (unsigned.isascii() and unsigned.isdigit()):
            raise ConfigError(
                f"invalid http bind address port {port}: "
                f'strconv.ParseInt: parsing "{port}": invalid syntax'
            )
        # Python refuses to convert thousands of digits
        number = int(port) if len(port) <= _PORT_CHARACTERS else -1
        if not 0 <= number <= 65535:
            raise ConfigError(f"invalid http bind address port {port}: out of range")
        return host, number

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is invalid.
        """
        self.address()
        for name in ("shutdown_timeout", "read_timeout"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name.replace('_', '-')} must not be negative")
        for key, parsed, entries in (
            ("allowed-hosts", parsed_host, self.allowed_hosts),
            ("allowed-origins", parsed_origin, self.allowed_origins),
        ):
            for entry in entries:
                try:
                    parsed(entry)
                except ValueError as error:
                    raise ConfigError(f"{key}: {error}") from None

    @property
    def is_loopback(self) -> bool:
        """True if only this machine can reach the API."""
        host, _ = self.address()
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def split_host_port(address: str) -> tuple[str, str]:
    """Split `host:port` and `[host]:port`.

    Raises:
        ValueError: it has another form; the text is Go's.

    Source: Go net.SplitHostPort.
    """
    if address.startswith("["):
        host, bracket, rest = address[1:].partition("]")
        if not bracket:
            raise ValueError(f"address {address}: missing ']' in address")
        if not rest.startswith(":"):
            raise ValueError(f"address {address}: missing port in address")
        return host, rest[1:]
    host, colon, port = address.rpartition(":")
    if not colon:
        raise ValueError(f"address {address}: missing port in address")
    if ":" in host:
        raise ValueError(f"address {address}: too many colons in address")
    return host, port


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """The `[auth]` table.

    Attributes:
        enabled: True to enable users.
        cache_expiration: time that a checked password is cached.
        bcrypt_cost: cost of hashing passwords; each step doubles the time.
    """

    IGNORED: ClassVar[Collection[str]] = (
        "meta-addr",
        "meta-username",
        "meta-password",
        "meta-internal-shared-secret",
        "meta-use-tls",
        "meta-ca",
        "meta-cert",
        "meta-key",
        "meta-insecure-skip-verify",
    )

    enabled: bool = False
    cache_expiration: Duration = Duration(HOUR)
    bcrypt_cost: int = 0

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: the cost is too low, or hashing would take too long.
        """
        if self.enabled and self.bcrypt_cost < 4:
            raise ConfigError(
                f"must provide a bcrypt cost >= 4, got {self.bcrypt_cost}"
            )
        if self.bcrypt_cost > 20:
            raise ConfigError(
                f"must provide a bcrypt cost <= 20, got {self.bcrypt_cost}"
            )


@dataclass(frozen=True, slots=True)
class AlertConfig:
    """The `[alert]` table.

    Attributes:
        persist_topics: True to keep event states over restarts.
        topic_buffer_length: number of events in a handler's queue.
        retention: time that alert states that are OK are kept.
        max_recovered: maximum number of these; the oldest are deleted first.
        allowed_log_paths: files and folders that `log` handlers may write to.
        allowed_programs: programs that `exec` handlers may run.
        allowed_tcp_addresses: `host:port` that `tcp` handlers may connect to.
        allowed_secret_files: files and folders that secrets may be read from.

    These lists matter only where strangers could define handlers over HTTP.
    """

    persist_topics: bool = True
    topic_buffer_length: int = DEFAULT_BUFFER_LENGTH
    retention: Duration = Duration(7 * DAY)
    max_recovered: int = 100_000
    allowed_log_paths: tuple[str, ...] = ()
    allowed_programs: tuple[str, ...] = ()
    allowed_tcp_addresses: tuple[str, ...] = ()
    allowed_secret_files: tuple[str, ...] = ()

    @property
    def buffer_length(self) -> int:
        """The effective queue length; values that are too small mean the default."""
        if self.topic_buffer_length < MINIMUM_BUFFER_LENGTH:
            return DEFAULT_BUFFER_LENGTH
        return self.topic_buffer_length

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a number is negative, or a path not absolute.
        """
        for name in ("allowed_log_paths", "allowed_secret_files"):
            for path in getattr(self, name):
                if not Path(path).is_absolute():
                    raise ConfigError(
                        f"{name.replace('_', '-')}: {path} must be absolute"
                    )
        if self.retention < 0:
            raise ConfigError("retention must not be negative")
        if self.max_recovered < 0:
            raise ConfigError("max-recovered must not be negative")


@dataclass(frozen=True, slots=True)
class ReplayConfig:
    """The `[replay]` table.

    Attributes:
        dir: directory of recordings.
    """

    dir: str = "./replay"

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: the directory is missing.
        """
        if not self.dir:
            raise ConfigError("must specify dir")


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """The `[storage]` table.

    Attributes:
        boltdb: path of the database file; the key is Kapacitor's, the format SQLite.
    """

    boltdb: str = "./kapacitor.db"

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: the path is missing.
        """
        if not self.boltdb:
            raise ConfigError("must specify storage 'boltdb' path")


@dataclass(frozen=True, slots=True)
class TaskConfig:
    """The `[task]` table.

    Attributes:
        snapshot_interval: accepted, has no effect.
        max_memory: approximate memory of one task, in bytes, beyond which it is
            stopped; 0 for no limit.
        max_write_time: time that one task may spend on a write before it is stopped; 0
            for no limit.
    """

    IGNORED: ClassVar[Collection[str]] = ("dir",)

    snapshot_interval: Duration = Duration(MINUTE)
    max_memory: int = 1 << 30
    max_write_time: Duration = Duration(MINUTE)

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a limit is negative.
        """
        if self.max_memory < 0 or self.max_write_time < 0:
            raise ConfigError("max-memory and max-write-time must not be negative")

    @property
    def limits(self) -> TaskLimits:
        """Limits of a task."""
        return TaskLimits(self.max_memory, int(self.max_write_time))


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """The `[load]` table.

    Attributes:
        enabled: True to load tasks, templates and handlers from `dir`.
        dir: absolute path of the directory.
    """

    enabled: bool = False
    dir: str = "./load"

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: the directory is not absolute.
        """
        if self.enabled and not Path(self.dir).is_absolute():
            raise ConfigError("dir must be an absolute path")


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """The `[logging]` table.

    Attributes:
        file: `STDERR`, `STDOUT` or a path.
        level: one of `LOG_LEVELS`, in any case.
    """

    file: str = "STDERR"
    level: str = "DEBUG"


@dataclass(frozen=True, slots=True)
class OverrideConfig:
    """The `[config-override]` table.

    Attributes:
        enabled: True to allow overrides over the API.
    """

    enabled: bool = True
