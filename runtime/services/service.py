"""Bases of the services of integrations."""

from __future__ import annotations

import contextlib
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    Protocol,
    TypeVar,
)

from runtime.alert.scrubbing import scrubbed_event
from runtime.alert.types import Event, Handler
from runtime.errors import ConfigError, DeliveryError
from runtime.outbound.connection import NO_CERTIFICATES, Certificates, Connection
from runtime.outbound.headers import credentials_in
from runtime.outbound.idempotency import idempotency_key, keyed
from runtime.secrets import Secret, redact, secrets_in
from runtime.services.expressions import judging
from runtime.services.options import validate
from runtime.services.server import UNNAMED, Server

if TYPE_CHECKING:
    from runtime.outbound.client import HttpClient, Request, Response
    from runtime.outbound.identity import Identity

ConfigT = TypeVar("ConfigT", bound="ServiceConfig")
OptionsT = TypeVar("OptionsT")
TestT = TypeVar("TestT")
T = TypeVar("T")

_UNAUTHORIZED = 401


class ServiceConfig(Protocol):
    """One table of the configuration file: a frozen dataclass."""

    @property
    def enabled(self) -> bool:
        """True if the service sends alerts."""

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is invalid.
        """


class HandlerService(Protocol[OptionsT]):
    """The interface between a handler kind and its service."""

    @property
    def kind(self) -> str:
        """Name of the service: `hipchat`."""

    @property
    def handler_kind(self) -> str:
        """Name of the kind of its handlers, that of the service for most."""

    @property
    def is_global(self) -> bool:
        """True if alert nodes without a handler of this kind get one."""

    @property
    def state_changes_only(self) -> bool:
        """True if a global handler makes alert nodes send state changes only."""

    def default_handler_config(self) -> OptionsT:
        """Default options of a handler."""

    def handler(self, options: OptionsT) -> Handler:
        """A handler that sends its events with `options`."""


class InForce(NamedTuple, Generic[ConfigT]):
    """A configuration in force.

    Attributes:
        config: the configuration; immutable, and replaced as a whole.
        identity: certificates in its files, or None if there are none.
    """

    config: ConfigT
    identity: Identity | None = None


class EventService(ABC, Generic[ConfigT, OptionsT, TestT]):
    """A service that delivers events with the options of handlers.

    A subclass defines its options, and how it delivers one event.

    Attributes:
        kind: name of the handler in TOML and in the API.
        prepare_error: text before errors of creating a request, or "".
        send_error: text before errors of sending a request, or "".
        server: server of the service.
    """

    kind: ClassVar[str]
    prepare_error: ClassVar[str] = ""
    send_error: ClassVar[str] = ""

    def __init__(
        self, config: ConfigT, client: HttpClient, server: Server = UNNAMED
    ) -> None:
        """Create the service.

        Args:
            config: configuration of the service.
            client: sends the service's requests.
            server: server of the service.

        Raises:
            ConfigError: a file of certificates cannot be used.
        """
        self._client = client
        self.server = server
        self._current = self._in_force(config)

    @property
    def config(self) -> ConfigT:
        """The current configuration; one immutable value, replaced as a whole."""
        return self._current.config

    @property
    def configs(self) -> Sequence[ConfigT]:
        """The current configuration, or those of all sections."""
        return (self.config,)

    @property
    def handler_kind(self) -> str:
        """Name of the kind of its handlers."""
        return self.kind

    @property
    def is_global(self) -> bool:
        """True if alert nodes without a handler of this kind get one."""
        return bool(getattr(self.config, "global_", False))

    @property
    def state_changes_only(self) -> bool:
        """True if a global handler makes alert nodes send state changes only."""
        return bool(getattr(self.config, "state_changes_only", False))

    async def open(self) -> None:
        """Start the service."""

    async def close(self) -> None:
        """Stop the service."""

    def prepared(self, configs: Sequence[Any]) -> Callable[[], None]:
        """A function that applies a new configuration; before its call nothing changes.

        Raises:
            ConfigError: there is not exactly one configuration of this service, or a
                file of certificates cannot be used.
        """
        if len(configs) != 1:
            raise ConfigError(
                f"expected only one new config object, got {len(configs)}"
            )
        [config] = configs
        self._check_type(config, type(self.config))
        made = self._in_force(config)

        def swap() -> None:
            self._current = made

        return swap

    def _check_type(self, config: object, wanted: type[Any]) -> None:
        """Refuse a configuration of another service.

        Raises:
            ConfigError: the configuration has another type.
        """
        if not isinstance(config, wanted):
            raise ConfigError(
                f"expected config object to be of type {self.kind}.Config, "
                f"got {type(config).__name__}"
            )

    def _in_force(self, config: ConfigT) -> InForce[ConfigT]:
        """A configuration with its certificates, which only active services need.

        Raises:
            ConfigError: a file cannot be used.
        """
        files = self.certificates(config)
        if not config.enabled or not any(files[:3]):
            return InForce(config)
        # imported here: ssl is slow to import, and most services have no certificates
        from runtime.outbound.identity import Identity

        return InForce(config, Identity(files))

    def chosen(self, options: OptionsT) -> InForce[ConfigT]:
        """Return the configuration that a handler uses.

        Raises:
            DeliveryError: the configuration does not exist.
        """
        return self._current

    async def alert(self, options: OptionsT, event: Event) -> bool:
        """Send `event` with `options`, using the current configuration.

        Returns:
            True if a request was sent; False if there is nothing to send.

        Raises:
            DeliveryError: the event was not delivered.
        """
        current = self.chosen(options)
        config = current.config
        if not config.enabled:
            # the service may be enabled later; until then the event waits
            with prefixed(self.prepare_error):
                raise DeliveryError("service is not enabled", retry=True, deferred=True)
        try:
            return await self.deliver(current, options, event)
        except DeliveryError as error:
            # an endpoint may repeat parts of the request in its answer
            text = redact(str(error), self.secrets(config, options))
            raise error.replace(text) from None

    def secrets(self, config: ConfigT, options: OptionsT) -> Iterable[Secret]:
        """The secrets that errors must not show."""
        return secrets_in((config, options))

    def handler(self, options: OptionsT) -> Handler:
        """A handler that sends its events with `options`."""
        return ServiceHandler(self, options)

    def check_options(self, options: OptionsT) -> None:
        """Refuse the options of a handler that is being defined.

        Raises:
            OptionsError: a requirement is not met.
        """
        validate(options)

    async def test(self, options: TestT) -> None:
        """Send the service test.

        Raises:
            DeliveryError: the test was not delivered, or there was nothing to deliver.
        """
        handler_options, event = self.test_event(options)
        # a service test is not a delivery of the outbox, which would have a key
        with keyed(idempotency_key.get() or secrets.token_hex(16)):
            was_sent = await self.alert(handler_options, event)
        if not was_sent:
            raise DeliveryError(
                f"no request was sent: {self.kind} sends nothing for the test's event, "
                f"whose level is {event.state.level}"
            )

    @abstractmethod
    def default_handler_config(self) -> OptionsT:
        """Default options of a handler."""

    @abstractmethod
    def test_options(self) -> TestT:
        """The service test's options with their current defaults."""

    @abstractmethod
    def test_event(self, options: TestT) -> tuple[OptionsT, Event]:
        """Options of the service test."""

    def certificates(self, config: ConfigT) -> Certificates:
        """The files of certificates, which are read when the configuration changes."""
        return NO_CERTIFICATES

    @abstractmethod
    async def deliver(
        self, current: InForce[ConfigT], options: OptionsT, event: Event
    ) -> bool:
        """Send `event`; False if there is nothing to send.

        Raises:
            DeliveryError: the event was not delivered.
        """


class HttpService(EventService[ConfigT, OptionsT, TestT]):
    """A service that sends one HTTP request per event.

    A subclass defines its options, its request, the successful responses and the errors
    for all others.

    Attributes:
        ok: statuses of a success.
        expects_json: True if any other body than a JSON object is not from the
            endpoint.
    """

    ok: ClassVar[Container[int]] = range(200, 300)
    expects_json: ClassVar[bool] = True

    async def deliver(
        self, current: InForce[ConfigT], options: OptionsT, event: Event
    ) -> bool:
        """Send the request for `event`; False if there is nothing to send.

        Raises:
            DeliveryError: the event was not delivered.
        """
        with prefixed(self.prepare_error):
            request = self._requested(current.config, options, event)
        if request is None:
            return False
        try:
            response = await self.exchange(current, options, request)
            self.check(current.config, options, response)
        except DeliveryError as error:
            raise without_credentials(error, request) from None
        return True

    async def exchange(
        self, current: InForce[ConfigT], options: OptionsT, request: Request
    ) -> Response:
        """Send a request over its connection, and return the answer.

        Raises:
            DeliveryError: there was no answer.
        """
        with prefixed(self.send_error):
            connection = self.connection(current.config, options)
            return await self._client.send(request.over(connection, current.identity))

    def _requested(
        self, config: ConfigT, options: OptionsT, event: Event
    ) -> Request | None:
        try:
            return self.request(config, options, event)
        except UnicodeEncodeError:
            # JSON turns invalid characters into U+FFFD; forms and paths need a clean
            # event
            return self.request(config, options, scrubbed_event(event))

    @abstractmethod
    def request(
        self, config: ConfigT, options: OptionsT, event: Event
    ) -> Request | None:
        """The request that delivers `event`; None if there is nothing to send.

        Raises:
            DeliveryError: the options or the event cannot be sent.
        """

    def connection(self, config: ConfigT, options: OptionsT) -> Connection:
        """The settings of the connection to the endpoint."""
        return Connection()

    def check(self, config: ConfigT, options: OptionsT, response: Response) -> None:
        """Raise an error for a response that means failure.

        If `accepts` or `failure` raises an exception, the status decides: it means
        success if it is in `ok`. If `accepts` refuses a status in `ok`, the delivery is
        retried if the body is not a JSON object, lacks a value that was read, or came
        with a delay. It is always retried if `retries` returns True. If `expires`
        returns True, the login has expired: a failure with any status.

        Raises:
            DeliveryError: the answer means that the event was not delivered.
        """
        by_status = response.status in self.ok
        self.judge(config, options, response, by_status, self.accepts_with)

    def judge(
        self,
        config: ConfigT,
        options: OptionsT,
        response: Response,
        by_status: bool,
        accepts: Callable[[ConfigT, OptionsT, Response], bool],
    ) -> None:
        """Raise an error for a response that `accepts` refuses, as `check` does.

        Args:
            config: the configuration.
            options: the options of the handler.
            response: the response.
            by_status: True if its status means success.
            accepts: True for a response that means success.

        Raises:
            DeliveryError: the response means failure.
        """
        sent = (config, options, response)
        is_expired = self._read(response, False, self.expires, *sent)
        with judging() as doubts:
            if not is_expired and self._read(response, by_status, accepts, *sent):
                return
        error = response.error(self.wording(*sent))
        error.expired = is_expired or response.status == _UNAUTHORIZED
        asked_s = self._read(response, None, self.wait_s, *sent)
        error.retry_after_s = max(
            (each for each in (asked_s, error.retry_after_s) if each is not None),
            default=None,
        )
        # neither a proxy's page nor an answer without the values that were read is a
        # refusal by the endpoint
        is_foreign = self.expects_json and not isinstance(response.json, dict)
        # some services report their rate limits with status 200 and a delay
        may_pass = bool(doubts) or is_foreign or error.retry_after_s is not None
        error.retry = (
            error.retry
            or (by_status and may_pass)
            or self._read(response, False, self.retries, *sent)
        )
        raise error

    def wording(self, config: ConfigT, options: OptionsT, response: Response) -> str:
        """The error for an answer that means failure, even if it cannot be read."""
        usual = HttpService.failure(self, response)
        sent = (config, options, response)
        return self._read(response, usual, self.failure_with, *sent)

    def _read(
        self, response: Response, usual: T, read: Callable[..., T], *sent: object
    ) -> T:
        """The result of reading a response, or a default if that fails."""
        try:
            return read(*sent)
        # any error: an unexpected answer must not lose the event
        except Exception as error:
            self._log_unreadable(response, error)
            return usual

    def _log_unreadable(self, response: Response, error: Exception) -> None:
        # without the text of the error, which may repeat a secret in the answer
        logging.getLogger(f"kapacitor.{self.kind}").warning(
            "unexpected response: only its status was checked",
            extra={"status": response.status, "err": type(error).__name__},
        )

    def accepts(self, response: Response) -> bool:
        """True if the answer means success."""
        return response.status in self.ok

    def failure(self, response: Response) -> str:
        """The error for an answer that does not mean success."""
        return f"unexpected response code {response.status} from {self.kind} service"

    def accepts_with(
        self, config: ConfigT, options: OptionsT, response: Response
    ) -> bool:
        """True if the answer to a request with these options means success."""
        return self.accepts(response)

    def failure_with(
        self, config: ConfigT, options: OptionsT, response: Response
    ) -> str:
        """The error for an answer to a request with these options."""
        return self.failure(response)

    def retries(self, config: ConfigT, options: OptionsT, response: Response) -> bool:
        """True if a failed delivery is to be retried, with any status."""
        return False

    def expires(self, config: ConfigT, options: OptionsT, response: Response) -> bool:
        """True if the answer, like status 401, means that a login has expired."""
        return False

    def wait_s(
        self, config: ConfigT, options: OptionsT, response: Response
    ) -> float | None:
        """The delay that the answer's body requests, in seconds, or None."""
        return None


def without_credentials(error: DeliveryError, request: Request) -> DeliveryError:
    """The error of a request without the request's credentials."""
    # basic authentication encodes user and password as one string, easy to decode
    return error.replace(redact(str(error), credentials_in(request.headers)))


@contextlib.contextmanager
def prefixed(text: str) -> Iterator[None]:
    """Put a text before the errors of a step."""
    try:
        yield
    except DeliveryError as error:
        raise (error.replace(f"{text}: {error}") if text else error) from None


@dataclass(frozen=True, slots=True)
class ServiceHandler(Generic[OptionsT]):
    """Delivers events through its service.

    Attributes:
        service: service that sends.
        options: options of this handler.
    """

    service: EventService[Any, OptionsT, Any]
    options: OptionsT

    def check(self) -> None:
        """Refuse the definition of a handler with invalid options.

        Raises:
            OptionsError: a requirement is not met.
        """
        self.service.check_options(self.options)

    async def handle(self, event: Event) -> None:
        """Deliver `event`.

        Raises:
            DeliveryError: the event was not delivered.
        """
        await self.service.alert(self.options, event)
