"""TICKscript property `.matrix()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class MatrixHandler(AlertHandler):
    """Options of `.matrix()`.

    Attributes:
        room: room to send to, by its ID; defaults to the configured one.
    """

    room: str = ""
