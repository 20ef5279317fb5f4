"""Configuration of the ntfy service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[ntfy]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the server.
        token: access token; empty for topics that anyone can publish to.
        topic: default topic for handlers.
        global_: adds a handler to alert nodes that have none of this kind.
        state_changes_only: with `global`, limits alerts to changes of level.
    """

    enabled: bool = False
    url: str = "https://ntfy.sh"
    token: Secret = NO_SECRET
    topic: str = ""
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
