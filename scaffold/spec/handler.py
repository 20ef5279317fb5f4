"""`[handler]` of a spec, and the prose of all tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from scaffold import names, prose
from scaffold.names import Names
from scaffold.spec import keys
from scaffold.spec.model.handler import FLAGS, Wrap
from scaffold.spec.reader import Path, Reader

TITLE_LENGTH = 60
DOC_LENGTH = 500


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
    if "name" not in table:
        return Names("handler", "handler")
    kind = table["name"]
    kind_faults = names.kind_faults(kind, "", kinds)
    reader.take(kind_faults, (*path, "name"))
    property = table.get("property", names.default_property(kind))
    if not kind_faults or "property" in table:
        reader.take(names.property_faults(property, "", taken), (*path, "property"))
    return Names(kind, property)


def read_title(reader: Reader, table: Mapping[str, Any], handler: Names) -> str:
    """The name of the service in prose."""
    if "title" not in table:
        return handler.class_name
    title = _line(reader, table, ("handler",), "title", TITLE_LENGTH)
    if not any(char.isalnum() for char in title or table["title"]):
        reader.fault(("handler", "title"), "must have a letter or a digit")
    return title or handler.class_name


def read_flags(reader: Reader, table: Mapping[str, Any]) -> tuple[str, ...]:
    """The switches of the section; `enabled` is always one."""
    flags = table.get("flags", [])
    if "state-changes-only" in flags and "global" not in flags:
        problem = "'state-changes-only' has no effect without 'global'"
        reader.fault(("handler", "flags"), problem)
    return tuple(flag for flag in FLAGS if flag in flags or flag == "enabled")


def read_wrap(reader: Reader, table: Mapping[str, Any]) -> Wrap:
    """The texts before errors."""
    path: Path = ("handler", "wrap")
    entry = reader.keys(table.get("wrap", {}), path, keys.WRAP)
    return Wrap(
        *(_line(reader, entry, path, key, DOC_LENGTH) for key in ("prepare", "send"))
    )


def read_doc(
    reader: Reader, table: Mapping[str, Any], path: Path, key: str = "doc"
) -> str:
    """A sentence of the author on one line, in the author's own capitals."""
    return prose.sentence(_line(reader, table, path, key, DOC_LENGTH))


def _line(
    reader: Reader, table: Mapping[str, Any], path: Path, key: str, most: int
) -> str:
    """Prose of the author on one line; "" if it has a fault."""
    text: str = table.get(key, "")
    odd = prose.forbidden(text)
    if odd:
        reader.fault((*path, key), f"contains the character {odd}; remove it")
    elif len(text) > most:
        reader.fault((*path, key), f"has {len(text)} characters, more than {most}")
    else:
        return prose.folded(text)
    return ""
