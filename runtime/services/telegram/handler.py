"""Handler options of kind `telegram`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.services.telegram.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

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

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(
            self,
            chat_id=self.chat_id or config.chat_id,
            parse_mode=self.parse_mode or config.parse_mode,
            disable_web_page_preview=self.disable_web_page_preview
            or config.disable_web_page_preview,
            disable_notification=self.disable_notification
            or config.disable_notification,
        )
