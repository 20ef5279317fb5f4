"""TICKscript property `.telegram()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class TelegramHandler(AlertHandler):
    """Options of `.telegram()`.

    Attributes:
        chat_id: chat to send to; defaults to the configured one.
        parse_mode: markup of the message: Markdown or HTML; defaults to the configured
            one.
        disable_web_page_preview: shows no previews of links; also if configured so.
        disable_notification: sends the message without a sound; also if configured so.
    """

    chat_id: str = ""
    parse_mode: str = ""
    disable_web_page_preview: bool = False
    disable_notification: bool = False
