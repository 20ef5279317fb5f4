"""The edits of a spec that add, rename and remove fields.

A field is a key of `[config]`, of `[option]`, or of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runtime.toml_lines import positions
from scaffold.errors import Fault, SpecError
from scaffold.flags import Flags
from scaffold.names import closest, identifier
from scaffold.spec.draft import Draft
from scaffold.spec.edits import Edits, Entry, Splice
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import stated_in
from scaffold.spec.reader import Path, shown
from scaffold.spec.references import Use, instance_names, uses

_TABLES = ("config", "option")


def added(spec: HandlerSpec, flags: Flags) -> tuple[Edits, Mapping[Path, str]]:
    """The edits that add fields as `new-handler` writes them.

    Args:
        spec: the spec.
        flags: the new fields; its name is that of the spec.

    Returns:
        The edits, without fields that already exist as described; and the flag for each
            place in the spec.

    Raises:
        SpecError: a flag is wrong, or a field exists and differs.
    """
    draft = Draft(flags)
    faults = draft.faults()
    given, found = draft.stated(), stated_in(spec, draft.stated())
    origins = draft.origins()
    for key, value in given.items():
        table, _, name = key.partition(".")
        if table in _TABLES and found.get(key, value) != value:
            problem = f"{key} already exists, as {found[key]}"
            faults.append(Fault(origins[table, name], problem))
    for key in draft.keys:
        for _, owner in _formerly(spec, key)[:1]:
            where = next(
                origins[table, key] for table in _TABLES if (table, key) in origins
            )
            problem = f"{key!r} is a former name of the field {owner!r}"
            faults.append(Fault(where, problem))
    if faults:
        raise SpecError(faults)
    return Edits(added=list(_entries(draft, spec.document))), origins


def _known(spec: HandlerSpec) -> set[str]:
    """The keys of all fields."""
    own = {key for table in _TABLES for key in spec.document.get(table, {})}
    return own | instance_names(spec.document)


def _entries(draft: Draft, document: Mapping[str, Any]) -> Iterator[Entry]:
    """The entries of a drafted spec for its fields that the spec lacks."""
    drafted = draft.document()
    url = drafted["config"].get("url", {})
    for name in ("required", "error"):
        url.pop(name, None)  # these rules are for the only destination of a new handler
    new = {
        (table, key)
        for table in _TABLES
        for key in draft.keys
        if key in drafted.get(table, {}) and key not in document.get(table, {})
    }
    for table in _TABLES:
        for key in draft.keys:
            if (table, key) in new:
                value = drafted[table][key]
                if "instances" in document:
                    # the section is not known when a handler is made
                    value.pop("bind", None)
                yield Entry((table,), key, value)
    options = [key for key in draft.keys if ("option", key) in new]
    requests = document["request"]
    body = requests[0].get("json")
    # a body of tables has a structure of its own, with no obvious place for a field
    is_flat = isinstance(body, dict) and not all(
        isinstance(each, dict | list) for each in body.values()
    )
    if len(requests) == 1 and is_flat:
        sent = drafted["request"][0]["json"]
        for key in options:
            if key in sent and key not in body:
                yield Entry(("request", 0, "json"), key, sent[key])
    for key in options:
        if key in drafted["test"] and key not in document.get("test", {}):
            yield Entry(("test",), key, drafted["test"][key])


def renamed(
    spec: HandlerSpec, old: str, new: str, *, keeps_alias: bool = False
) -> Edits:
    """The edits that rename a field and everything that refers to it.

    Args:
        spec: the spec.
        old: the key of the field.
        new: its new key.
        keeps_alias: True to keep the old key as a deprecated one.

    Raises:
        SpecError: the field does not exist, or the new name is taken.
    """
    _refuse_unknown(spec, old)
    if new in _known(spec):
        raise SpecError([Fault("NEW", f"the field {new!r} already exists")])
    for owner in {key for _, key in _formerly(spec, new)} - {old}:
        problem = f"{new!r} is a former name of the field {owner!r}"
        raise SpecError([Fault("NEW", problem)])
    keys: dict[Path, str] = {
        (table, old): new for table in _TABLES if old in spec.document.get(table, {})
    }
    strings: dict[Path, list[Splice]] = {}
    for use in uses(spec.document, old):
        if use.start < 0:
            keys[use.path] = new
            continue
        is_key = use.path[0] == "instances" or use.path[-1] == "feeds"
        name = new if is_key else identifier(new)
        strings.setdefault(use.path, []).append(Splice(use.start, use.end, name))
    if ("test", old) in keys and new in spec.document["test"]:
        problem = f"[test] already has an option {new!r}"
        raise SpecError([Fault("NEW", problem)])
    former = Edits()
    for table in _TABLES:
        if old in spec.document.get(table, {}):
            names = [each for each in _former_of(spec, table, old) if each != new]
            names += [old] if keeps_alias else []
            former = _joined(former, _with_former(spec, (table, old), names, new))
    return former._replace(keys=keys, strings=strings)


def _formerly(spec: HandlerSpec, name: str) -> list[tuple[str, str]]:
    """The table and the key of the fields with a former name."""
    return [
        (table, key)
        for table in _TABLES
        for key in spec.document.get(table, {})
        if name in _former_of(spec, table, key)
    ]


def _former_of(spec: HandlerSpec, table: str, key: str) -> list[str]:
    names = spec.document[table][key].get("formerly", [])
    return [names] if isinstance(names, str) else list(names)


def _with_former(
    spec: HandlerSpec, field: tuple[str, str], names: list[str], key: str = ""
) -> Edits:
    """The edits that give a field these former names.

    Args:
        spec: the spec.
        field: its table and its key.
        names: its former names.
        key: its key after the edits, if that changes.
    """
    table, old = field
    before, path = _former_of(spec, table, old), (*field, "formerly")
    value = names[0] if len(names) == 1 else names
    if names == before:
        return Edits()
    if not names:
        return Edits(removed=[path])
    if before:
        return Edits(values={path: value})
    return Edits(added=[Entry((table, key or old), "formerly", value)])


def _joined(one: Edits, other: Edits) -> Edits:
    """Two edits of former names as one."""
    return Edits(
        values={**one.values, **other.values},
        removed=[*one.removed, *other.removed],
        added=[*one.added, *other.added],
    )


def removed(spec: HandlerSpec, key: str) -> Edits:
    """The edits that remove a field with the lines that `new-handler` or `add-field` wrote.

    For a former name of a field, the edits that remove this name.

    Raises:
        SpecError: the field does not exist, or something else uses it.
    """
    if fields := _formerly(spec, key):
        former = Edits()
        for field in fields:
            names = [each for each in _former_of(spec, *field) if each != key]
            former = _joined(former, _with_former(spec, field, names))
        return former
    _refuse_unknown(spec, key)
    gone: set[Path] = {
        (table, key) for table in _TABLES if key in spec.document.get(table, {})
    }
    found = list(uses(spec.document, key))
    gone |= {
        use.path[:2] for use in found if use.path[0] == "test" and _feeds(use, key)
    }
    gone |= {use.path for use in found if _is_sent_alone(spec.document, use, key)}
    others = [use for use in found if not _is_inside(use.path, gone)]
    if others:
        lines = positions(spec.text)
        raise SpecError(
            [
                Fault(
                    shown(use.path),
                    f"uses the field {key!r}; remove that first",
                    line=lines.line(use.path),
                )
                for use in dict.fromkeys(
                    use._replace(start=-1, end=-1) for use in others
                )
            ],
            spec.path,
        )
    return Edits(removed=gone)


def _feeds(use: Use, key: str) -> bool:
    """True for an option of the service test that sets the field."""
    return use.path == ("test", key) or use.path[-1] == "feeds"


def _is_sent_alone(document: Mapping[str, Any], use: Use, key: str) -> bool:
    """True for an entry of a JSON body with the field's own name and only its value."""
    match use.path:
        case ("request", int(number), "json", str(name)) if name == key:
            value = document["request"][number]["json"][name]
            return bool(value == f"${{opt.{identifier(key)}}}")
    return False


def _is_inside(path: Path, tables: set[Path]) -> bool:
    return any(path[: len(each)] == each for each in tables)


def _refuse_unknown(spec: HandlerSpec, key: str) -> None:
    known = _known(spec)
    for _, owner in _formerly(spec, key):
        problem = f"{key!r} is a former name of the field {owner!r}"
        raise SpecError([Fault("FIELD", problem, "", owner)])
    if key not in known:
        listed, guess = ", ".join(sorted(known)), closest(key, known)
        raise SpecError([Fault("FIELD", f"unknown field {key!r}", listed, guess)])
