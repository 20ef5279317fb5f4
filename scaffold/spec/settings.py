"""The tables of a spec with settings of a type: `[config]`, `[option]`, `[level]`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from runtime.alert.types import SCOPE_NAMES
from scaffold import names
from scaffold.expressions.code import LEVELS, Code, Type
from scaffold.expressions.compiler import Scope
from scaffold.names import Names
from scaffold.spec import keys, records, scopes
from scaffold.spec.handler import read_doc
from scaffold.spec.literals import FITTING, read_value
from scaffold.spec.model.settings import (
    ARGUMENT_TYPES,
    TYPE_ALIASES,
    TYPES,
    UNKNOWN_TYPE,
    ConfigField,
    FieldType,
    LevelMap,
    Option,
    Record,
    Setting,
)
from scaffold.spec.reader import Path, Reader
from scaffold.spec.values import Values
from scaffold.spec.variables import RESERVED, variables

_PROPERTY = re.compile("[a-zA-Z][a-zA-Z0-9]{0,39}")
_ALIAS = re.compile("[a-z][a-zA-Z0-9]{0,39}")
# the keys that the flags of a handler add
RESERVED_CONFIG = ("enabled", "global_", "state_changes_only")
# constants that the module of a service may import
IMPORTED = ("hour", "minute", "second", "millisecond", "no_secret")
# names that generated code may use beside its variables
_BUILTINS = ("bytes", "dict", "float", "int", "list", "object", "tuple", "type")
_STRINGS = (Type.STR, Type.SECRET)
# the types that the default of an option may have besides its own
_WIDER: dict[Type, tuple[Type, ...]] = {
    Type.SECRET: (Type.STR,),
    Type.VALUES: (Type.LIST,),
    Type.ANY: tuple(each for each in Type if each is not Type.SECRET),
}
_URL = "must be http:// or https:// with a host, without user and password"


def read_config(reader: Reader, table: Mapping[str, Any]) -> tuple[ConfigField, ...]:
    """The keys of `[config]`."""
    _same_names(reader, table, ("config",))
    entries = {
        key: reader.entry(entry, ("config", key), keys.CONFIG)
        for key, entry in table.items()
    }
    bare = [
        _config_field(reader, key, entries[key], table[key], ("config", key))
        for key in table
    ]
    _check_former(reader, bare, "config", RESERVED_CONFIG)
    rules = scopes.of_rules(bare)
    shown = scopes.of_rules(bare, is_shown=True)
    return tuple(
        _checked(
            reader,
            field,
            entries[field.key],
            Values(reader, scopes.of_rule(rules, field)),
            Values(reader, scopes.of_rule(shown, field)),
        )
        for field in bare
    )


def _checked(
    reader: Reader,
    field: ConfigField,
    entry: Mapping[str, Any],
    values: Values,
    texts: Values,
) -> ConfigField:
    """The field with its rules, from `values`, and their texts; each may read all fields."""
    path: Path = ("config", field.key)
    check = None
    if entry.get("check", "url") != "url":
        check = values.expression(entry["check"], (*path, "check"))
    return replace(
        field,
        check=check,
        error=_error(texts, entry, path, "error", f"must specify {field.key}"),
        check_error=_error(
            texts,
            entry,
            path,
            "check_error",
            "" if field.is_url else f"invalid {field.key}",
        ),
    )


def _error(
    texts: Values, entry: Mapping[str, Any], path: Path, key: str, usual: str
) -> Code | None:
    """The text of an error; None if it has none."""
    text = entry.get(key, usual)
    if text == "":
        return None
    code = texts.text(text, (*path, key))
    texts.refuse_secrets(code, (*path, key))
    return code


def _config_field(
    reader: Reader, key: str, entry: Mapping[str, Any], raw: object, path: Path
) -> ConfigField:
    """A key of `[config]`; `entry` has the valid part of `raw`."""
    reader.take(names.key_faults(key, "", RESERVED_CONFIG), path)
    _errors(reader, entry, path)
    type_ = records.read(reader, entry, path) or _type(entry, raw)
    scope = _scope(reader, entry, path, type_)
    is_url = type_.name == "url" or entry.get("check") == "url"
    if entry.get("secret"):
        if not _is_text(type_):
            problem = f"a setting of type {type_.name} cannot be secret"
            reader.fault((*path, "secret"), problem, "str, url")
        type_ = TYPES["secret"]
    elif is_url and not _is_text(type_):
        problem = f"a setting of type {type_.name} cannot be a URL"
        reader.fault((*path, "check"), problem, "str, secret")
        is_url = False
    default = read_value(reader, entry, path, "default", type_)
    if is_url and default:
        _check_url(reader, default, (*path, "default"))
    return ConfigField(
        key,
        type_,
        default,
        read_doc(reader, entry, path),
        example=_example(reader, entry, path, type_),
        formerly=_names(entry, "formerly"),
        scope=scope,
        required=entry.get("required", ""),
        is_url=is_url,
    )


def _scope(
    reader: Reader, entry: Mapping[str, Any], path: Path, type_: FieldType
) -> tuple[str, ...]:
    """The names that templates may use; none for the usual ones."""
    has_templates = type_.is_template or (
        type_.record is not None
        and any(each.type.is_template for each in type_.record.fields)
    )
    if "scope" in entry and not has_templates and type_ is not UNKNOWN_TYPE:
        reader.fault((*path, "scope"), "has no effect without a template")
        return ()
    if entry.get("scope") == []:
        reader.fault(
            (*path, "scope"), "is empty; name at least one", ", ".join(SCOPE_NAMES)
        )
    return tuple(entry.get("scope", ()))


def _is_text(type_: FieldType) -> bool:
    """True for strings; an unknown type is a fault of its own."""
    return type_.base in _STRINGS or type_ is UNKNOWN_TYPE


def _errors(reader: Reader, entry: Mapping[str, Any], path: Path) -> None:
    """Refuse error texts of rules that a setting does not have."""
    if "error" in entry and "required" not in entry:
        reader.fault((*path, "error"), "has no effect without 'required'")
    has_rule = "check" in entry or entry.get("type") == "url"
    if "check_error" in entry and not has_rule:
        reader.fault((*path, "check_error"), "has no effect without 'check'")


def _type(entry: Mapping[str, Any], raw: object) -> FieldType:
    """The type of a setting; without one, that of its default."""
    if "type" in entry:
        name = entry["type"]
        return TYPES[TYPE_ALIASES.get(name, name)]
    if isinstance(raw, dict) and "type" in raw:
        return UNKNOWN_TYPE
    value = entry.get("default", entry.get("initial", ""))
    return TYPES[FITTING.get(type(value), ("str",))[0]]


def _example(
    reader: Reader, entry: Mapping[str, Any], path: Path, type_: FieldType
) -> Any:
    """The value that the author gives for tests; never a secret."""
    if "examples" not in entry:
        return None
    if type_.base is Type.SECRET:
        type_ = TYPES["str"]
    return read_value(reader, entry, path, "examples", type_)


def _check_url(reader: Reader, url: str, path: Path) -> None:
    """Refuse a default to which no request could be sent."""
    try:
        parts = urlsplit(url)
    except ValueError:
        reader.fault(path, f"{url!r} is not a URL; it {_URL}")
        return
    if "@" in parts.netloc:
        reader.fault(
            path, f"has a user or password, which would be committed; it {_URL}"
        )
    elif parts.scheme not in ("http", "https") or not parts.hostname:
        reader.fault(path, f"{url!r} is not the URL of a server; it {_URL}")
    elif not url.isprintable() or " " in url:
        reader.fault(path, f"{url!r} has characters that are not allowed in URLs")
    elif "{" in url or "}" in url:
        hint = "write ${…} in 'url' and 'path' of [[request]]"
        reader.fault(path, f"{url!r} is used as it is; {hint}")


def read_options(
    reader: Reader,
    table: Mapping[str, Any],
    config: Collection[ConfigField],
    handler: Names,
) -> tuple[Option, ...]:
    """The keys of `[option]`."""
    _same_names(reader, table, ("option",))
    by_name = {field.name: field for field in config}
    records_ = [each.type.record for each in config if each.type.record]
    known = scopes.settings("config", "config", config)
    options: list[Option] = []
    for key, raw in table.items():
        path: Path = ("option", key)
        entry = reader.entry(raw, path, keys.OPTION)
        values = Values(reader, scopes.of_default(known, key))
        option = _option(reader, key, entry, raw, values, by_name, records_)
        tick = _tick(reader, key, entry, raw, handler)
        former = _former_ticks(reader, option, entry, tick, handler)
        is_argument = entry.get("args", False)
        option = replace(
            option, tick=tick, former_ticks=former, is_argument=is_argument
        )
        options.append(option)
        if option.type.record and option.type.record not in records_:
            records_.append(option.type.record)
        options += [_alias(option, each) for each in option.aliases]
    options = _named_apart(reader, options)
    _check_former(reader, options, "option")
    _check_ticks(reader, options)
    _check_arguments(reader, options)
    return tuple(options)


def _check_former(
    reader: Reader,
    fields: Sequence[Setting],
    table: str,
    reserved: Sequence[str] = (),
) -> None:
    """Refuse former names that are invalid, or that other fields have."""
    owners = {names.identifier(each.key): each.key for each in fields}
    for field in fields:
        for name in field.formerly:
            path: Path = (table, field.key, "formerly")
            reader.take(names.key_faults(name, "", reserved), path)
            owner = owners.setdefault(names.identifier(name), field.key)
            if name == field.key:
                reader.fault(path, f"{name!r} is its present name")
            elif owner != field.key:
                reader.fault(path, f"{name!r} belongs to the field {owner!r}")
            elif field.formerly.count(name) > 1:
                reader.fault(path, f"{name!r} is there twice")


def _check_arguments(reader: Reader, options: Sequence[Option]) -> None:
    """Refuse arguments of the handler that a call could not distinguish."""
    own = [each for each in options if each.is_argument and not each.alias_of]
    for at, option in enumerate(own):
        path: Path = ("option", option.key, "args")
        if option.type.name not in ARGUMENT_TYPES and option.type is not UNKNOWN_TYPE:
            problem = f"an option of type {option.type.name} cannot be an argument"
            reader.fault(path, problem, ", ".join(ARGUMENT_TYPES))
        elif option.type.base is Type.LIST and option is not own[-1]:
            problem = f"takes all further arguments, also those of {own[at + 1].key!r}"
            reader.fault(path, f"{problem}; put the list last")


def with_templates(
    reader: Reader,
    document: Mapping[str, Any],
    config: Collection[ConfigField],
    options: Collection[Option],
    levels: Collection[LevelMap],
) -> tuple[Option, ...]:
    """The options; templates with their variables and the defaults of their texts.

    Args:
        reader: collects faults.
        document: the spec.
        config: its settings.
        options: its options, without the defaults of templates.
        levels: its values by level.
    """
    values = Values(reader, scopes.of_rendered_default(config, options, levels))
    taken = {*RESERVED, *_BUILTINS, scopes.NOW, *variables(document)}
    made = []
    for option in options:
        if not option.type.is_template or option.alias_of:
            made.append(option)
            continue
        local = names.identifier(names.snake_case(option.key))
        while local in taken:
            local = f"{local.rstrip('_')}_text"
        taken.add(local)
        entry = document["option"][option.key]
        text = entry.get("default") if isinstance(entry, dict) else None
        fallback = None
        if text is not None:
            path: Path = ("option", option.key, "default")
            fallback = values.expression(text, path)
            _check_fallback(reader, fallback, option.type, path)
        made.append(replace(option, local=local, fallback=fallback))
    return tuple(made)


def _check_ticks(reader: Reader, options: Sequence[Option]) -> None:
    """Refuse two options with one TICKscript property."""
    own = {option.key for option in options if not option.alias_of}
    ticks = [
        option.tick.lower()
        for option in options
        # an alias that is the key of another option has a fault already
        if option.tick and not (option.alias_of and option.key in own)
    ]
    for option in options:
        for former in option.former_ticks:
            if former.lower() in ticks:
                problem = f"another option has the property {former!r}"
                reader.fault(("option", option.key, "formerly"), problem)
        if option.tick and ticks.count(option.tick.lower()) > 1 and not option.alias_of:
            problem = f"another option has the property {option.tick!r}"
            reader.fault(("option", option.key, "tick"), problem)


def _option(
    reader: Reader,
    key: str,
    entry: Mapping[str, Any],
    raw: object,
    values: Values,
    config: Mapping[str, ConfigField],
    known: Collection[Record],
) -> Option:
    """A key of `[option]`; `entry` has the valid part of `raw`.

    The default of a template is read when all options are known.
    """
    path: Path = ("option", key)
    reader.take(names.key_faults(key, ""), path)
    type_ = records.read(reader, entry, path, known)
    type_ = type_ or _option_type(entry, raw, config)
    scope = _scope(reader, entry, path, type_)
    fallback = None
    if "default" in entry and not type_.is_template:
        fallback = values.expression(entry["default"], (*path, "default"))
        _check_fallback(reader, fallback, type_, (*path, "default"))
    is_early = entry.get("bind") == "create"
    if is_early and "default" not in entry:
        reader.fault((*path, "bind"), "has no effect without 'default'")
    if is_early and (type_.is_template or type_.record is not None):
        problem = f"an option of type {type_.name} has its default for each event"
        reader.fault((*path, "bind"), problem, '"send"')
        is_early = False
    if is_early and "initial" in entry:
        reader.fault((*path, "initial"), 'conflicts with bind = "create"')
    return Option(
        key,
        type_,
        read_value(reader, entry, path, "initial", type_),
        read_doc(reader, entry, path),
        example=_example(reader, entry, path, type_),
        scope=scope,
        fallback=fallback,
        is_bound_early=is_early,
        formerly=_names(entry, "formerly"),
        aliases=_aliases(reader, entry, path),
    )


def _check_fallback(
    reader: Reader, fallback: Code, type_: FieldType, path: Path
) -> None:
    """Refuse a default of another type than its option."""
    wanted = {type_.base, *_WIDER.get(type_.base, ())}
    is_known = path not in reader.failed_at and type_ is not UNKNOWN_TYPE
    if is_known and fallback.type not in wanted:
        problem = f"is {fallback.type.noun}, but the option has type {type_.name}"
        reader.fault(path, problem)
    elif is_known and fallback.items != scopes.items_of(type_):
        reader.fault(path, "has records with other fields than the option")


def _option_type(
    entry: Mapping[str, Any], raw: object, config: Mapping[str, ConfigField]
) -> FieldType:
    """The given type, or that of the setting that the option falls back to."""
    is_given = isinstance(raw, dict) and "type" in raw
    if not is_given and "default" in entry:
        field = config.get(entry["default"].strip().removeprefix("config."))
        if field is not None and entry["default"].strip().startswith("config."):
            return TYPES["str"] if field.type.name == "url" else field.type
    return _type({**entry, "default": entry.get("initial", "")}, raw)


def _tick(
    reader: Reader, key: str, entry: Mapping[str, Any], raw: object, handler: Names
) -> str | None:
    """The TICKscript property of an option, or None."""
    tick: str | bool = entry.get("tick", names.camel_case(key))
    is_wrong = isinstance(raw, dict) and "tick" in raw and "tick" not in entry
    if tick is False or is_wrong:
        return None
    if isinstance(tick, bool) or not _PROPERTY.fullmatch(tick):
        if "tick" in entry:
            problem = f"{tick!r} is not a property; use letters and digits, or false"
            reader.fault(("option", key, "tick"), problem)
        return None
    if "tick" not in entry and tick in names.ALERT_PROPERTIES:
        return f"{handler.property}{tick[:1].upper()}{tick[1:]}"
    return tick


def _former_ticks(
    reader: Reader,
    option: Option,
    entry: Mapping[str, Any],
    tick: str | None,
    handler: Names,
) -> tuple[str, ...]:
    """The properties that an option had under its former keys; a given property stays."""
    if tick is None or "tick" in entry:
        return ()
    found = (_tick(reader, old, {}, {}, handler) for old in option.formerly)
    return tuple(
        dict.fromkeys(each for each in found if each and each.lower() != tick.lower())
    )


def _names(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The names of a key whose value is a name or a list of names."""
    raw = entry.get(key, ())
    return (raw,) if isinstance(raw, str) else tuple(raw)


def _aliases(reader: Reader, entry: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    kept = []
    for index, alias in enumerate(_names(entry, "alias")):
        if _ALIAS.fullmatch(alias):
            kept.append(alias)
        else:
            problem = f"{alias!r} is not an option name; use letters and digits"
            reader.fault((*path, "alias", index), problem)
    return tuple(kept)


def _named_apart(reader: Reader, options: Sequence[Option]) -> list[Option]:
    """The options, with another Python name for aliases that need one."""
    taken_keys = {option.key for option in options if not option.alias_of}
    taken = {option.name for option in options if not option.alias_of}
    named = []
    for option in options:
        if option.alias_of:
            if option.key in taken_keys:
                problem = f"{option.key!r} is the key of another option"
                reader.fault(("option", option.alias_of, "alias"), problem)
            taken_keys.add(option.key)
            name = option.name
            while name in taken:
                name = f"{name}_alias"
            taken.add(name)
            option = replace(option, own_name=name)
        named.append(option)
    return named


def _alias(option: Option, alias: str) -> Option:
    return Option(
        names.snake_case(alias).replace("_", "-") if alias.islower() else alias,
        option.type,
        option.type.empty,
        f"another name of `{option.name}`.",
        tick=alias if option.tick else None,
        alias_of=option.key,
    )


def read_levels(reader: Reader, table: Mapping[str, Any]) -> tuple[LevelMap, ...]:
    """The tables `[level.NAME]`."""
    return tuple(_level(reader, key, entry) for key, entry in table.items())


def _level(reader: Reader, key: str, raw: object) -> LevelMap:
    path: Path = ("level", key)
    reader.take(names.key_faults(key, "", IMPORTED, "value per level"), path)
    entry = reader.entry(raw, path, keys.LEVEL)
    if raw == {}:
        listed = ", ".join((*LEVELS, "default"))
        reader.fault(path, "is empty; give it a value for some level", listed)
    if len({type(value) for value in entry.values()}) > 1:
        problem = "mixes types; its values must be all strings, numbers or booleans"
        reader.fault(path, problem)
    values = Values(reader, Scope())
    for level, value in entry.items():
        if isinstance(value, (int, float)):
            values.value(value, (*path, level))
    empty = next(map(type, entry.values()), str)()
    by_level = {level: entry[level] for level in LEVELS if level in entry}
    return LevelMap(key, by_level, entry.get("default", empty))


def _same_names(reader: Reader, table: Mapping[str, Any], path: Path) -> None:
    for first, second in names.same_names(table):
        reader.fault((*path, second), f"has the same Python name as {first!r}")
