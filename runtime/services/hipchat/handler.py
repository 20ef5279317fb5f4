"""The options of handlers of kind `hipchat`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.secrets import NO_SECRET, Secret
from runtime.services.hipchat.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """What one handler says.

    Attributes:
        room: the room to post to; empty means the configured one.
        token: the API token to post with; empty means the configured one.
    """

    room: str = ""
    token: Secret = NO_SECRET

    def resolve(self, config: Config) -> Self:
        """These options, with the configured ones where they say nothing."""
        return replace(
            self,
            room=self.room or config.room,
            token=self.token or config.token,
        )
