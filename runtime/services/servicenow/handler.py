"""Handler options of kind `servicenow`."""

from dataclasses import dataclass, field, replace
from typing import Self

from runtime.alert.templates import NO_TEMPLATE, Template
from runtime.secrets import NO_SECRET, Secret
from runtime.services.servicenow.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        url: URL to post to; defaults to the configured one.
        source: source of the event; defaults to the configured one.
        username: user; defaults to the configured one.
        password: password of the user; defaults to the configured one.
        node_: node that the event is about.
        type: type of the metric.
        resource: resource of the node.
        metricname: name of the metric.
        messagekey: key that events of one alert share; defaults to the alert's ID.
        additional_info: more data of the event.
    """

    url: str = ""
    source: str = ""
    username: str = ""
    password: Secret = NO_SECRET
    node_: Template = NO_TEMPLATE
    type: Template = NO_TEMPLATE
    resource: Template = NO_TEMPLATE
    metricname: Template = NO_TEMPLATE
    messagekey: Template = NO_TEMPLATE
    additional_info: dict[str, Template] = field(
        default_factory=dict, metadata={"key": "additional_info"}
    )

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(
            self,
            url=self.url or config.url,
            source=self.source or config.source,
            username=self.username or config.username,
            password=self.password or config.password,
        )
