"""The kinds of handlers that are defined over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from runtime.alert.types import Handler, Recipient
from runtime.errors import OptionsError
from runtime.golang.quoting import quote
from runtime.integration import HandlerServices
from runtime.options import Options, decode
from runtime.outbound.dialing import Dialer
from runtime.pipeline.missing_handlers import advice
from runtime.services.alert.kinds.aggregate import (
    AggregateHandler,
    AggregateHandlerConfig,
)
from runtime.services.alert.kinds.exec import ExecHandler, ExecHandlerConfig
from runtime.services.alert.kinds.log import LogHandler, LogHandlerConfig
from runtime.services.alert.kinds.publish import PublishHandler, PublishHandlerConfig
from runtime.services.alert.kinds.tcp import TCPHandler, TCPHandlerConfig
from runtime.services.alert.kinds.topics import TopicService
from runtime.services.alert.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """The place of the handler under construction.

    Attributes:
        topic: its topic.
        handler: its id.
        topics: topics of the server, for kinds that publish events.
        dialer: opens connections, for kinds that have no service.
    """

    topic: str
    handler: str
    topics: TopicService | None = None
    dialer: Dialer = field(default_factory=Dialer)

    @property
    def target(self) -> TopicService:
        """The topics that handlers of such kinds publish to.

        Raises:
            OptionsError: topics are not available.
        """
        if self.topics is None:
            raise OptionsError("handlers of this kind need the topics of a server")
        return self.topics


@runtime_checkable
class Validated(Protocol):
    """Options with requirements beyond their types."""

    def validate(self) -> None:
        """Refuse invalid options.

        Raises:
            OptionsError: a requirement is not met.
        """


@runtime_checkable
class Checkable(Protocol):
    """A handler with requirements that are checked when it is defined."""

    def check(self) -> None:
        """Refuse a definition with unmet requirements.

        Raises:
            OptionsError: a requirement is not met.
        """


def check_definition(handler: Handler) -> None:
    """Refuse a handler whose requirement, such as an endpoint, does not exist.

    Handlers of an earlier run are not checked: they wait for it.

    Raises:
        OptionsError: it does.
    """
    if isinstance(handler, Checkable):
        handler.check()


@dataclass(frozen=True, slots=True)
class HandlerKind:
    """A kind of handlers: its options, and the making of a handler with them.

    Attributes:
        name: Kapacitor's name of the options' type, for error texts.
        defaults: options of a handler that sets none.
        make: makes a handler with decoded options.
    """

    name: str
    defaults: Any
    make: Callable[[Any, HandlerContext], Subscription]

    def decode(self, options: Options) -> Any:
        """Options over the defaults.

        Raises:
            OptionsError: they do not decode, are invalid, or a secret cannot be read.
        """
        decoded = decode(options, self.defaults, type_name=self.name)
        # here, and not only when the handler is made: before a policy judges them
        if isinstance(decoded, Validated):
            decoded.validate()
        return decoded


def kind_of(name: str, services: HandlerServices) -> HandlerKind:
    """The kind of that name.

    Raises:
        OptionsError: this server has no such kind.
    """
    options_type = services.integrations.kinds.get(name)
    service = services.of_kind(name)
    make = _WITHOUT_SERVICE.get(options_type) if options_type else None
    if options_type is not None and make is not None:
        return HandlerKind(f"*alert.{options_type.__name__}", options_type(), make)
    if options_type is None or service is None:
        raise OptionsError(f"unsupported action kind {quote(name)}{advice(name)}")
    return HandlerKind(
        f"*{service.kind}.HandlerConfig",
        service.default_handler_config(),
        lambda options, _: Subscription(Recipient(service.handler(options)), options),
    )


def serial(handler: Handler, options: object) -> Subscription:
    """A handler whose reader expects all events in order, as in a file."""
    return Subscription(Recipient(handler, is_serial=True), options)


def _aggregate(
    options: AggregateHandlerConfig, context: HandlerContext
) -> Subscription:
    name = f"{context.topic}/{context.handler}"
    handler = AggregateHandler(options, context.target, name)
    made = _internal(handler, options, (options.topic,))
    return replace(made, stateful=handler)


def _exec(options: ExecHandlerConfig, context: HandlerContext) -> Subscription:
    return serial(ExecHandler(options), options)


def _log(options: LogHandlerConfig, context: HandlerContext) -> Subscription:
    return serial(LogHandler(options), options)


def _publish(options: PublishHandlerConfig, context: HandlerContext) -> Subscription:
    handler = PublishHandler(options, context.target)
    return _internal(handler, options, options.topics)


def _tcp(options: TCPHandlerConfig, context: HandlerContext) -> Subscription:
    return serial(TCPHandler(options, context.dialer), options)


def _internal(
    handler: Handler, options: object, targets: tuple[str, ...]
) -> Subscription:
    """A handler that publishes events to topics of this server, including internal ones."""
    return replace(serial(handler, options), external=False, targets=targets)


# what Kapacitor's alert service does itself
_WITHOUT_SERVICE: dict[type, Callable[[Any, HandlerContext], Subscription]] = {
    AggregateHandlerConfig: _aggregate,
    ExecHandlerConfig: _exec,
    LogHandlerConfig: _log,
    PublishHandlerConfig: _publish,
    TCPHandlerConfig: _tcp,
}
