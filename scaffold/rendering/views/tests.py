"""The view for the template of the tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from runtime.outbound.connection import NO_CERTIFICATES, Connection
from runtime.outbound.headers import canonical
from runtime.services.instances import Instances
from scaffold.expressions.code import Type
from scaffold.rendering.samples.targets import BASE
from scaffold.rendering.samples.values import sample_value
from scaffold.rendering.samples.variants import Variant
from scaffold.rendering.views import former, scripts
from scaffold.rendering.views.arguments import (
    Argument,
    argument,
    option_argument,
    setting_node,
    url_argument,
)
from scaffold.rendering.views.cases import (
    AnswerView,
    AskingView,
    Case,
    ConnectionView,
    ExpiredView,
    Invalid,
    RefusedOptions,
    RefusedStep,
    Renaming,
    RetriedView,
    SectionsView,
    VariantView,
    Want,
    WrongType,
)
from scaffold.rendering.views.fields import (
    default_node,
    plain,
)
from scaffold.rendering.views.view import View
from scaffold.spec.instances import FLAG_KEY
from scaffold.spec.model.cases import Example
from scaffold.spec.model.requests import RequestSpec
from scaffold.spec.model.settings import ConfigField, Option, Setting


class TestsView(View):
    """The tests of a handler."""

    __test__ = False  # not a test for pytest

    @property
    def config(self) -> list[Argument]:
        """The configuration of the tests, at a running server."""
        found = []
        for field in self.spec.config:
            if field.key in self.sample.url_keys:
                found.append(self._target(field, self.sample.url_path(field)))
            elif self.sample.config[field.key] != field.default:
                found.append(argument(field, self.sample.config[field.key]))
        return found

    @property
    def defaults(self) -> list[Argument]:
        """The settings with their defaults; templates have none."""
        flags = {
            "global_": self.spec.is_global,
            "state_changes_only": self.spec.has_state_changes_only,
        }
        return [
            Argument(
                field.name, "secret" if field.is_secret else "", default_node(field)
            )
            for field in self.spec.config
            if not field.type.is_template
        ] + [
            Argument(name, "", ast.Constant(False))
            for name, is_enabled in flags.items()
            if is_enabled
        ]

    @property
    def options(self) -> list[Argument]:
        """Options that pass the checks; mostly none."""
        return self._made(self.sample.options, self.sample.config)

    def _made(
        self, values: Mapping[str, Any], config: Mapping[str, Any]
    ) -> list[Argument]:
        """Options as the handler has them, those of the configuration included."""
        chosen = self.sample.chosen(config)
        if not values and not chosen:
            return []
        return self._given({**self.sample.bound(config), **chosen, **values})

    def _given(self, values: Any) -> list[Argument]:
        options = {each.key: each for each in self.spec.options}
        return [option_argument(options[key], value) for key, value in values.items()]

    @property
    def changes(self) -> ast.expr | None:
        """Changes of an event that make the checks pass, or None."""
        return plain(self.sample.changes) if self.sample.changes else None

    @cached_property
    def fallbacks(self) -> list[tuple[Option, ConfigField]]:
        """Options that fall back to one key of the configuration."""
        return self.sample.fallbacks()

    @property
    def configured(self) -> list[Argument]:
        """Other values of the settings that options fall back to."""
        fields = {field.key: field for _, field in self.fallbacks}
        return [argument(each, sample_value(each, "other")) for each in fields.values()]

    @property
    def explicit(self) -> list[Argument]:
        """Options with the same values."""
        return [
            argument(option, sample_value(field, "other"))
            for option, field in self.fallbacks
        ]

    @property
    def tick_options(self) -> list[Option]:
        """The options that a test can set in a script."""
        return [
            each
            for each in self.spec.options
            if (each.tick is not None or each.is_argument)
            and not each.alias_of
            and scripts.is_scriptable(self.sample.defined[each.key])
        ]

    @property
    def script(self) -> ast.expr:
        """The properties of a handler in a script."""
        return ast.Constant(
            scripts.handler(self.spec, self.tick_options, self._scripted)
        )

    @property
    def bare_script(self) -> ast.expr | None:
        """A handler without options in a script, or None if it needs some."""
        needs_more = (
            self.refused_definitions
            or self.sample.chosen(self.sample.config)
            or any(each.is_argument for each in self.spec.options)
        )
        if needs_more:
            return None
        return ast.Constant(scripts.handler(self.spec, [], self._scripted))

    @property
    def scripted(self) -> list[Argument]:
        """The options of the handler in scripts."""
        return [argument(each, self._scripted(each)) for each in self.tick_options]

    @cached_property
    def refused_definitions(self) -> list[RefusedOptions]:
        """Options that a definition refuses."""
        return [
            RefusedOptions(self._given(options), ast.Constant(error))
            for options, error in self.sample.refused_definitions()
        ]

    def _scripted(self, option: Option) -> Any:
        """The value of an option in the script; a section of that name must exist."""
        instances = self.spec.instances
        if instances is not None and option.key == instances.option:
            return self.sample.config[instances.key]
        return self.sample.defined[option.key]

    @property
    def templates(self) -> list[ast.expr]:
        """The options that are one template, by key."""
        return [
            ast.Constant(each.key)
            for each in self.spec.templates
            if each.type.name == "template"
        ]

    @property
    def wrong_types(self) -> list[WrongType]:
        """The options to be given values of a wrong type."""
        texts = (Type.STR, Type.SECRET)
        return [
            WrongType(ast.Constant(each.key), each.type.base in texts)
            for each in self.spec.options
            if not each.alias_of and each.type.base is not Type.ANY
        ]

    @property
    def former_settings(self) -> list[Renaming]:
        """Lines of a section of the configuration file."""
        return former.settings(self.spec)

    @property
    def former_options(self) -> list[Renaming]:
        """Options of a handler over HTTP."""
        return former.options(self.spec)

    @property
    def former_properties(self) -> list[Renaming]:
        """Properties of a handler in a script."""
        return former.properties(self.spec, self._scripted)

    @property
    def answers(self) -> list[AnswerView]:
        """Answers that mean failure."""
        return [
            AnswerView(each.status, ast.Constant(each.text), ast.Constant(error))
            for each, error in self.sample.failures()
        ]

    @cached_property
    def retried(self) -> RetriedView | None:
        """Answers after which the delivery is tried again because of their body."""
        answers = self.sample.retried()
        if not answers:
            return None
        return RetriedView(
            answers[0].status, [ast.Constant(each.text) for each in answers]
        )

    @cached_property
    def waiting(self) -> AskingView | None:
        """An answer that asks to wait."""
        found = self.sample.waiting()
        if found is None:
            return None
        answer, seconds = found
        return AskingView(
            answer.status, ast.Constant(answer.text), ast.Constant(seconds)
        )

    @cached_property
    def variants(self) -> list[VariantView]:
        """Other values, for the cases that the usual ones miss."""
        return [self._varied(each) for each in self.sample.variants]

    def _varied(self, variant: Variant) -> VariantView:
        config, options, changes = variant.values
        return VariantView(
            self._changed(config),
            self._made(options, config),
            plain(changes) if changes else None,
        )

    @property
    def sections(self) -> SectionsView | None:
        """Several sections; None for a handler with one section."""
        instances = self.spec.instances
        if instances is None:
            return None
        fields = {each.key: each for each in self.spec.config}
        is_flagged = instances.default == "flag"
        other = [argument(fields[instances.key], "other")]
        if is_flagged:
            other.append(argument(fields[FLAG_KEY], False))
        # over TCP, servers cannot be distinguished by a path in their address
        keys = self.sample.url_keys if self.transport == "http" else ()
        for key in sorted(keys):
            path = self.sample.url_path(fields[key]).rstrip("/")
            other.append(url_argument(fields[key], f"{path}/other"))
        rules = Instances(
            instances.key,
            instances.option,
            self.spec.title,
            instances.default,
        )
        error = rules.missing("missing", self.spec.names.kind, {"other": None})
        return SectionsView(
            other,
            [argument(fields[instances.key], "")],
            self._made(
                {**self.sample.options, instances.option: "other"}, self.sample.config
            ),
            self._made(
                {**self.sample.options, instances.option: "missing"}, self.sample.config
            ),
            ast.Constant(error),
            is_flagged,
        )

    @cached_property
    def connections(self) -> list[ConnectionView]:
        """Settings of connections, the usual ones first."""
        usual = Connection()
        return [
            ConnectionView(
                self._changed(values.config),
                self._made(values.options, values.config),
                [
                    Argument(name, "", setting_node(value))
                    for name, value in connection._asdict().items()
                    if value != getattr(usual, name)
                ],
            )
            for values, connection in self.sample.connections
        ]

    @cached_property
    def certified(self) -> ConnectionView | None:
        """Files of certificates, or None if the handler has none."""
        found = self.sample.certified
        if found is None:
            return None
        files = found.certificates._asdict()
        if files["settings"] == NO_CERTIFICATES.settings:
            del files["settings"]
        settings = [
            Argument(name, "", setting_node(value))
            for name, value in files.items()
            if value
        ]
        return ConnectionView(self._changed(found.values.config), [], settings)

    def _changed(self, config: Mapping[str, Any]) -> list[Argument]:
        """The settings that differ from the usual configuration."""
        fields = {each.key: each for each in self.spec.config}
        return [
            argument(fields[key], value)
            for key, value in config.items()
            if value != self.sample.config[key]
        ]

    @property
    def send_error(self) -> ast.expr | None:
        """The start of errors of sending a request, or None."""
        text = self.spec.wrap.send
        step = f"{self.steps[0].key}: " if self.steps else ""
        return ast.Constant(f"{step}{text}: ") if text else None

    # steps and memory

    @property
    def remembers(self) -> bool:
        """True if values of answers are remembered."""
        return bool(self.spec.remembered)

    @property
    def sent(self) -> range:
        """One number for each request that delivers the usual event."""
        return range(self.sample.count)

    @cached_property
    def steps(self) -> list[RequestSpec]:
        """The steps that are sent for the usual event."""
        named = self.sample.steps
        return [each for each in self.spec.steps if each.key in named]

    @property
    def missed(self) -> int:
        """The number of requests of a retry where one recipient has received the event."""
        recipients = self.sample.recipients
        return recipients - 1 + len(self.kept_steps) if recipients > 1 else 0

    @property
    def refusing(self) -> str:
        """The start of errors of several recipients who all refuse the event, or ""."""
        recipients = self.sample.recipients
        return f"{recipients} of {recipients} recipients: " if recipients > 1 else ""

    @property
    def is_several(self) -> bool:
        """True if the usual event takes several requests."""
        return self.sample.count > 1

    @property
    def first_step(self) -> ast.expr:
        """The start of errors of the first step."""
        return ast.Constant(f"{self.steps[0].key}: ")

    @property
    def refused_steps(self) -> list[RefusedStep]:
        """Answers that fail the condition of a step."""
        return [
            RefusedStep(index, ast.Constant(answer.text), ast.Constant(error))
            for index, answer, error in self.sample.refused_steps()
        ]

    @property
    def kept_steps(self) -> list[int]:
        """The indexes of the steps whose answers deliveries share."""
        return [index for index, each in enumerate(self.steps) if each.keep]

    @cached_property
    def expired(self) -> ExpiredView | None:
        """Answers after which logins are renewed; None if the usual event has none."""
        renewed = [each for each in self.steps if each.keep or each.is_login]
        answers = self.sample.expired() if renewed else []
        if not answers:
            return None
        delivering = self.sample.count - len(self.steps)
        before = len(self.kept_steps)
        if self.has_kept_logins:
            before = self.shared_count - delivering
        return ExpiredView(
            answers[0].status,
            [ast.Constant(each.text) for each in answers],
            before,
            before + 1 + len(renewed) + delivering,
        )

    @property
    def has_kept_logins(self) -> bool:
        """True if deliveries share all logins of the usual event."""
        return all(each.keep for each in self.steps if each.keep or each.is_login)

    @property
    def shared_count(self) -> int:
        """The number of requests for two events."""
        return 2 * self.sample.count - len(self.kept_steps)

    @cached_property
    def good_statuses(self) -> list[int]:
        """The statuses that mean success, if there are several."""
        return self.sample.good_statuses

    @property
    def good_status(self) -> int:
        """A status that means success."""
        return self.sample.good_status

    @property
    def secrets(self) -> list[ast.expr]:
        """The secrets of the tests' configuration."""
        return [
            ast.Constant(self.sample.config[each.key])
            for each in self.spec.config
            if each.is_secret
            and each.key not in self.sample.url_keys
            and self.sample.config[each.key]
        ]

    @property
    def invalid(self) -> list[Invalid]:
        """Values of settings that are refused."""
        found = [
            self._invalid(field, field.type.empty, "is_required", [])
            for field in self.spec.config
            if field.required
        ]
        return found + [
            self._invalid(
                field, value, "is_checked", self.sample.accepted_values(field)
            )
            for field, value in self.sample.refused_values()
        ]

    def _invalid(
        self, field: ConfigField, value: Any, test: str, accepted: Sequence[Any]
    ) -> Invalid:
        error = self.sample.config_error(field, value)
        return Invalid(
            f"{field.name}_{test}",
            argument(field, value),
            None if BASE in error else ast.Constant(error),
            [argument(field, each) for each in accepted],
        )

    @property
    def cases(self) -> list[Case]:
        """The author's own cases."""
        return [self._case(each) for each in self.spec.examples]

    def _case(self, example: Example) -> Case:
        config = {each.key: each for each in self.spec.config}
        want = dict(example.want)
        error = want.pop("error", None)
        if "headers" in want:
            # the fake server records names in this form
            headers: dict[str, Any] = want["headers"]
            want["headers"] = {canonical(key): headers[key] for key in headers}
        values = {**self.sample.config, **example.config}
        slug = re.sub("[^a-z0-9]+", "_", example.name.lower()).strip("_")[:50]
        return Case(
            f"_{slug}" if slug else "",
            [
                self._configured(config[key], value)
                for key, value in example.config.items()
            ],
            self._given({**self.sample.chosen(values), **example.options}),
            plain(example.event),
            None if error is None else plain(error),
            [Want(key, plain(value)) for key, value in want.items()],
        )

    def _configured(self, field: ConfigField, value: Any) -> Argument:
        """A value of a case; URLs are paths on the fake server."""
        is_url = field.key in self.sample.url_keys
        return self._target(field, value) if is_url else argument(field, value)

    def _target(self, field: Setting, path: str) -> Argument:
        """The fake server, as a field holds it."""
        if self.transport != "tcp":
            return url_argument(field, path)
        form = "secret_address" if field.is_secret else "address"
        return Argument(field.name, form, None)
