"""The HipChat service: posts alert messages to HipChat rooms."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import error_text
from runtime.services.hipchat.config import Config
from runtime.services.hipchat.handler import HandlerConfig
from runtime.services.service import HttpService
from runtime.services.urls import join

COLOR = {Level.WARNING: "yellow", Level.CRITICAL: "red"}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        room: room to post to.
        message: message of the event.
        level: level of the event.
    """

    room: str = ""
    message: str = "test hipchat message"
    level: Level = Level.CRITICAL


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Posts alert messages to HipChat rooms."""

    kind: ClassVar[str] = "hipchat"
    ok = (200, 204)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        body = {
            "from": "kapacitor",
            "color": COLOR.get(event.state.level, "green"),
            "message": event.state.message,
            "notify": True,
        }
        query = {"auth_token": options.token.reveal()}
        return Request(
            "POST",
            join(config.url, f"{options.room}/notification", query=query),
            headers={"Content-Type": "application/json"},
            body=encode(body, newline=True, sort_keys=True),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "error", "HipChat")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(room=self.config.room)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id="test hipchat", message=options.message, level=options.level
        )
        return HandlerConfig(room=options.room), Event(topic="", state=state)
