"""The server: builds its services, opens them in order, closes them in reverse."""

from __future__ import annotations

from runtime.http_client import HttpClient
from runtime.server.config import AlertHandlers
from runtime.services.foo.service import Service as FooService
from runtime.task_master import HandlerServices


def alert_services(config: AlertHandlers, client: HttpClient) -> HandlerServices:
    """The service of every integration."""
    return HandlerServices(
        foo=FooService(config.foo, client),
    )
