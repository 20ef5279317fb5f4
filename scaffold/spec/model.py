"""A spec, checked and compiled: plain values that templates read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from runtime.services.instances import Default
from scaffold.expressions.code import Code, Type
from scaffold.names import Names, constant, identifier, snake_case

FLAGS = ("enabled", "global", "state-changes-only")


@dataclass(frozen=True)
class FieldType:
    """A type of settings and options.

    Attributes:
        name: its name in specs.
        base: type of its values in expressions.
        empty: value of a field that is not set.
        record: description of the records of a list, or None.
    """

    name: str
    base: Type
    empty: Any
    record: Record | None = None

    @property
    def is_template(self) -> bool:
        """True for a template, and for a list or a map of them."""
        return "template" in self.name

    @property
    def unrendered(self) -> Type:
        """Type of its values outside of an event, where templates are not rendered."""
        if self.name == "template":
            return Type.TEMPLATE
        return Type.TEMPLATES if self.is_template else self.base


TYPES = {
    each.name: each
    for each in (
        FieldType("str", Type.STR, ""),
        FieldType("secret", Type.SECRET, ""),
        FieldType("int", Type.INT, 0),
        FieldType("float", Type.FLOAT, 0.0),
        FieldType("bool", Type.BOOL, False),
        FieldType("duration", Type.DURATION, 0),
        FieldType("url", Type.STR, ""),
        FieldType("list[str]", Type.LIST, ()),
        FieldType("map[str]", Type.MAP, {}),
        FieldType("any", Type.ANY, ""),
        FieldType("list[any]", Type.VALUES, ()),
        FieldType("map[any]", Type.FIELDS, {}),
        FieldType("template", Type.STR, ""),
        FieldType("list[template]", Type.LIST, ()),
        FieldType("map[template]", Type.MAP, {}),
        FieldType("flag", Type.BOOL, False),
    )
}
FIELD_TYPES = tuple(name for name in TYPES if name != "flag")
"""The types of fields and of the configuration; options alone may be flags."""
UNKNOWN_TYPE = FieldType("unknown", Type.ANY, "")
"""Placeholder of a wrong type, so that one mistake is one fault."""
LEVEL_TYPE = FieldType("level", Type.LEVEL, "CRITICAL")
RECORD_TYPES = (*("str", "int", "float", "bool", "duration", "url", "any", "template"),)
"""The types of the fields of records."""
ARGUMENT_TYPES = ("str", "secret", "int", "float", "duration", "url", "list[str]")
"""The types of options that the handler's own arguments can fill."""
TYPE_ALIASES = {"string": "str", "list": "list[str]", "map": "map[str]"}


# names that the body of a class of settings uses
_TAKEN = (
    *(
        "call",
        "call_fields",
        "bool",
        "dict",
        "field",
        "float",
        "int",
        "object",
        "self",
        "setting",
        "str",
    ),
    "tuple",
)


@dataclass(frozen=True)
class Setting:
    """A named value of the configuration file or of a handler.

    Attributes:
        key: its name in TOML, or in a handler's options.
        type: its type.
        default: value where it is not set; nanoseconds for durations.
        doc: its purpose, in the author's words, or "".
        example: value that the author gives for tests, or None.
        formerly: its deprecated keys.
        scope: the names that its templates may use; none: the usual ones.
    """

    key: str
    type: FieldType
    default: Any
    doc: str = ""
    example: Any = None
    formerly: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()

    # members of the classes of such settings
    taken: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def name(self) -> str:
        """Its name in Python; one that its class has already gets an underscore."""
        name = identifier(snake_case(self.key))
        return f"{name}_" if name in (*_TAKEN, *self.taken) else name

    @property
    def is_secret(self) -> bool:
        """True if it must never be shown."""
        return self.type.base is Type.SECRET


@dataclass(frozen=True)
class RecordField(Setting):
    """A field of a record.

    Attributes:
        is_optional: true if it may be missing.
    """

    is_optional: bool = False


@dataclass(frozen=True)
class Record:
    """The form of the records in a list.

    Attributes:
        class_name: the class of the generated code.
        key: the setting or option that it is described at.
        fields: its fields, those that may be missing last.
        is_configured: true if it belongs to a setting.
    """

    class_name: str
    key: str
    fields: tuple[RecordField, ...]
    is_configured: bool = False

    def is_like(self, other: Record | None) -> bool:
        """True if another record has the same fields."""
        return other is not None and self.fields == other.fields


@dataclass(frozen=True)
class ConfigField(Setting):
    """A setting in the handler's section of the configuration file.

    Attributes:
        required: "", "enabled" or "always".
        error: error text if it is required and empty, or None.
        is_url: true if it must be a URL.
        check: condition that must hold, or None.
        check_error: error text if the condition does not hold; None for the reason that a
            value is not a URL.
    """

    taken: ClassVar[tuple[str, ...]] = ("validate", "instances")

    required: str = ""
    error: Code | None = None
    is_url: bool = False
    check: Code | None = None
    check_error: Code | None = None


@dataclass(frozen=True)
class Option(Setting):
    """An option of one handler.

    Attributes:
        tick: its TICKscript property, or None.
        former_ticks: deprecated names of that property.
        fallback: value used where it is empty, or None.
        is_bound_early: true if the fallback is evaluated when the handler is created.
        aliases: its other names.
        alias_of: key of the option that this is an alias of, or "".
        own_name: its Python name if the usual one is taken, or "".
        is_argument: true if the handler's own arguments fill it.
        local: variable of generated code with its rendered text, or "".
    """

    taken: ClassVar[tuple[str, ...]] = (
        "go_type",
        "node",
        "resolve",
        "validate",
    )

    tick: str | None = None
    former_ticks: tuple[str, ...] = ()
    fallback: Code | None = None
    is_bound_early: bool = False
    aliases: tuple[str, ...] = ()
    alias_of: str = ""
    own_name: str = ""
    is_argument: bool = False
    local: str = ""

    @cached_property
    def name(self) -> str:
        """Its name in Python."""
        return self.own_name or super().name


@dataclass(frozen=True)
class LevelMap:
    """A value for each alert level.

    Attributes:
        key: its name in expressions: `color` in `level.color`.
        values: values by level.
        default: value of the other levels.
    """

    key: str
    values: Mapping[str, Any]
    default: Any

    @property
    def constant(self) -> str:
        """The constant of the generated module."""
        return constant(self.key)


def scope_constants(
    settings: Iterable[Setting], levels: Iterable[LevelMap]
) -> dict[tuple[str, ...], str]:
    """The constants of scopes: `SCOPE`, or after the first setting of each of several."""
    first: dict[tuple[str, ...], str] = {}
    for each in settings:
        if each.scope:
            first.setdefault(each.scope, each.key)
    taken = {each.constant for each in levels}
    names: dict[tuple[str, ...], str] = {}
    for scope, key in first.items():
        name = "SCOPE" if len(first) == 1 else f"{constant(key)}_SCOPE"
        while name in {*taken, *names.values()}:
            name += "_NAMES"
        names[scope] = name
    return names


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


class Parameter(NamedTuple):
    """A value of a query or a header.

    Attributes:
        code: its expression.
        is_optional: true if it is omitted when empty.
        is_merged: true for a map whose entries are parameters.
    """

    code: Code
    is_optional: bool = False
    is_merged: bool = False


class Loop(NamedTuple):
    """The recipients of a request.

    Attributes:
        variables: the variable with one of them, or those with its key and value.
        items: all of them.
    """

    variables: tuple[str, ...]
    items: Code


@dataclass(frozen=True)
class RequestSpec:
    """One request; the first without a name whose condition holds delivers.

    Attributes:
        when: its condition, or None.
        method: `POST`, …
        url: destination, without `path` and `query`.
        path: suffix of the path of `url`.
        has_slashes: true if `path` is one string whose slashes separate segments.
        has_last_slash: true if such a string ends with a slash.
        query: parameters that replace those of `url`; None keeps them.
        headers: headers besides the content type.
        scheme: scheme of the `Authorization` header, or "".
        token: token after the scheme, or None.
        is_optional: true if the header is omitted when the token is empty.
        basic: user and password, or None.
        body_kind: `json`, `form`, `text`, `data` or "".
        body: expression of the body, or None.
        is_sorted: true if the keys of JSON are sorted.
        has_newline: true if the JSON ends with a newline.
        to: address of a TCP server, or None for HTTP; `url` begins with `tcp://` then.
        name: variable with the answer of a step; "" for a request that delivers.
        key: name of the step in the spec, or "".
        keep: time for which deliveries share its answer, in ns; 0: not shared.
        is_login: true if its answer is a credential of a later request.
        accepted: a body that the fake server answers it with, or "".
        loop: the recipients, of which each gets the request; None for one request.
        that: condition for success of a step besides the status, or None.
    """

    when: Code | None
    method: str
    url: Code
    path: tuple[Code, ...] = ()
    has_slashes: bool = False
    has_last_slash: bool = False
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
    to: Code | None = None
    name: str = ""
    key: str = ""
    keep: int = 0
    is_login: bool = False
    accepted: str = ""
    loop: Loop | None = None
    that: Code | None = None

    def credentials(self) -> list[Code]:
        """The code of the credentials of a request."""
        headers = [each.code for each in self.headers.values()]
        return [*headers, *(self.basic or ()), *([self.token] if self.token else [])]

    def codes(self) -> list[Code]:
        """All code of the request."""
        parameters = (*self.headers.values(), *(self.query or {}).values())
        codes = [self.url, *self.path, *(each.code for each in parameters)]
        codes += [*(self.basic or ()), *([self.loop.items] if self.loop else [])]
        return codes + [each for each in (self.when, self.token, self.body) if each]


@dataclass(frozen=True)
class ResponseSpec:
    """Rules for reading a response.

    Attributes:
        ok: the statuses that mean success; empty: 200 to 299.
        that: condition for success besides the status, or None.
        error: path of the error text in the JSON of the response.
        message: error text of a failure, or None.
        unparsable: error text of responses that are not JSON, or None.
        accepted: a body that means success, for the fake server.
        retry: condition for another attempt, or None.
        expired: condition for a new login, or None.
        wait: the time to wait for it, in seconds, or None.
    """

    ok: tuple[int, ...] = ()
    that: Code | None = None
    error: str = "error"
    message: Code | None = None
    unparsable: Code | None = None
    accepted: str = ""
    retry: Code | None = None
    expired: Code | None = None
    wait: Code | None = None


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
class ConnectionSpec:
    """The connections of all requests; None where nothing is given.

    Attributes:
        ca: file of authorities.
        certificate: file of the client's certificate.
        key: file of its private key.
        verify: true if the endpoint's certificate must be trusted.
        limit: time limit of a request.
        proxy: URL of a proxy.
    """

    ca: Code | None = None
    certificate: Code | None = None
    key: Code | None = None
    verify: Code | None = None
    limit: Code | None = None
    proxy: Code | None = None

    def files(self) -> dict[str, Code]:
        """The files, which are read when the configuration changes."""
        named = {"ca": self.ca, "certificate": self.certificate, "key": self.key}
        return {name: code for name, code in named.items() if code is not None}

    def settings(self) -> dict[str, Code]:
        """The settings that may differ from request to request."""
        named = {"verify": self.verify, "limit": self.limit, "proxy": self.proxy}
        return {name: code for name, code in named.items() if code is not None}

    def codes(self) -> list[Code]:
        """All code of the connections."""
        return [*self.files().values(), *self.settings().values()]


NO_CONNECTION = ConnectionSpec()


@dataclass(frozen=True)
class TestField(Setting):
    """An option of the service test.

    Attributes:
        code: its default where that comes from the configuration, or None.
        feeds: value that it sets: `event.message`, `opt.room`.
    """

    code: Code | None = None
    feeds: str = ""

    __test__ = False  # for pytest, which collects classes named Test…


@dataclass(frozen=True)
class Example:
    """A case of the author, which becomes a test.

    Attributes:
        name: name of the test.
        config: settings, by key.
        options: options of the handler, by key.
        event: values of the event.
        want: expected request, or error.
    """

    name: str
    config: Mapping[str, Any]
    options: Mapping[str, Any]
    event: Mapping[str, Any]
    want: Mapping[str, Any]


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
