"""The handlers that an alert node has by its script, or by configuration alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from runtime.alert.types import Handler
from runtime.dialing import Dialer
from runtime.errors import ConfigError, OptionsError, TaskError
from runtime.options import FileMode
from runtime.pipeline.alert import (
    HANDLERS,
    AlertNode,
    FooHandler,
    HipChatHandler,
)
from runtime.pipeline.alert import ExecHandler as ExecHandlerSpec
from runtime.pipeline.alert import LogHandler as LogHandlerSpec
from runtime.pipeline.alert import PostHandler as PostHandlerSpec
from runtime.pipeline.alert import TcpHandler as TcpHandlerSpec
from runtime.pipeline.handler import AlertHandler
from runtime.secret_texts import written
from runtime.secrets import Secret
from runtime.services.alert.handlers import HandlerServices, check_definition
from runtime.services.alert.kinds.exec import ExecHandler, ExecHandlerConfig
from runtime.services.alert.kinds.log import (
    DEFAULT_MODE,
    LogHandler,
    LogHandlerConfig,
)
from runtime.services.alert.kinds.tcp import TCPHandler, TCPHandlerConfig
from runtime.services.service import HandlerService
from runtime.settings import camel_case

OptionsT = TypeVar("OptionsT")
HandlerT = TypeVar("HandlerT", bound=AlertHandler)


def from_tick(
    said: Sequence[AlertHandler], service: HandlerService[OptionsT]
) -> Iterator[Handler]:
    """A handler for each that the script names, or one if the service is global.

    What the script leaves empty keeps the default of the kind.
    """
    for each in said:
        yield service.handler(_options(service.default_handler_config(), each))
    if not said and service.is_global:
        yield service.handler(service.default_handler_config())


def _log(said: Sequence[LogHandlerSpec]) -> Iterator[Handler]:
    for each in said:
        mode = FileMode(each.mode) if each.mode else DEFAULT_MODE
        try:
            yield LogHandler(LogHandlerConfig(each.file_path, mode))
        except OptionsError as error:
            text = f"failed to create log alert handler: {error}"
            raise TaskError(text) from error


def _exec(said: Sequence[ExecHandlerSpec]) -> Iterator[Handler]:
    for each in said:
        program, *arguments = each.command
        yield ExecHandler(ExecHandlerConfig(program, tuple(arguments)))


def _tcp(source: HandlerSource) -> Iterator[Handler]:
    for each in source.handlers_of(TcpHandlerSpec):
        yield TCPHandler(TCPHandlerConfig(each.address), source.dialer)


def _post(
    said: Sequence[PostHandlerSpec], services: HandlerServices
) -> Iterator[Handler]:
    for each in said:
        if not each.url and not each.endpoint:
            raise TaskError("Either URL or endpoint must be non-empty")
        try:
            for handler in from_tick([each], services.httppost):
                check_definition(handler)
                yield handler
        except OptionsError as error:
            text = f"failed to create HTTPPostService.Handler: {error}"
            raise TaskError(text) from error


class HandlerSource(Protocol):
    """What a script says of its handlers, and what they connect with."""

    @property
    def dialer(self) -> Dialer:
        """What handlers connect with that have no service."""

    def handlers_of(self, kind: type[HandlerT]) -> list[HandlerT]:
        """The handlers of one kind, in the order of the script."""


@dataclasses.dataclass
class _Watched:
    """An alert node that remembers which kinds of handlers it was asked for."""

    node: AlertNode
    dialer: Dialer
    asked_for: set[type[AlertHandler]] = dataclasses.field(default_factory=set)

    def handlers_of(self, kind: type[HandlerT]) -> list[HandlerT]:
        """The handlers of one kind, in the order of the script."""
        self.asked_for.add(kind)
        return self.node.handlers_of(kind)


# in the order in which Kapacitor puts the handlers of a node
TICK_HANDLERS: dict[
    str, Callable[[HandlerSource, HandlerServices], Iterator[Handler]]
] = {
    "tcp": lambda node, services: _tcp(node),
    "exec": lambda node, services: _exec(node.handlers_of(ExecHandlerSpec)),
    "log": lambda node, services: _log(node.handlers_of(LogHandlerSpec)),
    "hipchat": lambda node, services: from_tick(
        node.handlers_of(HipChatHandler), services.hipchat
    ),
    "post": lambda node, services: _post(node.handlers_of(PostHandlerSpec), services),
    "foo": lambda node, services: from_tick(node.handlers_of(FooHandler), services.foo),
}


def node_handlers(
    node: AlertNode, services: HandlerServices | None, dialer: Dialer | None = None
) -> dict[str, Handler]:
    """The handlers of a node, by a name that stays the same while the script does.

    Raises:
        TaskError: the script names a handler that this server does not have.
    """
    made: dict[str, Handler] = {}
    source = _Watched(node, dialer or Dialer())
    if services is not None:
        for kind, handlers_of in TICK_HANDLERS.items():
            for number, handler in enumerate(handlers_of(source, services), 1):
                made[kind if number == 1 else f"{kind}-{number}"] = handler
    for said in node.handlers:
        if type(said) not in source.asked_for:
            raise TaskError(f"no service for handler {_name(said)}")
    return made


def makes_changes_only(services: HandlerServices | None) -> bool:
    """Whether configuration alone makes alert nodes send state changes only."""
    return any(
        service.is_global and service.state_changes_only
        for service in _services(services)
    )


def _services(services: Any) -> list[HandlerService[Any]]:
    if services is None:
        return []
    return [getattr(services, each.name) for each in dataclasses.fields(services)]


def _name(handler: AlertHandler) -> str:
    return next(name for name, kind in HANDLERS.items() if type(handler) is kind)


def _secret(name: str, text: str) -> Secret:
    try:
        return written(text)
    except ConfigError as error:
        raise TaskError(f"{camel_case(name)}: {error}") from None


def _options(default: OptionsT, said: AlertHandler) -> OptionsT:
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(said):
        value = getattr(said, field.name)
        if field.name == "node" or not value or not hasattr(default, field.name):
            continue
        is_secret = isinstance(getattr(default, field.name), Secret)
        changes[field.name] = _secret(field.name, value) if is_secret else value
    made: Any = default
    replaced: OptionsT = dataclasses.replace(made, **changes)
    return replaced
