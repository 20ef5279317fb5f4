"""Stand-ins for the runtime's classes that use the network.

A service only keeps its configuration, and a request can be shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from runtime.testing.events import SERVER, shown_request


@dataclass(frozen=True)
class Answer:
    """An endpoint's answer."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body decoded from JSON, or None."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class Service:
    """Stands in for `HttpService`, and for the services of other transports."""

    ok: Container[int] = range(200, 300)
    server = SERVER
    kind = ""

    def __class_getitem__(cls, types: object) -> type:
        return cls

    def __init__(self, config: Any) -> None:
        self.config = config

    def accepts(self, response: Answer) -> bool:
        """True if the status of an answer means success."""
        return response.status in self.ok

    def failure(self, response: Answer) -> str:
        """The error of an answer that means failure."""
        return f"unexpected response from {self.kind} service: {response.text}"

    def accepts_with(self, config: Any, options: Any, response: Answer) -> bool:
        """True if an answer means success, by these settings."""
        return self.accepts(response)

    def failure_with(self, config: Any, options: Any, response: Answer) -> str:
        """The error of an answer that means failure, by these settings."""
        return self.failure(response)


class Stepped(Service):
    """Stands in for `SteppedService`, also together with another base class."""


@dataclass(frozen=True)
class Request:
    """Stands in for `Request`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def shown(self) -> str:
        """The request as the generated tests record it."""
        parts = urlsplit(self.url)
        if parts.scheme == "tcp":
            return shown_request("TCP", "message", {}, self.body)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return shown_request(self.method, target, self.headers, self.body)


class Step(NamedTuple):
    """Stands in for `Step`."""

    name: str
    request: Request
    keep_s: float = 0.0
    is_login: bool = False
    accepts: Callable[[Answer], bool] | None = None


class Addressed(NamedTuple):
    """Stands in for `Addressed`."""

    to: object
    request: Request


STANDINS = {
    "runtime.services.service": SimpleNamespace(HttpService=Service),
    "runtime.services.instanced": SimpleNamespace(
        InstancesService=Service,
        TcpInstancesService=Service,
        HookInstancesService=Service,
    ),
    "runtime.services.tcp": SimpleNamespace(TcpService=Service),
    "runtime.services.stepped": SimpleNamespace(
        SteppedService=Stepped,
        Requests=object,
        Step=Step,
        Addressed=Addressed,
        NO_ANSWER=Answer(0, ""),
    ),
    "runtime.services.hooks": SimpleNamespace(HookService=Service, Hook=Service),
    "runtime.outbound.client": SimpleNamespace(Request=Request, Response=Answer),
}
"""The stand-ins by the modules that generated code imports them from."""
