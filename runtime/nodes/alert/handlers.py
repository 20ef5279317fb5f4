"""The handlers of an alert node, from its script or from the configuration alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from runtime.alert.types import Recipient
from runtime.errors import ConfigError, OptionsError, TaskError
from runtime.integration import HandlerServices
from runtime.outbound.dialing import Dialer
from runtime.pipeline.alert import AlertNode
from runtime.pipeline.alert import ExecHandler as ExecHandlerSpec
from runtime.pipeline.alert import LogHandler as LogHandlerSpec
from runtime.pipeline.alert import PostHandler as PostHandlerSpec
from runtime.pipeline.alert import TcpHandler as TcpHandlerSpec
from runtime.pipeline.handler import AlertHandler
from runtime.secrets import Secret
from runtime.secrets.texts import written
from runtime.services.alert.handlers import check_definition, serial
from runtime.services.alert.kinds.exec import ExecHandler, ExecHandlerConfig
from runtime.services.alert.kinds.log import (
    DEFAULT_MODE,
    LogHandler,
    LogHandlerConfig,
)
from runtime.services.alert.kinds.tcp import TCPHandler, TCPHandlerConfig
from runtime.services.alert.subscriptions import Subscription
from runtime.services.options import FileMode
from runtime.services.service import HandlerService
from runtime.settings import camel_case

OptionsT = TypeVar("OptionsT")


def from_tick(
    specs: Sequence[AlertHandler], service: HandlerService[OptionsT]
) -> Iterator[Subscription]:
    """The handlers that the script defines, or one if the service is global.

    Properties that the script does not set have the defaults of the kind.
    """
    default = service.default_handler_config()
    found = [_options(default, each) for each in specs]
    if not specs and service.is_global:
        found = [default]
    for options in found:
        yield Subscription(Recipient(service.handler(options)), options)


def _log(
    specs: Sequence[LogHandlerSpec], services: HandlerServices, dialer: Dialer
) -> Iterator[Subscription]:
    for each in specs:
        mode = FileMode(each.mode) if each.mode else DEFAULT_MODE
        try:
            options = LogHandlerConfig(each.file_path, mode)
            yield serial(LogHandler(options), options)
        except OptionsError as error:
            text = f"failed to create log alert handler: {error}"
            raise TaskError(text) from error


def _exec(
    specs: Sequence[ExecHandlerSpec], services: HandlerServices, dialer: Dialer
) -> Iterator[Subscription]:
    for each in specs:
        program, *arguments = each.command
        options = ExecHandlerConfig(program, tuple(arguments))
        yield serial(ExecHandler(options), options)


def _tcp(
    specs: Sequence[TcpHandlerSpec], services: HandlerServices, dialer: Dialer
) -> Iterator[Subscription]:
    for each in specs:
        options = TCPHandlerConfig(each.address)
        yield serial(TCPHandler(options, dialer), options)


def _post(
    specs: Sequence[PostHandlerSpec], services: HandlerServices, dialer: Dialer
) -> Iterator[Subscription]:
    service = services.of_kind("post")
    for each in specs:
        if not each.url and not each.endpoint:
            raise TaskError("Either URL or endpoint must be non-empty")
        try:
            for made in from_tick([each], service) if service else ():
                check_definition(made.recipient.handler)
                yield made
        except OptionsError as error:
            text = f"failed to create HTTPPostService.Handler: {error}"
            raise TaskError(text) from error


# Kapacitor's own handlers, which have their own error texts if they cannot be created
_OWN: dict[type, Callable[[Any, HandlerServices, Dialer], Iterator[Subscription]]] = {
    ExecHandlerSpec: _exec,
    LogHandlerSpec: _log,
    PostHandlerSpec: _post,
    TcpHandlerSpec: _tcp,
}


def node_handlers(
    node: AlertNode, services: HandlerServices, dialer: Dialer
) -> dict[str, Subscription]:
    """The handlers of a node, by names that only depend on the script.

    Raises:
        TaskError: the script names a handler that this server does not have, or the
            options of a handler are invalid.
    """
    made: dict[str, Subscription] = {}
    # the class of a handler was imported when the script was evaluated
    known = services.integrations.node_handlers.loaded()
    for handler in node.handlers:
        if type(handler) not in known.values():
            raise TaskError(f"no service for handler {_name(node, handler)}")
    for kind in services.integrations.node_handlers:
        specs = node.handlers_of(known[kind]) if kind in known else []
        found = _handlers(kind, specs, services, dialer)
        for number, each in enumerate(found, 1):
            made[kind if number == 1 else f"{kind}-{number}"] = each
    return made


def _handlers(
    kind: str, specs: Sequence[AlertHandler], services: HandlerServices, dialer: Dialer
) -> Iterator[Subscription]:
    if specs and (make := _OWN.get(type(specs[0]))) is not None:
        return make(specs, services, dialer)
    # without a handler in the script, only a service in use can be global
    service = services.of_kind(kind) if specs else services.active_of_kind(kind)
    return iter(()) if service is None else _checked(kind, from_tick(specs, service))


def _checked(kind: str, made: Iterator[Subscription]) -> Iterator[Subscription]:
    """Check the requirements of handlers.

    Raises:
        TaskError: the requirements of a handler are not met.
    """
    for each in made:
        try:
            check_definition(each.recipient.handler)
        except OptionsError as error:
            text = f"failed to create {kind} handler: {error}"
            raise TaskError(text) from error
        yield each


def makes_changes_only(services: HandlerServices) -> bool:
    """True if configuration alone makes alert nodes send state changes only."""
    return any(
        service.is_global and service.state_changes_only
        for service in services.active.values()
    )


def _name(node: AlertNode, handler: AlertHandler) -> str:
    if node.pipeline is None:
        return type(handler).__name__
    return node.pipeline.handlers.name_of(type(handler))


def _secret(name: str, text: str) -> Secret:
    try:
        return written(text)
    except ConfigError as error:
        raise TaskError(f"{camel_case(name)}: {error}") from None


def _options(default: OptionsT, spec: AlertHandler) -> OptionsT:
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        # fields whose default is None can have any type: 0 and FALSE are values
        is_unset = value is None if field.default is None else not value
        if field.name == "node" or is_unset or not hasattr(default, field.name):
            continue
        is_secret = isinstance(getattr(default, field.name), Secret)
        changes[field.name] = _secret(field.name, value) if is_secret else value
    made: Any = default
    replaced: OptionsT = dataclasses.replace(made, **changes)
    return replaced
