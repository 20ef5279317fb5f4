"""Handler options of kind `webhook`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.secrets import NO_SECRET, Secret
from runtime.services.webhook.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        url: URL of another receiver; defaults to the configured one.
        receiver: name of the receiver in the message.
    """

    url: Secret = NO_SECRET
    receiver: str = "kapacitor"

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(self, url=self.url or config.url)
