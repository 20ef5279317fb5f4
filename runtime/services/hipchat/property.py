"""The property `.hipChat()` of alert nodes in scripts."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class HipChatHandler(AlertHandler):
    """What `.hipChat()` says.

    Attributes:
        room: the room to post to; empty means the configured one.
        token: the API token to post with; empty means the configured one.
    """

    room: str = ""
    token: str = ""
