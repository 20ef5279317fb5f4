"""TICKscript property `.zulip()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class ZulipHandler(AlertHandler):
    """Options of `.zulip()`.

    Attributes:
        channel: channel to post to; defaults to the configured one.
        subject: topic in the channel; defaults to the alert's ID.
    """

    channel: str = ""
    subject: str = ""
