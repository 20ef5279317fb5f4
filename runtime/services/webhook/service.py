"""The Webhook service: posts alerts as Alertmanager's webhook does."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import authorization, error_text, fnv1a, rfc3339
from runtime.services.service import HttpService
from runtime.services.webhook.config import Config
from runtime.services.webhook.handler import HandlerConfig

STATUS = {Level.OK: "resolved"}
SEVERITY = {
    Level.OK: "info",
    Level.INFO: "info",
    Level.WARNING: "warning",
    Level.CRITICAL: "critical",
}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        message: message of the event.
    """

    message: str = "test webhook message"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Posts alerts as Alertmanager's webhook does."""

    kind: ClassVar[str] = "webhook"

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        alert_status = STATUS.get(event.state.level, "firing")
        severity = SEVERITY[event.state.level]
        fingerprint = fnv1a(event.state.id)
        body: dict[str, object] = {
            "version": "4",
            "groupKey": event.state.id,
            "truncatedAlerts": 0,
            "status": alert_status,
            "receiver": options.receiver,
            "groupLabels": {"alertname": event.data.task_name},
            "commonLabels": {
                "alertname": event.data.task_name,
                "severity": severity,
                **event.data.tags,
            },
            "commonAnnotations": {
                "summary": event.state.message,
                "description": event.state.details,
            },
            "externalURL": self.server.url,
            "alerts": [
                {
                    "status": alert_status,
                    "labels": {
                        "alertname": event.data.task_name,
                        "severity": severity,
                        **event.data.tags,
                    },
                    "annotations": {
                        "summary": event.state.message,
                        "description": event.state.details,
                    },
                    "startsAt": rfc3339(event.state.time),
                    "endsAt": (
                        rfc3339(event.state.time)
                        if event.state.level == Level.OK
                        else "0001-01-01T00:00:00Z"
                    ),
                    "generatorURL": self.server.url,
                    "fingerprint": fingerprint,
                }
            ],
        }
        headers = {
            "Content-Type": "application/json",
            **authorization("Bearer", config.token),
        }
        return Request("POST", options.url.reveal(), headers=headers, body=encode(body))

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "error", "Webhook")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions()

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id="test webhook", message=options.message, level=Level.CRITICAL
        )
        return HandlerConfig(), Event(topic="", state=state)
