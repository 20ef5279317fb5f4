"""The kinds of handlers that are defined over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from runtime.alert.types import Handler
from runtime.dialing import Dialer
from runtime.errors import OptionsError
from runtime.options import Options, decode
from runtime.services.alert.kinds.aggregate import (
    AggregateHandler,
    AggregateHandlerConfig,
)
from runtime.services.alert.kinds.exec import ExecHandler, ExecHandlerConfig
from runtime.services.alert.kinds.log import LogHandler, LogHandlerConfig
from runtime.services.alert.kinds.publish import PublishHandler, PublishHandlerConfig
from runtime.services.alert.kinds.tcp import TCPHandler, TCPHandlerConfig
from runtime.services.alert.kinds.topics import Topics
from runtime.services.foo.handler import HandlerConfig as FooHandlerConfig
from runtime.services.hipchat.handler import HandlerConfig as HipChatHandlerConfig
from runtime.services.httppost.service import HandlerConfig as HttpPostHandlerConfig
from runtime.services.service import HandlerService

OptionsT = TypeVar("OptionsT")


class HandlerServices(Protocol):
    """The services that deliver for handlers."""

    @property
    def foo(self) -> HandlerService[FooHandlerConfig]:
        """The Foo service."""

    @property
    def hipchat(self) -> HandlerService[HipChatHandlerConfig]:
        """The HipChat service."""

    @property
    def httppost(self) -> HandlerService[HttpPostHandlerConfig]:
        """HTTP endpoints."""


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """Which handler is being made.

    Attributes:
        topic: its topic.
        handler: its id.
        topics: for kinds that give events back.
        dialer: for kinds that connect to something themselves.
    """

    topic: str
    handler: str
    topics: Topics | None = None
    dialer: Dialer = field(default_factory=Dialer)

    @property
    def target(self) -> Topics:
        """Where such kinds give events.

        Raises:
            OptionsError: there is nothing of the kind.
        """
        if self.topics is None:
            raise OptionsError("there are no topics to give events to")
        return self.topics


HandlerKind = Callable[[HandlerServices, Options, HandlerContext], Handler]


def from_spec(
    service: HandlerService[OptionsT], options: Options, context: HandlerContext
) -> Handler:
    """A handler of `service` with `options` over the defaults of its kind.

    Raises:
        OptionsError: the options do not decode.
    """
    name = f"*{service.kind}.HandlerConfig"
    config = decode(options, service.default_handler_config(), type_name=name)
    return service.handler(config)


@runtime_checkable
class Checkable(Protocol):
    """A handler with requirements that are checked when it is defined."""

    def check(self) -> None:
        """Refuse to be defined.

        Raises:
            OptionsError: a requirement is not met.
        """


def check_definition(handler: Handler) -> None:
    """Refuse a handler whose requirement, such as an endpoint, does not exist.

    Handlers of an earlier run are not asked: they wait for it.

    Raises:
        OptionsError: it does.
    """
    if isinstance(handler, Checkable):
        handler.check()


# kinds that give events to topics of this server, so also those that others skip
INTERNAL_KINDS = frozenset(("aggregate", "publish"))


def _aggregate(options: Options, context: HandlerContext) -> Handler:
    name = "*alert.AggregateHandlerConfig"
    config = decode(options, AggregateHandlerConfig(), type_name=name)
    return AggregateHandler(
        config, context.target, f"{context.topic}/{context.handler}"
    )


def _exec(options: Options) -> Handler:
    name = "*alert.ExecHandlerConfig"
    return ExecHandler(decode(options, ExecHandlerConfig(), type_name=name))


def _log(options: Options) -> Handler:
    name = "*alert.LogHandlerConfig"
    return LogHandler(decode(options, LogHandlerConfig(), type_name=name))


def _publish(options: Options, context: HandlerContext) -> Handler:
    name = "*alert.PublishHandlerConfig"
    config = decode(options, PublishHandlerConfig(), type_name=name)
    return PublishHandler(config, context.target)


def _tcp(options: Options, context: HandlerContext) -> Handler:
    name = "*alert.TCPHandlerConfig"
    config = decode(options, TCPHandlerConfig(), type_name=name)
    return TCPHandler(config, context.dialer)


HANDLER_KINDS: dict[str, HandlerKind] = {
    "aggregate": lambda services, options, context: _aggregate(options, context),
    "exec": lambda services, options, context: _exec(options),
    "foo": lambda services, options, context: from_spec(services.foo, options, context),
    "hipchat": lambda services, options, context: from_spec(
        services.hipchat, options, context
    ),
    "log": lambda services, options, context: _log(options),
    "post": lambda services, options, context: from_spec(
        services.httppost, options, context
    ),
    "publish": lambda services, options, context: _publish(options, context),
    "tcp": lambda services, options, context: _tcp(options, context),
}
