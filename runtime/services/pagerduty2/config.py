"""Configuration of the PagerDuty2 service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.secrets.urls import hidden_url
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[pagerduty2]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the API.
        routing_key: default integration key for handlers, of an integration with the
            events API version 2.
        global_: adds a handler to alert nodes that have none of this kind.
    """

    enabled: bool = False
    url: str = "https://events.pagerduty.com/v2/enqueue"
    routing_key: Secret = NO_SECRET
    global_: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if not self.url:
            raise ConfigError("url cannot be empty")
        check_url(self.url, f'invalid URL "{hidden_url(self.url)}"')
