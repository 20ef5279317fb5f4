"""Handler options of kind `pagerduty`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.secrets import NO_SECRET, Secret
from runtime.services.pagerduty.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        service_key: key of the service to notify; defaults to the configured one.
    """

    service_key: Secret = NO_SECRET

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(self, service_key=self.service_key or config.service_key)
