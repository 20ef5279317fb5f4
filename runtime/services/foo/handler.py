"""The options of handlers of kind `foo`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """What one handler says.

    Attributes:
        room: the room to post to; empty means the configured one.
    """

    room: str = ""
