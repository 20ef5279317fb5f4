"""RFC 6902 patches, with the error texts of the library that Kapacitor uses.

Source: evanphx/json-patch 4.9.0.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Holder = dict[str, Json] | list[Json]
Operation = Mapping[str, Json]

_INDEX = re.compile("0|[1-9][0-9]{0,8}")
# Limit of copies, as a few copies of copies would fill the memory.
MAX_COPIED_BYTES = 1024 * 1024
_MISSING = "missing value"
# texts of missing paths; the library quotes some of the paths
_ABSENT = {
    "add": 'doc is missing path: "{}"',
    "remove": 'doc is missing path: "{}"',
    "replace": "doc is missing path: {}",
    "move": "doc is missing from path: {}",
    "copy": "doc is missing from path: {}",
    "test": "is missing path: {}",
}


class PatchError(ValueError):
    """A patch cannot be applied."""


def apply(patch: Sequence[Json], document: Json) -> Json:
    """`document` after all operations of `patch`; `document` stays unchanged.

    Raises:
        PatchError: an operation is malformed or does not fit the document.
    """
    result = copy.deepcopy(document)
    copied = 0
    for operation in patch:
        known = operation if isinstance(operation, dict) else {}
        op = known.get("op")
        kind = op if isinstance(op, str) else "unknown"
        run = _OPERATIONS.get(kind)
        if run is None:
            raise PatchError(f"Unexpected kind: {kind}")
        if run is _copy:
            copied += _size(_copied(result, known))
            if copied > MAX_COPIED_BYTES:
                raise PatchError(
                    "Unable to complete the copy, the accumulated size increase of "
                    f"copy is {copied}, exceeding the limit {MAX_COPIED_BYTES}"
                )
        result = run(result, known)
    return result


def _add(document: Json, operation: Operation) -> Json:
    path = _path(operation, "path")
    if path == "":
        return _value(operation)
    return _put(document, path, _value(operation), "add")


def _remove(document: Json, operation: Operation) -> Json:
    _take(document, _path(operation, "path"), "remove")
    return document


def _replace(document: Json, operation: Operation) -> Json:
    path = _path(operation, "path")
    if path == "":
        return _value(operation)
    parent, key = _parent(document, path, "replace")
    if not _has(parent, key):
        raise PatchError(
            f"replace operation does not apply: doc is missing key: {path}: {_MISSING}"
        )
    _set(parent, key, _value(operation))
    return document


def _move(document: Json, operation: Operation) -> Json:
    source = _path(operation, "from")
    value = _take(document, source, "move")
    return _put(document, _path(operation, "path"), value, "move")


def _copy(document: Json, operation: Operation) -> Json:
    value = copy.deepcopy(_copied(document, operation))
    return _put(document, _path(operation, "path"), value, "copy")


def _copied(document: Json, operation: Operation) -> Json:
    """Value that a copy operation copies."""
    source = _path(operation, "from")
    parent, key = _parent(document, source, "copy")
    if not _has(parent, key):
        raise PatchError(f"error in copy for from: '{source}': {_MISSING}")
    return _get(parent, key)


def _size(value: Json) -> int:
    """The approximate size of a value in bytes of JSON."""
    size, left = 0, [value]
    while left:
        each = left.pop()
        size += len(each) + 2 if isinstance(each, str) else 8
        if isinstance(each, dict):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            left += each
    return size


def _test(document: Json, operation: Operation) -> Json:
    path = _path(operation, "path")
    found = document
    if path:
        parent, key = _parent(document, path, "test")
        found = _get(parent, key) if _has(parent, key) else None
    if found != operation.get("value"):
        raise PatchError(f"testing value {path} failed: test failed")
    return document


_OPERATIONS: dict[str, Callable[[Json, Operation], Json]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _path(operation: Operation, name: str) -> str:
    path = operation.get(name)
    if not isinstance(path, str):
        raise PatchError(f'operation missing "{name}" field: {_MISSING}')
    return path


def _value(operation: Operation) -> Json:
    return copy.deepcopy(operation.get("value"))


def _parent(
    document: Json, path: str, verb: str, absent: str = ""
) -> tuple[Holder, str]:
    """The object or array that holds the last part of `path`, and that part."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]
    found = document
    for part in parts[1:-1]:
        found = _get(found, part) if _has(found, part) else None
    if parts[0] or len(parts) == 1 or not isinstance(found, dict | list):
        missing = (absent or _ABSENT[verb]).format(path)
        raise PatchError(f"{verb} operation does not apply: {missing}: {_MISSING}")
    return found, parts[-1]


def _put(document: Json, path: str, value: Json, verb: str) -> Json:
    absent = "" if verb == "add" else "doc is missing destination path: {}"
    parent, key = _parent(document, path, verb, absent)
    if isinstance(parent, dict):
        parent[key] = value
    elif key == "-":
        parent.append(value)
    elif _INDEX.fullmatch(key) and int(key) <= len(parent):
        parent.insert(int(key), value)
    else:
        raise PatchError(
            f"error in {verb} for path: '{path}': "
            f"Unable to access invalid index: {key}: invalid index referenced"
        )
    return document


def _take(document: Json, path: str, verb: str) -> Json:
    parent, key = _parent(document, path, verb)
    if not _has(parent, key):
        raise PatchError(
            f"error in {verb} for path: '{path}': "
            f"Unable to remove nonexistent key: {key}: {_MISSING}"
        )
    return parent.pop(key) if isinstance(parent, dict) else parent.pop(int(key))


def _has(holder: Json, key: str) -> bool:
    if isinstance(holder, dict):
        return key in holder
    return (
        isinstance(holder, list)
        and _INDEX.fullmatch(key) is not None
        and int(key) < len(holder)
    )


def _get(holder: Json, key: str) -> Json:
    """The value that `_has` found."""
    match holder:
        case dict():
            return holder[key]
        case list():
            return holder[int(key)]
        case _:
            return None


def _set(holder: Holder, key: str, value: Json) -> None:
    if isinstance(holder, dict):
        holder[key] = value
    else:
        holder[int(key)] = value
