"""Handler options of kind `talk`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler."""
