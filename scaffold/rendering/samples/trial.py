"""Runs the generated modules of a handler, to see what they send.

They are run as they are generated, but for what touches the network: a service that
keeps its configuration alone, and a request that can be shown. They hold nothing but
template text, literals, and expressions that the compiler let pass; besides, they can
import and call nothing else than templates name.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from runtime.alert.types import Event, Level
from runtime.errors import DeliveryError
from runtime.testing.events import shown_request
from scaffold.layout.imports import functions
from scaffold.rendering.samples.evaluation import BUILTINS
from scaffold.rendering.samples.values import typed
from scaffold.spec.model import HandlerSpec


class RefusedError(Exception):
    """Generated code refuses to send an event."""


class CheckError(RefusedError):
    """A check of the spec refuses an event.

    Attributes:
        index: which one.
    """

    def __init__(self, index: int, text: str) -> None:
        super().__init__(text)
        self.index = index


@dataclass(frozen=True)
class Answer:
    """An endpoint's answer."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body decoded from JSON, or None."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class _Service:
    """Stands in for `HttpService`."""

    ok = range(200, 300)

    def __class_getitem__(cls, types: object) -> type:
        return cls

    def __init__(self, config: Any) -> None:
        self.config = config


@dataclass(frozen=True)
class _Request:
    """Stands in for `Request`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def shown(self) -> str:
        """The request as the generated tests record it."""
        parts = urlsplit(self.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return shown_request(self.method, target, self.headers, self.body)


_STUBS = {
    "runtime.services.service": SimpleNamespace(HttpService=_Service),
    "runtime.http_client": SimpleNamespace(Request=_Request, Response=Answer),
}


class Trial:
    """The generated modules of one handler.

    Args:
        spec: the handler.
        texts: the modules by name, each after those that it imports.
        known: the modules that they may import names from.
    """

    def __init__(
        self, spec: HandlerSpec, texts: Mapping[str, str], known: Mapping[str, str]
    ) -> None:
        self._spec = spec
        modules = _load(texts, {*known.values(), *functions().values()})
        self._config, _, self._service = modules.values()
        self._file, self._text = list(texts.items())[-1]

    @cached_property
    def _refusals(self) -> list[int]:
        """The lines of the service that raise because of a check, in order."""
        return sorted(
            node.lineno
            for function in ast.walk(ast.parse(self._text))
            if isinstance(function, ast.FunctionDef) and function.name == "request"
            for node in ast.walk(function)
            if isinstance(node, ast.Raise)
        )

    def service(self, config: Mapping[str, Any]) -> Any:
        """The service with a configuration, by key."""
        values = {x.name: typed(x, config[x.key]) for x in self._spec.config}
        return self._service.Service(self._config.Config(enabled=True, **values))

    def request(
        self, config: Mapping[str, Any], options: Mapping[str, Any], event: Event
    ) -> str | None:
        """The request for `event` as text; None where nothing is sent.

        Raises:
            RefusedError: the event cannot be sent.
        """
        service = self.service(config)
        given = {
            each.name: typed(each, options[each.key])
            for each in self._spec.options
            if each.key in options
        }
        default = service.default_handler_config()
        return self._sent(
            service, replace(default, **given) if given else default, event
        )

    def service_test(
        self, config: Mapping[str, Any], level: Level | None
    ) -> str | None:
        """The request of the service test as text; None where nothing is sent.

        Args:
            config: the configuration, by key.
            level: that of its event, or None for what the generated code sets.

        Raises:
            RefusedError: the event cannot be made or sent.
        """
        service = self.service(config)
        try:
            options, event = service.test_event(service.test_options())
        except DeliveryError as error:
            raise RefusedError(str(error)) from None
        if level is not None:
            event = replace(event, state=replace(event.state, level=level))
        return self._sent(service, options, event)

    def _sent(self, service: Any, options: Any, event: Event) -> str | None:
        try:
            request = service.request(service.config, options, event)
        except DeliveryError as error:
            raise self._refused(error) from None
        return None if request is None else str(request.shown())

    def _refused(self, error: DeliveryError) -> RefusedError:
        """The refusal, with the check that raised it, if one did."""
        step = error.__traceback__
        last = step
        while step is not None:
            last, step = step, step.tb_next
        if last is not None and last.tb_frame.f_code.co_filename == self._file:
            return CheckError(self._refusals.index(last.tb_lineno), str(error))
        return RefusedError(str(error))

    def failure(self, answer: Answer) -> str:
        """The error that the service makes of an answer that means failure."""
        return str(self._service.Service(None).failure(answer))

    def accepts(self, answer: Answer) -> bool:
        """True if an answer means success, of a service that looks into answers."""
        return bool(self._service.Service(None).accepts(answer))


def _load(texts: Mapping[str, str], allowed: set[str]) -> dict[str, Any]:
    """Run modules, each of which may import the ones before it, and `allowed` ones."""
    made: dict[str, Any] = {}

    def imported(name: str, *more: Any) -> Any:
        if name in _STUBS or name in made:
            return _STUBS.get(name) or made[name]
        if name not in allowed:
            raise ImportError(f"generated code imports {name}")
        return importlib.import_module(name)

    names = {
        **BUILTINS,
        "__build_class__": builtins.__build_class__,
        "__import__": imported,
    }
    for name, text in texts.items():
        module = ModuleType(name)
        vars(module)["__builtins__"] = names
        exec(compile(text, name, "exec", dont_inherit=True), vars(module))
        made[name] = module
    return made
