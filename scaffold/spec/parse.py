"""A handler's spec, read from TOML or from flags, with all its faults at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from runtime.toml_lines import positions
from scaffold.errors import Fault, SpecError
from scaffold.flags import Flags
from scaffold.spec import (
    cases,
    connection,
    handler,
    instances,
    keys,
    memory,
    requests,
    scopes,
    settings,
    steps,
    transports,
)
from scaffold.spec.draft import Draft, shown_setting
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.reader import Path, Reader, shown
from scaffold.spec.values import Values

_SIZE_BYTES = 64 * 1024
_DEPTH = 20


def parse(
    text: str,
    path: str = "",
    *,
    existing: Collection[str] = (),
    properties: Collection[str] = (),
    origins: Mapping[Path, str] | None = None,
) -> HandlerSpec:
    """The spec that a TOML text describes.

    Args:
        text: the text.
        path: its origin, for messages.
        existing: the kinds of other handlers.
        properties: their TICKscript properties.
        origins: flags by the place in the spec that they set.

    Raises:
        SpecError: the spec is invalid; the error has all faults.
    """
    if len(text.encode()) > _SIZE_BYTES:
        raise SpecError([Fault("", "is larger than 64 KiB")], path)
    plain = text.removeprefix("\ufeff")
    try:
        document = tomllib.loads(plain)
    except ValueError as error:  # not TOML, or a number of thousands of digits
        raise SpecError([_not_toml(str(error))], path) from None
    except RecursionError:
        raise SpecError(
            [Fault("", f"is nested deeper than {_DEPTH} levels")], path
        ) from None
    reader = Reader(positions(plain), origins or {})
    spec = _read(document, text, reader, path, existing, properties)
    return _with(spec, path=path)


def from_flags(
    flags: Flags,
    *,
    existing: Collection[str] = (),
    properties: Collection[str] = (),
) -> HandlerSpec:
    """The spec that the flags of `new-handler` describe.

    Args:
        flags: the flags.
        existing: the kinds of other handlers.
        properties: their TICKscript properties.

    Raises:
        SpecError: the flags are invalid; the error has all faults with their flags.
    """
    draft = Draft(flags)
    reader = Reader(None, draft.origins())
    reader.faults += draft.faults()
    spec = _read(draft.document(), draft.to_toml(), reader, "", existing, properties)
    return _with(spec, stated=draft.stated())


def _with(spec: HandlerSpec, **changes: Any) -> HandlerSpec:
    return HandlerSpec(**{**vars(spec), **changes})


def _read(
    document: dict[str, Any],
    text: str,
    reader: Reader,
    path: str,
    existing: Collection[str],
    properties: Collection[str],
) -> HandlerSpec:
    if _depth(document) > _DEPTH:
        raise SpecError([Fault("", f"is nested deeper than {_DEPTH} levels")], path)
    spec = _spec(document, text, reader, existing, properties)
    requests.check_use(reader, spec)
    transports.check(reader, spec)
    memory.check(reader, spec)
    if reader.faults:
        raise SpecError(_in_order(reader.faults), path)
    # reported in the form of faults, with path and line
    warned = SpecError(_in_order(reader.warnings), path)
    return _with(spec, warnings=tuple(filter(None, str(warned).split("\n"))))


def _spec(
    document: dict[str, Any],
    text: str,
    reader: Reader,
    existing: Collection[str],
    properties: Collection[str],
) -> HandlerSpec:
    tables = reader.keys(document, (), keys.SPEC)
    table = reader.keys(tables.get("handler", {}), ("handler",), keys.HANDLER)
    names = handler.read_names(reader, table, existing, properties)
    title = handler.read_title(reader, table, names)
    several = instances.read_instances(reader, tables.get("instances"))
    flags = handler.read_flags(reader, table)
    instances.check_flags(reader, several, flags)
    entries = instances.settings(reader, several, tables.get("config", {}))
    entries = connection.tls_settings(reader, table, entries)
    config = settings.read_config(reader, entries)
    chosen = instances.options(reader, several, tables.get("option", {}))
    options = settings.read_options(reader, chosen, config, names)
    levels = settings.read_levels(reader, tables.get("level", {}))
    options = settings.with_templates(reader, tables, config, options, levels)
    given = tables.get("request", [])
    remember = tables.get("remember", {})
    of_event = memory.in_events(scopes.of_event(config, options, levels), remember)
    of_event = steps.in_order(of_event, given)
    values = Values(reader, of_event)
    of_options = Values(reader, scopes.of_options(options))
    lets, values = requests.read_lets(reader, tables.get("let", {}), values)
    # with a hook, which reads the answers, the whole table is reported
    section = {} if "hook" in tables else tables.get("response", {})
    response = reader.keys(section, ("response",), keys.RESPONSE)
    requests.check_statuses(reader, response)
    of_response = scopes.of_response(
        config, options, requests.error_key(response), title
    )
    of_response = memory.in_response(of_response)
    of_steps = steps.in_answer(of_response, given)
    of_response = steps.in_response(of_response, given)
    by_key = {each.key: each for each in config}
    own_options = {each.key: each for each in options if not each.alias_of}
    of_test = Values(reader, scopes.of_config(config, "self.config"))
    return HandlerSpec(
        names,
        title,
        handler.read_doc(reader, table, ("handler",), "summary"),
        flags,
        handler.read_wrap(reader, table),
        config,
        options,
        levels,
        lets,
        requests.read_checks(reader, tables, "send", values),
        requests.read_checks(reader, tables, "create", of_options),
        requests.read_requests(reader, tables, values, Values(reader, of_steps)),
        requests.read_response(
            reader,
            response,
            Values(reader, of_response),
            Values(reader, scopes.of_words(of_response)),
        ),
        transports.read_hook(reader, tables),
        cases.read_test(
            reader,
            instances.test_options(several, tables.get("test", {})),
            names.kind,
            own_options,
            of_test,
        ),
        cases.read_examples(reader, tables, by_key, own_options),
        document,
        text,
        connection.read_connection(
            reader,
            tables.get("connection", {}),
            table,
            scopes.of_files(config),
            scopes.of_connection(config, options),
        ),
        several,
        memory.read_remembered(reader, remember, Values(reader, of_response)),
    )


def differences(stated: HandlerSpec, committed: HandlerSpec) -> list[str]:
    """The differences of two specs, one line for each key.

    For a spec made of flags, only the given flags and additional settings of the other
    spec are compared.
    """
    ours = stated.stated if stated.stated is not None else _flat(stated.document)
    if stated.stated is None:
        theirs = _flat(committed.document)
    else:
        theirs = stated_in(committed, stated.stated)
    lines = []
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        if ours.get(key) != theirs.get(key):
            wanted, found = _shown(ours, key), _shown(theirs, key)
            lines.append(f"{key}: given {wanted}, but the spec has {found}")
    return lines


def stated_in(spec: HandlerSpec, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a spec that flags can state."""
    found: dict[str, Any] = {}
    if "handler.title" in stated:
        found["handler.title"] = spec.title
    if "handler.property" in stated:
        found["handler.property"] = spec.names.property
    if "request" in stated:
        found["request"] = spec.document["request"]
    found["handler.flags"] = sorted(spec.flags)
    for field in spec.config:
        if field.key != "url" or "config.url" in stated:
            found[f"config.{field.key}"] = shown_setting(field.type.name, field.default)
    for option in spec.options:
        falls_back = option.fallback is not None
        shown_type = shown_setting(option.type.name, option.default)
        found[f"option.{option.key}"] = (
            f"{option.type.name} from the configuration" if falls_back else shown_type
        )
    return found


def _shown(flat: Mapping[str, Any], key: str) -> str:
    return str(flat[key]) if key in flat else "nothing"


def _flat(value: Any, path: Path = ()) -> dict[str, Any]:
    if isinstance(value, dict) and value:
        items: dict[str, Any] = {}
        for key, each in value.items():
            items.update(_flat(each, (*path, key)))
        return items
    if isinstance(value, list) and value:
        items = {}
        for index, each in enumerate(value):
            items.update(_flat(each, (*path, index)))
        return items
    return {shown(path): value}


def _depth(value: object) -> int:
    """Depth of nested tables and lists; walks level by level."""
    depth, level = 0, [value]
    while level and depth <= _DEPTH + 1:
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        depth, level = depth + 1, inner
    return depth - 1


def _in_order(faults: list[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: fault.line or 0)


def _not_toml(problem: str) -> Fault:
    found = re.search(r" \(at line (\d+), column \d+\)$", problem)
    line = int(found[1]) if found else None
    text = problem[: found.start()] if found else problem
    return Fault("", f"invalid TOML: {text}", line=line)
