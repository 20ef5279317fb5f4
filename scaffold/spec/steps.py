"""Steps: requests with a name, whose answers the requests after them use."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from scaffold import names
from scaffold.expressions.code import FAILED, Code, Type, dotted
from scaffold.expressions.compiler import Scope
from scaffold.spec.literals import read_duration
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.model.requests import RequestSpec
from scaffold.spec.reader import Path, Reader
from scaffold.spec.variables import LOOP, RESERVED

_MOST = 8
_LATER = "the answer of a step is known in the requests after it"
_RESPONSE = "[response] reads the answer to the request that delivers the event"
_ANSWER = (
    "'that' of a step can use status, body, reply, error and parse_error of its own "
    "answer, opt and config only"
)
# keys that need a name
_OF_STEPS = ("keep", "that", "accepted")


def in_order(scope: Scope, tables: Iterable[Mapping[str, Any]]) -> Scope:
    """A scope with hints for the names of steps, whose answers are not known yet.

    Args:
        scope: the scope.
        tables: the requests of the spec.
    """
    hints = dict.fromkeys(_names(tables), _LATER)
    return replace(scope, elsewhere={**scope.elsewhere, **hints})


def in_response(scope: Scope, tables: Iterable[Mapping[str, Any]]) -> Scope:
    """The scope of `[response]`, with hints for the names of steps."""
    hints = dict.fromkeys(_names(tables), _RESPONSE)
    return replace(scope, elsewhere={**scope.elsewhere, **hints})


def in_answer(scope: Scope, tables: Iterable[Mapping[str, Any]]) -> Scope:
    """The scope of `that` of a step, in which its answer is known, but not by name."""
    return replace(
        scope, elsewhere=dict.fromkeys((*scope.elsewhere, *_names(tables)), _ANSWER)
    )


def _names(tables: Iterable[Mapping[str, Any]]) -> list[str]:
    given = [table.get("name") for table in tables if isinstance(table, dict)]
    return [names.identifier(each) for each in given if isinstance(each, str)]


def read_name(
    reader: Reader, table: Mapping[str, Any], path: Path, scope: Scope
) -> str:
    """The name of a step; "" for a request that delivers."""
    if "name" not in table:
        # `transports` reports the faults of other transports
        is_http = "to" not in table and "data" not in table
        for each in _OF_STEPS if is_http else ():
            if each in table:
                problem = "has no effect without 'name': only steps have it"
                if each in ("that", "accepted"):
                    problem += "; write it in [response]"
                reader.fault((*path, each), problem)
        return ""
    key: str = table["name"]
    place = (*path, "name")
    reader.take(names.key_faults(key, "", RESERVED, "step"), place)
    name = names.identifier(key)
    if not reader.has_fault(place) and name in {*scope.names, *scope.tables}:
        reader.fault(place, f"{key!r} is already defined; use another name")
    return name


def read_keep(reader: Reader, table: Mapping[str, Any], path: Path) -> int:
    """The time for which an answer is shared, in ns."""
    if "keep" not in table:
        return 0
    place = (*path, "keep")
    keep = read_duration(reader, table["keep"], place)
    if keep == 0 and not reader.has_fault(place):
        reader.fault(place, "must be longer than 0s; without it nothing is shared")
    return keep


def with_answer(scope: Scope, name: str, *, is_wrong: bool) -> Scope:
    """The scope of the requests after a step."""
    if is_wrong:
        # the name as it is written, and as it was probably meant
        meant = {name: FAILED, name.lower().replace(" ", "_"): FAILED}
        return replace(scope, names={**meant, **scope.names})
    answer = {
        "status": Code(dotted(f"{name}.status"), Type.INT),
        "body": Code(dotted(f"{name}.text"), Type.STR),
        "reply": Code(dotted(f"{name}.json"), Type.ANY),
    }
    return replace(scope, tables={**scope.tables, name: answer})


def check(
    reader: Reader, found: Sequence[tuple[Path, Mapping[str, Any]]], transport: str
) -> None:
    """Refuse steps that cannot be sent, or that no request follows."""
    named = [path for path, table in found if "name" in table]
    for path in named:
        if transport != "http":
            problem = "needs requests over HTTP; steps are sent to a 'url'"
            reader.fault((*path, "name"), problem)
    for path, table in found:
        if LOOP not in table:
            continue
        if transport != "http":
            problem = "needs a request over HTTP, with a 'url'"
            reader.fault((*path, LOOP), problem)
        elif "name" in table:
            problem = "conflicts with 'name': a step has one answer"
            reader.fault((*path, LOOP), problem)
    if named and named[-1] == found[-1][0]:
        problem = (
            "is a step, and no request after it delivers the event; add a [[request]] "
            "without 'name'"
        )
        reader.fault((*named[-1], "name"), problem)
    for path in named[_MOST:]:
        reader.fault(path, f"is one step too many; a handler has at most {_MOST}")


def with_logins(requests: Sequence[RequestSpec]) -> tuple[RequestSpec, ...]:
    """The requests; `is_login` marks steps whose answers are credentials only.

    A step whose answer is also part of a path or a body created something, so it must not
    be repeated.
    """
    used = [code for each in requests for code in each.codes()]
    proofs = [code for each in requests for code in each.credentials()]
    others = [code for code in used if code not in proofs]
    return tuple(
        replace(
            each,
            is_login=bool(each.name)
            and _is_read(each.name, proofs)
            and not _is_read(each.name, others),
        )
        for each in requests
    )


def check_expired(reader: Reader, spec: HandlerSpec) -> None:
    """Refuse a condition for a new login if no login can be renewed."""
    path: Path = ("response", "expired")
    # a step that is wrong may be the login
    is_judged = spec.transport == "http" and not reader.has_fault(("request",))
    if spec.response.expired is None or not is_judged:
        return
    if not any(each.keep or each.is_login for each in spec.steps):
        problem = (
            "has no effect without a login: give the step that logs in a 'keep', or use "
            "its answer only in 'auth' and 'headers'"
        )
        reader.fault(path, problem)


def _is_read(step: str, codes: Iterable[Code]) -> bool:
    return any(step in code.names() for code in codes)


def replies(spec: HandlerSpec) -> dict[str, dict[str, Any]]:
    """The values that are read from answers: trees of strings, by step.

    The remembered values of the request that delivers are under "response".
    """
    made: dict[str, dict[str, Any]] = {
        **{each.name: {} for each in spec.steps},
        "response": {},
    }
    codes = [code for each in spec.requests for code in each.codes()]
    for code in (*codes, *(each.code for each in spec.remembered)):
        for node in ast.walk(code.node):
            step, keys = _keys(node)
            if step in made and keys:
                _put(made[step], keys, f"{step}-{'-'.join(keys)}")
    return made


def _keys(node: ast.AST) -> tuple[str, tuple[str, ...]]:
    """The step whose answer an expression reads, and its keys there."""
    match node:
        case ast.Attribute(value=ast.Name(id=step), attr="json"):
            return step, ()
        case ast.Call(
            func=ast.Name(id="get"), args=[holder, ast.Constant(value=str() as key), *_]
        ):
            step, above = _keys(holder)
            return step, (*above, key)
    return "", ()


def _put(tree: dict[str, Any], keys: Sequence[str], value: str) -> None:
    """Set a value in a tree, unless there is a tree already."""
    for key in keys[:-1]:
        inner = tree.get(key)
        if not isinstance(inner, dict):
            inner = tree[key] = {}
        tree = inner
    if not isinstance(tree.get(keys[-1]), dict):
        tree[keys[-1]] = value
