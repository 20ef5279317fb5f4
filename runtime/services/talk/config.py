"""Configuration of the Talk service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.urls import check_url
from runtime.settings import setting


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[talk]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the incoming webhook; required when enabled.
        author_name: author of the messages.
    """

    enabled: bool = False
    url: Secret = NO_SECRET
    author_name: str = setting("", key="author_name")

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if self.enabled and not self.url:
            raise ConfigError("must specify url")
        check_url(self.url)
