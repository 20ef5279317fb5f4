"""TICKscript property `.hipChat()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class HipChatHandler(AlertHandler):
    """Options of `.hipChat()`.

    Attributes:
        room: room to post to; defaults to the configured one.
        token: API token to post with; defaults to the configured one.
    """

    room: str = ""
    token: str = ""
