"""The tables of a spec for requests: lets, checks, requests and responses."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scaffold import names
from scaffold.expressions.code import FAILED, Code, Type, called, name_node
from scaffold.spec import keys, steps
from scaffold.spec.instances import FLAG_KEY
from scaffold.spec.model.handler import Check, HandlerSpec, Let
from scaffold.spec.model.requests import Parameter, RequestSpec, ResponseSpec
from scaffold.spec.model.settings import Option
from scaffold.spec.reader import Path, Reader, noun_of
from scaffold.spec.values import Values
from scaffold.spec.variables import LOOP, RESERVED

HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
# headers that the HTTP client sets, or that HTTP reserves for the connection
RESERVED_HEADERS = names.words("""
    connection content-length expect host http2-settings keep-alive proxy-authenticate
    proxy-authorization proxy-authentication-info proxy-connection te trailer
    transfer-encoding upgrade
    """)


NOWHERE = Code(ast.Constant(""), Type.STR)
"""The destination of a request that names none."""


def read_lets(
    reader: Reader, table: Mapping[str, Any], values: Values
) -> tuple[tuple[Let, ...], Values]:
    """The values of `[let]`, where each can use earlier ones, and the scope of all."""
    lets = []
    for key, value in table.items():
        path: Path = ("let", key)
        reserved = {*RESERVED, *values.scope.names, *values.scope.tables}
        reader.take(names.key_faults(key, "", reserved, "value"), path)
        name = names.identifier(key)
        code = values.value(value, path)
        lets.append(Let(name, code, key))
        known = FAILED if reader.has_failed(path) else _named(name, code)
        values = values.inside(values.scope.with_name(name, known))
    return tuple(lets), values


def _named(name: str, code: Code) -> Code:
    """The name of a let, as code."""
    return Code(
        name_node(name), code.type, reads=code.reads, weight=code.weight, bits=code.bits
    )


def read_checks(
    reader: Reader, document: Mapping[str, Any], at: str, values: Values
) -> tuple[Check, ...]:
    """`[[check]]`: conditions for sending anything, or for defining a handler.

    Args:
        reader: collects faults.
        document: the spec.
        at: `send` or `create`.
        values: compiler for expressions there.
    """
    checks = []
    tables = reader.tables(document, "check", keys.CHECK)
    for index, (path, table) in enumerate(tables):
        if table.get("at", "send") != at:
            continue
        that = _given(table, path, "that", values.expression)
        error = _given(table, path, "error", values.text)
        values.refuse_secrets(error, (*path, "error"))
        if that and error:
            checks.append(Check(that, error, index))
    return tuple(checks)


def _given(table: Mapping[str, Any], path: Path, key: str, read: Any) -> Any:
    """The value of a key as code; None where there is none."""
    return read(table[key], (*path, key)) if key in table else None


def read_requests(
    reader: Reader, document: Mapping[str, Any], values: Values, answers: Values
) -> tuple[RequestSpec, ...]:
    """`[[request]]`.

    Args:
        reader: collects faults.
        document: the spec.
        values: reads the requests.
        answers: reads conditions of steps.
    """
    if document.get("request") == []:
        reader.fault(("request",), "is empty; write [[request]]")
    tables = reader.tables(document, "request", keys.REQUEST)
    for path, table in tables[:-1]:
        if "when" not in table and "name" not in table:
            problem = "hides the requests after it; all but the last need 'when'"
            reader.fault(path, problem)
    made = []
    for path, table in tables:
        name = steps.read_name(reader, table, path, values.scope)
        request = _request(reader, table, path, values)
        if name:
            request = _step(reader, table, path, request, name, answers)
            is_wrong = reader.has_fault((*path, "name"))
            following = steps.with_answer(values.scope, name, is_wrong=is_wrong)
            values = values.inside(following)
        made.append(request)
    return steps.with_logins(made)


def _step(
    reader: Reader,
    table: Mapping[str, Any],
    path: Path,
    request: RequestSpec,
    name: str,
    answers: Values,
) -> RequestSpec:
    """A request as a step."""
    return replace(
        request,
        name=name,
        key=table["name"],
        keep=steps.read_keep(reader, table, path),
        accepted=table.get("accepted", ""),
        that=_given(table, path, "that", answers.expression),
    )


def _request(
    reader: Reader, table: Mapping[str, Any], path: Path, values: Values
) -> RequestSpec:
    when = _given(table, path, "when", values.expression)
    loop = None
    if LOOP in table:
        loop, values = values.repeated(table[LOOP], (*path, LOOP))
    kind, body = _body(reader, table, path, values)
    method = table.get("method", "POST")
    if method == "GET" and kind:
        problem = "conflicts with method GET, which has no body"
        reader.fault((*path, kind), problem)
    scheme, token, is_optional, basic = _auth(reader, table, path, values)
    for key in ("sorted", "newline"):
        if key in table and kind != "json":
            reader.fault((*path, key), "has no effect without 'json'")
    return RequestSpec(
        when,
        method,
        _url(table, path, values),
        _path(reader, table, path, values),
        isinstance(table.get("path"), str),
        str(table.get("path")).endswith("/"),
        _parameters(reader, table, path, "query", values) if "query" in table else None,
        _headers(reader, table, path, values),
        scheme,
        token,
        is_optional,
        basic,
        kind,
        body,
        table.get("sorted", False),
        table.get("newline", False),
        _given(table, path, "to", values.text),
        loop=loop,
    )


def _url(table: Mapping[str, Any], path: Path, values: Values) -> Code:
    """The destination, or a stand-in that `transports` checks."""
    if "url" in table:
        return values.text(table["url"], (*path, "url"))
    if isinstance(table.get("to"), str):
        return values.text(f"tcp://{table['to']}", (*path, "to"))
    return NOWHERE


def _body(
    reader: Reader, table: Mapping[str, Any], path: Path, values: Values
) -> tuple[str, Code | None]:
    given = [key for key in (*keys.BODIES, "data") if key in table]
    for other in given[1:]:
        reader.fault((*path, other), f"conflicts with {given[0]!r}; keep one of them")
    if not given:
        return "", None
    kind, place = given[0], (*path, given[0])
    match kind:
        case "json" | "data":
            return kind, values.value(table[kind], place)
        case "text":
            return kind, values.text(table[kind], place)
    return kind, values.mapping(table[kind], place, as_text=True)


def _path(
    reader: Reader, table: Mapping[str, Any], path: Path, values: Values
) -> tuple[Code, ...]:
    """Suffix of the URL's path: parts, or a string with its own slashes."""
    raw, place = table.get("path", []), (*path, "path")
    if isinstance(raw, str):
        return (values.text(raw, place),)
    return tuple(
        _part(reader, each, (*place, index), values) for index, each in enumerate(raw)
    )


def _part(reader: Reader, raw: object, path: Path, values: Values) -> Code:
    """A part of a path, which is escaped once, when it is sent."""
    code = values.text(raw, path)
    match code.node:
        case ast.Call(func=ast.Name(id="quote"), args=[inner]):
            return replace(code, node=inner)
        case node if any(
            isinstance(each, ast.Name) and each.id == "quote" for each in ast.walk(node)
        ):
            problem = "would be escaped twice; remove quote(), parts are escaped anyway"
            reader.fault(path, problem)
    return code


def _parameters(
    reader: Reader, table: Mapping[str, Any], path: Path, key: str, values: Values
) -> dict[str, Parameter]:
    """Values by name; a name with `?` is omitted where its value is empty."""
    made: dict[str, Parameter] = {}
    for name, value in table.get(key, {}).items():
        place = (*path, key, name)
        if name == "...":
            merged = values.merged(value, place, as_text=True)
            # names that no parameter has
            made |= {
                f"...{index}": Parameter(each, is_merged=True)
                for index, each in enumerate(merged)
            }
            continue
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
    kept = {}
    for raw, value in table.get("headers", {}).items():
        place, name = (*path, "headers", raw), raw.removesuffix("?").lower()
        if raw == "...":
            kept[raw] = value
            continue
        _check_header(reader, raw.removesuffix("?"), place)
        if name in seen:
            reader.fault(place, f"the header {name!r} occurs twice")
        seen.add(name)
        if name == "authorization":
            _check_authorization(reader, value, "auth" in table, place)
        if isinstance(value, (list, dict)):
            hint = "; write ${join(…, ', ')}" if isinstance(value, list) else ""
            reader.fault(place, f"must be a string, not {noun_of(value)}{hint}")
            continue
        if isinstance(value, str) and any(each in value for each in "\r\n\0"):
            reader.fault(place, "contains a line end, which no header may have")
        kept[raw] = value
    made = _parameters(reader, {"headers": kept}, path, "headers", values)
    for name, each in made.items():
        if each.is_merged and each.code.type is not Type.MAP:
            made[name] = each._replace(code=called("texts_of", each.code, Type.MAP))
        elif not each.is_merged and each.code.type is not Type.STR:
            made[name] = each._replace(code=each.code.as_text())
    return made


def _check_header(reader: Reader, name: str, path: Path) -> None:
    if not HEADER.fullmatch(name):
        reader.fault(path, f"{name!r} is not a header name")
    if name.lower() in RESERVED_HEADERS:
        reader.fault(path, f"HTTP reserves the header {name!r} for the connection")


def _check_authorization(
    reader: Reader, value: object, has_auth: bool, path: Path
) -> None:
    if has_auth:
        reader.fault(path, "conflicts with 'auth'; keep one of them")
    if isinstance(value, str) and "${" not in value:
        problem = "has a token, which would be committed; use 'auth' with a setting"
        reader.fault(path, problem)


def _auth(
    reader: Reader, table: Mapping[str, Any], path: Path, values: Values
) -> tuple[str, Code | None, bool, tuple[Code, Code] | None]:
    """Scheme, token and `optional`; or user and password."""
    none = ("", None, False, None)
    if not table.get("auth"):
        return none
    place = (*path, "auth")
    auth = reader.keys(table["auth"], place, keys.AUTH)
    if "basic" in table["auth"]:
        pair = auth.get("basic", [])
        if len(table["auth"]) > 1:
            problem = "conflicts with the other keys of 'auth'; keep only 'basic'"
            reader.fault((*place, "basic"), problem)
        elif "basic" in auth and len(pair) != 2:
            problem = "must be two expressions, [user, password]"
            reader.fault((*place, "basic"), problem)
        if len(pair) != 2:
            return none
        user, password = (
            values.expression(each, (*place, "basic", index)).as_text()
            for index, each in enumerate(pair)
        )
        return "", None, False, (user, password)
    scheme = auth.get("scheme", "Bearer")
    if not _SCHEME.fullmatch(scheme):
        problem = f"{scheme!r} is not a scheme; write a word such as 'Bearer'"
        reader.fault((*place, "scheme"), problem)
    if "token" not in table["auth"] and not reader.has_fault(place):
        reader.fault((*place, "token"), "is missing")
    token = _given(auth, place, "token", values.expression)
    if token and token.type is not Type.SECRET:
        token = token.as_text()
    return scheme, token, auth.get("optional", False), None


def read_response(
    reader: Reader, table: Mapping[str, Any], values: Values, words: Values
) -> ResponseSpec:
    """`[response]`.

    Args:
        reader: collects faults.
        table: the table.
        values: reads conditions.
        words: reads the texts of failures.
    """
    path: Path = ("response",)
    texts = {}
    for key in ("message", "unparsable"):
        texts[key] = _given(table, path, key, words.text)
        words.refuse_secrets(texts[key], (*path, key))
    return ResponseSpec(
        tuple(each for each in table.get("ok", []) if 100 <= each <= 599),
        _given(table, path, "that", values.expression),
        error_key(table),
        texts["message"],
        texts["unparsable"],
        table.get("accepted", ""),
        _given(table, path, "retry", values.expression),
        _given(table, path, "expired", values.expression),
        _wait(reader, table, values),
    )


def _wait(reader: Reader, table: Mapping[str, Any], values: Values) -> Code | None:
    """The time to wait for another attempt, in seconds."""
    path: Path = ("response", "wait")
    wait: Code | None = _given(table, ("response",), "wait", values.expression)
    if wait is None or reader.has_failed(path):
        return None
    if wait.type in (Type.ANY, Type.INT, Type.FLOAT, Type.STR):
        return called("waiting_s", wait, Type.ANY)
    hint = "; write seconds(…)" if wait.type is Type.DURATION else ""
    reader.fault(path, f"must be a number of seconds, not {wait.type.noun}{hint}")
    return None


def check_statuses(reader: Reader, table: Mapping[str, Any]) -> None:
    """Refuse numbers in `response.ok` that are not statuses."""
    for index, status in enumerate(table.get("ok", [])):
        if not 100 <= status <= 599:
            problem = f"{status} is not an HTTP status; use 100 to 599"
            reader.fault(("response", "ok", index), problem)


def error_key(table: Mapping[str, Any]) -> str:
    """The path to the error text in the response: `error.message` is a nested table."""
    raw: str = table.get("error", "error")
    return raw


def check_use(reader: Reader, spec: HandlerSpec) -> None:
    """Report faults that only the whole spec shows."""
    for index, request in enumerate(spec.requests):
        path: Path = ("request", index, "url")
        if request.to is not None or request.url is NOWHERE:
            continue  # a fault of its own
        if not reader.has_failed(path) and not _has_setting(spec, request):
            problem = (
                "must begin with a URL of the configuration, which tests replace; "
                'add a key to [config] with this URL as its default, and write "${config.KEY}"'
            )
            reader.fault(path, problem)
    # an expression that did not compile may use them
    if not reader.failed_at:
        _check_names(reader, spec)
        _warn_of_unused(reader, spec)


def _has_setting(spec: HandlerSpec, request: RequestSpec) -> bool:
    """True if the URL reads a setting, perhaps through an option."""
    if any(f"config.{each.key}" in request.url.reads for each in spec.config):
        return True
    return any(
        option.fallback is not None and bool(option.fallback.reads)
        for option in spec.options
        if f"opt.{option.key}" in request.url.reads
    )


def _check_names(reader: Reader, spec: HandlerSpec) -> None:
    """Refuse lets and levels that nothing uses."""
    used = spec.names_used()
    for let in spec.lets:
        if let.name not in used and not reader.has_fault(("let", let.key)):
            reader.fault(("let", let.key), "is not used; remove it")
    for level in spec.levels:
        is_wrong = reader.has_fault(("level", level.key))
        if level.constant not in used and not is_wrong:
            reader.fault(("level", level.key), "is not used; remove it")


def _warn_of_unused(reader: Reader, spec: HandlerSpec) -> None:
    """Warn of settings and options that nothing reads."""
    codes = [*spec.codes(), *spec.connection.codes()]
    codes += [each.code for each in spec.test if each.code]
    codes += [each.that for each in spec.early_checks]
    codes += [each.fallback for each in spec.options if each.fallback]
    codes += [each.check for each in spec.config if each.check]
    reads = frozenset[str]().union(*(code.reads for code in codes))
    if spec.instances is not None:
        key, option, _ = spec.instances
        reads |= {f"config.{key}", f"opt.{option}", f"config.{FLAG_KEY}"}
    # a hook gets all settings
    config = () if spec.hook is not None else spec.config
    for table, settings in (("config", config), ("option", spec.options)):
        short = "opt" if table == "option" else table
        for each in settings:
            is_alias = isinstance(each, Option) and each.alias_of
            if f"{short}.{each.key}" not in reads and not is_alias:
                reader.warn((table, each.key), "is not used in the spec")
