"""The PagerDuty2 service."""

from dataclasses import dataclass, field
from typing import ClassVar

from runtime.alert.templates import Template
from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import encode
from runtime.golang.printing import text
from runtime.outbound.client import Request, Response
from runtime.services.expressions import (
    error_text,
    get,
    given,
    parse_time,
    result_tree,
    rfc3339,
)
from runtime.services.pagerduty2.config import Config
from runtime.services.pagerduty2.handler import HandlerConfig, Link
from runtime.services.service import HttpService
from runtime.services.servicetest.data import event_data
from runtime.settings import setting

SEVERITY = {Level.WARNING: "warning", Level.CRITICAL: "critical"}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        alert_id: ID of the event.
        description: message of the event.
        level: level of the event.
        event_data: data of the event.
        timestamp: time of the event.
        links: links of the incident.
    """

    alert_id: str = setting("testAlertID", key="alert_id")
    description: str = "test pagerduty2 message"
    level: Level = Level.CRITICAL
    event_data: dict[str, object] = field(
        default_factory=lambda: {
            "Name": "testPagerDuty2",
            "TaskName": "",
            "Category": "",
            "Group": "",
            "Tags": {},
            "Fields": {},
            "Recoverable": False,
        },
        metadata={"key": "event_data"},
    )
    timestamp: str = "2014-11-12T11:45:26.371Z"
    links: tuple[Link, ...] = (
        Link(href=Template("https://example.com/a"), text=Template("a")),
        Link(href=Template("https://example.com/b"), text=Template("b")),
    )


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Triggers and resolves incidents with version 2 of PagerDuty's events API."""

    kind: ClassVar[str] = "pagerduty2"
    ok = (200, 202)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        body: dict[str, object] = {
            "routing_key": options.routing_key.reveal(),
            "event_action": "resolve" if event.state.level == Level.OK else "trigger",
            "dedup_key": event.state.id,
            "client": "kapacitor",
            "client_url": self.server.url,
            **given(
                "links",
                [
                    {
                        "href": link.href.render(event),
                        "text": link.text.render(event) or link.href.render(event),
                    }
                    for link in options.links
                ],
            ),
            "payload": {
                "summary": event.state.message,
                "source": event.data.tags.get("host", "unknown"),
                "severity": SEVERITY.get(event.state.level, "info"),
                "timestamp": rfc3339(event.state.time, 9),
                "class": event.data.task_name,
                "component": "",
                "group": "",
                "custom_details": {"result": result_tree(event)},
            },
        }
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
        return Request(
            "POST",
            config.url,
            headers=headers,
            body=encode(body, newline=True),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        error = error_text(response, "message", "PagerDuty2")
        return (
            "Status: "
            + text(get(response.json, "status"))
            + ", Message: "
            + error
            + " Errors: "
            + text(get(response.json, "errors", []))
        )

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions()

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id=options.alert_id,
            message=options.description,
            time=parse_time(options.timestamp),
            level=options.level,
        )
        data = event_data(options.event_data)
        handler = HandlerConfig(links=options.links)
        return handler, Event(topic="", state=state, data=data)
