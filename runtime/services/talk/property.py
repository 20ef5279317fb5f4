"""TICKscript property `.talk()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class TalkHandler(AlertHandler):
    """Options of `.talk()`."""
