"""The handlers of scripts, and their properties that hold secrets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.integration import NO_SERVICES, HandlerServices
from runtime.pipeline.handler import AlertHandler
from runtime.pipeline.properties import HandlerProperties
from runtime.secrets import Secret


@dataclass(frozen=True)
class ScriptHandlers:
    """The handlers that scripts can use.

    Attributes:
        services: services of the handlers.
    """

    services: HandlerServices = NO_SERVICES

    @property
    def properties(self) -> HandlerProperties:
        """The handlers by the names of their properties."""
        return self.services.integrations.handler_properties

    def secret_fields(self, handler: type[AlertHandler]) -> frozenset[str]:
        """The fields of a handler in scripts that are secrets of its service.

        All fields are secrets if the service cannot be loaded.
        """
        try:
            owners = (
                self.services.of_kind(kind)
                for kind, each in self._node_handlers.items()
                if each is handler
            )
            found = [each.default_handler_config() for each in owners if each]
        except ConfigError:
            return frozenset(field.name for field in dataclasses.fields(handler))
        return frozenset(
            field.name
            for options in found
            for field in dataclasses.fields(options)
            if isinstance(getattr(options, field.name), Secret)
        )

    @property
    def _node_handlers(self) -> Mapping[str, type[AlertHandler]]:
        return self.services.integrations.node_handlers.loaded()
