"""The kinds of handlers that are defined over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

from runtime.alert.types import Handler, Recipient
from runtime.errors import ConfigError, OptionsError
from runtime.golang.quoting import quote
from runtime.integration import HandlerServices, Integrations
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
from runtime.services.options import Options, decode, validate
from runtime.settings import FormerName, former_names_in
from runtime.suggestions import suggestion


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
        """The topics of the server, for kinds that publish to them.

        Raises:
            OptionsError: topics are not available.
        """
        if self.topics is None:
            raise OptionsError("handlers of this kind need the topics of a server")
        return self.topics


@runtime_checkable
class Checkable(Protocol):
    """A handler with requirements that are checked when it is defined."""

    def check(self) -> None:
        """Refuse a definition with unmet requirements.

        Raises:
            OptionsError: a requirement is not met.
        """


def check_definition(handler: Handler) -> None:
    """Refuse a handler with an unmet requirement, such as a missing endpoint.

    Handlers of an earlier run are not checked: they wait until it is met.

    Raises:
        OptionsError: a requirement does not exist.
    """
    if isinstance(handler, Checkable):
        handler.check()


@dataclass(frozen=True, slots=True)
class Decoded:
    """Valid options of a handler, with the function that creates it.

    Attributes:
        options: decoded options, an object with the fields of the kind.
        make: creates the handler.
        former_names: former names of options that were given.
    """

    options: object
    make: Callable[[HandlerContext], Subscription]
    former_names: tuple[FormerName, ...] = ()


def decoded(kind: str, options: Options, services: HandlerServices) -> Decoded:
    """`options` over the defaults of a kind.

    Raises:
        OptionsError: the kind is unknown, the options do not decode or are invalid, or
            a secret cannot be read.
    """
    try:
        options_type = services.integrations.kinds.get(kind)
        make = _WITHOUT_SERVICE.get(options_type) if options_type else None
        needs_service = options_type is not None and make is None
        service = services.of_kind(kind) if needs_service else None
    except ConfigError as error:
        raise OptionsError(str(error)) from None
    if options_type is not None and make is not None:
        name = f"*alert.{options_type.__name__}"
        valid = decode(options, options_type(), type_name=name)
        # checked here, before a policy judges the options, and not only in `make`
        validate(valid)
        return Decoded(valid, partial(make, valid))
    if service is None:
        hint = advice(kind) or _suggested(kind, services.integrations)
        raise OptionsError(f"unsupported action kind {quote(kind)}{hint}")
    name = f"*{service.kind}.HandlerConfig"
    config = decode(options, service.default_handler_config(), type_name=name)
    return Decoded(
        config,
        lambda context: Subscription(Recipient(service.handler(config)), config),
        tuple(former_names_in(options, type(config))),
    )


def _suggested(kind: str, integrations: Integrations) -> str:
    """The hint at the kind that was probably meant, or ""."""
    # scripts have names of their own for some: `.email()` adds handlers of kind `smtp`
    if (meant := integrations.kind_of(kind)) is not None:
        return f'; did you mean "{meant}"?'
    return suggestion(kind, integrations.kinds)


def serial(handler: Handler, options: object) -> Subscription:
    """A handler that needs all events in order, such as one that writes a file."""
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


# kinds of Kapacitor's alert service itself
_WITHOUT_SERVICE: dict[type, Callable[[Any, HandlerContext], Subscription]] = {
    AggregateHandlerConfig: _aggregate,
    ExecHandlerConfig: _exec,
    LogHandlerConfig: _log,
    PublishHandlerConfig: _publish,
    TCPHandlerConfig: _tcp,
}
