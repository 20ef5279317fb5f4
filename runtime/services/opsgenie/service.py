"""The OpsGenie service: creates and closes alerts with the first API of Opsgenie."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import dumps, encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import error_text, given, result_tree
from runtime.services.opsgenie.config import Config
from runtime.services.opsgenie.handler import HandlerConfig
from runtime.services.service import HttpService

STATE = {
    Level.OK: "RECOVERY",
    Level.INFO: "INFO",
    Level.WARNING: "WARNING",
    Level.CRITICAL: "CRITICAL",
}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        teams: teams to notify.
        recipients: recipients to notify.
        message_type: level of the event.
        message: message of the event.
        entity_id: ID of the event.
    """

    teams: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    message_type: Level = Level.CRITICAL
    message: str = "test opsgenie message"
    entity_id: str = "testEntityID"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Creates and closes alerts with the first API of Opsgenie."""

    kind: ClassVar[str] = "opsgenie"
    ok = (200,)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        is_recovery = event.state.level == Level.OK
        body: dict[str, object] = {
            "apiKey": config.api_key.reveal(),
            "message": event.state.message,
            "entity": event.state.id,
            "alias": event.state.id,
            "note": event.state.message if is_recovery else "",
            "monitoring_tool": "kapacitor",
            "details": {
                "Level": STATE[event.state.level],
                "Monitoring Tool": "Kapacitor",
            },
            "description": dumps(result_tree(event)),
            **given("teams", options.teams_list),
            **given("recipients", options.recipients_list),
        }
        return Request(
            "POST",
            f"{config.recovery_url if is_recovery else config.url}/",
            headers={"Content-Type": "application/json"},
            body=encode(body),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "message", "OpsGenie")

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(teams=self.config.teams, recipients=self.config.recipients)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id=options.entity_id, message=options.message, level=options.message_type
        )
        handler = HandlerConfig(
            teams_list=options.teams, recipients_list=options.recipients
        )
        return handler, Event(topic="", state=state)
