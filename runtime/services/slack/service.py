"""The Slack service: posts alert messages to Slack channels."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import encode
from runtime.outbound.client import Request, Response
from runtime.outbound.connection import Certificates, Connection
from runtime.services.expressions import authorization, error_text, get
from runtime.services.instanced import InstancesService
from runtime.services.slack.config import Config
from runtime.services.slack.handler import HandlerConfig

COLOR = {Level.WARNING: "warning", Level.CRITICAL: "danger"}


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        workspace: workspace to post to.
        channel: channel to post to.
        message: message of the event.
        level: level of the event.
        username: name that the message is posted under.
        icon_emoji: icon of the message, such as `:fire:`.
    """

    workspace: str = ""
    channel: str = ""
    message: str = "test slack message"
    level: Level = Level.CRITICAL
    username: str = ""
    icon_emoji: str = ""


class Service(InstancesService[Config, HandlerConfig, TestOptions]):
    """Posts alert messages to Slack channels."""

    kind: ClassVar[str] = "slack"
    config_type = Config
    ok = (200,)

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def request(self, config: Config, options: HandlerConfig, event: Event) -> Request:
        """Build the request that delivers `event`."""
        options = options.resolve(config)
        body = {
            "attachments": [
                {
                    "fallback": event.state.message,
                    "color": COLOR.get(event.state.level, "good"),
                    "text": event.state.message,
                    "mrkdwn_in": ["text"],
                }
            ],
            "channel": options.channel,
            "icon_emoji": options.icon_emoji,
            "text": "",
            "username": options.username,
        }
        headers = {
            "Content-Type": "application/json",
            **authorization("Bearer", config.token),
        }
        return Request(
            "POST",
            config.url.reveal(),
            headers=headers,
            body=encode(body, newline=True),
        )

    def certificates(self, config: Config) -> Certificates:
        """Return the files of certificates; they are read when they are configured."""
        return Certificates(
            ca=config.ssl_ca, certificate=config.ssl_cert, key=config.ssl_key
        )

    def connection(self, config: Config, options: HandlerConfig) -> Connection:
        """Return the settings of the connection for a request."""
        return Connection(verify=not config.insecure_skip_verify)

    def accepts(self, response: Response) -> bool:
        """Return True if the response means success."""
        return response.status in self.ok and get(response.json, "ok") is not False

    def failure(self, response: Response) -> str:
        """Return the error of a response that means failure."""
        return error_text(response, "error", "Slack")

    def retries(
        self, config: Config, options: HandlerConfig, response: Response
    ) -> bool:
        """Return True if a failed delivery is tried again regardless of its status."""
        return get(response.json, "error") in (
            "fatal_error",
            "internal_error",
            "ratelimited",
            "request_timeout",
            "service_unavailable",
        )

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(workspace=self.config.workspace, channel=self.config.channel)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id="test slack", message=options.message, level=options.level
        )
        handler = HandlerConfig(
            workspace=options.workspace,
            channel=options.channel,
            username=options.username,
            icon_emoji=options.icon_emoji,
        )
        return handler, Event(topic="", state=state)
