"""The Zulip service: posts alert messages to Zulip channels."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.errors import DeliveryError
from runtime.outbound.client import Request, Response
from runtime.services.expressions import basic_auth, error_text, get
from runtime.services.service import HttpService
from runtime.services.urls import form, join
from runtime.services.zulip.config import Config
from runtime.services.zulip.handler import HandlerConfig

ICON = {
    Level.OK: ":check:",
    Level.INFO: ":information:",
    Level.WARNING: ":warning:",
    Level.CRITICAL: ":rotating_light:",
}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        channel: channel to post to.
        message: message of the event.
    """

    channel: str = ""
    message: str = "test zulip message"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Posts alert messages to Zulip channels."""

    kind: ClassVar[str] = "zulip"

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`.

        Raises:
            DeliveryError: the options or the event cannot be sent.
        """
        options = options.resolve(config)
        if options.channel == "":
            raise DeliveryError("must specify channel")
        body = {
            "type": "stream",
            "to": options.channel,
            "topic": (options.subject or event.state.id)[:60],
            "content": f"{ICON[event.state.level]} {event.state.message}",
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            **basic_auth(config.email, config.api_key.reveal()),
        }
        return Request(
            "POST",
            join(config.url, "api/v1/messages"),
            headers=headers,
            body=form(body).encode(),
        )

    def accepts(self, response: Response) -> bool:
        """Return True if the response means success."""
        return response.status in self.ok and get(response.json, "result") == "success"

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "msg", "Zulip")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(channel=self.config.channel)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id="test zulip", message=options.message, level=Level.CRITICAL
        )
        return HandlerConfig(channel=options.channel), Event(topic="", state=state)
