"""The names of a handler in its spec, changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scaffold.flags import Flags
from scaffold.names import Names, default_property
from scaffold.spec.draft import Draft
from scaffold.spec.edits import Edits, Entry, Splice
from scaffold.spec.model import HandlerSpec
from scaffold.spec.reader import Path


def renamed(spec: HandlerSpec, new: Names, title: str = "") -> Edits:
    """The edits that give a handler other names.

    Texts that are as `new-handler` drafts them follow the name; all others stay.

    Args:
        spec: the spec.
        new: the new names.
        title: the new name of the service in prose; "": it follows the name if it was
            made from the old one.
    """
    old = spec.names
    if not title:
        title = new.class_name if spec.title == old.class_name else spec.title
    drafted = dict(_texts(_draft(old.kind, spec.title)))
    redrafted = dict(_texts(_draft(new.kind, title)))
    changes = {
        path: (text, redrafted[path])
        for path, text in _texts(spec.document)
        if text == drafted.get(path)
    }
    handler = spec.document["handler"]
    added = []
    for key, after, default in (
        ("title", title, new.class_name),
        ("property", new.property, default_property(new.kind)),
    ):
        if key in handler:
            changes["handler", key] = (handler[key], after)
        elif after != default:
            added.append(Entry(("handler",), key, after))
    strings = {
        path: [Splice(0, len(before), after)]
        for path, (before, after) in changes.items()
        if before != after
    }
    return Edits(strings=strings, added=added)


def _draft(kind: str, title: str) -> dict[str, Any]:
    return Draft(Flags(kind, title=title)).document()


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The strings in the tables of a document."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, (*path, key))
