"""The OpsGenie2 service."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import dumps, encode
from runtime.outbound.client import Request, Response
from runtime.services.expressions import (
    b64url_padded,
    error_text,
    first_row,
    given,
    result_tree,
)
from runtime.services.opsgenie2.config import Config
from runtime.services.opsgenie2.handler import HandlerConfig
from runtime.services.service import HttpService
from runtime.services.urls import below
from runtime.settings import setting

PRIORITY = {Level.INFO: "P5", Level.WARNING: "P3", Level.CRITICAL: "P1"}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        teams: teams to notify.
        recipients: users to notify, by user name.
        recovery_action: action on recovery: `notes` or `close`.
        message_type: level of the event.
        message: message of the event.
        entity_id: ID of the event.
    """

    teams: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    recovery_action: str = setting("", key="recovery_action")
    message_type: Level = Level.CRITICAL
    message: str = "test opsgenie message"
    entity_id: str = "testEntityID"


class Service(HttpService[Config, HandlerConfig, TestOptions]):
    """Creates alerts with version 2 of Opsgenie's API, and closes them on recovery."""

    kind: ClassVar[str] = "opsgenie2"
    ok = (202,)
    prepare_error = "failed to prepare API request"
    send_error = "failed to execute API request"

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        alias = b64url_padded(event.state.id)
        action = (
            options.recovery_action
            if options.recovery_action in ("notes", "close")
            else (
                config.recovery_action
                if config.recovery_action in ("notes", "close")
                else "notes"
            )
        )
        body: dict[str, object]
        if event.state.level == Level.OK:
            body = {"note": event.state.message}
            query = {"identifierType": "alias"}
            headers = {
                "Content-Type": "application/json",
                "Authorization": f"GenieKey {config.api_key.reveal()}",
            }
            return Request(
                "POST",
                below(config.url, alias, action, query=query),
                headers=headers,
                body=encode(body, newline=True),
            )
        body = {
            "alias": alias,
            "description": (
                event.state.details
                if options.details and event.state.details
                else dumps(result_tree(event))
            ),
            "entity": event.state.id,
            "message": event.state.message,
            "note": "",
            "priority": PRIORITY.get(event.state.level, ""),
            **given(
                "responders",
                [
                    *[{"name": team, "type": "team"} for team in options.teams_list],
                    *[
                        {"username": user, "type": "user"}
                        for user in options.recipients_list
                    ],
                ],
            ),
            "details": {
                "Monitoring Tool": "Kapacitor",
                "Level": str(event.state.level),
                **first_row(event).tags,
                **given("Kapacitor Task Name", first_row(event).name),
            },
        }
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"GenieKey {config.api_key.reveal()}",
        }
        return Request(
            "POST",
            config.url,
            headers=headers,
            body=encode(body, newline=True),
        )

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        error = error_text(response, "message", "OpsGenie2")
        return "opsgenie error: " + error.replace(
            "failed to understand OpsGenie2 response",
            "failed to understand OpsGenie response",
        )

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(
            teams=self.config.teams,
            recipients=self.config.recipients,
            recovery_action=self.config.recovery_action,
        )

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id=options.entity_id, message=options.message, level=options.message_type
        )
        handler = HandlerConfig(
            teams_list=options.teams,
            recipients_list=options.recipients,
            recovery_action=options.recovery_action,
        )
        return handler, Event(topic="", state=state)
