"""The Teams service: posts cards to channels of Microsoft Teams."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import error_text, truncated
from runtime.services.service import HttpService
from runtime.services.teams.config import Config
from runtime.services.teams.handler import HandlerConfig
from runtime.settings import setting

COLOR = {Level.WARNING: "FFA533", Level.CRITICAL: "CC4A31"}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        channel_url: URL of the webhook of another channel.
        alert_topic: topic of the event.
        alert_id: ID of the event.
        message: message of the event.
        level: level of the event.
    """

    channel_url: str = setting("", key="channel_url")
    alert_topic: str = setting("test kapacitor alert topic", key="alert_topic")
    alert_id: str = setting("foo/bar/bat", key="alert_id")
    message: str = "test teams message"
    level: Level = Level.CRITICAL


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Posts cards to channels of Microsoft Teams."""

    kind: ClassVar[str] = "teams"
    ok = (200, 204)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        about = event.state.id or event.topic
        label = ": [" + about + "]" if about else ""
        title = f"{event.state.level!s}{label}"
        summary = title + (" - " if about else ": ") + event.state.message
        body = {
            "@type": "MessageCard",
            "@context": "http://schema.org/extensions",
            "title": title,
            "text": event.state.message,
            "summary": truncated(summary, 70, "", "bytes") + "...",
            "themeColor": COLOR.get(event.state.level, "34CC25"),
        }
        return Request(
            "POST",
            options.channel_url,
            headers={"Content-Type": "application/json"},
            body=encode(body),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "error", "Teams")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(channel_url=self.config.channel_url)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id=options.alert_id, message=options.message, level=options.level
        )
        handler = HandlerConfig(channel_url=options.channel_url)
        return handler, Event(topic=options.alert_topic, state=state)
