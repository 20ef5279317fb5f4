"""TICKscript property `.googleChat()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class GoogleChatHandler(AlertHandler):
    """Options of `.googleChat()`.

    Attributes:
        url: URL of the webhook of another space; defaults to the configured one.
    """

    url: str = ""
