"""Configuration of the PagerDuty service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.secrets.urls import hidden_url
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[pagerduty]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the API.
        service_key: default service key for handlers.
        global_: adds a handler to alert nodes that have none of this kind.
    """

    enabled: bool = False
    url: str = "https://events.pagerduty.com/generic/2010-04-15/create_event.json"
    service_key: Secret = NO_SECRET
    global_: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if not self.url:
            raise ConfigError("url cannot be empty")
        check_url(self.url, f'invalid URL "{hidden_url(self.url)}"')
