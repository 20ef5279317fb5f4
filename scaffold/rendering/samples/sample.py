"""Values that the generated tests of a handler use, and the requests they expect."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from runtime.alert.types import Event, Level
from runtime.secrets import redact
from runtime.secrets.answers import tokens_in
from runtime.testing.events import (
    COURSE,
    changed_event,
    sample_event,
    shown_levels,
    variant_names,
)
from runtime.testing.events import Variant as Tried
from runtime.toml_lines import positions
from scaffold.errors import Fault, SpecError
from scaffold.expressions.code import Code
from scaffold.rendering.samples import targets
from scaffold.rendering.samples.answers import answer_for, answers_for
from scaffold.rendering.samples.connections import (
    Certified,
    Connected,
    certified,
    connected,
)
from scaffold.rendering.samples.definitions import Definitions
from scaffold.rendering.samples.reading import Reading
from scaffold.rendering.samples.replies import reply, unaccepted
from scaffold.rendering.samples.search import Search
from scaffold.rendering.samples.standins import Answer
from scaffold.rendering.samples.trial import Outcome, RefusedError, Trial
from scaffold.rendering.samples.values import Values, sample_value
from scaffold.rendering.samples.variants import Variant, Variants
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.model.settings import ConfigField, Option

Texts = Callable[[HandlerSpec], Mapping[str, str]]
"""Gives the modules of a handler's configuration, options and service, in this order."""

# statuses whose answers have no body
_BODILESS = (204, 304)


class Sample:
    """Sample values for one spec, and the results of its generated code.

    Args:
        spec: the handler.
        texts: gives its generated modules; the event of their service test has no level.
        known: the modules of names that they import.
    """

    def __init__(
        self, spec: HandlerSpec, texts: Texts, known: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self._texts = texts
        self._known = known

    @cached_property
    def url_keys(self) -> frozenset[str]:
        """The configuration keys of destinations."""
        return targets.url_keys(self.spec)

    def url_path(self, field: ConfigField) -> str:
        """A path for a URL of the configuration."""
        return targets.url_path(self.spec, field)

    @cached_property
    def _trial(self) -> Trial:
        return Trial(self.spec, self._texts(self.spec), self._known)

    @cached_property
    def _search(self) -> Search:
        return Search(self.spec, self._trial, self._known)

    @cached_property
    def _passing(self) -> Values:
        return self._search.passing()

    @cached_property
    def config(self) -> dict[str, Any]:
        """A configuration, by key, as plain data; the URLs have the host `BASE`."""
        return self._passing.config

    @cached_property
    def options(self) -> dict[str, Any]:
        """Options that a handler needs to pass the checks, by key; mostly none."""
        return self._passing.options

    @cached_property
    def changes(self) -> dict[str, Any]:
        """Changes that an event needs to pass the checks; mostly none."""
        return self._passing.changes

    def event(self, level: Level = Level.CRITICAL) -> Event:
        """An event that passes the checks."""
        return changed_event(sample_event(level), self.changes)

    def request(
        self, config: Mapping[str, Any], options: Mapping[str, Any], event: Event
    ) -> str | None:
        """The request for `event` as text; None where nothing is sent.

        Raises:
            RefusedError: the event cannot be sent.
        """
        return self._trial.request(config, options, event)

    @property
    def count(self) -> int:
        """The number of requests for the usual event."""
        return self._usual.sent

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps that are sent for the usual event."""
        return self._usual.steps

    @property
    def recipients(self) -> int:
        """The number of recipients of the usual event, where there may be several."""
        return self._usual.recipients

    @cached_property
    def _usual(self) -> Outcome:
        return self._trial.outcome(self.config, self.options, self.event())

    def levels(self) -> str:
        """The requests for an event of each level, as the generated test shows them."""
        shown = {}
        for level in Level:
            try:
                request = self.request(self.config, self.options, self.event(level))
                shown[str(level)] = "nothing" if request is None else request
            except RefusedError as error:
                shown[str(level)] = f"refused: {error}"
        return shown_levels(shown)

    def course(self) -> str:
        """The requests for an alert, as the generated test shows them; "" without memory."""
        if not self.spec.remembered:
            return ""
        events = [self.event(level) for level in COURSE]
        found = self._trial.course(self.config, self.options, events)
        return shown_levels(
            {
                f"{number}: {event.state.level}": outcome.shown
                for number, (event, outcome) in enumerate(
                    zip(events, found, strict=True), start=1
                )
            }
        )

    @cached_property
    def variants(self) -> list[Variant]:
        """Other values, for the cases that the usual ones miss."""
        return Variants(self.spec, self._trial, self._search, self._passing).found()

    def shown_variants(self) -> str:
        """Results of the events of variants, as the generated test shows it."""
        usual = self._trial.service(self.config).config
        names = variant_names(usual, [self._named(each) for each in self.variants])
        found = (each.shown for each in self.variants)
        return shown_levels(dict(zip(names, found, strict=True)))

    def _named(self, variant: Variant) -> Tried:
        """A variant as the generated tests have it."""
        config, options, changes = variant.values
        chosen = {**self.chosen(config), **options}
        return self._trial.variant(config, chosen, changes)

    @cached_property
    def connections(self) -> list[Connected]:
        """Values that connections depend on, the usual ones first."""
        return list(connected(self.spec, self._trial, self._search, self._passing))

    @cached_property
    def certified(self) -> Certified | None:
        """Values with files of certificates, if there are any."""
        return certified(self.spec, self._trial, self._passing)

    def chosen(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The option that every handler needs to choose a section; mostly none.

        Args:
            config: the configuration of the section, by key.
        """
        instances = self.spec.instances
        if instances is None or instances.default != "none":
            return {}
        return {instances.option: config[instances.key]}

    def bound(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The options that take a configured value when the handler is made, by key."""
        return self._trial.bound(config)

    @cached_property
    def test_level(self) -> Level | None:
        """The level of the service test's event, where the spec sets none.

        CRITICAL, or the highest level that is sent; None if it makes no difference.
        """
        if any(each.feeds == "event.level" for each in self.spec.test):
            return None
        sent: dict[Level, str | None] = {}
        for level in reversed(Level):
            try:
                sent[level] = self._trial.service_test(self.config, level)
            except RefusedError:
                sent[level] = None
        if len(set(sent.values())) == 1:
            return None
        return next(level for level, text in sent.items() if text)

    def service_test(self) -> str:
        """The service test with its defaults, as the generated test records it.

        Raises:
            SpecError: a check refuses it, or it sends nothing.
        """
        try:
            sent = self._trial.service_test(self.config, self.test_level)
            problem = "the service test sends nothing, as no 'when' holds for its event"
        except RefusedError as error:
            sent, problem = None, f"the service test is refused: {error}"
        if sent is not None:
            return sent
        where = ("test",)
        problem += (
            "; set the options and the parts of the event that it needs in [test]"
        )
        line = positions(self.spec.text).line(where)
        raise SpecError([Fault("test", problem, line=line)], self.spec.path)

    @cached_property
    def _definitions(self) -> Definitions:
        return Definitions(self.spec, self._known)

    @cached_property
    def defined(self) -> dict[str, Any]:
        """A value for each option, by key, that a definition may have."""
        return self._definitions.passing()

    def refused_definitions(self) -> list[tuple[dict[str, Any], str]]:
        """Options that checks of a definition refuse, and the errors."""
        return self._definitions.refused()

    def config_error(self, field: ConfigField, value: Any) -> str:
        """The error of the configuration with another value; "" if it is valid."""
        return self._trial.config_error({**self.config, field.key: value})

    def refused_values(self) -> list[tuple[ConfigField, Any]]:
        """The settings with a check of their own, each with a value that it refuses."""
        found = []
        for field in self.spec.config:
            value = self._search.refused(field, self.config)
            if value is not None and self.config_error(field, value):
                found.append((field, value))
        return found

    def accepted_values(self, field: ConfigField) -> list[Any]:
        """The values in the check of a setting with which the configuration is valid."""
        found = self._search.accepted(field, self.config)
        return [value for value in found if not self.config_error(field, value)]

    def fallbacks(self) -> list[tuple[Option, ConfigField]]:
        """The options whose fallback can be seen by changing one configuration key."""
        found = []
        for option in self.spec.options:
            field = self._plain_fallback(option)
            if field is None or self._is_read_directly(field):
                continue
            other = sample_value(field, "other")
            if field.key in self.url_keys or self.config_error(field, other):
                continue
            config = {**self.config, field.key: other}
            is_alone = not (self.options or self.changes or self.chosen(config))
            if is_alone and not self._is_refused(config):
                found.append((option, field))
        return found

    def _plain_fallback(self, option: Option) -> ConfigField | None:
        node = option.fallback.node if option.fallback else None
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute() as node, attr="render")
            ) | ast.Call(
                func=ast.Name(id="render_all" | "render_values"),
                args=[ast.Attribute() as node, *_],
            ) if option.type.is_template:
                pass
        match node:
            case ast.Attribute(value=ast.Name(id="config"), attr=name):
                return next(
                    (
                        each
                        for each in self.spec.config
                        if each.name == name
                        and each.type.base is option.type.base
                        and each.scope == option.scope
                    ),
                    None,
                )
        return None

    def _is_read_directly(self, field: ConfigField) -> bool:
        key = f"config.{field.key}"
        codes: list[Code] = [each.code for each in self.spec.lets]
        codes += [each.that for each in self.spec.checks]
        for request in self.spec.requests:
            codes += request.codes()
        return any(key in code.reads for code in codes)

    def _is_refused(self, config: Mapping[str, Any]) -> bool:
        try:
            self.request(config, {}, sample_event())
        except RefusedError:
            return True
        return False

    def failures(self) -> list[tuple[Answer, str]]:
        """Answers that mean failure, and the errors of the service.

        The first has a status that means failure. If the spec has other rules for
        success, there is also an accepted body with another status, and a refused body
        with a status that means success.
        """
        response = self.spec.response
        body = '"boom"'
        for key in reversed(response.error.split(".")):
            body = f"{{{json.dumps(key)}: {body}}}"
        is_http = self.spec.transport == "http"
        answers = [Answer(self.bad_status, body)] if is_http else []
        if is_http and (response.ok or response.that is not None):
            answers += [Answer(each, self.accepted) for each in self._other_statuses]
        if response.that is not None:
            refused = answer_for(
                response.that,
                self.accepted,
                self._answered_status,
                lambda answer: not self._reading.accepts(answer),
            )
            answers += [] if refused is None else [refused]
        found = [(each, self._failure(each)) for each in dict.fromkeys(answers)]
        # the address of a running server differs
        return [each for each in found if targets.BASE not in each[1]]

    def refused_steps(self) -> list[tuple[int, Answer, str]]:
        """Answers that fail the condition of a step, whose status means success.

        Each has the number of steps before it, and the error of the service.
        """
        made = []
        for index, name in enumerate(self.steps):
            refused = self._refused_by(name)
            if refused is not None:
                text = f"{name}: {self._failure(refused, index)}"
                made.append((index, refused, text))
        return made

    def _refused_by(self, step: str) -> Answer | None:
        """An answer that fails the condition of a step; None if it has none."""
        condition = self._usual.conditions.get(step)
        codes = [each.that for each in self.spec.steps if each.key == step]
        if condition is None or codes[0] is None:
            return None
        return answer_for(
            codes[0], self.accepted, 200, lambda answer: not condition(answer)
        )

    def _failure(self, answer: Answer, answered: int | None = None) -> str:
        """The error of the service for an answer, with tokens from steps redacted.

        Args:
            answer: the answer.
            answered: the number of steps before it; None for all.
        """
        text = self._reading.failure(answer)
        if not self.steps[:answered]:
            return text
        return redact(text, tokens_in(Answer(200, reply(self.spec)).json))

    @cached_property
    def _reading(self) -> Reading:
        return self._trial.reading(self._passing)

    def retried(self) -> list[Answer]:
        """Answers whose status means a final failure, and whose body asks for a retry.

        One for each value that the body is compared with; empty if no body is found.
        """
        retry = self.spec.response.retry
        if retry is None:
            return []
        status = next(x for x in (400, 404, 409) if x not in self.spec.response.ok)
        return answers_for(retry, self.accepted, status, self._reading.retries)

    def expired(self) -> list[Answer]:
        """Answers after which logins are renewed, found in the same way as `retried`."""
        expired = self.spec.response.expired
        if expired is None:
            return []
        named = [
            each.value
            for each in ast.walk(expired.node)
            if isinstance(each, ast.Constant)
            and type(each.value) is int
            and 400 <= each.value <= 599
        ]
        for status in (self._answered_status, *named, 403):
            reads = self._reading.expires
            found = answers_for(expired, self.accepted, status, reads)
            if found:
                return found
        return []

    def waiting(self) -> tuple[Answer, float] | None:
        """An answer that asks to wait, and the time to wait in seconds."""
        wait = self.spec.response.wait
        if wait is None:
            return None
        status = next(x for x in (429, 503) if x not in self.spec.response.ok)
        answer = answer_for(
            wait,
            self.accepted,
            status,
            lambda answer: (self._reading.wait_s(answer) or 0) >= 1,
        )
        if answer is None:
            return None
        return answer, self._reading.wait_s(answer) or 0.0

    @property
    def _other_statuses(self) -> list[int]:
        """A status that does not mean success, from 200 to 299 if possible."""
        ok = self.spec.response.ok
        others = [each for each in (201, 202, 200, 203) if ok and each not in ok]
        return [*others, self.bad_status][:1]

    @property
    def _answered_status(self) -> int:
        """A status that means success and has a body, if there is one."""
        ok = self.spec.response.ok
        bodies = [each for each in ok if each not in _BODILESS]
        return (
            self.good_status if self.good_status in bodies or not bodies else bodies[0]
        )

    @cached_property
    def accepted(self) -> str:
        """The body of the fake server's answers.

        Raises:
            SpecError: `that` refuses it.
        """
        response = self.spec.response
        answer = Answer(self.good_status, reply(self.spec))
        if response.expired is not None and self._reading.expires(answer):
            raise unaccepted(self.spec, ("response",), response.accepted, "expired")
        if response.that is None or self._reading.accepts(answer):
            return answer.text
        raise unaccepted(self.spec, ("response",), response.accepted)

    @property
    def good_status(self) -> int:
        """A status that means success."""
        ok = self.spec.response.ok
        if not ok or 200 in ok:
            return 200
        # one that can answer a step, too
        usual = [each for each in ok if 200 <= each < 300 and each not in _BODILESS]
        return usual[0] if usual and self.spec.is_stepped else ok[0]

    @property
    def has_good_body(self) -> bool:
        """True if an answer with the status that means success can have a body."""
        return self.good_status not in _BODILESS

    @property
    def good_statuses(self) -> list[int]:
        """The statuses that mean success, if there are several, each with the usual body."""
        ok = self.spec.response.ok
        accepted = [
            each
            for each in ok
            if self.spec.response.that is None
            or self._reading.accepts(
                Answer(each, "" if each in _BODILESS else self.accepted)
            )
        ]
        return accepted if len(accepted) > 1 else []

    @property
    def bad_status(self) -> int:
        """A status that means failure."""
        return next(
            each for each in (500, 503, 404) if each not in self.spec.response.ok
        )
