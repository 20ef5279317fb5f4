"""All integrations, configured by generic rules, for tests that they share.

Fields are filled by their types and names, so these tests also cover integrations that
are added later.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import itertools
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from runtime.alert.templates import Template
from runtime.alert.types import Event, Handler
from runtime.errors import ConfigError, DeliveryError
from runtime.integration import Tables, instances_of, is_list
from runtime.integrations.bundled import INTEGRATIONS
from runtime.outbound.client import AiohttpClient, TimeLimits
from runtime.secrets import Secret
from runtime.services.hooks import HookService
from runtime.services.instances import attribute
from runtime.services.service import HttpService
from runtime.settings import key_of
from runtime.testing.events import sample_event
from runtime.units import Duration

KINDS = tuple(INTEGRATIONS.services)
HTTP_KINDS = tuple(
    kind
    for kind, service in INTEGRATIONS.services.items()
    if not (isinstance(service, type) and issubclass(service, HookService))
)
"""The kinds that send HTTP requests."""
NewCanary = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Integration:
    """One kind, ready to send to `url`.

    Attributes:
        kind: the name of its section and service.
        tables: the configuration of all integrations, this one filled.
        config: its own configuration.
        canaries: the secrets in its configuration and in its handler's options.
        options: its handler's options with secrets of their own.
    """

    kind: str
    tables: Tables
    config: Any
    canaries: tuple[str, ...]
    options: Any


def integration(kind: str, url: str) -> Integration:
    """The integration of that kind; each of its secrets is a canary.

    Raises:
        ConfigError: no guessed value is valid.
    """
    options = INTEGRATIONS.kinds.get(kind)
    texts = _texts(options()) if options is not None else []
    # a check of the handler may refuse a guessed text
    for but in _subsets(texts):
        made = _guessed(kind, url, but)
        if not _is_refused(made):
            return made
    return _guessed(kind, url, ())


def _guessed(kind: str, url: str, but: Sequence[str]) -> Integration:
    """An integration with a value in each text, except the texts of these names."""
    canaries = _Canaries(kind)
    section = INTEGRATIONS.sections[kind]
    config = _valid(section(), url, canaries, but)
    tables = _tables(kind, config)
    service = INTEGRATIONS.started(tables, AiohttpClient())[kind]
    options = filled(service.default_handler_config(), url, canaries, but=but)
    if rules := instances_of(section):
        chosen = {attribute(type(options), rules.option): rules.name(config)}
        options = dataclasses.replace(options, **chosen)
    return Integration(kind, tables, config, tuple(canaries.made), options)


class _Canaries:
    """Makes secrets from the names of fields, and keeps them.

    Attributes:
        made: secrets in the settings and options.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.made: list[str] = []

    def __call__(self, name: str) -> str:
        """A new secret."""
        # with characters that are escaped in URLs, JSON and HTML
        self.made.append(f'canary-{self.kind}-{name}-{len(self.made)}/+ "<é')
        return self.made[-1]


def _is_refused(made: Integration) -> bool:
    """True if its handler sends nothing with these settings."""
    service: Any = INTEGRATIONS.started(made.tables, AiohttpClient())[made.kind]
    if not isinstance(service, HttpService):
        return False
    try:
        service.request(
            service.chosen(made.options).config, made.options, sample_event()
        )
    except DeliveryError:
        return True
    return False


def send(made: Integration, limits: TimeLimits, event: Event | None = None) -> None:
    """Deliver one event as a running server does.

    Raises:
        DeliveryError: the event was not delivered.
    """

    async def run() -> None:
        client = AiohttpClient(limits)
        service = INTEGRATIONS.started(made.tables, client)[made.kind]
        try:
            await service.open()
            handler: Handler = service.handler(made.options)
            await handler.handle(event or sample_event())
        finally:
            await service.close()
            await client.close()

    asyncio.run(run())


def plain_options(options: Any) -> dict[str, Any]:
    """Options as a client sends them over HTTP, secrets in clear."""
    return {
        key_of(field): _plain(getattr(options, field.name))
        for field in dataclasses.fields(options)
    }


def filled(value: Any, url: str, new_canary: NewCanary, *, but: Any = ()) -> Any:
    """`value`, a dataclass, with a value in each empty field.

    Args:
        value: the defaults.
        url: value of URLs.
        new_canary: makes a secret from a field's name.
        but: names of texts that stay empty.
    """
    hints = typing.get_type_hints(type(value))
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        before = getattr(value, field.name)
        if field.name not in but:
            after = _filled(field.name, hints[field.name], before, url, new_canary)
            changes[field.name] = after
    return dataclasses.replace(value, **changes)


def _filled(name: str, hint: Any, before: Any, url: str, new: NewCanary) -> Any:
    if name == "enabled":
        return True
    if name in _PLACES:
        return _PLACES[name](urlsplit(url))
    if hint is Secret:
        canary = new(name)
        return Secret(f"{url}/{_in_path(canary)}" if "url" in name else canary)
    if dataclasses.is_dataclass(before) and not isinstance(before, type):
        return filled(before, url, new)
    if isinstance(before, Mapping) and typing.get_args(hint)[-1:] == (Secret,):
        return {"X-Canary": Secret(new(name).encode("ascii", "ignore").decode())}
    if not isinstance(before, str):
        return before
    if "url" in name:
        return f"{url}/{name}"
    # files and templates have rules of their own
    return before if before or _is_special(name) else f"{name}1"


# of services that do not take URLs, and fields with rules of their own
_PLACES: Mapping[str, Callable[[SplitResult], Any]] = {
    "brokers": lambda url: (f"{url.hostname}:{url.port or 80}",),
    "addr": lambda url: f"{url.hostname}:{url.port or 80}",
    "host": lambda url: url.hostname,
    "port": lambda url: url.port or 80,
    "from_": lambda url: "from@example.com",
    "to": lambda url: ("to@example.com",),
}


def _texts(value: Any) -> list[str]:
    """The names of empty texts, without URLs."""
    return [
        field.name
        for field in dataclasses.fields(value)
        if getattr(value, field.name) == "" and "url" not in field.name
    ]


def _tables(kind: str, config: Any) -> Tables:
    return {kind: (config,) if is_list(type(config)) else config}


def _valid(default: Any, url: str, canaries: _Canaries, empty: Sequence[str]) -> Any:
    problem: ConfigError | None = None
    for but in _subsets(_texts(default)):
        canaries.made.clear()
        config = filled(default, url, canaries, but=(*empty, *but))
        try:
            config.validate()
            # this reads the files of certificates
            INTEGRATIONS.started(_tables(canaries.kind, config), AiohttpClient())
        except ConfigError as error:
            problem = problem or error
        else:
            return config
    assert problem is not None
    raise problem


def _subsets(names: list[str]) -> Iterator[tuple[str, ...]]:
    for count in range(min(len(names), 3) + 1):
        yield from itertools.combinations(names, count)
    yield tuple(names)


def _is_special(name: str) -> bool:
    return any(word in name for word in ("template", "file", "path"))


def _in_path(canary: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in canary)


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Template):
        return value.source
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain_options(value)
    if isinstance(value, Duration):
        return int(value)
    return str(value) if isinstance(value, enum.Enum) else value
