"""The ServiceNow service: posts alerts as events of ServiceNow's event management."""

from dataclasses import dataclass, field
from typing import ClassVar

from runtime.alert.templates import NO_TEMPLATE, Template, render_values
from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import dumps, encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import basic_auth, error_text, given, truncated
from runtime.services.service import HttpService
from runtime.services.servicenow.config import Config
from runtime.services.servicenow.handler import HandlerConfig
from runtime.settings import setting

SEVERITY = {Level.WARNING: "4", Level.CRITICAL: "1"}
SCOPE = ("ID", "Name", "TaskName", "Fields", "Tags")


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        alert_id: ID of the event.
        message: message of the event.
        level: level of the event.
        source: source of the event.
        node: node that the event is about.
        type: type of the metric.
        resource: resource of the node.
        metric_name: name of the metric.
        message_key: key that events of one alert share.
        additional_info: more data of the event.
    """

    alert_id: str = setting("1001", key="alert_id")
    message: str = "test servicenow message"
    level: Level = Level.CRITICAL
    source: str = "Kapacitor"
    node: Template = NO_TEMPLATE
    type: Template = NO_TEMPLATE
    resource: Template = NO_TEMPLATE
    metric_name: Template = setting(NO_TEMPLATE, key="metric_name")
    message_key: Template = setting(NO_TEMPLATE, key="message_key")
    additional_info: dict[str, Template] = field(
        default_factory=dict, metadata={"key": "additional_info"}
    )


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Posts alerts as events of ServiceNow's event management."""

    kind: ClassVar[str] = "servicenow"
    ok = (200,)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        node = options.node_.render(event, SCOPE)
        type_text = options.type.render(event, SCOPE)
        resource = options.resource.render(event, SCOPE)
        metricname = options.metricname.render(event, SCOPE)
        messagekey = options.messagekey.render(event, SCOPE) or event.state.id
        additional_info = render_values(options.additional_info, event, SCOPE)
        body: dict[str, object] = {
            "records": [
                {
                    "source": truncated(options.source, 100, "", "bytes"),
                    **given("node", truncated(node, 100, "", "bytes")),
                    **given("type", truncated(type_text, 100, "", "bytes")),
                    **given("resource", truncated(resource, 100, "", "bytes")),
                    **given("metric_name", truncated(metricname, 100, "", "bytes")),
                    **given("message_key", truncated(messagekey, 1024, "", "bytes")),
                    "severity": SEVERITY.get(event.state.level, "5"),
                    **given(
                        "description", truncated(event.state.message, 4000, "", "bytes")
                    ),
                    **given(
                        "additional_info",
                        dumps(additional_info) if additional_info else "",
                    ),
                }
            ]
        }
        headers = {
            "Content-Type": "application/json",
            **basic_auth(options.username, options.password.reveal()),
        }
        return Request("POST", options.url, headers=headers, body=encode(body))

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "error", "ServiceNow")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions()

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id=options.alert_id, message=options.message, level=options.level
        )
        handler = HandlerConfig(
            source=options.source,
            node_=options.node,
            type=options.type,
            resource=options.resource,
            metricname=options.metric_name,
            messagekey=options.message_key,
            additional_info=options.additional_info,
        )
        return handler, Event(topic="", state=state)
