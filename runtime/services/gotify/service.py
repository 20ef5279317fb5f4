"""The Gotify service: pushes alert messages to Gotify clients."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import error_text
from runtime.services.gotify.config import Config
from runtime.services.gotify.handler import HandlerConfig
from runtime.services.service import HttpService
from runtime.services.urls import join

PRIORITY = {Level.OK: 2, Level.INFO: 2, Level.WARNING: 5, Level.CRITICAL: 8}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        message: message of the event.
    """

    message: str = "test gotify message"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Pushes alert messages to Gotify clients."""

    kind: ClassVar[str] = "gotify"
    ok = (200,)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        body = {
            "title": options.title or event.state.id,
            "message": event.state.message,
            "priority": options.priority or PRIORITY[event.state.level],
        }
        headers = {
            "Content-Type": "application/json",
            "X-Gotify-Key": options.token.reveal(),
        }
        return Request(
            "POST",
            join(config.url, "message"),
            headers=headers,
            body=encode(body),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "errorDescription", "Gotify")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions()

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id="test gotify", message=options.message, level=Level.CRITICAL
        )
        return HandlerConfig(), Event(topic="", state=state)
