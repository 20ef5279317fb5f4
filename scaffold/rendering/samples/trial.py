"""Runs the generated modules of a handler, and records their requests."""

from __future__ import annotations

import ast
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from runtime.alert.types import Event, Level
from runtime.errors import ConfigError, DeliveryError
from runtime.golang.json import encode
from runtime.outbound.connection import Certificates, Connection
from runtime.outbound.idempotency import keyed
from runtime.secrets import Secret, redact, secrets_in
from runtime.services.expressions import recalling
from runtime.services.servicetest.options import shown
from runtime.testing.events import (
    KEY,
    Variant,
    shown_request,
    shown_service_test,
)
from scaffold.layout.imports import functions
from scaffold.rendering.samples.decisions import Decision, observed
from scaffold.rendering.samples.modules import load
from scaffold.rendering.samples.reading import Reading
from scaffold.rendering.samples.replies import reply, unaccepted
from scaffold.rendering.samples.standins import Addressed, Answer, Request, Step
from scaffold.rendering.samples.targets import ADDRESS, BASE
from scaffold.rendering.samples.values import Values, typed
from scaffold.spec.model.handler import HandlerSpec

# log lines of generated code do not concern the user of the generator
logging.getLogger("kapacitor").addHandler(logging.NullHandler())


class RefusedError(Exception):
    """Generated code refuses to send an event."""


class CheckError(RefusedError):
    """A check of the spec refuses an event.

    Attributes:
        index: its index in the spec.
    """

    def __init__(self, index: int, text: str) -> None:
        super().__init__(text)
        self.index = index


@dataclass(frozen=True)
class _Several:
    """The requests for one event."""

    requests: tuple[Request, ...]
    steps: tuple[Step, ...]
    recipients: int

    @property
    def url(self) -> str:
        """The first destination other than the tests' server, or else that server."""
        urls = [each.url for each in self.requests]
        foreign = [each for each in urls if not _is_local(each)]
        return next(iter(foreign or urls))

    def shown(self) -> str:
        """The requests as the generated tests record them."""
        return "\n".join(each.shown() for each in self.requests)


@dataclass(frozen=True)
class _Data:
    """Data for a hook."""

    data: Mapping[str, object]
    url = BASE

    def shown(self) -> str:
        """The data as the generated tests record it."""
        return shown_request("SEND", "data", {}, encode(self.data))


class Outcome(NamedTuple):
    """Result for an event.

    Attributes:
        text: the request; None where nothing is sent.
        refusal: the reason against sending, or None.
        seen: the decisions on the way, each by its number and result.
        is_local: true if its destination is the server of the tests.
        sent: number of requests.
        steps: the names of the requests that are steps.
        recipients: number of requests in a loop over recipients.
        conditions: the conditions of the steps that have one.
    """

    text: str | None
    refusal: RefusedError | None
    seen: frozenset[tuple[int, bool]]
    is_local: bool = True
    sent: int = 1
    steps: tuple[str, ...] = ()
    recipients: int = 0
    conditions: Mapping[str, Callable[[Answer], bool]] = {}

    @property
    def shown(self) -> str:
        """The request as the generated tests record it."""
        if self.refusal is not None:
            return f"refused: {self.refusal}"
        return "nothing" if self.text is None else self.text


_LOCAL = (urlsplit(BASE)[:2], ("tcp", ADDRESS))


def _is_local(url: str) -> bool:
    """True for an address of the tests' server."""
    return urlsplit(url)[:2] in _LOCAL


_AS_THEY_ARE = (-1, False)


class Trial:
    """The generated modules of one handler.

    Args:
        spec: the handler.
        texts: the modules by name, each after those that it imports.
        known: the modules that they may import names from.

    Attributes:
        decisions: the conditions that a request depends on.
    """

    def __init__(
        self, spec: HandlerSpec, texts: Mapping[str, str], known: Mapping[str, str]
    ) -> None:
        self._spec = spec
        self._seen: set[tuple[int, bool]] = set()
        self._forced = _AS_THEY_ARE
        trees = {name: ast.parse(text) for name, text in texts.items()}
        self._file, service = list(trees.items())[-1]
        method = _method(spec)
        self._refusals = _refusals(service, method)
        self.decisions: list[Decision] = observed(service, method)
        modules = load(trees, {*known.values(), *functions().values()}, self._decided)
        self._config, handler, self._service = modules.values()
        self._classes = {**vars(self._config), **vars(handler)}

    def _decided(self, number: int, value: Any) -> Any:
        self._seen.add((number, bool(value)))
        return self._forced[1] if self._forced[0] == number else value

    def service(self, config: Mapping[str, Any]) -> Any:
        """The service with a configuration, by key."""
        values = {
            each.name: typed(each, config[each.key], self._classes)
            for each in self._spec.config
        }
        return self._service.Service(self._config.Config(enabled=True, **values))

    def config_error(self, config: Mapping[str, Any]) -> str:
        """The error of a configuration, by key; "" if it is valid."""
        values = {
            each.name: typed(each, config[each.key], self._classes)
            for each in self._spec.config
        }
        try:
            self._config.Config(enabled=True, **values).validate()
        except ConfigError as error:
            return str(error)
        return ""

    def request(
        self, config: Mapping[str, Any], options: Mapping[str, Any], event: Event
    ) -> str | None:
        """The request for `event` as text; None where nothing is sent.

        Raises:
            RefusedError: the event cannot be sent.
        """
        outcome = self.outcome(config, options, event)
        if outcome.refusal is not None:
            raise outcome.refusal
        return outcome.text

    def matters(
        self,
        config: Mapping[str, Any],
        options: Mapping[str, Any],
        event: Event,
        decision: tuple[int, bool],
    ) -> bool:
        """True if the result for `event` changes when a decision goes the other way."""
        usual = self.outcome(config, options, event)
        number, way = decision
        self._forced = number, not way
        try:
            return self.outcome(config, options, event).shown != usual.shown
        # code that takes a wrong branch may raise anything
        except Exception:
            return True
        finally:
            self._forced = _AS_THEY_ARE

    def outcome(
        self, config: Mapping[str, Any], options: Mapping[str, Any], event: Event
    ) -> Outcome:
        """Result for `event`."""
        service = self.service(config)
        made = self._made(service, options)
        self._seen.clear()
        try:
            request = self._request(service, made, event)
        except RefusedError as error:
            return Outcome(None, error, frozenset(self._seen))
        seen = frozenset(self._seen)
        if request is None:
            return Outcome(None, None, seen)
        made = Outcome(request.shown(), None, seen, _is_local(request.url))
        if isinstance(request, _Several):
            return made._replace(
                sent=len(request.requests),
                steps=tuple(each.name for each in request.steps),
                conditions={
                    each.name: each.accepts for each in request.steps if each.accepts
                },
                recipients=request.recipients,
            )
        return made

    def course(
        self,
        config: Mapping[str, Any],
        options: Mapping[str, Any],
        events: Sequence[Event],
    ) -> list[Outcome]:
        """The results for the events of an alert, in which values are remembered."""
        service = self.service(config)
        made = self._made(service, options)
        memory: dict[str, object] = {}
        found = []
        for event in events:
            with recalling(memory):
                outcome = self.outcome(config, options, event)
            found.append(outcome)
            if outcome.text is not None:
                values = service.remembered(service.config, made, self._answer)
                memory |= {key: value for key, value in values.items() if value}
            if event.state.level == Level.OK:
                memory = {}
        return found

    def _made(self, service: Any, options: Mapping[str, Any]) -> Any:
        """The options of a handler."""
        default = service.default_handler_config()
        given = {
            each.name: typed(each, options[each.key], self._classes)
            for each in self._spec.options
            if each.key in options
        }
        return replace(default, **given) if given else default

    def variant(
        self,
        config: Mapping[str, Any],
        options: Mapping[str, Any],
        changes: Mapping[str, Any],
    ) -> Variant:
        """Values as the generated tests have them."""
        service = self.service(config)
        made = self._made(service, options) if options else None
        return Variant(service.config, made, changes)

    def bound(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The options that take a configured value when the handler is made, by key."""
        default = self.service(config).default_handler_config()
        values = {
            each.key: getattr(default, each.name)
            for each in self._spec.options
            if each.is_bound_early
        }
        return {
            key: value.reveal() if isinstance(value, Secret) else value
            for key, value in values.items()
        }

    def service_test(
        self, config: Mapping[str, Any], level: Level | None
    ) -> str | None:
        """The service test as the generated test records it; None where nothing is sent.

        Args:
            config: the configuration, by key.
            level: level of its event, or None for the one in the generated code.

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
        request = self._request(service, options, event)
        if request is None:
            return None
        return shown_service_test(
            service.kind,
            shown(service.test_options()),
            event.state.id,
            request.shown(),
        )

    def _request(
        self, service: Any, options: Any, event: Event
    ) -> Request | _Several | _Data | None:
        try:
            with keyed(KEY):
                sent = (service.config, options, event)
                match _method(self._spec):
                    case "data":
                        data = service.data(*sent)
                        return None if data is None else _Data(data)
                    case "requests":
                        return self._several(service.requests(*sent))
                made: Request | None = service.request(*sent)
        except DeliveryError as error:
            # as the runtime does: messages must not contain secrets
            prefix = self._spec.wrap.prepare
            shown = f"{prefix}: {error}" if prefix else str(error)
            text = redact(shown, secrets_in((service.config, options)))
            raise self._refused(error, text) from None
        return made

    def _several(
        self, requests: Generator[Step | Addressed | Request, Answer | None, None]
    ) -> _Several | None:
        """All requests for an event, answered as the fake server does."""
        answer = None
        found, steps, recipients = list[Request](), list[Step](), 0
        try:
            while True:
                following = requests.send(answer)
                if isinstance(following, Step):
                    self._check_answer(following)
                    steps.append(following)
                recipients += isinstance(following, Addressed)
                if isinstance(following, (Step, Addressed)):
                    following = following.request
                found.append(following)
                answer = self._answer
        except StopIteration:
            if not found:
                return None
            return _Several(tuple(found), tuple(steps), recipients)

    def _check_answer(self, step: Step) -> None:
        """Raise the error of a step that the fake server's answer fails."""
        if step.accepts is None or step.accepts(self._answer):
            return
        for index, each in enumerate(self._spec.requests):
            if each.key == step.name:
                raise unaccepted(self._spec, ("request", index), each.accepted)

    @cached_property
    def _answer(self) -> Answer:
        """The answer of the fake server."""
        ok = self._spec.response.ok
        return Answer(200 if not ok or 200 in ok else ok[0], reply(self._spec))

    def _refused(self, error: DeliveryError, text: str) -> RefusedError:
        """The refusal; a `CheckError` if a check raised it."""
        step = error.__traceback__
        last = step
        while step is not None:
            last, step = step, step.tb_next
        if last is not None and last.tb_frame.f_code.co_filename == self._file:
            return CheckError(self._refusals.index(last.tb_lineno), text)
        return RefusedError(text)

    def connection(
        self, config: Mapping[str, Any], options: Mapping[str, Any]
    ) -> Connection:
        """The settings of a request's connection."""
        service = self.service(config)
        made: Connection = service.connection(
            service.config, self._made(service, options)
        )
        return made

    def certificates(self, config: Mapping[str, Any]) -> Certificates:
        """The files of certificates."""
        service = self.service(config)
        made: Certificates = service.certificates(service.config)
        return made

    def reading(self, values: Values) -> Reading:
        """The answers to requests with these values."""
        service = self.service(values.config)
        return Reading(service, self._made(service, values.options))


def _method(spec: HandlerSpec) -> str:
    """The method of a service that makes its requests."""
    if spec.hook is not None:
        return "data"
    return "requests" if spec.is_stepped else "request"


def _refusals(service: ast.Module, method: str) -> list[int]:
    """The lines of a service that raise because of a check, in order."""
    return sorted(
        node.lineno
        for function in ast.walk(service)
        if isinstance(function, ast.FunctionDef) and function.name == method
        for node in ast.walk(function)
        if isinstance(node, ast.Raise)
    )
