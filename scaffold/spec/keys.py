"""The keys of specs, each once.

The reader, the JSON Schema and the tables of docs/specs.md are derived from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runtime.alert.types import SCOPE_NAMES, TEMPLATE_NAMES
from scaffold.expressions.code import LEVELS
from scaffold.spec.model.handler import FLAGS
from scaffold.spec.model.settings import RECORD_TYPES, TYPE_ALIASES, TYPES
from scaffold.spec.shapes import (
    ALIASES,
    ANYTHING,
    BOOLEAN,
    EXPRESSION,
    HEADERS,
    INTEGER,
    PAIR,
    PARTS,
    PROPERTY,
    PROSE,
    RECORD,
    STATUSES,
    STRING,
    STRING_MAP,
    STRINGS,
    TABLE,
    TABLES,
    TEXT,
    VALUE,
    VALUES,
    Shape,
)


class Key(NamedTuple):
    """One key of a table.

    Attributes:
        name: its name.
        shape: the form of its value.
        meaning: its purpose, in Markdown.
        default: its default, in Markdown, or "".
        required: true if the key is required.
        choices: all values that a string, or the strings of a list, may be.
    """

    name: str
    shape: Shape
    meaning: str
    default: str = ""
    required: bool = False
    choices: Sequence[str] = ()


CONFIG_TYPES = (*(name for name in TYPES if name != "flag"), *TYPE_ALIASES)
OPTION_TYPES = (*TYPES, *TYPE_ALIASES)
METHODS = ("POST", "PUT", "PATCH", "GET", "DELETE")
BODIES = ("json", "form", "text")

SPEC = (
    Key("handler", TABLE, "Names of the handler.", required=True),
    Key("instances", TABLE, "Several sections of the handler, each with a name."),
    Key("config", TABLE, "Settings of the handler's section, by key."),
    Key("option", TABLE, "Options of one handler, by key."),
    Key("level", TABLE, "Values that depend on the alert level, by name."),
    Key("let", VALUES, "Values computed once per event, by name."),
    Key("check", TABLES, "Conditions for sending anything."),
    Key(
        "request",
        TABLES,
        "Requests; the first without `name` whose `when` holds delivers.",
        required=True,
    ),
    Key("connection", TABLE, "Certificates, time limit and proxy of requests."),
    Key("response", TABLE, "Meaning of the response."),
    Key(
        "remember",
        VALUES,
        "Values of an answer that requests for later events of the alert use, by name.",
    ),
    Key("hook", TABLE, "Python module beside the spec that sends, in place of HTTP."),
    Key("test", TABLE, "Options of the service test, by key."),
    Key("example", TABLES, "Cases of your own, which become tests."),
)
HANDLER = (
    Key(
        "name",
        STRING,
        "Section in `kapacitor.conf`, kind of handlers over HTTP, name of the service "
        "test and package: `a` to `z`, `0` to `9` and `_`.",
        required=True,
    ),
    Key("title", PROSE, "Name of the service in prose.", "made from `name`"),
    Key("summary", PROSE, "One sentence, such as `posts alerts to rooms`."),
    Key("property", STRING, "TICKscript property.", "`name` in camel case"),
    Key(
        "flags",
        STRINGS,
        "Switches of the section; `enabled` is always one of them.",
        '`["enabled"]`',
        choices=FLAGS,
    ),
    Key(
        "tls",
        BOOLEAN,
        "Add the settings `ssl-ca`, `ssl-cert`, `ssl-key` and `insecure-skip-verify`, "
        "and use them for all requests.",
        "`false`",
    ),
    Key(
        "wrap",
        TABLE,
        "Texts before errors, followed by a colon; see below.",
        "none",
    ),
)
WRAP = (
    Key(
        "prepare",
        STRING,
        "Text before errors of making a request, checks included, such as `failed to "
        "prepare API request`.",
    ),
    Key("send", STRING, "Text before errors of sending it, if no response arrives."),
)
_FORMERLY = Key(
    "formerly",
    ALIASES,
    "Deprecated names, which still work, each with a warning in the log.",
)
_OF = Key(
    "of",
    RECORD,
    "With type `list`: the fields of its records and their types, of "
    f"{', '.join(f'`{name}`' for name in RECORD_TYPES)}; those with a `?` may be missing.",
)
_SCOPE = Key(
    "scope",
    STRINGS,
    "Names that templates may use.",
    f"`{' '.join(TEMPLATE_NAMES)}`",
    choices=SCOPE_NAMES,
)
INSTANCES = (
    Key(
        "key",
        STRING,
        "Setting with the name of a section, such as `workspace`; it is added.",
        required=True,
    ),
    Key(
        "default",
        STRING,
        "Section of handlers that choose none: the one with `default = true` or a lone "
        "one; a lone one; or none at all.",
        "`flag`",
        choices=("flag", "only", "none"),
    ),
    Key("option", STRING, "Option that chooses a section; it is added.", "`key`"),
)
_EXAMPLE = Key(
    "examples",
    ANYTHING,
    "Value for generated tests and examples, where the generator finds none that passes "
    "the checks.",
)
CONFIG = (
    Key(
        "type",
        STRING,
        "Type of the value.",
        "that of `default`, else `str`",
        choices=CONFIG_TYPES,
    ),
    Key("default", ANYTHING, "Value where the configuration file has none.", "empty"),
    Key("doc", PROSE, "Purpose, in one sentence; for documentation and docstrings."),
    Key("secret", BOOLEAN, "`true` is the same as type `secret`: shown as `***`."),
    Key(
        "required",
        STRING,
        "When the setting must not be empty.",
        "never",
        choices=("enabled", "always"),
    ),
    Key(
        "error",
        TEXT,
        "Error if it is required and empty, with `${…}` over `config`.",
        "`must specify KEY`",
    ),
    Key(
        "check",
        EXPRESSION,
        "`url`, or an expression over `config` that must hold; `value` is the setting.",
    ),
    Key(
        "check_error",
        TEXT,
        "Error if `check` does not hold, with `${…}` over `config` and `value`; URLs are "
        "redacted, secrets refused. That of a URL is followed by the reason.",
        '`invalid KEY`; of a URL, `invalid url "…"`',
    ),
    _FORMERLY,
    _OF,
    _SCOPE,
    _EXAMPLE,
)
OPTION = (
    Key(
        "type",
        STRING,
        "Type as in `[config]`, or `flag`: a property without an argument.",
        "that of the setting in `default`",
        choices=OPTION_TYPES,
    ),
    Key("doc", PROSE, "Purpose, in one sentence."),
    Key(
        "tick",
        PROPERTY,
        "TICKscript property; `false` for none.",
        "the key in camel case; where alert nodes have it already, after the handler's "
        "property: `ntfyTopic`",
    ),
    Key("alias", ALIASES, "Other names, over HTTP and in TICKscript."),
    _FORMERLY,
    Key(
        "default",
        EXPRESSION,
        "Expression over `config` used where the option is empty; a string is written "
        "`\"'general'\"`. That of a template may use the event.",
    ),
    Key(
        "bind",
        STRING,
        "When `default` is evaluated: once, as the handler is made, or for each event.",
        "`send`",
        choices=("create", "send"),
    ),
    Key("initial", ANYTHING, "Value of an option that is not set.", "empty"),
    Key(
        "args",
        BOOLEAN,
        "True if the arguments of the handler's own property fill it, "
        "`.email('a', 'b')`; a list takes any number of them.",
        "`false`",
    ),
    _OF,
    _SCOPE,
    _EXAMPLE,
)
LEVEL = tuple(
    Key(
        name,
        TEXT,
        (
            "Value of levels without one of their own."
            if name == "default"
            else f"Value at level {name}."
        ),
        "empty" if name == "default" else "`default`",
    )
    for name in (*LEVELS, "default")
)
CHECK = (
    Key(
        "at",
        STRING,
        "When it is made: for each event, or once, where a handler is defined; then over "
        "`opt` only.",
        "`send`",
        choices=("send", "create"),
    ),
    Key("that", EXPRESSION, "Expression that must hold.", required=True),
    Key("error", TEXT, "Error if it does not, with `${…}`.", required=True),
)
REQUEST = (
    Key(
        "name",
        STRING,
        "Name of a step: a request that is sent before the one that delivers; requests "
        "after it read its answer as `NAME.reply`. See below.",
        "none: the request delivers",
    ),
    Key("when", EXPRESSION, "Condition for this request.", "always"),
    Key(
        "@for",
        EXPRESSION,
        "Send one request for each item of a list or map, such as `n in opt.to`.",
        "one request",
    ),
    Key("method", STRING, "HTTP method.", "`POST`", choices=METHODS),
    Key(
        "url",
        TEXT,
        "Destination over HTTP; required but for `to` and `data`. It must begin with a "
        "setting, so that tests can use their own server.",
    ),
    Key(
        "to",
        TEXT,
        "Address of a TCP server, `HOST:PORT`, in place of `url`; a setting, or an option "
        "that falls back to one. Of the other keys, `when`, `json`, `text`, `sorted` and "
        "`newline` remain.",
    ),
    Key(
        "data",
        VALUES,
        "Data for the function `send` of `[hook]`, in place of `url` and a body; of the "
        "other keys, `when` remains.",
    ),
    Key(
        "path",
        PARTS,
        "Suffix of the URL's path: a list of parts, each escaped (a `/` too) and left "
        'out if empty; or a string, `"a/${opt.room}"`, whose slashes separate.',
    ),
    Key(
        "query",
        VALUES,
        "Query parameters, in place of those of the URL; a list repeats its key.",
        "those of the URL",
    ),
    Key(
        "headers",
        HEADERS,
        "Headers but those that HTTP reserves for the connection, such as `Host`. "
        "`Content-Type` follows from the body where it is not given.",
    ),
    Key("auth", TABLE, "`Authorization` header; see below.", "none"),
    Key("json", VALUE, "Body as JSON. Only one of `json`, `form` and `text`."),
    Key("form", VALUES, "Body as a form; a list repeats its key."),
    Key("text", TEXT, "Body as plain text."),
    Key("sorted", BOOLEAN, "With `json`: sort the keys.", "`false`"),
    Key("newline", BOOLEAN, "With `json`: end the body with a newline.", "`false`"),
    Key(
        "keep",
        STRING,
        "Of a step: the time for which all deliveries share its answer, such as `1h`.",
        "each delivery sends its own",
    ),
    Key(
        "that",
        EXPRESSION,
        "Of a step: condition for success besides the status, such as "
        "`reply.errcode == 0`.",
        "200 to 299",
    ),
    Key(
        "accepted",
        STRING,
        "Of a step: the answer of the generated fake server, in JSON.",
        "made of the keys that are read",
    ),
)
AUTH = (
    Key("scheme", STRING, "Word before the token.", "`Bearer`"),
    Key("token", EXPRESSION, "Token."),
    Key("optional", BOOLEAN, "Send no header if the token is empty.", "`false`"),
    Key(
        "basic",
        PAIR,
        "User and password, instead of the other keys; not sent if both are empty.",
    ),
)
CONNECTION = (
    Key("ca", EXPRESSION, "File of the authorities to trust instead of the system's."),
    Key("cert", PAIR, "Files of the client's certificate and of its private key."),
    Key("verify", EXPRESSION, "Require a trusted certificate.", "`True`"),
    Key(
        "limit",
        EXPRESSION,
        "Time limit of a request, a duration; 0 means that of `[delivery]`.",
        "that of `[delivery]`",
    ),
    Key(
        "proxy",
        EXPRESSION,
        "URL of an HTTP proxy, `http://host:port`; empty means none.",
        "none",
    ),
)
RESPONSE = (
    Key("ok", STATUSES, "Statuses that mean success.", "200 to 299"),
    Key(
        "that",
        EXPRESSION,
        "Condition for success besides the status, such as `reply.ok`.",
    ),
    Key("accepted", STRING, "Body that passes `that`, for the generated fake server."),
    Key(
        "error",
        STRING,
        "Path of the error text in the JSON of the response, such as `error.message`.",
        "`error`",
    ),
    Key("message", TEXT, "Error of a failed delivery.", "the error text"),
    Key(
        "retry",
        EXPRESSION,
        "Condition for another attempt regardless of the status, such as `reply.code == 130101`.",
        "the status decides",
    ),
    Key(
        "expired",
        EXPRESSION,
        "Condition for a new login, such as `reply.errcode == 42001`; see [steps](#steps).",
        "status 401",
    ),
    Key(
        "wait",
        EXPRESSION,
        "Seconds to wait for it, such as `reply.parameters.retry_after`; of this and "
        "`Retry-After` the longer one counts.",
        "`Retry-After`",
    ),
    Key("unparsable", TEXT, "Error if the response is not JSON.", "`message`"),
)
HOOK = (
    Key("module", STRING, "Module beside `handler.toml`.", "`hook`"),
    Key(
        "extra",
        STRING,
        "Extra of the package that the libraries of the module come with; for errors.",
        "none",
    ),
)
TEST = (
    Key("value", ANYTHING, "Default of the option."),
    Key("feeds", STRING, "Target of the value, such as `event.id` or `opt.room`."),
    Key("doc", PROSE, "Purpose, in one sentence."),
)
EXAMPLE = (
    Key("name", STRING, "Name of the test.", "`example N`"),
    Key("config", TABLE, "Settings; a URL is a path on the fake server."),
    Key("options", TABLE, "Options of the handler."),
    Key("event", TABLE, "Values of the event."),
    Key("want", TABLE, "Expected request."),
)
EXAMPLE_EVENT = (
    Key("id", STRING, "ID of the alert."),
    Key("message", STRING, "Message of the alert."),
    Key("details", STRING, "Details of the alert."),
    Key("level", STRING, "Level of the alert.", choices=LEVELS),
    Key("time", INTEGER, "Time, in nanoseconds since 1970."),
    Key("duration", INTEGER, "Time since the alert began, in nanoseconds."),
    Key("topic", STRING, "Topic of the event."),
    Key("name", STRING, "Name of the measurement."),
    Key("task", STRING, "Name of the task."),
    Key("category", STRING, "Category of the alert."),
    Key("group", STRING, "Group of the points."),
    Key(
        "tags",
        STRING_MAP,
        "Tags of the points.",
    ),
    Key("fields", TABLE, "Fields of the last point."),
)
EXAMPLE_WANT = (
    Key("method", STRING, "HTTP method."),
    Key("path", STRING, "Path of the request."),
    Key("query", TABLE, "Query parameters."),
    Key("headers", TABLE, "Some of the headers."),
    Key("json", ANYTHING, "Body as JSON."),
    Key("form", TABLE, "Body as a form."),
    Key("text", STRING, "Body as text."),
    Key("error", STRING, "Error, where nothing may be sent."),
)
