"""The Kafka service: sends alerts as messages to Kafka topics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from runtime.alert.templates import Template
from runtime.alert.types import Event, EventState
from runtime.errors import DeliveryError
from runtime.golang.json import dumps
from runtime.outbound.connection import Certificates
from runtime.services.expressions import event_tree
from runtime.services.hooks import Hook
from runtime.services.instanced import HookInstancesService
from runtime.services.kafka.config import Config
from runtime.services.kafka.handler import HandlerConfig

SCOPE = (
    "ID",
    "Message",
    "Details",
    "Time",
    "Duration",
    "Level",
    "Data",
    "PreviousLevel",
    "Recoverable",
)


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        cluster: id of the cluster to send to.
        topic: topic to send to.
        key: ID of the event.
        message: value of the message.
    """

    cluster: str = ""
    topic: str = "test"
    key: str = "key"
    message: Template = field(default=Template("test kafka message"))


class Service(HookInstancesService[Config, HandlerConfig, TestOptions]):
    """Sends alerts as messages to Kafka topics."""

    kind: ClassVar[str] = "kafka"
    config_type = Config
    extra = "kafka"

    def default_handler_config(self) -> HandlerConfig:
        """Return the default options of a handler."""
        return HandlerConfig()

    def hook(self) -> Hook[Config]:
        """Return the module that sends."""
        from runtime.services.kafka import hook

        return hook

    def data(
        self, config: Config, options: HandlerConfig, event: Event
    ) -> Mapping[str, object]:
        """Build the data that delivers `event`.

        Raises:
            DeliveryError: the options or the event cannot be sent.
        """
        template = options.template.render(event, SCOPE)
        if not options.topic:
            raise DeliveryError("topic must not be empty")
        if options.partitionalgorithm not in (
            "",
            "crc32",
            "murmur2",
            "murmur3",
            "fnv-1a",
        ):
            raise DeliveryError(
                f'invalid partition algorithm: "{options.partitionalgorithm}"'
            )
        return {
            "topic": options.topic,
            "key": event.state.id,
            "value": template or dumps(event_tree(event)) + "\n",
            "hash": (
                ""
                if options.disablepartitionbyid
                else options.partitionalgorithm or "crc32"
            ),
        }

    def certificates(self, config: Config) -> Certificates:
        """Return the files of certificates; they are read when they are configured."""
        return Certificates(
            ca=config.ssl_ca if config.use_ssl else "",
            certificate=config.ssl_cert if config.use_ssl else "",
            key=config.ssl_key if config.use_ssl else "",
        )

    def test_options(self) -> TestOptions:
        """Return the options of the service test with their current defaults."""
        return TestOptions(cluster=self.config.id)

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Return the handler and the event of the service test."""
        state = EventState(id=options.key)
        handler = HandlerConfig(
            cluster=options.cluster, topic=options.topic, template=options.message
        )
        return handler, Event(topic="", state=state)
