"""Configuration of the Foo service."""

from dataclasses import dataclass

from runtime.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[foo]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the Foo server; required when enabled.
        room: default room for handlers.
    """

    enabled: bool = False
    url: str = ""
    room: str = ""

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if self.enabled and not self.url:
            raise ConfigError("must specify the Foo server URL")
