"""TICKscript property `.foo()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class FooHandler(AlertHandler):
    """Options of `.foo()`.

    Attributes:
        room: room to post to; defaults to the configured one.
    """

    room: str = ""
