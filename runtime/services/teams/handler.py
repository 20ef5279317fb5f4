"""Handler options of kind `teams`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.services.teams.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        channel_url: URL of the webhook of another channel; defaults to the configured
            one.
    """

    channel_url: str = ""

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(self, channel_url=self.channel_url or config.channel_url)
