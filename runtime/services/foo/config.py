"""Configuration of the Foo service."""

from dataclasses import dataclass

from runtime.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Config:
    """The `[foo]` table of the server's configuration file.

    Attributes:
        enabled: whether the service sends alerts.
        url: the URL of the Foo server; required when enabled.
        room: the room of handlers that name none.
    """

    enabled: bool = False
    url: str = ""
    room: str = ""

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or wrong.
        """
        if self.enabled and not self.url:
            raise ConfigError("must specify the Foo server URL")
