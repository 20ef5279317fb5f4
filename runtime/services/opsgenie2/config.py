"""Configuration of the OpsGenie2 service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.secrets.urls import hidden_url
from runtime.services.urls import check_url
from runtime.settings import setting


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[opsgenie2]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the alert API.
        recovery_action: default action on recovery: `notes` or `close`.
        api_key: API key of an integration; required when enabled.
        teams: default teams for handlers.
        recipients: default recipients for handlers, by user name.
        details: takes the details of the alert as description, in place of its data.
        global_: adds a handler to alert nodes that have none of this kind.
    """

    enabled: bool = False
    url: str = "https://api.opsgenie.com/v2/alerts"
    recovery_action: str = setting("notes", key="recovery_action")
    api_key: Secret = NO_SECRET
    teams: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    details: bool = False
    global_: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if not self.url:
            raise ConfigError("url cannot be empty")
        check_url(self.url, f'invalid URL "{hidden_url(self.url)}"')
        if not self.recovery_action:
            raise ConfigError("recovery_action cannot be empty")
        if self.enabled and not self.api_key:
            raise ConfigError("api-key cannot be empty")
