"""Handler options of kind `zulip`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.services.zulip.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        channel: channel to post to; defaults to the configured one.
        subject: topic in the channel; defaults to the alert's ID.
    """

    channel: str = ""
    subject: str = ""

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(self, channel=self.channel or config.channel)
