"""The Google Chat service: posts alert messages to Google Chat spaces."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import error_text
from runtime.services.googlechat.config import Config
from runtime.services.googlechat.handler import HandlerConfig
from runtime.services.service import HttpService

ICON = {Level.OK: "✅", Level.INFO: "ℹ️", Level.WARNING: "⚠️", Level.CRITICAL: "🚨"}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        message: message of the event.
    """

    message: str = "test googlechat message"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Posts alert messages to Google Chat spaces."""

    kind: ClassVar[str] = "googlechat"
    ok = (200,)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        body = {
            "text": f"{ICON[event.state.level]} *{event.state.level!s}* {event.state.message}"
        }
        return Request(
            "POST",
            options.url.reveal(),
            headers={"Content-Type": "application/json"},
            body=encode(body),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "error.message", "Google Chat")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions()

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id="test googlechat", message=options.message, level=Level.CRITICAL
        )
        return HandlerConfig(), Event(topic="", state=state)
