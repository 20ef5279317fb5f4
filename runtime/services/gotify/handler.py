"""Handler options of kind `gotify`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.secrets import NO_SECRET, Secret
from runtime.services.gotify.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        token: token of the application; defaults to the configured one.
        priority: priority, 0 to 10; by default that of the alert's level.
        title: title of the message; defaults to the alert's ID.
    """

    token: Secret = NO_SECRET
    priority: int = 0
    title: str = ""

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(self, token=self.token or config.token)
