"""Which properties of handlers hold secrets in scripts: what their services say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from runtime.nodes.alert_handlers import TICK_HANDLERS
from runtime.pipeline.handler import AlertHandler
from runtime.secrets import Secret

# by the class of what a script says, the fields that become secrets
SecretFields = Mapping[type, frozenset[str]]


class _Asked:
    """An alert node without handlers that notes which kinds it is asked for."""

    def __init__(self) -> None:
        self.kinds: list[type[AlertHandler]] = []

    def handlers_of(self, kind: type[AlertHandler]) -> list[AlertHandler]:
        """None."""
        self.kinds.append(kind)
        return []


def secret_fields(services: Any) -> SecretFields:
    """The fields of the handlers' classes that their options take for secrets.

    Args:
        services: what delivers, each under the name of its kind.
    """
    found: dict[type, frozenset[str]] = {}
    for kind, handlers_of in TICK_HANDLERS.items():
        service = getattr(services, kind, None)
        if service is None:
            continue
        options = service.default_handler_config()
        names = frozenset(
            field.name
            for field in dataclasses.fields(options)
            if isinstance(getattr(options, field.name), Secret)
        )
        asked: Any = _Asked()
        handlers_of(asked, services)
        found.update(dict.fromkeys(asked.kinds, names))
    return found
