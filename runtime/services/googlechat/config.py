"""Configuration of the Google Chat service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[googlechat]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the space's incoming webhook, with key and token; required when
            enabled.
        global_: adds a handler to alert nodes that have none of this kind.
        state_changes_only: with `global`, limits alerts to changes of level.
    """

    enabled: bool = False
    url: Secret = NO_SECRET
    global_: bool = False
    state_changes_only: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if self.enabled and not self.url:
            raise ConfigError("must specify url")
        check_url(self.url)
