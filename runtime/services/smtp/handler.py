"""Handler options of kind `smtp`."""

from dataclasses import dataclass

from runtime.alert.templates import Template


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        to: recipients; without any, the configured ones.
        to_field: further recipients, as templates; empty ones are left out.
    """

    to: tuple[str, ...] = ()
    to_field: tuple[Template, ...] = ()
