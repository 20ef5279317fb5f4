"""Alert handlers as values, passed to a server, and the services it creates from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from runtime.errors import ConfigError
from runtime.lazy import Lazy, given, made
from runtime.pipeline.handler import AlertHandler
from runtime.pipeline.properties import HandlerProperties
from runtime.references import Reference, References
from runtime.services.instances import Instances
from runtime.services.server import UNNAMED, Server
from runtime.services.service import HandlerService

if TYPE_CHECKING:
    from runtime.outbound.client import HttpClient

_NOTHING: Mapping[str, Reference] = {}

Tables = Mapping[str, Any]
"""The configuration by section: a value of its class, or a tuple of values for a list."""


class Service(HandlerService[Any], Protocol):
    """The interface of a service to the server."""

    def __init__(self, config: Any, client: HttpClient, server: Server) -> None: ...

    async def open(self) -> None:
        """Start the service."""

    async def close(self) -> None:
        """Stop the service."""

    def prepared(self, configs: Sequence[Any]) -> Callable[[], None]:
        """Return a function that applies a new configuration when it is called.

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


class Integrations:
    """Alert handlers, each with an entry in every table.

    An entry is a class or a reference to one. The module of a reference is imported when
    the class is needed. A service is needed when its section enables it, a handler of its
    kind is defined, or the API names it.

    Attributes:
        sections: the class of a section of the configuration file, by its name. One with
            `instances` or an `element_key` is a list, `[[httppost]]`.
        services: the class of the service that a section configures, by its name.
        kinds: the class of the options of handlers over HTTP, by their kind.
        properties: class of a handler in scripts, by the property's name.
        node_handlers: the same class by the handler's kind, in the order in which the
            handlers of an alert node get its events.
    """

    def __init__(
        self,
        sections: Mapping[str, Reference] = _NOTHING,
        services: Mapping[str, Reference] = _NOTHING,
        kinds: Mapping[str, Reference] = _NOTHING,
        properties: Mapping[str, Reference] = _NOTHING,
        node_handlers: Mapping[str, Reference] = _NOTHING,
    ) -> None:
        """Make the value.

        Raises:
            ConfigError: a reference has a wrong form.
        """
        self.sections: References[type[Any]] = References(
            "configuration section", sections
        )
        self.services: References[type[Service]] = References("service", services)
        self.kinds: References[type[Any]] = References("handler kind", kinds)
        self.properties: References[type[AlertHandler]] = References(
            "property", properties
        )
        self.node_handlers: References[type[AlertHandler]] = References(
            "alert node handler", node_handlers
        )

    @cached_property
    def handler_properties(self) -> HandlerProperties:
        """The properties for pipelines."""
        return HandlerProperties(self.properties)

    def kind_of(self, name: str) -> str | None:
        """The kind of the handlers that a script adds by the property `name`, if any."""
        if name not in self.properties:
            return None
        handler = self.properties[name]
        kinds = (
            kind for kind in self.node_handlers if self.node_handlers[kind] is handler
        )
        return next(kinds, None)

    def tables(self, **changes: Any) -> Lazy[Any]:
        """Every section with its defaults, except `changes`.

        The defaults of a section by reference are created when they are first read.
        """
        defaults = {
            name: _initial(section) for name, section in self.sections.given.items()
        }
        return Lazy(
            self.sections,
            lambda name: _initial(self.sections[name]),
            defaults | changes,
        )

    def started(
        self, tables: Tables, client: HttpClient, server: Server = UNNAMED
    ) -> HandlerServices:
        """The services that `tables` configure; missing sections have their defaults.

        A service by reference that is not in use is created when it is needed.

        Args:
            tables: the configuration of sections.
            client: client that sends the services' requests.
            server: the server that the services are part of.

        Raises:
            ConfigError: a service cannot be created from its section.
        """
        configured = self.tables(**given(tables))

        def make(name: str) -> Service:
            service, config = self.services[name], configured[name]
            try:
                return service(config, client, server)
            except ConfigError as error:
                raise ConfigError(f"{name}: {error}") from None

        in_use = (
            name
            for name in self.services
            if name in self.services.given or is_in_use(configured.given.get(name, ()))
        )
        started = {name: make(name) for name in in_use}
        return HandlerServices(self, Lazy(self.services, make, started))


def is_list(section: type[Any]) -> bool:
    """True if the configuration may have several sections of this class."""
    return element_key(section) is not None


def element_key(section: type[Any]) -> str | None:
    """The key that names the sections of this class; None for a single section."""
    rules = instances_of(section)
    found: str | None = rules.key if rules else getattr(section, "element_key", None)
    return found


def instances_of(section: type[Any]) -> Instances | None:
    """The rules between the sections of this class, if it has any."""
    found: Instances | None = getattr(section, "instances", None)
    return found


def is_in_use(value: Any) -> bool:
    """True if a section, or one section of a list, makes its service send alerts."""
    elements = value if isinstance(value, tuple) else (value,)
    return any(
        getattr(each, "enabled", True) or getattr(each, "global_", False)
        for each in elements
    )


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

    @property
    def active(self) -> Mapping[str, Service]:
        """The existing services: those in use at the start, and those created since."""
        return made(self.services)

    def of_kind(self, kind: str) -> Service | None:
        """The service that delivers for handlers of a kind; None if the kind needs none.

        Raises:
            ConfigError: it cannot be loaded.
        """
        if (active := self.active_of_kind(kind)) is not None:
            return active
        kinds = self.integrations.kinds
        # a kind without a section of the same name has one whose name is not a kind
        others = (name for name in self.services if name not in kinds)
        names = [kind] if kind in self.services else others
        found = map(self.services.__getitem__, names)
        return next((each for each in found if each.handler_kind == kind), None)

    def active_of_kind(self, kind: str) -> Service | None:
        """The service of a kind, if it exists already."""
        active = self.active.values()
        return next((each for each in active if each.handler_kind == kind), None)

    def __getitem__(self, section: str) -> Service:
        return self.services[section]

    def observe(self, made: Callable[[Service], object]) -> None:
        """Call a function with each service that is created from now on."""
        if isinstance(self.services, Lazy):
            self.services.observer = made


NO_SERVICES = HandlerServices()
