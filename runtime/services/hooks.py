"""Base of the services whose transport is a hand-written module."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from runtime.alert.types import Event
from runtime.errors import ConfigError, DeliveryError
from runtime.outbound.addresses import DeniedAddressError
from runtime.services.server import UNNAMED, Server
from runtime.services.service import (
    ConfigT,
    EventService,
    InForce,
    OptionsT,
    TestT,
    prefixed,
)

if TYPE_CHECKING:
    from runtime.outbound.client import HttpClient
    from runtime.outbound.network import Network

ConfigT_contra = TypeVar("ConfigT_contra", contravariant=True)


class Hook(Protocol[ConfigT_contra]):
    """The functions of a hook module.

    A module may also have `validate(config)`, which raises `ConfigError`, and
    `check(options)`, which raises `OptionsError`.
    """

    async def open(self, config: ConfigT_contra, network: Network) -> Any:
        """Return a client for a configuration.

        Args:
            config: the configuration.
            network: opens connections within the server's rules.

        Raises:
            DeliveryError: it cannot connect; the error says if a later attempt may
                succeed.
            OSError: the same, and a later attempt may succeed.
        """

    async def close(self, client: Any) -> None:
        """Close a client after its last delivery."""

    async def send(self, client: Any, data: Mapping[str, Any]) -> None:
        """Deliver the data of one event; several calls may run at the same time.

        Raises:
            DeliveryError: the event was not delivered; the error says if it is retried.
            OSError: the same, and a later attempt may succeed.
        """


@dataclass
class _Client:
    """An open client.

    Attributes:
        client: the client of the hook.
        config: the configuration it was opened for.
        users: number of deliveries that use it.
        is_stale: True if no further delivery may use it.
    """

    client: Any
    config: object
    users: int = 0
    is_stale: bool = False


class HookService(EventService[ConfigT, OptionsT, TestT]):
    """A service that sends the data of events through a hook.

    The client of a configuration is opened for its first event, and again after a
    failure or a change of the configuration; the old one is closed when its last delivery
    has ended.

    Attributes:
        extra: the extra of the package that installs the hook's libraries, or "".
    """

    extra: ClassVar[str] = ""

    def __init__(
        self, config: ConfigT, client: HttpClient, server: Server = UNNAMED
    ) -> None:
        """Create the service.

        Raises:
            ConfigError: a library is missing, or the hook refuses the configuration.
        """
        super().__init__(config, client, server)
        self._clients: dict[str, _Client] = {}
        self._opening = asyncio.Lock()
        self._retiring: asyncio.Task[None] | None = None
        self._check(self.configs)

    @abstractmethod
    def hook(self) -> Hook[ConfigT]:
        """The module that sends; imported when the service is enabled."""

    @abstractmethod
    def data(
        self, config: ConfigT, options: OptionsT, event: Event
    ) -> Mapping[str, object] | None:
        """The data that delivers `event`; None if there is nothing to send.

        Raises:
            DeliveryError: the options or the event cannot be sent.
        """

    def prepared(self, configs: Sequence[Any]) -> Callable[[], None]:
        """A function that applies a new configuration; before its call nothing changes.

        Raises:
            ConfigError: it is not exactly one configuration of this service, or the hook
                refuses it.
        """
        swap = super().prepared(configs)
        self._check(configs)

        def applied() -> None:
            swap()
            if self._clients:
                self._retiring = asyncio.create_task(self._retire_unused())

        return applied

    def check_options(self, options: OptionsT) -> None:
        """Refuse the options of a handler that is being defined.

        Raises:
            OptionsError: a requirement is not met, or the hook refuses the options.
        """
        super().check_options(options)
        try:
            check = getattr(self.hook(), "check", None)
        except ModuleNotFoundError:
            # the service is disabled: an enabled one is refused without its libraries
            return
        if check is not None:
            check(options)

    async def close(self) -> None:
        """Close the clients."""
        if self._retiring is not None:
            await self._retiring
        for each in list(self._clients.values()):
            await self._retire(each)

    def client_name(self, config: ConfigT) -> str:
        """A name for the client of a configuration."""
        return ""

    async def deliver(
        self, current: InForce[ConfigT], options: OptionsT, event: Event
    ) -> bool:
        """Send the data of `event`; False if there is nothing to send.

        Raises:
            DeliveryError: the event was not delivered.
        """
        with prefixed(self.prepare_error):
            data = self.data(current.config, options, event)
        if data is None:
            return False
        with prefixed(self.send_error):
            await self._send(current.config, data)
        return True

    async def _send(self, config: ConfigT, data: Mapping[str, object]) -> None:
        try:
            client = await self._opened(config)
            client.users += 1
            try:
                await self.hook().send(client.client, data)
            except BaseException as error:
                # a refusal leaves the connection intact
                if not isinstance(error, DeliveryError) or error.retry:
                    client.is_stale = True
                raise
            finally:
                client.users -= 1
                if client.is_stale and not client.users:
                    await self._retire(client)
        except ModuleNotFoundError as error:
            raise DeliveryError(self._missing(error), retry=True) from None
        except ConfigError as error:
            # files that have changed since the service was configured
            raise DeliveryError(str(error), retry=True) from None
        except TimeoutError:
            raise DeliveryError("timed out", retry=True, maybe_duplicate=True) from None
        except DeniedAddressError as error:
            raise DeliveryError(str(error)) from None
        except OSError as error:
            raise _failure(error) from None

    async def _opened(self, config: ConfigT) -> _Client:
        """The client for a configuration."""
        async with self._opening:
            name = self.client_name(config)
            current = self._clients.get(name)
            if current is None or current.is_stale or current.config != config:
                if current is not None:
                    await self._retire(current)
                network = replace(self._client.network, files=self.certificates(config))
                made = _Client(await self.hook().open(config, network), config)
                self._clients[name] = current = made
            return current

    async def _retire_unused(self) -> None:
        """Close the clients of sections that were removed or disabled."""
        async with self._opening:
            names = {self.client_name(each) for each in self.configs if each.enabled}
            for name in self._clients.keys() - names:
                await self._retire(self._clients[name])

    async def _retire(self, client: _Client) -> None:
        """Close a client, or let the last delivery that uses it close it."""
        client.is_stale = True
        if client.users:
            return
        for name in [n for n, each in self._clients.items() if each is client]:
            del self._clients[name]
        try:
            await self.hook().close(client.client)
        # the client is dropped, even if closing it fails
        except Exception as error:
            logging.getLogger(f"kapacitor.{self.kind}").warning(
                "failed to close a client", extra={"err": type(error).__name__}
            )

    def _check(self, configs: Sequence[ConfigT]) -> None:
        """Refuse what the hook refuses, unless the configuration is disabled."""
        enabled = [each for each in configs if each.enabled]
        if not enabled:
            return
        try:
            validate = getattr(self.hook(), "validate", None)
            if validate is None:
                return
            for each in enabled:
                validate(each)
        except ModuleNotFoundError as error:
            raise ConfigError(self._missing(error)) from None

    def _missing(self, error: ModuleNotFoundError) -> str:
        """The error for a library that is not installed."""
        package = type(self).__module__.partition(".")[0]
        name = "scaffold-alerts" if package == "runtime" else package
        extra = f'; pip install "{name}[{self.extra}]"' if self.extra else ""
        return f"{self.kind} needs the library {error.name}{extra}"


def required(*libraries: str) -> None:
    """Check that libraries are installed, without loading them.

    A hook calls it in `validate`, and imports the libraries when it opens a client.

    Raises:
        ModuleNotFoundError: a library is not installed.
    """
    for name in libraries:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _failure(error: OSError) -> DeliveryError:
    """The error of a connection that failed."""
    # imported here: it is rarely needed, and slow to import
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message or "not trusted"
        return DeliveryError(f"tls: failed to verify certificate: x509: {reason}")
    if isinstance(error, ssl.SSLError):
        return DeliveryError("tls: handshake failure", retry=True)
    text = error.strerror or str(error) or type(error).__name__
    return DeliveryError(text, retry=True, maybe_duplicate=True)
