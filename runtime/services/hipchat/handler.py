"""Handler options of kind `hipchat`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.secrets import NO_SECRET, Secret
from runtime.services.hipchat.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        room: room to post to; defaults to the configured one.
        token: API token to post with; defaults to the configured one.
    """

    room: str = ""
    token: Secret = NO_SECRET

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(
            self,
            room=self.room or config.room,
            token=self.token or config.token,
        )
