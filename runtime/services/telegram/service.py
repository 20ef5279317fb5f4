"""The Telegram service: sends alert messages to Telegram chats."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState
from runtime.errors import DeliveryError
from runtime.golang.json import encode
from runtime.golang.printing import text
from runtime.outbound.client import Request, Response
from runtime.services.expressions import get, given, parse_error
from runtime.services.service import HttpService
from runtime.services.telegram.config import Config
from runtime.services.telegram.handler import HandlerConfig
from runtime.services.urls import below


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        chat_id: chat to send to.
        parse_mode: markup of the message: Markdown or HTML.
        message: message of the event.
        disable_web_page_preview: shows no previews of links.
        disable_notification: sends the message without a sound.
    """

    chat_id: str = ""
    parse_mode: str = ""
    message: str = "test telegram message"
    disable_web_page_preview: bool = False
    disable_notification: bool = False


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Sends alert messages to Telegram chats."""

    kind: ClassVar[str] = "telegram"
    ok = (200,)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`.

        Raises:
            DeliveryError: the options or the event cannot be sent.
        """
        options = options.resolve(config)
        if options.parse_mode.lower() not in ("", "markdown", "html"):
            raise DeliveryError(
                f"parseMode {options.parse_mode} is not valid, please use 'Markdown' or 'HTML'"
            )
        body: dict[str, object] = {
            "chat_id": options.chat_id,
            "text": event.state.message,
            **given("parse_mode", options.parse_mode),
            **given("disable_web_page_preview", options.disable_web_page_preview),
            **given("disable_notification", options.disable_notification),
        }
        return Request(
            "POST",
            below(f"{config.url}{config.token.reveal()}", "sendMessage"),
            headers={"Content-Type": "application/json"},
            body=encode(body),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        if response.json is None:
            return f"failed to understand Telegram response (err: {parse_error(response)}). code: {response.status} content: {response.text}"
        return (
            "sendMessage error ("
            + text(get(response.json, "error_code", 0))
            + ") description: "
            + text(get(response.json, "description"))
        )

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(
            chat_id=self.config.chat_id,
            parse_mode=self.config.parse_mode,
            disable_web_page_preview=self.config.disable_web_page_preview,
            disable_notification=self.config.disable_notification,
        )

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(id="test telegram", message=options.message)
        handler = HandlerConfig(
            chat_id=options.chat_id,
            parse_mode=options.parse_mode,
            disable_web_page_preview=options.disable_web_page_preview,
            disable_notification=options.disable_notification,
        )
        return handler, Event(topic="", state=state)
