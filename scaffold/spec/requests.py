"""The tables of a spec that say what is sent: requests, answers, the service test."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runtime.errors import DeliveryError
from runtime.services.expressions import parse_time
from scaffold import names
from scaffold.expressions.code import Code, Type, dotted, name_node
from scaffold.expressions.compiler import Scope
from scaffold.spec.model import (
    LEVEL_TYPE,
    LEVELS,
    TYPES,
    Check,
    Example,
    HandlerSpec,
    Let,
    Option,
    Parameter,
    RequestSpec,
    ResponseSpec,
    Setting,
    TestField,
)
from scaffold.spec.reader import Path, Reader, kind_of
from scaffold.spec.settings import read_default
from scaffold.spec.values import RESERVED, Values

_REQUEST_KEYS = (
    "when", "method", "url", "path", "query", "headers", "auth", "json", "form", "text",
    "sorted", "newline",
)  # fmt: skip
_RESPONSE_KEYS = ("ok", "that", "error", "message", "unparsable", "accepted")
_METHODS = ("POST", "PUT", "PATCH", "GET", "DELETE")
_BODIES = ("json", "form", "text")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
# the client of the day sets these, or HTTP gives them a meaning for the connection
_RESERVED_HEADERS = names.words("""
    connection content-length expect host http2-settings keep-alive proxy-authenticate
    proxy-authorization proxy-authentication-info proxy-connection te trailer
    transfer-encoding upgrade
    """)
_EXAMPLE_EVENT = (
    "id", "message", "details", "level", "time", "duration", "topic", "name", "task",
    "category", "group", "tags", "fields",
)  # fmt: skip
_EXAMPLE_TYPES: dict[str, type] = {
    "time": int,
    "duration": int,
    "tags": dict,
    "fields": dict,
}
_EVENT_FEEDS: dict[str, str] = {
    "event.id": "str",
    "event.message": "str",
    "event.details": "str",
    "event.level": "str",
    "event.topic": "str",
    "event.name": "str",
    "event.task": "str",
    "event.category": "str",
    "event.group": "str",
    "event.tags": "map[str]",
    "event.time": "str",
}
_SHORT_FEEDS = {"message": "event.message", "level": "event.level"}


def read_lets(
    reader: Reader, table: Mapping[str, Any], values: Values
) -> tuple[tuple[Let, ...], Values]:
    """`[let]`: each may name those before it; then the scope that knows them all."""
    lets = []
    for key, value in table.items():
        path: Path = ("let", key)
        reserved = {*RESERVED, *values.scope.names, *values.scope.tables}
        reader.take(names.key_faults(key, "", reserved, "value"), path)
        name = names.identifier(key)
        code = values.value(value, path)
        lets.append(Let(name, code))
        known = Code(
            name_node(name),
            code.type,
            reads=code.reads,
            weight=code.weight,
            bits=code.bits,
        )
        values = values.inside(values.scope.with_name(name, known))
    return tuple(lets), values


def read_checks(
    reader: Reader, document: Mapping[str, Any], values: Values
) -> tuple[Check, ...]:
    """`[[check]]`: what must hold before anything is sent."""
    checks = []
    for path, table in reader.tables(document, (), "check"):
        reader.keys(table, path, ("that", "error"), ("at",))
        that = _needed(reader, table, path, "that", values.expression)
        error = _needed(reader, table, path, "error", values.text)
        no_secrets(reader, error, values, (*path, "error"))
        if that and error:
            checks.append(Check(that, error))
    return tuple(checks)


def no_secrets(reader: Reader, code: Code | None, values: Values, path: Path) -> None:
    """Refuse secrets in what people will read."""
    if code is None:
        return
    for table in ("config", "opt"):
        for each in values.scope.tables.get(table, {}).values():
            if each.type is Type.SECRET and each.reads <= code.reads:
                [key] = each.reads
                reader.fault(path, f"would show the secret {key}")


def _needed(
    reader: Reader, table: Mapping[str, Any], path: Path, key: str, read: Any
) -> Any:
    if key in table:
        return read(table[key], (*path, key))
    reader.fault((*path, key), "is missing")
    return None


def read_requests(
    reader: Reader, document: Mapping[str, Any], values: Values
) -> tuple[RequestSpec, ...]:
    """`[[request]]`."""
    tables = reader.tables(document, (), "request")
    if not tables:
        reader.fault(("request",), "is missing: nothing would be sent", "[[request]]")
    made = [_request(reader, table, path, values) for path, table in tables]
    for (path, _), each in list(zip(tables, made, strict=True))[:-1]:
        if each.when is None:
            reader.fault(
                path, "hides the requests after it", "'when' in all but the last"
            )
    return tuple(made)


def _request(
    reader: Reader, table: Mapping[str, Any], path: Path, values: Values
) -> RequestSpec:
    reader.keys(table, path, _REQUEST_KEYS, ("data", "address"))
    kind, body = _body(reader, table, path, values)
    method = reader.choice(table, path, "method", _METHODS, "POST")
    if method == "GET" and kind:
        reader.fault((*path, kind), "a GET has no body", ", ".join(_METHODS[:3]))
    scheme, token, is_optional, basic = _auth(reader, table, path, values)
    url = _needed(reader, table, path, "url", values.text)
    for key in ("sorted", "newline"):
        if key in table and kind != "json":
            reader.fault((*path, key), "has a meaning only with 'json'")
    return RequestSpec(
        values.expression(table["when"], (*path, "when")) if "when" in table else None,
        method,
        url or Code(dotted("config.url"), Type.STR),
        _path(reader, table, path, values),
        isinstance(table.get("path"), str),
        _parameters(reader, table, path, "query", values) if "query" in table else None,
        _headers(reader, table, path, values),
        scheme,
        token,
        is_optional,
        basic,
        kind,
        body,
        reader.value(table, path, "sorted", bool, False),
        reader.value(table, path, "newline", bool, False),
    )


def _body(
    reader: Reader, table: Mapping[str, Any], path: Path, values: Values
) -> tuple[str, Code | None]:
    said = [key for key in _BODIES if key in table]
    for other in said[1:]:
        reader.fault(
            (*path, other),
            f"conflicts with {said[0]!r}",
            "one of " + ", ".join(_BODIES),
        )
    if not said:
        return "", None
    kind, place = said[0], (*path, said[0])
    match kind:
        case "json":
            return kind, values.value(table[kind], place)
        case "text":
            return kind, values.text(table[kind], place)
    return kind, _form(reader, table[kind], place, values)


def _form(reader: Reader, table: object, path: Path, values: Values) -> Code:
    if not isinstance(table, dict):
        reader.fault(path, f"is {kind_of(table)}", "a table")
        return values.mapping({}, path)
    return values.mapping(table, path, as_text=True)


def _path(
    reader: Reader, table: Mapping[str, Any], path: Path, values: Values
) -> tuple[Code, ...]:
    """Suffix of the URL's path: parts, or a string with its own slashes."""
    said, place = table.get("path", []), (*path, "path")
    if isinstance(said, str):
        return (values.text(said, place),)
    if not isinstance(said, list):
        reader.fault(place, f"is {kind_of(said)}", "a list of parts, or a text")
        return ()
    return tuple(
        _part(reader, each, (*place, index), values) for index, each in enumerate(said)
    )


def _part(reader: Reader, said: object, path: Path, values: Values) -> Code:
    """A part of a path; it is escaped when it is sent, and only then."""
    code = values.text(said, path)
    match code.node:
        case ast.Call(func=ast.Name(id="quote"), args=[inner]):
            return replace(code, node=inner, imports=code.imports - {"quote"})
        case node if any(
            isinstance(each, ast.Name) and each.id == "quote" for each in ast.walk(node)
        ):
            reader.fault(path, "is escaped already: quote() would do it twice")
    return code


def _parameters(
    reader: Reader, table: Mapping[str, Any], path: Path, key: str, values: Values
) -> dict[str, Parameter]:
    """Values by name; a name with `?` is omitted where its value is empty."""
    made = {}
    for name, value in reader.table(table, path, key).items():
        place = (*path, key, name)
        plain = values.key(name, place)
        is_optional = plain != name
        code = values.parameter(value, place, is_optional=is_optional)
        if plain in made:
            reader.fault(place, f"{plain!r} occurs twice")
        made[plain] = Parameter(code, is_optional)
    return made


def _headers(
    reader: Reader, table: Mapping[str, Any], path: Path, values: Values
) -> dict[str, Parameter]:
    seen: set[str] = set()
    for said, value in reader.table(table, path, "headers").items():
        place, name = (*path, "headers", said), said.removesuffix("?")
        if not _HEADER.fullmatch(name):
            reader.fault(place, f"{name!r} is not a header name")
        if name.lower() in _RESERVED_HEADERS:
            reader.fault(place, f"HTTP reserves the header {name!r} for the connection")
        if name.lower() in seen:
            reader.fault(place, f"the header {name!r} occurs twice")
        seen.add(name.lower())
        if isinstance(value, list):
            reader.fault(place, "is a list", "a text, as ${join(…, ', ')} makes it")
        if isinstance(value, str) and any(each in value for each in "\r\n\0"):
            reader.fault(place, "holds a line end, which no header can", "one line")
        if name.lower() == "authorization" and "auth" in table:
            reader.fault(place, "conflicts with 'auth'", "one of them")
        if (
            name.lower() == "authorization"
            and isinstance(value, str)
            and "${" not in value
        ):
            reader.fault(place, "a token stands here: it would be committed", "auth")
    made = _parameters(reader, table, path, "headers", values)
    for name, each in made.items():
        if each.code.type is not Type.STR:
            made[name] = each._replace(code=each.code.as_text())
    return made


def _auth(
    reader: Reader, table: Mapping[str, Any], path: Path, values: Values
) -> tuple[str, Code | None, bool, tuple[Code, Code] | None]:
    auth, place = reader.table(table, path, "auth"), (*path, "auth")
    if not auth:
        return "", None, False, None
    reader.keys(auth, place, ("scheme", "token", "optional", "basic"))
    if "basic" in auth:
        pair = reader.texts(auth, place, "basic")
        if len(pair) != 2 or len(auth) != 1:
            reader.fault((*place, "basic"), "is no pair", "[user, password], alone")
            return "", None, False, None
        user, password = (
            values.expression(each, (*place, "basic", index)).as_text()
            for index, each in enumerate(pair)
        )
        return "", None, False, (user, password)
    scheme = reader.value(auth, place, "scheme", str, "Bearer")
    if not _SCHEME.fullmatch(scheme):
        reader.fault((*place, "scheme"), f"{scheme!r} is no scheme", "Bearer, Basic, …")
    token = _needed(reader, auth, place, "token", values.expression)
    if token and token.type is not Type.SECRET:
        token = token.as_text()
    return scheme, token, reader.value(auth, place, "optional", bool, False), None


def read_response(
    reader: Reader, table: Mapping[str, Any], values: Values
) -> ResponseSpec:
    """`[response]`."""
    path: Path = ("response",)
    reader.keys(table, path, _RESPONSE_KEYS, ("fallback",))
    statuses = reader.value(table, path, "ok", list, [])
    for index, status in enumerate(statuses):
        if type(status) is not int or not 100 <= status <= 599:
            reader.fault(
                (*path, "ok", index), f"{status!r} is no HTTP status", "100 to 599"
            )
    return ResponseSpec(
        tuple(each for each in statuses if type(each) is int),
        values.expression(table["that"], (*path, "that")) if "that" in table else None,
        error_key(reader, table),
        (
            values.text(table["message"], (*path, "message"))
            if "message" in table
            else None
        ),
        (
            values.text(table["unparsable"], (*path, "unparsable"))
            if "unparsable" in table
            else None
        ),
        reader.value(table, path, "accepted", str, ""),
    )


def error_key(reader: Reader, table: Mapping[str, Any]) -> str:
    """Where the error text is in the answer: `error.message` is a table inside."""
    return reader.value(table, ("response",), "error", str, "error")


def read_test(
    reader: Reader,
    table: Mapping[str, Any],
    kind: str,
    options: Mapping[str, Option],
    values: Values,
) -> tuple[TestField, ...]:
    """`[test]`: the options of the service test; a message is always among them."""
    entries = dict(table)
    if "message" not in entries and not _is_fed(entries, "event.message"):
        entries["message"] = f"test {kind} message"
    made = []
    for key, value in entries.items():
        path: Path = ("test", key)
        reader.take(names.key_faults(key, "", what="test option"), path)
        if isinstance(value, dict):
            reader.keys(value, path, ("value", "feeds", "doc"), ("map",))
            feeds, value = reader.value(value, path, "feeds", str, ""), value.get(
                "value", ""
            )
        else:
            feeds = ""
        feeds = feeds or _feeds(key, options)
        made.append(_test_field(reader, key, value, feeds, options, values))
    for first, second in names.same_names(entries):
        reader.fault(("test", second), f"is the same name as {first!r} in Python")
    return tuple(made)


def _is_fed(entries: Mapping[str, Any], what: str) -> bool:
    return any(
        isinstance(each, dict) and each.get("feeds") == what
        for each in entries.values()
    )


def _feeds(key: str, options: Mapping[str, Option]) -> str:
    if key in _SHORT_FEEDS and key not in options:
        return _SHORT_FEEDS[key]
    return f"opt.{key}" if key in options else ""


def _test_field(
    reader: Reader,
    key: str,
    value: object,
    feeds: str,
    options: Mapping[str, Option],
    values: Values,
) -> TestField:
    path: Path = ("test", key)
    known = {**_EVENT_FEEDS, **{f"opt.{each}": "" for each in options}}
    by_name = {f"opt.{option.name}": f"opt.{option.key}" for option in options.values()}
    feeds = by_name.get(feeds, feeds)
    if feeds not in known:
        reader.fault(
            path,
            f"feeds {feeds!r}, which is not known" if feeds else "feeds nothing",
            "an option's key, message, level, or { feeds = … } with one of "
            + ", ".join(known),
            names.closest(feeds or key, known),
        )
        return TestField(key, TYPES["str"], "")
    if feeds == "event.level":
        return _test_level(reader, key, value, path)
    is_option = feeds.startswith("opt.")
    type_ = options[feeds[4:]].type if is_option else TYPES[_EVENT_FEEDS[feeds]]
    if feeds == "event.time":
        return _test_time(reader, key, value, path)
    if type_.base is Type.SECRET:
        reader.fault(path, "would show a secret: the test uses the configured one")
        return TestField(key, TYPES["str"], "", feeds=feeds)
    if isinstance(value, str):
        code = values.string(value, path)
        if code.reads:
            if code.type is not type_.base:
                reader.fault(
                    path, f"gives a {code.type} where {feeds} is a {type_.name}"
                )
            return TestField(key, type_, type_.empty, code=code, feeds=feeds)
        if type_.base is Type.STR:
            return TestField(key, type_, value, feeds=feeds)
    if value == "":
        return TestField(key, type_, type_.empty, feeds=feeds)
    default = read_default(reader, {"value": value}, path, "value", type_)
    return TestField(key, type_, default, feeds=feeds)


def _test_time(reader: Reader, key: str, value: object, path: Path) -> TestField:
    try:
        parse_time(str(value))
    except DeliveryError:
        allowed = "in quotes, as 2017-07-14T02:40:00Z"
        reader.fault(path, f"{value!r} is no time", allowed)
    return TestField(key, TYPES["str"], value, feeds="event.time")


def _test_level(reader: Reader, key: str, value: object, path: Path) -> TestField:
    if value not in LEVELS:
        guess = names.closest(value, LEVELS)
        reader.fault(path, f"unknown level {value!r}", ", ".join(LEVELS), guess)
        value = "CRITICAL"
    return TestField(key, LEVEL_TYPE, value, feeds="event.level")


def read_examples(
    reader: Reader,
    document: Mapping[str, Any],
    config: Mapping[str, Setting],
    options: Mapping[str, Setting],
) -> tuple[Example, ...]:
    """`[[example]]`: cases of the author's own; each becomes a test."""
    made = []
    for index, (path, table) in enumerate(reader.tables(document, (), "example")):
        reader.keys(table, path, ("name", "config", "options", "event", "want"))
        parts = [
            reader.table(table, path, key)
            for key in ("config", "options", "event", "want")
        ]
        parts[0] = _settings(reader, parts[0], (*path, "config"), config)
        parts[1] = _settings(reader, parts[1], (*path, "options"), options)
        _example_event(reader, parts[2], (*path, "event"))
        _plain(reader, parts[3], (*path, "want"))
        reader.keys(
            parts[3],
            (*path, "want"),
            ("method", "path", "query", "headers", "json", "form", "text", "error"),
        )
        name = reader.value(table, path, "name", str, f"example {index + 1}")
        made.append(Example(name, *parts))
    return tuple(made)


def _settings(
    reader: Reader,
    table: Mapping[str, Any],
    path: Path,
    settings: Mapping[str, Setting],
) -> dict[str, Any]:
    """Values of settings, checked against their types; secrets are those of a test."""
    reader.keys(table, path, settings)
    made = {}
    for key in table.keys() & settings.keys():
        type_ = settings[key].type
        if type_.base is Type.SECRET or type_.name == "url":
            made[key] = reader.value(table, path, key, str, "")
        else:
            made[key] = read_default(reader, table, path, key, type_)
    return {key: made[key] for key in table if key in made}


def _example_event(reader: Reader, table: Mapping[str, Any], path: Path) -> None:
    reader.keys(table, path, _EXAMPLE_EVENT)
    for key, value in table.items():
        wanted = _EXAMPLE_TYPES.get(key, str)
        if key in _EXAMPLE_EVENT:
            reader.value(table, path, key, wanted, wanted())
        if key == "level" and value not in LEVELS:
            guess = names.closest(value, LEVELS)
            problem = f"unknown level {value!r}"
            reader.fault((*path, key), problem, ", ".join(LEVELS), guess)
    for key, each in reader.table(table, path, "tags").items():
        if not isinstance(each, str):
            reader.fault((*path, "tags", key), f"is {kind_of(each)}", "a text")
    _plain(reader, table, path)


def _plain(reader: Reader, value: object, path: Path) -> None:
    """Refuse values that JSON cannot hold."""
    if isinstance(value, dict):
        for key, each in value.items():
            _plain(reader, each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _plain(reader, each, (*path, index))
    else:
        values = Values(reader, Scope())
        if not isinstance(value, str):
            values.value(value, path)


def _warn_of_unused(reader: Reader, spec: HandlerSpec) -> None:
    """Settings and options that nothing reads."""
    codes = [*spec.codes(), *(each.code for each in spec.test if each.code)]
    codes += [each.fallback for each in spec.options if each.fallback]
    codes += [each.check for each in spec.config if each.check]
    reads = frozenset[str]().union(*(code.reads for code in codes))
    for table, settings in (("config", spec.config), ("option", spec.options)):
        short = "opt" if table == "option" else table
        for each in settings:
            is_alias = isinstance(each, Option) and each.alias_of
            if f"{short}.{each.key}" not in reads and not is_alias:
                reader.warn((table, each.key), "is read nowhere in the spec")


def check_use(reader: Reader, spec: HandlerSpec) -> None:
    """What can be seen only when all of a spec is known."""
    used = {
        each.id
        for code in spec.codes()
        for each in ast.walk(code.node)
        if isinstance(each, ast.Name)
    }
    for let in spec.lets:
        if let.name not in used:
            reader.fault(("let", let.name), "is used nowhere")
    for level in spec.levels:
        if level.constant not in used:
            reader.fault(("level", level.key), "is used nowhere")
    _warn_of_unused(reader, spec)
    for index, request in enumerate(spec.requests):
        if not request.url.reads & {f"config.{each.key}" for each in spec.config}:
            reads = {each.partition(".")[2] for each in request.url.reads}
            options = [each for each in spec.options if each.key in reads]
            if any(each.fallback and each.fallback.reads for each in options):
                continue
            reader.fault(
                ("request", index, "url"),
                "must begin with a URL from the configuration: tests stand in for it",
                'a key of [config] with the URL as its default, and "${config.KEY}"',
            )
