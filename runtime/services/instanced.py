"""Base of the services with several sections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from runtime.errors import DeliveryError, OptionsError
from runtime.services.hooks import HookService
from runtime.services.instances import Instances
from runtime.services.server import UNNAMED, Server
from runtime.services.service import (
    EventService,
    HttpService,
    InForce,
    OptionsT,
    ServiceConfig,
    TestT,
)
from runtime.services.tcp import TcpService

if TYPE_CHECKING:
    from runtime.outbound.client import HttpClient


class InstancesConfig(ServiceConfig, Protocol):
    """One of several sections of a service."""

    instances: ClassVar[Instances]


InstanceT = TypeVar("InstanceT", bound=InstancesConfig)


class _Sections(NamedTuple, Generic[InstanceT]):
    """The sections in force.

    Attributes:
        usual: the default section, or the only one, or the defaults of the class.
        all: all sections.
        by_name: all sections by name; the default one also as `""`.
    """

    usual: InForce[InstanceT]
    all: Sequence[InForce[InstanceT]]
    by_name: Mapping[str, InForce[InstanceT]]


class SectionedService(EventService[InstanceT, OptionsT, TestT]):
    """A service with several sections; each handler uses one of them.

    Attributes:
        config_type: the class of a section.
    """

    config_type: ClassVar[type[Any]]

    def __init__(
        self,
        configs: Sequence[InstanceT],
        client: HttpClient,
        server: Server = UNNAMED,
    ) -> None:
        """Create the service.

        Args:
            configs: sections of the service.
            client: sends the service's requests.
            server: server of the service.

        Raises:
            ConfigError: a file of certificates cannot be used.
        """
        self._client = client
        self.server = server
        self._sections = self._made(configs)

    @property
    def _rules(self) -> Instances:
        rules: Instances = self.config_type.instances
        return rules

    @property
    def config(self) -> InstanceT:
        """The section of handlers that name none, or the only one, or the defaults."""
        return self._sections.usual.config

    @property
    def configs(self) -> Sequence[InstanceT]:
        """All sections."""
        return tuple(each.config for each in self._sections.all)

    def prepared(self, configs: Sequence[Any]) -> Callable[[], None]:
        """A function that applies new sections; before its call nothing changes.

        Raises:
            ConfigError: a section belongs to another service, the default is missing, or
                a file of certificates cannot be used.
        """
        for config in configs:
            self._check_type(config, self.config_type)
        self._rules.check(configs)
        made = self._made(configs)

        def swap() -> None:
            self._sections = made

        return swap

    def _made(self, configs: Sequence[InstanceT]) -> _Sections[InstanceT]:
        """The sections, ready for use."""
        in_force = {self._rules.name(each): self._in_force(each) for each in configs}
        by_name = {
            name: in_force[self._rules.name(config)]
            for name, config in self._rules.by_name(configs).items()
        }
        lone = [*in_force.values()] if len(in_force) == 1 else [None]
        usual = by_name.get("") or lone[0] or InForce(self.config_type())
        return _Sections(usual, tuple(in_force.values()), by_name)

    def chosen(self, options: OptionsT) -> InForce[InstanceT]:
        """Return the section that a handler uses.

        Raises:
            DeliveryError: the section does not exist.
        """
        sections, name = self._sections.by_name, self._rules.chosen(options)
        if name not in sections:
            # the section may be configured later; until then its events wait
            text = self._rules.missing(name, self.kind, sections)
            raise DeliveryError(text, retry=True, deferred=True)
        return sections[name]

    def check_options(self, options: OptionsT) -> None:
        """Refuse the options of a definition if they name no existing section.

        If there is a default section, they are accepted, as in Kapacitor: the section
        may be configured later.

        Raises:
            OptionsError: the section does not exist, or a requirement is not met.
        """
        super().check_options(options)
        sections, name = self._sections.by_name, self._rules.chosen(options)
        if self._rules.default != "flag" and name not in sections:
            raise OptionsError(self._rules.missing(name, self.kind, sections))


class InstancesService(
    HttpService[InstanceT, OptionsT, TestT],
    SectionedService[InstanceT, OptionsT, TestT],
):
    """A service with several sections that sends HTTP requests."""


class TcpInstancesService(
    TcpService[InstanceT, OptionsT, TestT], SectionedService[InstanceT, OptionsT, TestT]
):
    """A service with several sections that writes to TCP addresses."""


class HookInstancesService(
    HookService[InstanceT, OptionsT, TestT],
    SectionedService[InstanceT, OptionsT, TestT],
):
    """A service with several sections that sends through a hook, with a client each."""

    def __init__(
        self,
        configs: Sequence[InstanceT],
        client: HttpClient,
        server: Server = UNNAMED,
    ) -> None:
        """Create the service.

        Raises:
            ConfigError: a file of certificates cannot be used, a library is missing, or
                the hook refuses a section.
        """
        # HookService passes the argument on to SectionedService, which takes sections
        super().__init__(configs, client, server)  # type: ignore[arg-type]

    def client_name(self, config: InstanceT) -> str:
        """The name of a section."""
        return self._rules.name(config)
