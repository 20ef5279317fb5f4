"""Handler options of kind `pagerduty2`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.alert.templates import NO_TEMPLATE, Template
from runtime.secrets import NO_SECRET, Secret
from runtime.services.pagerduty2.config import Config
from runtime.settings import setting


@dataclass(frozen=True, slots=True)
class Link:
    """Item of `links`."""

    href: Template
    text: Template = NO_TEMPLATE


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        routing_key: integration key of the service to notify; defaults to the
            configured one.
        service_key: another name of `routing_key`.
        links: links of the incident; a missing text defaults to the address.
    """

    routing_key: Secret = NO_SECRET
    service_key: Secret = setting(NO_SECRET, key="serviceKey")
    links: tuple[Link, ...] = ()

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(
            self,
            routing_key=self.routing_key or self.service_key or config.routing_key,
        )
