"""The SNMP trap service: sends alerts as SNMP traps, version 2c."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from runtime.alert.templates import Template
from runtime.alert.types import Event, EventState
from runtime.services.hooks import Hook, HookService
from runtime.services.snmptrap.config import Config
from runtime.services.snmptrap.handler import Data, HandlerConfig


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        trap_oid: object identifier of the trap.
        data_list: values of the trap, with a type each: c (counter), i (integer), n
            (null), s (string) or t (time ticks).
        message: message of the event.
    """

    trap_oid: str = "1.1.1.1"
    data_list: tuple[Data, ...] = (
        Data(oid="1.1.1.1.2", type="s", value=Template("test snmptrap message")),
    )
    message: str = "test snmptrap message"


class Service(HookService[Config, HandlerConfig, TestOptions]):
    """Sends alerts as SNMP traps, version 2c."""

    kind: ClassVar[str] = "snmptrap"
    extra = "snmptrap"

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def hook(self) -> Hook[Config]:
        """Return the module that sends."""
        from runtime.services.snmptrap import hook

        return hook

    def data(
        self, config: Config, options: HandlerConfig, event: Event
    ) -> Mapping[str, object]:
        """Build the data that delivers `event`."""
        return {
            "trap": options.trap_oid,
            "data": [
                {"oid": each.oid, "type": each.type, "value": each.value.render(event)}
                for each in options.data_list
            ],
        }

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions()

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(id="test snmptrap", message=options.message)
        handler = HandlerConfig(trap_oid=options.trap_oid, data_list=options.data_list)
        return handler, Event(topic="", state=state)
