"""Transports of events: HTTP, TCP and hooks."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from scaffold.names import closest
from scaffold.spec import keys, steps
from scaffold.spec.model.handler import HandlerSpec, Hook
from scaffold.spec.model.requests import RequestSpec
from scaffold.spec.reader import Path, Reader

_MODULE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_EXTRA = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9])?")
# the modules that are generated beside it
_TAKEN = ("config", "handler", "property", "service")
# keys of a request that a transport uses
_USED = {
    "tcp": ("when", "to", "json", "text", "sorted", "newline"),
    "hook": ("when", "data"),
}
# unused keys that are reported by other checks
_JUDGED = ("url", "to", "data", "name", "@for")
# unused keys of steps, for which the step's name is reported
_OF_STEPS = ("keep", "that", "accepted")
# settings of connections that differ from request to request
_OF_REQUESTS = ("verify", "limit", "proxy")
# keys that need an answer
_ANSWERED = ("message", "accepted", "error", "retry", "wait", "unparsable")


def read_hook(reader: Reader, tables: Mapping[str, Any]) -> Hook | None:
    """`[hook]`."""
    if "hook" not in tables:
        return None
    path: Path = ("hook",)
    entry = reader.keys(tables["hook"], path, keys.HOOK)
    hook = Hook(**entry)
    if not _MODULE.fullmatch(hook.module):
        problem = f"{hook.module!r} is not a module; write a name such as 'hook'"
        reader.fault((*path, "module"), problem)
    elif hook.module in _TAKEN or hook.module.endswith("test"):
        problem = f"a generated module has the name {hook.module!r}; use another name"
        reader.fault((*path, "module"), problem)
    if hook.extra and not _EXTRA.fullmatch(hook.extra):
        reader.fault((*path, "extra"), f"{hook.extra!r} is not the name of an extra")
    return hook


def check(reader: Reader, spec: HandlerSpec) -> None:
    """Refuse requests without a destination, and keys that the transport does not use."""
    transport = spec.transport
    given = spec.document.get("request")
    tables = (
        [each for each in given if isinstance(each, dict)]
        if isinstance(given, list)
        else []
    )
    for index, table in enumerate(tables):
        path: Path = ("request", index)
        if transport == "hook":
            _check_hooked(reader, table, path)
        elif "data" in table:
            problem = "needs [hook], whose module sends it"
            reader.fault((*path, "data"), problem)
        elif transport == "tcp":
            _check_tcp(reader, spec, index, table)
        elif "url" not in table and not _is_misspelled("url", table):
            reader.fault((*path, "url"), "is missing")
        for key in table if transport in _USED else ():
            is_known = any(each.name == key for each in keys.REQUEST)
            is_judged = key in _JUDGED or (key in _OF_STEPS and "name" in table)
            if is_known and key not in _USED[transport] and not is_judged:
                reader.fault((*path, key), _useless(key, transport))
    steps.check(
        reader, [(("request", i), each) for i, each in enumerate(tables)], transport
    )
    steps.check_expired(reader, spec)
    _check_response(reader, spec)
    if transport == "hook":
        _check_connection(reader, spec)


def _useless(key: str, transport: str) -> str:
    """The problem of a key of a request that has no effect."""
    if key not in ("that", "accepted"):
        what = "[hook]" if transport == "hook" else "'to'"
        return f"has no effect with {what}; remove it"
    if transport == "hook":
        return "has no effect with [hook], whose module reads the answers; remove it"
    return "has no effect with 'to'; write it in [response]"


def _check_connection(reader: Reader, spec: HandlerSpec) -> None:
    """Refuse settings of connections that a hook does not get."""
    handler, table = (spec.document.get(each, {}) for each in ("handler", "connection"))
    if isinstance(handler, dict) and handler.get("tls"):
        problem = (
            "has no effect with [hook]; write the settings in [config], and 'ca' and "
            "'cert' in [connection]"
        )
        reader.fault(("handler", "tls"), problem)
    for key in table if isinstance(table, dict) else ():
        if key in _OF_REQUESTS:
            problem = "has no effect with [hook]: its module connects; remove it"
            reader.fault(("connection", key), problem)


def _is_misspelled(name: str, table: Mapping[str, Any]) -> bool:
    """True if another key of a table was probably meant to be that one."""
    known = [key.name for key in keys.REQUEST]
    return any(closest(each, known) == name for each in table if each not in known)


def _check_hooked(reader: Reader, table: Mapping[str, Any], path: Path) -> None:
    if "data" not in table:
        reader.fault((*path, "data"), "is missing: [hook] sends it")
    for key in ("url", "to"):
        if key in table:
            problem = "conflicts with [hook]; put it into 'data'"
            reader.fault((*path, key), problem)


def _check_tcp(
    reader: Reader, spec: HandlerSpec, index: int, table: Mapping[str, Any]
) -> None:
    path: Path = ("request", index)
    if "url" in table:
        problem = "conflicts with 'to'; all requests of a handler use HTTP, or all TCP"
        reader.fault((*path, "url"), problem)
    if "to" not in table:
        reader.fault((*path, "to"), "is missing; another request has it")
        return
    request = spec.requests[index]
    if not reader.has_failed((*path, "to")) and not address_key(spec, request):
        problem = (
            "must be a setting, which tests replace; add a key to [config], and write "
            '"${config.KEY}"'
        )
        reader.fault((*path, "to"), problem)
    if request.body is None and not reader.has_fault(path):
        reader.fault((*path, "text"), "is missing; write 'text' or 'json'")


def _check_response(reader: Reader, spec: HandlerSpec) -> None:
    """Refuse rules for answers that never arrive."""
    table = spec.document.get("response", {})
    if not isinstance(table, dict):
        return
    if spec.transport == "hook" and table:
        problem = "has no effect with [hook]: its module reads the answers"
        reader.fault(("response",), problem)
    if spec.transport != "tcp":
        return
    if "ok" in table:
        problem = "has no effect with 'to': an answer over TCP has no status"
        reader.fault(("response", "ok"), problem)
    if "expired" in table:
        problem = "has no effect with 'to': a login needs requests over HTTP"
        reader.fault(("response", "expired"), problem)
    given = [f"'{key}'" for key in _ANSWERED if key in table]
    if given and "that" not in table and not reader.has_fault(("response",)):
        problem = (
            f"needs a key 'that' for {' and '.join(given)}: without it no answer over TCP "
            "is read; write that = \"body == 'ok'\" or the like"
        )
        reader.fault(("response",), problem)


def address_key(spec: HandlerSpec, request: RequestSpec) -> str:
    """The setting that is the address of a request, or ""."""
    node = request.to.node if request.to is not None else None
    match node:
        case ast.Attribute(value=ast.Name(id="options"), attr=name):
            [option] = [each for each in spec.options if each.name == name]
            node = option.fallback.node if option.fallback is not None else None
    match node:
        case ast.Attribute(value=ast.Name(id="config"), attr=name):
            return next(each.key for each in spec.config if each.name == name)
    return ""
