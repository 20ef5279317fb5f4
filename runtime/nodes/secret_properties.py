"""Handlers as scripts name them, and which of their properties hold secrets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.integration import HandlerServices
from runtime.pipeline.properties import NO_HANDLERS, HandlerProperties
from runtime.secrets import Secret


@dataclass(frozen=True)
class ScriptHandlers:
    """The handlers that scripts can use.

    Attributes:
        properties: the handlers.
        secrets: secret fields, by the class of the handler in the script.
    """

    properties: HandlerProperties = NO_HANDLERS
    secrets: Mapping[type, frozenset[str]] = dataclasses.field(default_factory=dict)


def script_handlers(services: HandlerServices) -> ScriptHandlers:
    """The handlers of scripts, with the fields that their services take for secrets."""
    found: dict[type, frozenset[str]] = {}
    for kind, said in services.integrations.node_handlers.items():
        service = services.of_kind(kind)
        if service is None:
            continue
        options = service.default_handler_config()
        found[said] = frozenset(
            field.name
            for field in dataclasses.fields(options)
            if isinstance(getattr(options, field.name), Secret)
        )
    return ScriptHandlers(services.integrations.handler_properties, found)
