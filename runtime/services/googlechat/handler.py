"""Handler options of kind `googlechat`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.secrets import NO_SECRET, Secret
from runtime.services.googlechat.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        url: URL of the webhook of another space; defaults to the configured one.
    """

    url: Secret = NO_SECRET

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(self, url=self.url or config.url)
