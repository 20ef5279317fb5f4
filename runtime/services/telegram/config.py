"""Configuration of the Telegram service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[telegram]` of the configuration file.

    Attributes:
        enabled: enables the service.
        url: URL of the bot API; the token follows it without a slash.
        token: token of the bot, from @BotFather; required when enabled.
        chat_id: default chat for handlers: a number, or @NAME of a channel.
        parse_mode: default markup of messages: Markdown, HTML or empty for none.
        disable_web_page_preview: shows no previews of links.
        disable_notification: sends messages without a sound.
        global_: adds a handler to alert nodes that have none of this kind.
        state_changes_only: with `global`, limits alerts to changes of level.
    """

    enabled: bool = False
    url: str = "https://api.telegram.org/bot"
    token: Secret = NO_SECRET
    chat_id: str = ""
    parse_mode: str = ""
    disable_web_page_preview: bool = False
    disable_notification: bool = False
    global_: bool = False
    state_changes_only: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if self.enabled and not self.url:
            raise ConfigError("must specify url")
        check_url(self.url)
        if self.enabled and not self.token:
            raise ConfigError("must specify token")
