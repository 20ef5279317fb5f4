"""`[remember]`: values of answers that are kept until the alert is over."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scaffold import names
from scaffold.expressions.code import Code, Type, name_node
from scaffold.expressions.compiler import Scope
from scaffold.spec.model.handler import HandlerSpec, Remembered
from scaffold.spec.reader import Path, Reader
from scaffold.spec.values import Values

MEMORY = "memory"
"""The variable of generated code with the remembered values."""
_MOST = 20
_NO_TABLE = 'nothing is remembered; add [remember], such as issue = "reply.number"'
_RESPONSE = "remembered values are known in requests, checks and lets only"


def in_events(scope: Scope, table: Mapping[str, Any]) -> Scope:
    """The scope where an event is sent, with the remembered values of the alert."""
    if not table:
        return replace(scope, elsewhere={**scope.elsewhere, MEMORY: _NO_TABLE})
    known = {names.identifier(key): _value(key) for key in table}
    return replace(scope, tables={**scope.tables, MEMORY: known})


def in_response(scope: Scope) -> Scope:
    """The scope of an answer, where nothing is remembered yet."""
    return replace(scope, elsewhere={**scope.elsewhere, MEMORY: _RESPONSE})


def _value(key: str) -> Code:
    name = ast.Constant(names.identifier(key))
    made = ast.Call(name_node("get"), [name_node(MEMORY), name], [])
    return Code(made, Type.ANY, reads=frozenset({f"remember.{key}"}))


def read_remembered(
    reader: Reader, table: Mapping[str, Any], values: Values
) -> tuple[Remembered, ...]:
    """The values of `[remember]`."""
    path: Path = ("remember",)
    for old, new in names.same_names(table):
        reader.fault((*path, new), f"has the same name in Python as {old!r}")
    for key in list(table)[_MOST:]:
        reader.fault((*path, key), f"is one value too many; at most {_MOST} are kept")
    return tuple(_remembered(reader, key, table[key], values) for key in table)


def _remembered(reader: Reader, key: str, value: object, values: Values) -> Remembered:
    path: Path = ("remember", key)
    reader.take(names.key_faults(key, "", (), "value"), path)
    code = values.expression(value, path)
    values.refuse_secrets(code, path)
    if not reader.has_failed(path) and not reader.has_fault(path):
        _check(reader, code, path)
    return Remembered(key, names.identifier(key), code)


def _check(reader: Reader, code: Code, path: Path) -> None:
    """Refuse values that are not from the answer, or that cannot be kept."""
    if code.type in (Type.RECORDS, Type.TEMPLATE, Type.TEMPLATES, Type.SECRET):
        reader.fault(path, f"cannot be remembered: it is {code.type.noun}")
    elif "response" not in code.names():
        problem = "is not part of the answer; write an expression such as 'reply.id'"
        reader.fault(path, problem)


def check(reader: Reader, spec: HandlerSpec) -> None:
    """Refuse a memory without answers, and values that are not used."""
    if not spec.document.get("remember"):
        if "remember" in spec.document:
            reader.fault(("remember",), "is empty; name a value, or remove it")
        return
    if spec.transport != "http":
        problem = "needs requests over HTTP, whose answers it keeps"
        reader.fault(("remember",), problem)
        return
    if reader.failed_at:
        return
    read = frozenset[str]().union(*(each.reads for each in spec.codes()))
    for each in spec.remembered:
        path: Path = ("remember", each.key)
        if f"remember.{each.key}" not in read and not reader.has_fault(path):
            reader.fault(path, f"is not used; write memory.{each.name}, or remove it")
