"""Handler options of kind `slack`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.services.slack.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        workspace: workspace to post to; defaults to the default section.
        channel: channel to post to; defaults to the configured one.
        username: name that the message is posted under; defaults to the configured one.
        icon_emoji: icon of the message, such as `:fire:`; defaults to the configured
            one.
    """

    workspace: str = ""
    channel: str = ""
    username: str = ""
    icon_emoji: str = ""

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(
            self,
            channel=self.channel or config.channel,
            username=self.username or config.username,
            icon_emoji=self.icon_emoji or config.icon_emoji,
        )
