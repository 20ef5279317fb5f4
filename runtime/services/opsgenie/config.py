"""Configuration of the OpsGenie service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.secrets.urls import hidden_url
from runtime.services.urls import check_url
from runtime.settings import setting


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[opsgenie]` of the configuration file.

    Attributes:
        enabled: enables the service.
        teams: default teams for handlers.
        recipients: default recipients for handlers.
        url: URL for new alerts.
        recovery_url: URL for recoveries.
        api_key: API key; required when enabled.
        global_: adds a handler to alert nodes that have none of this kind.
    """

    enabled: bool = False
    teams: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    url: str = "https://api.opsgenie.com/v1/json/alert"
    recovery_url: str = setting(
        "https://api.opsgenie.com/v1/json/alert/note", key="recovery_url"
    )
    api_key: Secret = NO_SECRET
    global_: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if not self.url:
            raise ConfigError("url cannot be empty")
        check_url(self.url, f'invalid URL "{hidden_url(self.url)}"')
        if not self.recovery_url:
            raise ConfigError("recovery_url cannot be empty")
        check_url(
            self.recovery_url, f'invalid recovery_url "{hidden_url(self.recovery_url)}"'
        )
        if self.enabled and not self.api_key:
            raise ConfigError("api-key cannot be empty")
