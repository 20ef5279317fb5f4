"""The PagerDuty service."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.errors import DeliveryError
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import error_text
from runtime.services.pagerduty.config import Config
from runtime.services.pagerduty.handler import HandlerConfig
from runtime.services.service import HttpService

EVENT_TYPE = {Level.OK: "resolve"}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        incident_key: ID of the event.
        description: message of the event.
        details: details of the event.
        level: level of the event.
    """

    incident_key: str = "testIncidentKey"
    description: str = "test pagerduty message"
    details: str = ""
    level: Level = Level.CRITICAL


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Triggers and resolves incidents with the first API of PagerDuty."""

    kind: ClassVar[str] = "pagerduty"
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
        if event.state.level == Level.INFO:
            raise DeliveryError(
                "AlertLevel 'info' is currently ignored by the PagerDuty service"
            )
        body = {
            "service_key": options.service_key.reveal(),
            "event_type": EVENT_TYPE.get(event.state.level, "trigger"),
            "description": event.state.message,
            "incident_key": event.state.id,
            "client": "kapacitor",
            "client_url": self.server.url,
            "details": event.state.details,
        }
        return Request(
            "POST",
            config.url,
            headers={"Content-Type": "application/json"},
            body=encode(body),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "message", "PagerDuty")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions()

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id=options.incident_key,
            message=options.description,
            details=options.details,
            level=options.level,
        )
        return HandlerConfig(), Event(topic="", state=state)
