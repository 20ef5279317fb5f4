"""TICKscript property `.teams()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler
from runtime.settings import setting


@dataclass(slots=True)
class TeamsHandler(AlertHandler):
    """Options of `.teams()`.

    Attributes:
        channel_url: URL of the webhook of another channel; defaults to the configured
            one.
    """

    channel_url: str = setting("", tick="channelURL")
