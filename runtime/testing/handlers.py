"""Tools for tests of integrations: they drive a real service as the server does."""

from __future__ import annotations

import asyncio
import importlib
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from runtime.alert.types import Event, Level
from runtime.errors import DeliveryError
from runtime.integration import HandlerServices, Integrations, is_list
from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes.alert.handlers import node_handlers
from runtime.outbound.client import AiohttpClient, HttpClient
from runtime.outbound.connection import Certificates, Connection
from runtime.outbound.dialing import Dialer
from runtime.outbound.idempotency import keyed
from runtime.outbound.journal import Journal, Notebook
from runtime.pipeline.alert import AlertNode
from runtime.pipeline.evaluate import evaluate
from runtime.server.config.decoding import Decoder
from runtime.server.plugins import Plugin, merged
from runtime.services.alert.handlers import decoded
from runtime.services.server import Server
from runtime.services.service import EventService, HttpService
from runtime.services.servicetest.options import shown
from runtime.testing.events import (
    COURSE,
    KEY,
    SERVER,
    Variant,
    changed_event,
    sample_event,
    shown_levels,
    shown_request,
    shown_service_test,
    variant_names,
)
from runtime.testing.loopback import Recorded
from runtime.tick.parser import parse
from runtime.toml_lines import positions

ConfigT = TypeVar("ConfigT")
OptionsT = TypeVar("OptionsT")
ServiceT = TypeVar("ServiceT", bound=EventService[Any, Any, Any])
Make = Callable[[ConfigT, HttpClient, Server], ServiceT]


class Received(Protocol):
    """A fake server or its replacement, which keeps its requests."""

    @property
    def received(self) -> SimpleQueue[Recorded]:
        """The requests or data received, in order."""

    def next(self) -> Recorded:
        """The oldest request not yet taken."""


def deliver(
    make: Make[ConfigT, ServiceT],
    config: ConfigT,
    options: Any = None,
    event: Event | None = None,
    journal: Journal | None = None,
) -> None:
    """Send one event.

    Args:
        make: the class of the service.
        config: its configuration.
        options: the handler's options; None for those of a handler that sets none.
        event: event to send; None for a critical alert.
        journal: progress of earlier attempts; None for the first one.

    Raises:
        DeliveryError: the event was not delivered.
    """
    deliver_all(make, config, [event or sample_event()], options, journal)


def deliver_all(
    make: Make[ConfigT, ServiceT],
    config: ConfigT,
    events: Sequence[Event],
    options: Any = None,
    journal: Journal | None = None,
) -> None:
    """Send events with one service, one after the other.

    Args:
        make: the class of the service.
        config: its configuration.
        events: the events.
        options: the handler's options; None for those of a handler that sets none.
        journal: progress of earlier attempts; None for the first ones.

    Raises:
        DeliveryError: an event was not delivered.
    """

    async def send(service: ServiceT) -> None:
        effective = service.default_handler_config() if options is None else options
        for event in events:
            await service.handler(effective).handle(event)

    _run(make, config, send, journal)


def certificates_of(make: Make[ConfigT, ServiceT], config: ConfigT) -> Certificates:
    """The files of certificates that a service takes from a configuration."""
    service = make(sections(type(config)()), AiohttpClient(), SERVER)
    return service.certificates(config)


def connection_of(
    make: Make[ConfigT, HttpService[Any, Any, Any]],
    config: ConfigT,
    options: Any = None,
) -> Connection:
    """The settings of the connection for a request.

    Args:
        make: the class of the service.
        config: its configuration.
        options: the handler's options; None for those of a handler that sets none.
    """
    service = make(sections(config), AiohttpClient(), SERVER)
    effective = service.default_handler_config() if options is None else options
    return service.connection(config, effective)


def run_service_test(
    make: Make[ConfigT, ServiceT], config: ConfigT, options: Any = None
) -> None:
    """Run the service test.

    Args:
        make: the class of the service.
        config: its configuration.
        options: the test's options; None for its defaults.

    Raises:
        DeliveryError: the test failed.
    """

    async def send(service: ServiceT) -> None:
        await service.test(service.test_options() if options is None else options)

    _run(make, config, send)


def service_test(
    make: Make[ConfigT, ServiceT], config: ConfigT, server: Received
) -> str:
    """Run the service test, and return its options, event and requests as text.

    Args:
        make: the class of the service.
        config: its configuration.
        server: server that receives the requests.

    Raises:
        DeliveryError: the test failed.
    """
    service = make(sections(config), AiohttpClient(), SERVER)
    options = service.test_options()
    _, event = service.test_event(options)
    run_service_test(make, config)
    requests = shown_taken(server, least=1)
    text = shown_service_test(service.kind, shown(options), event.state.id, requests)
    for name, neutral in (("url", "http://host"), ("address", "host:80")):
        text = text.replace(getattr(server, name, neutral), neutral)
    return text


def _run(
    make: Make[ConfigT, ServiceT],
    config: ConfigT,
    use: Callable[[ServiceT], Awaitable[None]],
    journal: Journal | None = None,
) -> None:
    async def run() -> None:
        client = AiohttpClient()
        service = make(sections(config), client, SERVER)
        try:
            await service.open()
            await use(service)
            await service.close()
        finally:
            await client.close()

    checked: tuple[Any, ...] = config if isinstance(config, tuple) else (config,)
    for each in checked:
        # as the server does before it creates the service
        each.validate()
    with keyed(KEY, journal):
        asyncio.run(run())


def requests_of_all_levels(
    make: Make[ConfigT, ServiceT],
    config: ConfigT,
    server: Received,
    options: Any = None,
    changes: Mapping[str, object] | None = None,
) -> str:
    """Return the requests that a handler sends, for an event of each level.

    Args:
        make: the class of the service.
        config: its configuration.
        server: server that receives the requests.
        options: the handler's options; None: those of a handler that sets none.
        changes: other values of the event, as `changed_event` takes them.
    """
    return shown_levels(
        {
            str(level): _became(
                make,
                config,
                options,
                changed_event(sample_event(level), changes or {}),
                server,
            )
            for level in Level
        }
    )


def requests_of_an_alert(
    make: Make[ConfigT, ServiceT],
    config: ConfigT,
    server: Received,
    options: Any = None,
    changes: Mapping[str, object] | None = None,
) -> str:
    """Return the requests for an alert that gets worse, ends and starts again.

    Its memory is kept from event to event, as in the server.

    Args:
        make: the class of the service.
        config: its configuration.
        server: server that receives the requests.
        options: the handler's options; None: those of a handler that sets none.
        changes: other values of the events, as `changed_event` takes them.
    """
    journal = Notebook()
    became = {}
    for number, level in enumerate(COURSE, start=1):
        event = changed_event(sample_event(level), changes or {})
        became[f"{number}: {level}"] = _became(
            make, config, options, event, server, journal
        )
        journal.next_event()
    return shown_levels(became)


def requests_of_variants(
    make: Make[ConfigT, ServiceT],
    usual: ConfigT,
    variants: Sequence[Variant],
    server: Received,
) -> str:
    """Return the requests that a handler sends for variants, each under its difference.

    Args:
        make: the class of the service.
        usual: the configuration that the variants change.
        variants: variants to deliver, each with its configuration, options and event.
        server: server that receives the requests.
    """
    names = variant_names(usual, variants)
    became = {}
    for name, (config, options, changes) in zip(names, variants, strict=True):
        event = changed_event(sample_event(), changes or {})
        became[name] = _became(make, config, options, event, server)
    return shown_levels(became)


def _became(
    make: Make[ConfigT, ServiceT],
    config: ConfigT,
    options: Any,
    event: Event,
    server: Received,
    journal: Journal | None = None,
) -> str:
    """The requests that deliver an event, or the reason for sending none."""
    sent: list[bool] = []

    async def send(service: ServiceT) -> None:
        effective = service.default_handler_config() if options is None else options
        sent.append(await service.alert(effective, event))

    try:
        _run(make, config, send, journal)
    except DeliveryError as error:
        return f"refused: {error}"
    # over TCP a message may arrive after its sender has closed the connection
    return shown_taken(server, least=sum(sent)) or "nothing"


def shown_taken(server: Received, *, least: int = 0) -> str:
    """Take all requests that have arrived, and return them as text.

    Args:
        server: the server.
        least: number of requests to wait for.
    """
    taken = [shown_recorded(server.next()) for _ in range(least)]
    while not server.received.empty():
        taken.append(shown_recorded(server.next()))
    return "\n".join(taken)


def shown_recorded(request: Recorded) -> str:
    """A request that has arrived, as text; its server is shown as `http://host`."""
    target = request.path + (f"?{request.raw_query}" if request.raw_query else "")
    text = shown_request(request.method, target, request.headers, request.body)
    host = request.headers.get("Host")
    if host:
        own, neutral = f"http://{host}", "http://host"
        text = text.replace(own, neutral).replace(quote(own, ""), quote(neutral, ""))
    return text


def settings_from_file(default: ConfigT, text: str) -> ConfigT:
    """A section of a configuration file.

    Args:
        default: the section with its defaults.
        text: the lines below its heading, in TOML.

    Raises:
        ConfigError: a setting is wrong.
    """
    return Decoder(positions(text)).table(default, tomllib.loads(text), ())


def options_from_http(kind: str, config: object, options: Mapping[str, Any]) -> Any:
    """The options of a handler that was defined over HTTP.

    Args:
        kind: the handler's kind.
        config: the service's configuration.
        options: options of the request.

    Raises:
        OptionsError: the options do not decode.
    """
    return decoded(kind, options, _services(kind, config)).options


def options_from_script(kind: str, config: object, properties: str) -> list[Any]:
    """The options of all handlers of an alert node in a script.

    Args:
        kind: the handlers' kind.
        config: the service's configuration.
        properties: properties of the node in the script: `.foo().room('a')`.
    """
    source = f"stream\n|from()\n|alert()\n{properties}\n"
    services = _services(kind, config)
    known = services.integrations.handler_properties
    script = evaluate(parse(source), "stream", handlers=known)
    [node] = [each for each in script.pipeline.nodes if isinstance(each, AlertNode)]
    return [each.options for each in node_handlers(node, services, Dialer()).values()]


def _services(kind: str, config: object) -> HandlerServices:
    tables: dict[str, Any] = {kind: sections(config)}
    return _integrations(config).started(tables, AiohttpClient())


def sections(config: Any) -> Any:
    """The configuration of a service with all of its sections, if it has several.

    Args:
        config: configuration of the service, or one of its sections, or a tuple of
            them.
    """
    return (config,) if is_list(type(config)) else config


def _integrations(config: object) -> Integrations:
    """The handlers of the runtime, or of the project that a configuration is from."""
    one = config[0] if isinstance(config, tuple) else config
    package = type(one).__module__.partition(".")[0]
    if package == "runtime":
        return INTEGRATIONS
    own = importlib.import_module(f"{package}.integrations").INTEGRATIONS
    return merged(
        [Plugin("kapacitord", "bundled", INTEGRATIONS), Plugin(package, "here", own)]
    )
