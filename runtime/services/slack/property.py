"""TICKscript property `.slack()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class SlackHandler(AlertHandler):
    """Options of `.slack()`.

    Attributes:
        workspace: workspace to post to; defaults to the default section.
        channel: channel to post to; defaults to the configured one.
        username: name that the message is posted under; defaults to the configured one.
        icon_emoji: icon of the message, such as `:fire:`; defaults to the configured
            one.
    """

    workspace: str = ""
    channel: str = ""
    username: str = ""
    icon_emoji: str = ""
