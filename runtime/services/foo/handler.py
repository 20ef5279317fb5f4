"""Handler options of kind `foo`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        room: room to post to; defaults to the configured one.
    """

    room: str = ""
