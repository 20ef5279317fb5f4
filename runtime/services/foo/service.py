"""The Foo service: posts alert messages to a room of a Foo server."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.foo.config import Config
from runtime.services.foo.handler import HandlerConfig
from runtime.services.service import HttpService


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        room: room to post to.
        message: message of the event.
    """

    room: str = ""
    message: str = "test foo message"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Posts alert messages to a room of a Foo server."""

    kind: ClassVar[str] = "foo"
    ok = (200,)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig(room=self.config.room)

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        body = {"room": options.room, "message": event.state.message}
        return Request(
            "POST",
            config.url,
            headers={"Content-Type": "application/json"},
            body=encode(body),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return f"unexpected response code {response.status} from Foo service"

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(room=self.config.room)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(id="test foo", message=options.message)
        return HandlerConfig(room=options.room), Event(topic="", state=state)
