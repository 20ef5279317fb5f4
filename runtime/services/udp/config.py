"""Configuration of UDP listeners."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from runtime.errors import ConfigError

_PORT = re.compile(r"\d{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Config:
    """One `[[udp]]` table: a socket that receives line protocol.

    Attributes:
        enabled: True to listen.
        bind_address: `host:port`; without a host, every address of the machine.
        read_buffer: size of the socket's buffer in bytes; 0 for the system's.
        buffer: maximum number of waiting packets.
        database: database of the points.
        retention_policy: retention policy of the points.
    """

    IGNORED: ClassVar[Collection[str]] = (
        "batch-size",
        "batch-pending",
        "batch-timeout",
    )

    enabled: bool = False
    bind_address: str = ""
    read_buffer: int = 0
    buffer: int = 1000
    database: str = ""
    retention_policy: str = ""

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.

        Source: Kapacitor services/udp/service.go, Open.
        """
        if not self.enabled:
            return
        if not self.bind_address:
            raise ConfigError("bind address has to be specified in config")
        _, colon, port = self.bind_address.rpartition(":")
        if not colon or not _PORT.fullmatch(port) or int(port) > 65535:
            raise ConfigError(
                f"invalid bind-address {self.bind_address}: it must be host:port"
            )
        if not self.database:
            raise ConfigError("database has to be specified in config")
        if self.read_buffer < 0:
            raise ConfigError("read-buffer must not be negative")
        if self.buffer < 1:
            raise ConfigError("buffer must be at least 1")
