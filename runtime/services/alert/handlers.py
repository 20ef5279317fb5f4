"""The kinds of handlers that are defined over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from runtime.alert.types import Handler
from runtime.options import Options, decode
from runtime.services.alert.log import LogHandler, LogHandlerConfig
from runtime.services.foo.handler import HandlerConfig as FooHandlerConfig
from runtime.services.hipchat.handler import HandlerConfig as HipChatHandlerConfig
from runtime.services.service import HandlerService

OptionsT = TypeVar("OptionsT")


class HandlerServices(Protocol):
    """The services that deliver for handlers."""

    @property
    def foo(self) -> HandlerService[FooHandlerConfig]:
        """Foo."""

    @property
    def hipchat(self) -> HandlerService[HipChatHandlerConfig]:
        """HipChat."""


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """Which handler is being made.

    Attributes:
        topic: its topic.
        handler: its id.
    """

    topic: str
    handler: str


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


def _log(options: Options) -> Handler:
    name = "*alert.LogHandlerConfig"
    return LogHandler(decode(options, LogHandlerConfig(), type_name=name))


HANDLER_KINDS: dict[str, HandlerKind] = {
    "log": lambda services, options, context: _log(options),
    "foo": lambda services, options, context: from_spec(services.foo, options, context),
    "hipchat": lambda services, options, context: from_spec(
        services.hipchat, options, context
    ),
}
