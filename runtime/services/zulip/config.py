"""Configuration of the Zulip service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[zulip]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the server, https://NAME.zulipchat.com; required when enabled.
        email: address of the bot; required when enabled.
        api_key: API key of the bot; required when enabled.
        channel: default channel for handlers.
        global_: adds a handler to alert nodes that have none of this kind.
        state_changes_only: with `global`, limits alerts to changes of level.
    """

    enabled: bool = False
    url: str = ""
    email: str = ""
    api_key: Secret = NO_SECRET
    channel: str = ""
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
        if self.enabled and not self.email:
            raise ConfigError("must specify email")
        if self.enabled and not self.api_key:
            raise ConfigError("must specify api-key")
