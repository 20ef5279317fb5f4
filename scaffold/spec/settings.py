"""The tables of a spec that say what a handler has: names, configuration, options, levels."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from runtime.golang.durations import parse_go
from scaffold import names, prose
from scaffold.expressions.compiler import Scope
from scaffold.names import Names
from scaffold.spec import scopes
from scaffold.spec.draft import looks_like_token
from scaffold.spec.model import (
    FLAGS,
    LEVELS,
    TYPE_ALIASES,
    TYPES,
    UNKNOWN_TYPE,
    ConfigField,
    FieldType,
    LevelMap,
    Option,
)
from scaffold.spec.reader import Path, Reader, kind_of
from scaffold.spec.values import Values

_FILLED_IN = re.compile(r"\$\{[^{}]+\}")
_TITLE_LENGTH = 60
_TEXT_LENGTH = 500
_CONFIG_TYPES = tuple(name for name in TYPES if name != "flag")
_OPTION_TYPES = tuple(TYPES)
_CONFIG_KEYS = (
    "type", "default", "doc", "secret", "required", "error", "check", "check_error",
)  # fmt: skip
_OPTION_KEYS = ("type", "doc", "tick", "alias", "default", "bind", "initial")
_LATER_OPTION_KEYS = ("template", "scope", "fields", "append", "unused")
_LATER_HANDLER_KEYS = ("tls", "transport", "args", "wrap")
# the keys that the flags of a handler bring
_RESERVED_CONFIG = ("enabled", "global_", "state_changes_only")
# constants that the module of a service may import
_IMPORTED = ("hour", "minute", "second", "millisecond", "no_secret")
_OWN_DEFAULTS: dict[type, tuple[str, ...]] = {
    str: ("str", "url"),
    bool: ("bool", "flag"),
    int: ("int", "float", "duration"),
    float: ("float",),
    list: ("list[str]",),
    dict: ("map[str]",),
}


def read_names(
    reader: Reader,
    table: Mapping[str, Any],
    kinds: Collection[str],
    taken: Collection[str],
) -> Names:
    """The names of `[handler]`.

    Args:
        reader: collects faults.
        table: the table.
        kinds: the kinds of other handlers.
        taken: their TICKscript properties.
    """
    path: Path = ("handler",)
    kind = reader.value(table, path, "name", str, "")
    if "name" not in table:
        reader.fault((*path, "name"), "is missing", "the handler's name")
        return Names("handler", "handler")
    kind_faults = names.kind_faults(kind, "", kinds)
    reader.take(kind_faults, (*path, "name"))
    property = reader.value(table, path, "property", str, names.default_property(kind))
    if not kind_faults or "property" in table:
        reader.take(names.property_faults(property, "", taken), (*path, "property"))
    return Names(kind, property)


def read_title(reader: Reader, table: Mapping[str, Any], handler: Names) -> str:
    """How people call the service."""
    if "title" not in table:
        return handler.class_name
    path: Path = ("handler", "title")
    title = _words(reader, table, ("handler",), "title", _TITLE_LENGTH)
    if title and not any(char.isalnum() for char in title):
        reader.fault(path, f"{title!r} is no title", "words")
    elif isinstance(table["title"], str) and not prose.folded(table["title"]):
        reader.fault(path, "is empty", "words")
    return title or handler.class_name


def _words(
    reader: Reader, table: Mapping[str, Any], path: Path, key: str, most: int
) -> str:
    """What people will read, on one line; it may say anything."""
    text = reader.value(table, path, key, str, "")
    place = (*path, key)
    odd = prose.forbidden(text)
    if odd:
        reader.fault(place, f"holds the character {odd}", "a text without it")
    elif len(text) > most:
        reader.fault(place, f"has {len(text)} characters", f"at most {most}")
    else:
        return prose.folded(text)
    return ""


def read_flags(reader: Reader, table: Mapping[str, Any]) -> tuple[str, ...]:
    """Which of Kapacitor's switches the configuration has."""
    path: Path = ("handler", "flags")
    flags = reader.texts(table, ("handler",), "flags") or ["enabled"]
    for flag in flags:
        if flag not in FLAGS:
            guess = names.closest(flag, FLAGS)
            reader.fault(path, f"{flag!r} is not known", ", ".join(FLAGS), guess)
    if "enabled" not in flags:
        reader.fault(path, "'enabled' is missing: every handler can be switched off")
    if "state-changes-only" in flags and "global" not in flags:
        reader.fault(path, "'state-changes-only' has a meaning only with 'global'")
    return tuple(flag for flag in FLAGS if flag in flags)


def read_doc(
    reader: Reader,
    table: Mapping[str, Any],
    path: Path,
    key: str = "doc",
    proper: Collection[str] = (),
) -> str:
    """What a person says of something, as a sentence that continues a line.

    Args:
        reader: collects faults.
        table: where it stands.
        path: the table's place.
        key: its key.
        proper: names, which keep their capitals.
    """
    text = _words(reader, table, path, key, _TEXT_LENGTH)
    return prose.continued(prose.sentence(text), proper)


def read_handler_keys(reader: Reader, table: Mapping[str, Any]) -> None:
    """Refuse the keys of `[handler]` that are not known."""
    known = ("name", "title", "summary", "property", "flags")
    reader.keys(table, ("handler",), known, _LATER_HANDLER_KEYS)


def read_config(reader: Reader, table: Mapping[str, Any]) -> tuple[ConfigField, ...]:
    """The keys of `[config]`."""
    _same_names(reader, table, ("config",))
    bare = [
        _config_field(reader, key, value, ("config", key))
        for key, value in table.items()
    ]
    values = Values(reader, scopes.configured(bare, "self"))
    return tuple(_checked(each, table[each.key], values) for each in bare)


def _checked(field: ConfigField, entry: object, values: Values) -> ConfigField:
    """The field with its rule, which may look at all fields."""
    if not isinstance(entry, dict) or entry.get("check") in (None, "url"):
        return field
    check = values.expression(entry["check"], ("config", field.key, "check"))
    return replace(field, check=check)


def _config_field(reader: Reader, key: str, entry: object, path: Path) -> ConfigField:
    reader.take(names.key_faults(key, "", _RESERVED_CONFIG), path)
    table = _entry(reader, entry, path)
    reader.keys(table, path, _CONFIG_KEYS)
    type_ = read_type(reader, table, path, _CONFIG_TYPES)
    if reader.value(table, path, "secret", bool, False):
        if type_.name not in ("str", "url", "secret"):
            reader.fault((*path, "secret"), f"a {type_.name} cannot be secret", "str")
        is_url = type_.name == "url" or table.get("check") == "url"
        type_ = TYPES["secret"]
    else:
        is_url = type_.name == "url" or table.get("check") == "url"
    required = reader.choice(table, path, "required", ("enabled", "always"), "")
    error = reader.value(table, path, "error", str, f"must specify {key}")
    for text in ("error", "check_error"):
        if _FILLED_IN.search(str(table.get(text, ""))):
            problem = "is printed as it is written: ${…} is not filled in here"
            reader.warn((*path, text), problem, "a [[check]], whose error is")
    if "error" in table and not required:
        reader.fault((*path, "error"), "is said of nothing", "with 'required'")
    check_error = reader.value(table, path, "check_error", str, "")
    if "check_error" in table and "check" not in table and not is_url:
        reader.fault((*path, "check_error"), "is said of nothing", "with 'check'")
    if is_url and type_.base not in (TYPES["str"].base, TYPES["secret"].base):
        reader.fault((*path, "check"), f"a {type_.name} is no URL", "str")
    default = read_default(reader, table, path, "default", type_)
    if is_url and default:
        _check_url(reader, default, (*path, "default"))
    return ConfigField(
        key,
        type_,
        default,
        read_doc(reader, table, path),
        required=required,
        error=error,
        is_url=is_url,
        check_error=check_error or ("" if is_url else f"invalid {key}"),
    )


def read_type(
    reader: Reader, table: Mapping[str, Any], path: Path, allowed: Collection[str]
) -> FieldType:
    """The type of a setting; without one, that of its default."""
    if "type" not in table:
        for wanted, fitting in _OWN_DEFAULTS.items():
            if type(table.get("default", table.get("initial", ""))) is wanted:
                return TYPES[fitting[0]]
        return TYPES["str"]
    known = [*allowed, *TYPE_ALIASES]
    name = reader.choice(table, path, "type", known, "")
    return TYPES.get(TYPE_ALIASES.get(name, name), UNKNOWN_TYPE)


def read_default(
    reader: Reader, table: Mapping[str, Any], path: Path, key: str, type_: FieldType
) -> Any:
    """A default value, checked against its type."""
    if key not in table or type_ is UNKNOWN_TYPE:
        return type_.empty
    value, place = table[key], (*path, key)
    if type_.name == "secret":
        reader.fault(place, "a secret has no default: it would be committed")
    elif type_.name == "duration" and isinstance(value, str):
        return _duration(reader, value, place)
    elif type_.name not in _OWN_DEFAULTS.get(type(value), ()):
        reader.fault(place, f"is {kind_of(value)}, not a {type_.name}")
    elif type_.name == "list[str]":
        return tuple(reader.texts(table, path, key))
    elif type_.name == "map[str]":
        return _text_map(reader, value, place)
    elif isinstance(value, str) and looks_like_token(value):
        reader.fault(place, "looks like a token: it would be committed")
    elif type(value) is int and not -(1 << 63) <= value < 1 << 63:
        reader.fault(place, "is too large", "a number of 64 bits")
    elif isinstance(value, float) and value - value != 0:
        reader.fault(place, f"is {value}, which JSON cannot say", "a finite number")
    else:
        return float(value) if type_.name == "float" else value
    return type_.empty


def _duration(reader: Reader, text: str, path: Path) -> int:
    try:
        duration = parse_go(text)
    except ValueError:
        reader.fault(path, f"{text!r} is no duration", "as 10s, 1m30s, 500ms")
        return 0
    if duration < 0:
        reader.fault(path, f"{text!r} is less than nothing", "as 10s, 1m30s, 500ms")
    return duration


def _check_url(reader: Reader, url: str, path: Path) -> None:
    """Refuse a default that is no URL to send requests to."""
    allowed = "http:// or https://, a host, no user and password"
    try:
        parts = urlsplit(url)
    except ValueError:
        reader.fault(path, f"{url!r} is no URL", allowed)
        return
    if "@" in parts.netloc:
        reader.fault(path, "holds a user or a password: it would be committed", allowed)
    elif parts.scheme not in ("http", "https") or not parts.hostname:
        reader.fault(path, f"{url!r} is no URL of a server", allowed)
    elif not url.isprintable() or " " in url:
        reader.fault(path, f"{url!r} holds characters that no URL has", allowed)
    elif "{" in url or "}" in url:
        reader.fault(
            path, f"{url!r} is not filled in", "${…} in 'url' and 'path' of [[request]]"
        )


def _text_map(reader: Reader, value: Mapping[str, Any], path: Path) -> dict[str, str]:
    for key, each in value.items():
        if not isinstance(each, str):
            reader.fault((*path, key), f"is {kind_of(each)}", "a text")
    return {key: each for key, each in value.items() if isinstance(each, str)}


def read_options(
    reader: Reader, table: Mapping[str, Any], config: Collection[ConfigField]
) -> tuple[Option, ...]:
    """The keys of `[option]`."""
    _same_names(reader, table, ("option",))
    values = Values(reader, scopes.configured(config))
    options: list[Option] = []
    for key, entry in table.items():
        option = _option(
            reader, key, entry, values, {each.key: each for each in config}
        )
        options.append(option)
        options += [_alias(option, each) for each in option.aliases]
    options = _named_apart(reader, options)
    ticks = [option.tick.lower() for option in options if option.tick]
    for option in options:
        if option.tick and ticks.count(option.tick.lower()) > 1 and not option.alias_of:
            reader.fault(
                ("option", option.key, "tick"),
                f"another option has the property {option.tick!r}",
            )
    return tuple(options)


def _option(
    reader: Reader,
    key: str,
    entry: object,
    values: Values,
    config: Mapping[str, ConfigField],
) -> Option:
    path: Path = ("option", key)
    reader.take(names.key_faults(key, ""), path)
    table = _entry(reader, entry, path)
    if table.get("type") == "records":
        reader.fault((*path, "type"), "'records' is not known to this version")
        table = {name: each for name, each in table.items() if name != "type"}
    reader.keys(table, path, _OPTION_KEYS, _LATER_OPTION_KEYS)
    type_ = _option_type(reader, table, path, config)
    fallback = None
    if "default" in table:
        fallback = values.expression(table["default"], (*path, "default"))
        wanted = (
            {type_.base, TYPES["str"].base} if type_.name == "secret" else {type_.base}
        )
        if fallback.type not in wanted and type_ is not UNKNOWN_TYPE:
            reader.fault(
                (*path, "default"),
                f"gives a {fallback.type} where the option is a {type_.name}",
            )
    is_early = (
        reader.choice(table, path, "bind", ("create", "send"), "send") == "create"
    )
    if is_early and fallback is None:
        reader.fault((*path, "bind"), "has a meaning only with 'default'")
    initial = read_default(reader, table, path, "initial", type_)
    if is_early and "initial" in table:
        reader.fault((*path, "initial"), 'cannot stand beside bind = "create"')
    return Option(
        key,
        type_,
        initial,
        read_doc(reader, table, path),
        tick=_tick(reader, key, table, path),
        fallback=fallback,
        is_bound_early=is_early,
        aliases=_aliases(reader, table, path),
    )


def _option_type(
    reader: Reader,
    table: Mapping[str, Any],
    path: Path,
    config: Mapping[str, ConfigField],
) -> FieldType:
    """The type that is said, or that of the configuration it falls back to."""
    default = table.get("default")
    if "type" not in table and isinstance(default, str):
        for field in config.values():
            if default.strip() == f"config.{field.name}":
                return TYPES["str"] if field.type.name == "url" else field.type
    if "type" not in table and "initial" not in table:
        return TYPES["str"]
    return read_type(reader, table, path, _OPTION_TYPES)


def _tick(reader: Reader, key: str, table: Mapping[str, Any], path: Path) -> str | None:
    place = (*path, "tick")
    said = table.get("tick")
    if said is False:
        return None
    tick = names.camel_case(key) if "tick" not in table else said
    if not isinstance(tick, str) or not re.fullmatch("[a-zA-Z][a-zA-Z0-9]{0,39}", tick):
        reader.fault(place, f"{tick!r} is no property", "a name, or false for none")
        return None
    if "tick" not in table and tick in names.ALERT_PROPERTIES:
        reader.fault(
            place,
            f"the property {tick!r} would hide the one of the alert node",
            f'another name, or in a spec tick = "{tick}" or tick = false',
        )
    return tick


def _aliases(reader: Reader, table: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    said = table.get("alias", [])
    if isinstance(said, str):
        said = [said]
    kept = []
    for index, alias in enumerate(reader.texts({"alias": said}, path, "alias")):
        if re.fullmatch("[a-z][a-zA-Z0-9]{0,39}", alias):
            kept.append(alias)
        else:
            reader.fault((*path, "alias", index), f"{alias!r} is no name of an option")
    return tuple(kept)


def _named_apart(reader: Reader, options: Sequence[Option]) -> list[Option]:
    """The options, with another Python name for aliases that need one."""
    keys = {option.key for option in options if not option.alias_of}
    taken = {option.name for option in options if not option.alias_of}
    named = []
    for option in options:
        if option.alias_of:
            if option.key in keys:
                problem = f"{option.key!r} is the key of another option"
                reader.fault(("option", option.alias_of, "alias"), problem)
            keys.add(option.key)
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
    made = []
    for key in table:
        path: Path = ("level", key)
        reader.take(names.key_faults(key, "", _IMPORTED, "value per level"), path)
        entry = reader.table(table, ("level",), key)
        reader.keys(entry, path, (*LEVELS, "default"))
        kinds = {type(value) for value in entry.values()}
        if len(kinds) > 1 or not kinds <= {str, int, float, bool}:
            reader.fault(path, "mixes values", "all texts, or all numbers")
            entry = {}
        if not entry:
            reader.fault(path, "says nothing", ", ".join((*LEVELS, "default")))
        values_of = Values(reader, Scope())
        for level, value in entry.items():
            if isinstance(value, (int, float)):
                values_of.value(value, (*path, level))
        kind = next(map(type, entry.values()), str)
        default = entry.get("default", kind())
        values = {level: entry[level] for level in LEVELS if level in entry}
        made.append(LevelMap(key, values, default))
    return tuple(made)


def _entry(reader: Reader, entry: object, path: Path) -> dict[str, Any]:
    if isinstance(entry, dict):
        return entry
    reader.fault(path, f"is {kind_of(entry)}", 'a table, as { type = "str" }')
    return {}


def _same_names(reader: Reader, table: Mapping[str, Any], path: Path) -> None:
    for first, second in names.same_names(table):
        reader.fault((*path, second), f"is the same name as {first!r} in Python")
