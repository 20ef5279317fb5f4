"""What a spec says, checked and compiled: plain values that templates read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from scaffold.expressions.code import Code, Type
from scaffold.names import Names, constant, identifier, snake_case

LEVELS = ("OK", "INFO", "WARNING", "CRITICAL")
FLAGS = ("enabled", "global", "state-changes-only")


@dataclass(frozen=True)
class FieldType:
    """A type that configuration and options may have.

    Attributes:
        name: as it is written in specs.
        annotation: in Python.
        base: of its values in expressions.
        empty: what a field holds that says nothing.
    """

    name: str
    annotation: str
    base: Type
    empty: Any


TYPES = {
    each.name: each
    for each in (
        FieldType("str", "str", Type.STR, ""),
        FieldType("secret", "Secret", Type.SECRET, ""),
        FieldType("int", "int", Type.INT, 0),
        FieldType("float", "float", Type.FLOAT, 0.0),
        FieldType("bool", "bool", Type.BOOL, False),
        FieldType("duration", "Duration", Type.DURATION, 0),
        FieldType("url", "str", Type.STR, ""),
        FieldType("list[str]", "tuple[str, ...]", Type.LIST, ()),
        FieldType("map[str]", "dict[str, str]", Type.MAP, {}),
        FieldType("flag", "bool", Type.BOOL, False),
    )
}
UNKNOWN_TYPE = FieldType("unknown", "str", Type.ANY, "")
"""Placeholder of a wrong type, so that one mistake is one message."""
LEVEL_TYPE = FieldType("level", "Level", Type.LEVEL, "CRITICAL")
TYPE_ALIASES = {"string": "str", "list": "list[str]", "map": "map[str]"}


# what the body of a class of settings has to find under its own name
_TAKEN = ("bool", "dict", "field", "float", "int", "self", "setting", "str", "tuple")


@dataclass(frozen=True)
class Setting:
    """A named value of the configuration file or of a handler.

    Attributes:
        key: its name in TOML, or in a handler's options.
        type: its type.
        default: what it holds when nothing is said; nanoseconds for durations.
        doc: what it means, in the author's words, or "".
        example: value that the author gives for tests, or None.
    """

    key: str
    type: FieldType
    default: Any
    doc: str = ""
    example: Any = None

    # what the classes that hold such settings have already
    taken: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def name(self) -> str:
        """Its name in Python; one that its class has already gets an underscore."""
        name = identifier(snake_case(self.key))
        return f"{name}_" if name in (*_TAKEN, *self.taken) else name

    @property
    def is_secret(self) -> bool:
        """Whether it must not be shown."""
        return self.type.base is Type.SECRET


@dataclass(frozen=True)
class ConfigField(Setting):
    """A key of the handler's table in the configuration file.

    Attributes:
        required: "", "enabled" or "always".
        error: what is said where it is required and empty.
        is_url: whether it is checked to be a URL.
        check: what has to hold, or None.
        check_error: what is said where it does not hold.
    """

    taken: ClassVar[tuple[str, ...]] = ("validate",)

    required: str = ""
    error: str = ""
    is_url: bool = False
    check: Code | None = None
    check_error: str = ""


@dataclass(frozen=True)
class Option(Setting):
    """What an alert can say about its handler.

    Attributes:
        tick: its TICKscript property; None where there is none.
        fallback: what counts where it is empty, or None.
        is_bound_early: whether the fallback is taken when the handler is made.
        aliases: other names of it.
        alias_of: the key of the option that this is another name of, or "".
        own_name: its name in Python where the usual one is taken, or "".
    """

    taken: ClassVar[tuple[str, ...]] = (
        "go_type",
        "node",
        "resolve",
        "validate",
    )

    tick: str | None = None
    fallback: Code | None = None
    is_bound_early: bool = False
    aliases: tuple[str, ...] = ()
    alias_of: str = ""
    own_name: str = ""

    @cached_property
    def name(self) -> str:
        """Its name in Python."""
        return self.own_name or super().name


@dataclass(frozen=True)
class LevelMap:
    """A value for each alert level.

    Attributes:
        key: how expressions call it: `level.color`.
        values: by level.
        default: for levels without a value.
    """

    key: str
    values: Mapping[str, Any]
    default: Any

    @property
    def constant(self) -> str:
        """The constant of the module that holds it."""
        return constant(self.key)


@dataclass(frozen=True)
class Let:
    """A value computed once for each event.

    Attributes:
        name: in Python.
        code: how it is computed.
        key: in the spec.
    """

    name: str
    code: Code
    key: str


@dataclass(frozen=True)
class Check:
    """What must hold before anything is sent.

    Attributes:
        that: the condition.
        error: what is said where it does not hold.
    """

    that: Code
    error: Code


class Parameter(NamedTuple):
    """A value of a query or a header.

    Attributes:
        code: what it is.
        is_optional: whether it is left out where it is empty.
    """

    code: Code
    is_optional: bool = False


@dataclass(frozen=True)
class RequestSpec:
    """One request; the first whose condition holds is sent.

    Attributes:
        when: its condition, or None.
        method: `POST`, …
        url: where it goes, without `path` and `query`.
        path: what is appended to the path of `url`.
        has_slashes: whether `path` is one text whose slashes separate.
        query: what replaces the query of `url`; None keeps it.
        headers: besides the content type.
        scheme: of the `Authorization` header, or "".
        token: what follows the scheme.
        is_optional: whether there is no such header where the token is empty.
        basic: user and password, or None.
        body_kind: `json`, `form`, `text` or "".
        body: what is sent.
        is_sorted: whether the keys of JSON are sorted.
        has_newline: whether a line end follows the JSON.
    """

    when: Code | None
    method: str
    url: Code
    path: tuple[Code, ...] = ()
    has_slashes: bool = False
    query: Mapping[str, Parameter] | None = None
    headers: Mapping[str, Parameter] = field(default_factory=dict)
    scheme: str = ""
    token: Code | None = None
    is_optional: bool = False
    basic: tuple[Code, Code] | None = None
    body_kind: str = ""
    body: Code | None = None
    is_sorted: bool = False
    has_newline: bool = False

    def codes(self) -> list[Code]:
        """All code of the request."""
        parameters = (*self.headers.values(), *(self.query or {}).values())
        codes = [self.url, *self.path, *(each.code for each in parameters)]
        codes += [*(self.basic or ())]
        return codes + [each for each in (self.when, self.token, self.body) if each]


@dataclass(frozen=True)
class ResponseSpec:
    """How an answer is read.

    Attributes:
        ok: the statuses that mean success; empty: 200 to 299.
        that: what has to hold besides, or None.
        error: where the error text is in the answer's JSON.
        message: what is said of other answers, or None.
        unparsable: what is said of answers that are not JSON, or None.
        accepted: a body that means success, for the fake server.
    """

    ok: tuple[int, ...] = ()
    that: Code | None = None
    error: str = "error"
    message: Code | None = None
    unparsable: Code | None = None
    accepted: str = ""


@dataclass(frozen=True)
class TestField(Setting):
    """An option of the service test.

    Attributes:
        code: its default where that comes from the configuration, or None.
        feeds: what it sets: `event.message`, `opt.room`.
    """

    code: Code | None = None
    feeds: str = ""

    __test__ = False  # pytest: this is no test


@dataclass(frozen=True)
class Example:
    """One case of the author's.

    Attributes:
        name: what it shows.
        config: configuration, by key.
        options: options of the handler, by key.
        event: what the event says.
        want: what the endpoint must receive.
    """

    name: str
    config: Mapping[str, Any]
    options: Mapping[str, Any]
    event: Mapping[str, Any]
    want: Mapping[str, Any]


@dataclass(frozen=True)
class HandlerSpec:
    """A handler, described.

    Attributes:
        names: the forms of its name.
        title: how people call the service.
        summary: what it does, one sentence.
        flags: which of `enabled`, `global`, `state-changes-only` it has.
        document: the spec as it was read.
        text: the text it was read from.
        stated: for a spec made of flags, what they said; None for one from a file.
        path: the file that it was read from, for messages; "" for flags.
        warnings: what is allowed in it, and probably not meant.
    """

    names: Names
    title: str
    summary: str
    flags: tuple[str, ...]
    config: tuple[ConfigField, ...]
    options: tuple[Option, ...]
    levels: tuple[LevelMap, ...]
    lets: tuple[Let, ...]
    checks: tuple[Check, ...]
    requests: tuple[RequestSpec, ...]
    response: ResponseSpec
    test: tuple[TestField, ...]
    examples: tuple[Example, ...]
    document: Mapping[str, Any]
    text: str
    stated: Mapping[str, Any] | None = None
    path: str = ""
    warnings: tuple[str, ...] = ()

    def to_toml(self) -> str:
        """The spec as it is committed: the author's own text."""
        return self.text

    def codes(self) -> list[Code]:
        """All code that sends an event or reads an answer."""
        codes = [each.code for each in self.lets]
        for check in self.checks:
            codes += [check.that, check.error]
        for request in self.requests:
            codes += request.codes()
        response = self.response
        answers = (response.that, response.message, response.unparsable)
        return codes + [each for each in answers if each is not None]

    @property
    def is_global(self) -> bool:
        """Whether it can be given to all alert nodes."""
        return "global" in self.flags

    @property
    def has_state_changes_only(self) -> bool:
        """Whether it can make alert nodes send changes only."""
        return "state-changes-only" in self.flags
