"""The ntfy service: publishes alert messages to ntfy topics."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.errors import DeliveryError
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import authorization, error_text, given
from runtime.services.ntfy.config import Config
from runtime.services.ntfy.handler import HandlerConfig
from runtime.services.service import HttpService

PRIORITY = {Level.WARNING: 4, Level.CRITICAL: 5}
TAG = {
    Level.OK: "white_check_mark",
    Level.INFO: "information_source",
    Level.WARNING: "warning",
    Level.CRITICAL: "rotating_light",
}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        topic: topic to publish to.
        message: message of the event.
    """

    topic: str = ""
    message: str = "test ntfy message"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Publishes alert messages to ntfy topics."""

    kind: ClassVar[str] = "ntfy"

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`.

        Raises:
            DeliveryError: the options or the event cannot be sent.
        """
        options = options.resolve(config)
        if options.topic == "":
            raise DeliveryError("must specify topic")
        if options.priority < 0 or options.priority > 5:
            raise DeliveryError(f"priority must be 1 to 5, not {options.priority}")
        body: dict[str, object] = {
            "topic": options.topic,
            "title": event.state.id,
            "message": event.state.message,
            "priority": options.priority or PRIORITY.get(event.state.level, 3),
            "tags": options.tags or [TAG[event.state.level]],
            **given("click", options.click),
        }
        headers = {
            "Content-Type": "application/json",
            **authorization("Bearer", config.token),
        }
        return Request("POST", config.url, headers=headers, body=encode(body))

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "error", "ntfy")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(topic=self.config.topic)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id="test ntfy", message=options.message, level=Level.CRITICAL
        )
        return HandlerConfig(topic=options.topic), Event(topic="", state=state)
