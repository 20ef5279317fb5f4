"""The names of a handler in its spec, changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scaffold.flags import Flags
from scaffold.names import (
    Names,
    camel_case,
    constant,
    default_property,
    identifier,
    rewording,
)
from scaffold.spec.draft import Draft
from scaffold.spec.edits import Edits, Entry, Splice
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.reader import Path


def renamed(spec: HandlerSpec, new: Names, title: str = "") -> Edits:
    """The edits that give a handler other names.

    Texts as `new-handler` drafts them are changed with the name; all others stay.

    Args:
        spec: the spec.
        new: the new names.
        title: the new name of the service in prose; "": derived from the name, if the
            old one was.
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


def fixed(before: HandlerSpec, after: HandlerSpec) -> Iterator[str]:
    """Texts of a spec that contain the handler's name and stay when it changes.

    Args:
        before: the spec.
        after: the one with other names.

    Yields:
        Pieces of strings, as they are and with a capital, and Python names of keys; never
        a name of the handler alone.
    """
    old = before.names
    reword = rewording(old, after.names)
    alone = {old.kind, old.section, old.property, old.class_name, old.kind.upper()}
    words = {*_words(before.document)} & {*_words(after.document)}
    for piece in (piece.strip(_AROUND) for word in words for piece in _split(word)):
        if reword(piece) != piece and piece not in alone:
            yield piece
            if " " in piece:
                yield piece[0].upper() + piece[1:]
    for key in words:
        if _KEY.fullmatch(key) and not key.endswith(_PARTS) and key not in alone:
            forms = (identifier(key), camel_case(key), constant(key))
            yield from (each for each in forms if reword(each) != each)


_AROUND = " .,:;!?()[]{}<>*-#"
_KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)+")
# the ends of generated names
_PARTS = ("config", "handler", "server", "service", "test")


def _words(value: Any) -> Iterator[str]:
    """The keys and strings of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        yield from _words([*value.values()])
    elif isinstance(value, list):
        for each in value:
            yield from _words(each)


def _split(text: str) -> list[str]:
    """The pieces of a string that are unchanged in code, without expressions and quotes."""
    return re.split(r"""\$\{[^}]*\}|["'\\\n]""", text)


def _draft(kind: str, title: str) -> dict[str, Any]:
    return Draft(Flags(kind, title=title)).document()


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The strings in the tables of a document."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, (*path, key))
