"""Handler options of kind `matrix`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.services.matrix.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        room: room to send to, by its ID; defaults to the configured one.
    """

    room: str = ""

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(self, room=self.room or config.room)
