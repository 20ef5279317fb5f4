"""The Talk service: posts alert messages to Talk teams."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.service import HttpService
from runtime.services.talk.config import Config
from runtime.services.talk.handler import HandlerConfig


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        title: ID of the event.
        text: message of the event.
    """

    title: str = "testTitle"
    text: str = "test talk text"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Posts alert messages to Talk teams."""

    kind: ClassVar[str] = "talk"
    ok = (200,)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        body = {
            "title": event.state.id,
            "text": event.state.message,
            "authorName": config.author_name,
        }
        return Request(
            "POST",
            config.url.reveal(),
            headers={"Content-Type": "application/json"},
            body=encode(body),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return f"failed to understand Talk response. code: {response.status} content: {response.text}"

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions()

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(id=options.title, message=options.text)
        return HandlerConfig(), Event(topic="", state=state)
