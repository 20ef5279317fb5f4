"""Configuration of the Teams service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[teams]` of the configuration file.

    Attributes:
        enabled: enables the service.
        channel_url: URL of the channel's webhook; required when enabled.
        global_: adds a handler to alert nodes that have none of this kind.
        state_changes_only: with `global`, limits alerts to changes of level.
    """

    enabled: bool = False
    channel_url: str = ""
    global_: bool = False
    state_changes_only: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if self.enabled and not self.channel_url:
            raise ConfigError("must specify Teams channel webhook URL")
        check_url(self.channel_url)
