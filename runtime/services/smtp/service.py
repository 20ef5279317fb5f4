"""The SMTP service: sends alert messages as email."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.templates import render_all
from runtime.alert.types import Event, EventState
from runtime.errors import DeliveryError
from runtime.services.expressions import address_error, delivery_key
from runtime.services.hooks import Hook, HookService
from runtime.services.smtp.config import Config
from runtime.services.smtp.handler import HandlerConfig

SCOPE = (
    "Name",
    "TaskName",
    "Category",
    "Group",
    "Tags",
    "Fields",
    "Recoverable",
    "Result",
)


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        to: recipients.
        subject: message of the event.
        body: details of the event.
    """

    to: tuple[str, ...] = ()
    subject: str = "test subject"
    body: str = "test body"


class Service(HookService[Config, HandlerConfig, TestOptions]):
    """Sends alert messages as email."""

    kind: ClassVar[str] = "smtp"
    extra = "smtp"

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def hook(self) -> Hook[Config]:
        """Return the module that sends."""
        from runtime.services.smtp import hook

        return hook

    def data(
        self, config: Config, options: HandlerConfig, event: Event
    ) -> Mapping[str, object]:
        """Build the data that delivers `event`.

        Raises:
            DeliveryError: the options or the event cannot be sent.
        """
        to_field = render_all(options.to_field, event, SCOPE)
        to = [*options.to, *to_field] or config.to
        if not to:
            raise DeliveryError("not sending email, no recipients defined")
        if address_error(to):
            raise DeliveryError(f"invalid to email address: {address_error(to)}")
        return {
            "from": config.from_,
            "to": to,
            "subject": event.state.message,
            "html": event.state.details,
            "key": delivery_key(),
        }

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(to=self.config.to)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(
            id="test smtp", message=options.subject, details=options.body
        )
        return HandlerConfig(to=options.to), Event(topic="", state=state)
