"""The names that expressions may use in each part of a spec, and their Python."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from scaffold.expressions import functions
from scaffold.expressions.code import (
    FAILED,
    LEVELS,
    Code,
    Item,
    Type,
    dotted,
    name_node,
    rendered,
)
from scaffold.expressions.compiler import Scope
from scaffold.names import identifier
from scaffold.spec.model.settings import (
    UNKNOWN_TYPE,
    ConfigField,
    FieldType,
    LevelMap,
    Option,
    Setting,
    scope_constants,
)


def _event(path: str, type_: Type) -> Code:
    return Code(dotted(f"event.{path}"), type_)


def _of_event(name: str, type_: Type) -> Code:
    made = ast.Call(name_node(name), [name_node("event")], [])
    return Code(made, type_)


def _of_row(field: str, type_: Type) -> Code:
    row = _of_event("first_row", Type.ANY)
    return replace(row, node=ast.Attribute(row.node, field, ast.Load()), type=type_)


EVENT: dict[str, Code] = {
    "id": _event("state.id", Type.STR),
    "message": _event("state.message", Type.STR),
    "details": _event("state.details", Type.STR),
    "level": _event("state.level", Type.LEVEL),
    "time": _event("state.time", Type.TIME),
    "duration": _event("state.duration", Type.DURATION),
    "previous_level": _event("previous_level", Type.LEVEL),
    "topic": _event("topic", Type.STR),
    "name": _event("data.name", Type.STR),
    "task": _event("data.task_name", Type.STR),
    "category": _event("data.category", Type.STR),
    "group": _event("data.group", Type.STR),
    "recoverable": _event("data.recoverable", Type.BOOL),
    "tags": _event("data.tags", Type.MAP),
    "fields": _event("data.fields", Type.FIELDS),
    "result": _of_event("result_tree", Type.FIELDS),
    "data": _of_event("event_tree", Type.FIELDS),
}

EVENT_ROW: dict[str, Code] = {
    "name": _of_row("name", Type.STR),
    "tags": _of_row("tags", Type.MAP),
}


SERVER: dict[str, Code] = {
    "url": Code(dotted("self.server.url"), Type.STR),
    "hostname": Code(dotted("self.server.hostname"), Type.STR),
}

DELIVERY: dict[str, Code] = {
    "key": Code(ast.Call(name_node("delivery_key"), [], []), Type.STR),
}

Constants = Mapping[tuple[str, ...], str]
"""The constants of the scopes of templates, by their names."""

NOW = "now"
"""The variable of generated code with the time of a request."""


def settings(variable: str, table: str, fields: Iterable[Setting]) -> dict[str, Code]:
    """The settings of a dataclass, as attributes of `variable`.

    Args:
        variable: the variable in Python: `config`, `self`.
        table: the table in specs: `config`, `opt`.
        fields: the settings.
    """
    return {identifier(each.key): _setting(variable, table, each) for each in fields}


def _setting(variable: str, table: str, each: Setting) -> Code:
    if each.type is UNKNOWN_TYPE:
        return FAILED
    reads = frozenset({f"{table}.{each.key}"})
    node = dotted(f"{variable}.{each.name}")
    return Code(node, each.type.unrendered, reads=reads, items=items_of(each.type))


def items_of(type_: FieldType, scope: str = "") -> tuple[Item, ...]:
    """The fields of the records of a type, for loops.

    Args:
        type_: the type.
        scope: the constant with the names that its templates may use, or "".
    """
    fields = type_.record.fields if type_.record else ()
    return tuple(
        Item(identifier(each.key), each.name, each.type.unrendered, scope)
        for each in fields
    )


def _for_event(
    variable: str, table: str, fields: Iterable[Setting], constants: Constants
) -> dict[str, Code]:
    """The settings of a dataclass, with templates rendered for the event."""
    found = settings(variable, table, fields)
    for each in fields:
        key, scope = identifier(each.key), constants.get(each.scope, "")
        if each.type.is_template:
            node = found[key].node
            local = each.local if isinstance(each, Option) else ""
            made = (
                Code(name_node(local), each.type.base)
                if local
                else rendered(node, each.type.base, scope)
            )
            found[key] = replace(made, reads=found[key].reads)
        elif each.type.record is not None:
            found[key] = replace(found[key], items=items_of(each.type, scope))
    return found


def level(entry: LevelMap) -> Code:
    """`level.color`: the value for the level of the event."""
    table, key = name_node(entry.constant), dotted("event.state.level")
    sample = entry.default if entry.default is not None else ""
    for value in entry.values.values():
        sample = value
    type_ = {bool: Type.BOOL, int: Type.INT, float: Type.FLOAT}.get(
        type(sample), Type.STR
    )
    node: ast.expr
    if set(entry.values) == set(LEVELS):
        node = ast.Subscript(table, key, ast.Load())
    else:
        default = ast.Constant(entry.default)
        node = ast.Call(ast.Attribute(table, "get", ast.Load()), [key, default], [])
    return Code(node, type_)


# names that are known only where an event is sent
_OF_SENDING = ("server", "delivery", NOW)
_CHECK_HINT = "a rule of [config] can use settings only; use [[check]]"
_CREATE_HINT = "a check at 'create' can use options only; remove at = \"create\""
_DEFAULT_HINT = (
    "a default can use settings only; "
    "write the expression in [[request]], as ${pick(opt.KEY, {expression})}"
)
_FILE_HINT = (
    "certificates are read when the configuration changes; they can use settings only"
)
_CONNECTION_HINT = "a connection can use settings and options only"
_RESPONSE_HINT = (
    "[response] can use status, body, reply, error, parse_error, opt and config only"
)


def of_config(fields: Iterable[Setting], variable: str = "config") -> Scope:
    """The scope where only the configuration is known."""
    elsewhere = dict.fromkeys(("event", "opt", "level", *_OF_SENDING), _CHECK_HINT)
    return Scope({"config": settings(variable, "config", fields)}, {}, elsewhere)


def of_rules(fields: Iterable[Setting], *, is_shown: bool = False) -> Scope:
    """The scope that the rules of all settings share.

    Args:
        fields: all settings.
        is_shown: true for error texts, where URLs are redacted.
    """
    scope = of_config(fields, "self")
    if not is_shown:
        return scope
    table = dict(scope.tables["config"])
    for each in fields:
        if isinstance(each, ConfigField) and each.is_url and not each.is_secret:
            key = identifier(each.key)
            table[key] = _redacted(table[key])
    return replace(scope, tables={"config": table})


def of_rule(rules: Scope, field: ConfigField) -> Scope:
    """The scope of the rule of one setting, which is called `value` there."""
    return rules.with_name("value", rules.tables["config"][identifier(field.key)])


def _redacted(url: Code) -> Code:
    """A URL without user and query."""
    return replace(url, node=ast.Call(name_node("hidden_url"), [url.node], []))


def of_default(known: Mapping[str, Code], key: str) -> Scope:
    """The scope of the default of the option `key`; `known` are the settings."""
    hint = _DEFAULT_HINT.replace("KEY", identifier(key))
    elsewhere = dict.fromkeys(("event", "level", *_OF_SENDING), hint)
    return Scope({"config": known}, {}, elsewhere)


def of_rendered_default(
    fields: Collection[Setting],
    options: Collection[Setting],
    levels: Collection[LevelMap],
) -> Scope:
    """The scope of the default of a template, which is used where an event is sent."""
    scope = of_event(fields, options, levels)
    tables = {key: table for key, table in scope.tables.items() if key != "opt"}
    hint = "a default can use settings and the event, but no other option"
    return replace(scope, tables=tables, elsewhere={"opt": hint})


def of_options(options: Iterable[Option]) -> Scope:
    """The scope where a handler is defined."""
    known = list(options)
    shown = [each for each in known if not (each.alias_of or each.local)]
    table = settings("self", "opt", shown)
    for each in known:
        key = identifier(each.alias_of)
        if key in table:
            other = _setting("self", "opt", each)
            table[key] = functions.either([table[key], other], ast.Or())
    elsewhere = dict.fromkeys(("config", "event", "level", *_OF_SENDING), _CREATE_HINT)
    return Scope({"opt": table}, {}, elsewhere)


def of_event(
    fields: Collection[Setting],
    options: Collection[Setting],
    levels: Collection[LevelMap],
) -> Scope:
    """The scope where an event is sent."""
    constants = scope_constants((*fields, *options), levels)
    shown = [
        each for each in options if not (isinstance(each, Option) and each.alias_of)
    ]
    tables: Mapping[str, Mapping[str, Code]] = {
        "config": _for_event("config", "config", fields, constants),
        "opt": _for_event("options", "opt", shown, constants),
        "event": EVENT,
        "event.row": EVENT_ROW,
        "level": {identifier(each.key): level(each) for each in levels},
        "server": SERVER,
        "delivery": DELIVERY,
    }
    return Scope(tables, {NOW: Code(name_node(NOW), Type.TIME)})


def of_files(fields: Iterable[Setting]) -> Scope:
    """The scope of the files of certificates."""
    elsewhere = dict.fromkeys(("event", "opt", "level", *_OF_SENDING), _FILE_HINT)
    return Scope({"config": settings("config", "config", fields)}, {}, elsewhere)


def of_connection(fields: Iterable[Setting], options: Iterable[Option]) -> Scope:
    """The scope of the settings of a connection."""
    elsewhere = dict.fromkeys(("event", "level", *_OF_SENDING), _CONNECTION_HINT)
    shown = [option for option in options if not option.alias_of]
    tables = {
        "config": settings("config", "config", fields),
        "opt": settings("options", "opt", shown),
    }
    return Scope(tables, {}, elsewhere)


def of_words(response: Scope) -> Scope:
    """The scope of error messages, in which the error text of a response has a name."""
    return response.with_name("error", Code(name_node("error"), Type.STR))


def of_response(
    fields: Iterable[Setting], options: Iterable[Option], error_key: str, title: str
) -> Scope:
    """The scope where a response is read.

    Args:
        fields: the settings.
        options: the options.
        error_key: path of the error text in its JSON.
        title: name of the service.
    """
    response = name_node("response")
    arguments = [response, ast.Constant(error_key), ast.Constant(title)]
    names = {
        "status": Code(dotted("response.status"), Type.INT),
        "body": Code(dotted("response.text"), Type.STR),
        "reply": Code(dotted("response.json"), Type.ANY),
        "error": Code(
            ast.Call(name_node("error_text"), list(arguments), []),
            Type.STR,
        ),
        "parse_error": Code(
            ast.Call(name_node("parse_error"), [response], []),
            Type.STR,
        ),
    }
    elsewhere = dict.fromkeys(("event", "level", *_OF_SENDING), _RESPONSE_HINT)
    shown = [option for option in options if not option.alias_of]
    tables = {
        "config": settings("config", "config", fields),
        "opt": settings("options", "opt", shown),
    }
    return Scope(tables, names, elsewhere)
