"""Alert handlers as values, passed to a server, and the services it creates from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from runtime.errors import ConfigError
from runtime.pipeline.handler import AlertHandler
from runtime.pipeline.properties import HandlerProperties
from runtime.services.instances import Instances
from runtime.services.server import UNNAMED, Server
from runtime.services.service import HandlerService

if TYPE_CHECKING:
    from runtime.outbound.client import HttpClient

Tables = Mapping[str, Any]
"""The configuration of each section: a value of its class, or a tuple of such for a list."""


class Service(HandlerService[Any], Protocol):
    """The interface of a service to the server."""

    def __init__(self, config: Any, client: HttpClient, server: Server) -> None: ...

    async def open(self) -> None:
        """Start the service."""

    async def close(self) -> None:
        """Stop the service."""

    def prepared(self, configs: Sequence[Any]) -> Callable[[], None]:
        """A function that applies a new configuration; nothing changes before.

        Raises:
            ConfigError: the service refuses it.
        """

    def test_options(self) -> Any:
        """The service test's options with their present defaults."""

    async def test(self, options: Any) -> None:
        """Send the service test.

        Raises:
            DeliveryError: it was not delivered.
        """


@dataclass(frozen=True)
class Integrations:
    """Alert handlers, each with an entry in every table.

    Attributes:
        sections: the class of a section of the configuration file, by its name. One with
            `instances` or an `element_key` is a list, `[[httppost]]`.
        services: the class of the service that a section configures, by its name.
        kinds: the class of the options of handlers over HTTP, by their kind.
        properties: class of a handler in scripts, by the property's name.
        node_handlers: the same class by the handler's kind, in the order in which the
            handlers of an alert node get its events.
    """

    sections: Mapping[str, type[Any]] = field(default_factory=dict)
    services: Mapping[str, type[Service]] = field(default_factory=dict)
    kinds: Mapping[str, type[Any]] = field(default_factory=dict)
    properties: Mapping[str, type[AlertHandler]] = field(default_factory=dict)
    node_handlers: Mapping[str, type[AlertHandler]] = field(default_factory=dict)

    @cached_property
    def handler_properties(self) -> HandlerProperties:
        """The properties for pipelines."""
        return HandlerProperties(self.properties)

    def tables(self, **changes: Any) -> dict[str, Any]:
        """Every section with its defaults, except `changes`."""
        defaults = {name: _initial(section) for name, section in self.sections.items()}
        return defaults | changes

    def started(
        self, tables: Tables, client: HttpClient, server: Server = UNNAMED
    ) -> HandlerServices:
        """The services that `tables` configure; sections that they lack have defaults.

        Args:
            tables: the configuration of sections.
            client: client that sends their requests.
            server: the server that they are part of.

        Raises:
            ConfigError: a service cannot be made of its section.
        """
        configured = self.tables(**tables)
        services = {}
        for name, service in self.services.items():
            try:
                services[name] = service(configured[name], client, server)
            except ConfigError as error:
                raise ConfigError(f"{name}: {error}") from None
        return HandlerServices(self, services)


def is_list(section: type[Any]) -> bool:
    """True if a section of this class may be there several times."""
    return element_key(section) is not None


def element_key(section: type[Any]) -> str | None:
    """The key that names the sections of this class; None for a section of its own."""
    rules = instances_of(section)
    found: str | None = rules.key if rules else getattr(section, "element_key", None)
    return found


def instances_of(section: type[Any]) -> Instances | None:
    """The rules between the sections of this class, if it has any."""
    found: Instances | None = getattr(section, "instances", None)
    return found


def _initial(section: type[Any]) -> Any:
    """The value of a section that the configuration file lacks."""
    if rules := instances_of(section):
        return rules.initial(section)
    return () if is_list(section) else section()


@dataclass(frozen=True)
class HandlerServices:
    """The services that deliver alerts; replays share one object.

    Attributes:
        integrations: integrations of the services.
        services: services by the names of their sections.
    """

    integrations: Integrations = field(default_factory=Integrations)
    services: Mapping[str, Service] = field(default_factory=dict)

    def of_kind(self, kind: str) -> Service | None:
        """The service that delivers for handlers of a kind; some need none."""
        return self._of_kind.get(kind)

    @cached_property
    def _of_kind(self) -> Mapping[str, Service]:
        return {each.handler_kind: each for each in self.services.values()}

    def __getitem__(self, section: str) -> Service:
        return self.services[section]


NO_SERVICES = HandlerServices()
