"""The Matrix service: sends alert messages to Matrix rooms."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.errors import DeliveryError
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import delivery_key, error_text
from runtime.services.matrix.config import Config
from runtime.services.matrix.handler import HandlerConfig
from runtime.services.service import HttpService
from runtime.services.urls import below


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        room: room to send to, by its ID.
        message: message of the event.
    """

    room: str = ""
    message: str = "test matrix message"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Sends alert messages to Matrix rooms."""

    kind: ClassVar[str] = "matrix"
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
        if options.room == "":
            raise DeliveryError("must specify room")
        body = {
            "msgtype": "m.text",
            "body": f"{event.state.level!s}: {event.state.message}",
        }
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {config.token.reveal()}",
        }
        return Request(
            "PUT",
            below(
                config.url,
                "_matrix",
                "client",
                "v3",
                "rooms",
                options.room,
                "send",
                "m.room.message",
                delivery_key(),
            ),
            headers=headers,
            body=encode(body),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "error", "Matrix")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(room=self.config.room)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id="test matrix", message=options.message, level=Level.CRITICAL
        )
        return HandlerConfig(room=options.room), Event(topic="", state=state)
