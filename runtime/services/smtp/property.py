"""TICKscript property `.email()` of alert nodes."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.templates import Template
from runtime.pipeline.handler import AlertHandler
from runtime.pipeline.properties import Signature
from runtime.settings import setting


@dataclass(slots=True)
class EmailHandler(AlertHandler):
    """Options of `.email()`.

    Attributes:
        to: recipients; without any, the configured ones.
        to_field: further recipients, as templates; empty ones are left out.
    """

    call: ClassVar[Signature] = Signature(rest=str)
    call_fields: ClassVar[tuple[str, ...]] = ("to",)

    to: tuple[str, ...] = ()
    to_field: tuple[Template, ...] = setting((), tick="toTemplates")
