"""Configuration of the ServiceNow service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[servicenow]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the events of an instance.
        source: default source of events.
        username: user; together with `password`.
        password: password of the user; without both, no credentials are sent.
        global_: adds a handler to alert nodes that have none of this kind.
        state_changes_only: with `global`, limits alerts to changes of level.
    """

    enabled: bool = False
    url: str = "https://instance.service-now.com/api/global/em/jsonv2"
    source: str = ""
    username: str = ""
    password: Secret = NO_SECRET
    global_: bool = False
    state_changes_only: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if self.enabled and not self.url:
            raise ConfigError("must specify events URL")
        check_url(self.url)
