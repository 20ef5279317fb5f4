"""Configuration of the SNMP trap service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[snmptrap]` of the configuration file.

    Attributes:
        enabled: enables the service.
        addr: address of the receiver, HOST:PORT.
        community: community of the traps; `kapacitor` if it is empty.
        retries: retries of a trap whose packet cannot be sent.
    """

    enabled: bool = False
    addr: str = "localhost:162"
    community: Secret = NO_SECRET
    retries: int = 1

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if self.enabled and not self.addr:
            raise ConfigError("must specify addr")
