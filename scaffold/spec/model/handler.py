"""A handler as its spec describes it, checked and compiled: plain values for templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from runtime.services.instances import Default
from scaffold.expressions.code import Code
from scaffold.names import Names
from scaffold.spec.model.cases import Example, TestField
from scaffold.spec.model.requests import (
    NO_CONNECTION,
    ConnectionSpec,
    RequestSpec,
    ResponseSpec,
)
from scaffold.spec.model.settings import (
    ConfigField,
    LevelMap,
    Option,
    Record,
    scope_constants,
)

FLAGS = ("enabled", "global", "state-changes-only")


@dataclass(frozen=True)
class Let:
    """A value computed once for each event.

    Attributes:
        name: its Python name.
        code: its expression.
        key: its name in the spec.
    """

    name: str
    code: Code
    key: str


@dataclass(frozen=True)
class Remembered:
    """A value of an answer that is kept until the alert is over.

    Attributes:
        key: its name in the spec.
        name: its name in the memory.
        code: its expression.
    """

    key: str
    name: str
    code: Code


@dataclass(frozen=True)
class Check:
    """A condition for sending anything, or for defining a handler.

    Attributes:
        that: the condition.
        error: error text if it does not hold.
        index: its index among the checks of the spec.
    """

    that: Code
    error: Code
    index: int


class Wrap(NamedTuple):
    """Texts before the errors of a handler.

    Attributes:
        prepare: text before errors of making a request, or "".
        send: text before errors of sending it, or "".
    """

    prepare: str = ""
    send: str = ""


class Hook(NamedTuple):
    """A handwritten module that sends.

    Attributes:
        module: its name, beside the spec.
        extra: extra of the package that its libraries come with, or "".
    """

    module: str = "hook"
    extra: str = ""


class InstancesSpec(NamedTuple):
    """Several sections of one handler.

    Attributes:
        key: setting with the name of a section.
        option: option that chooses one.
        default: section of handlers that choose none: `flag`, `only` or `none`.
    """

    key: str
    option: str
    default: Default


@dataclass(frozen=True)
class HandlerSpec:
    """Description of a handler.

    Attributes:
        names: the forms of its name.
        title: name of the service in prose.
        summary: one sentence about the handler, or "".
        flags: its switches: `enabled`, `global`, `state-changes-only`.
        wrap: texts before its errors.
        checks: conditions for sending an event.
        early_checks: conditions for defining a handler.
        hook: the module that sends, or None.
        document: the spec as it was read.
        text: the text it was read from.
        connection: the connections of its requests.
        instances: names of its sections; None if it has one.
        remembered: values of answers that are kept until the alert is over.
        stated: statements of the flags of a spec; None for a spec from a file.
        path: file that it was read from, for messages; "" for flags.
        warnings: messages about valid but probably unintended values.
    """

    names: Names
    title: str
    summary: str
    flags: tuple[str, ...]
    wrap: Wrap
    config: tuple[ConfigField, ...]
    options: tuple[Option, ...]
    levels: tuple[LevelMap, ...]
    lets: tuple[Let, ...]
    checks: tuple[Check, ...]
    early_checks: tuple[Check, ...]
    requests: tuple[RequestSpec, ...]
    response: ResponseSpec
    hook: Hook | None
    test: tuple[TestField, ...]
    examples: tuple[Example, ...]
    document: Mapping[str, Any]
    text: str
    connection: ConnectionSpec = NO_CONNECTION
    instances: InstancesSpec | None = None
    remembered: tuple[Remembered, ...] = ()
    stated: Mapping[str, Any] | None = None
    path: str = ""
    warnings: tuple[str, ...] = ()

    def to_toml(self) -> str:
        """The spec as it is committed: the author's own text."""
        return self.text

    def codes(self) -> list[Code]:
        """All code that sends an event or reads a response."""
        codes = [each.code for each in self.lets]
        codes += [each.fallback for each in self.templates if each.fallback]
        for check in self.checks:
            codes += [check.that, check.error]
        for request in self.requests:
            codes += request.codes()
        codes += [each.that for each in self.steps if each.that]
        response = self.response
        read = (
            *(response.that, response.message, response.unparsable),
            *(response.retry, response.expired, response.wait),
        )
        codes += [each.code for each in self.remembered]
        return codes + [each for each in read if each is not None]

    @property
    def templates(self) -> list[Option]:
        """The options that are rendered for each event."""
        return [each for each in self.options if each.local]

    @property
    def resolves(self) -> bool:
        """True if options fall back to others when an event is sent."""
        return any(
            (each.fallback is not None and not each.is_bound_early and not each.local)
            or each.aliases
            for each in self.options
        )

    @property
    def records(self) -> dict[str, Record]:
        """The records of its settings and options, by their classes."""
        found = [each.type.record for each in (*self.config, *self.options)]
        by_class: dict[str, Record] = {}
        for record in found:
            if record is not None:
                by_class.setdefault(record.class_name, record)
        return by_class

    def scopes(self) -> dict[tuple[str, ...], str]:
        """The constants of the scopes of templates, by their names."""
        return scope_constants((*self.config, *self.options), self.levels)

    def names_used(self) -> set[str]:
        """The names in the Python of all that code."""
        return set[str]().union(*(code.names() for code in self.codes()))

    @property
    def is_stepped(self) -> bool:
        """True if a delivery is more than one request and its answer."""
        has_recipients = any(each.loop for each in self.requests)
        return bool(self.steps or self.remembered or has_recipients)

    @property
    def steps(self) -> list[RequestSpec]:
        """The requests that are sent before the one that delivers."""
        return [each for each in self.requests if each.name]

    @property
    def transport(self) -> str:
        """The transport of events: `http`, `tcp` or `hook`."""
        if self.hook is not None:
            return "hook"
        return "tcp" if any(each.to for each in self.requests) else "http"

    @property
    def is_global(self) -> bool:
        """True if it can serve as a global handler."""
        return "global" in self.flags

    @property
    def has_state_changes_only(self) -> bool:
        """True if it can make alert nodes send changes only."""
        return "state-changes-only" in self.flags
