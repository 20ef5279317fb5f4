"""What the generator last wrote, kept as plain text under `.scaffold/`.

    .scaffold/handlers/<kind>/manifest    one line per file and registration
    .scaffold/handlers/<kind>/generated   their texts: a line that names each, and its
                                          own lines indented by a tab

The texts are the base of later merges, so that a person's edits can be told from the
generator's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.change import Change
from scaffold.errors import StateError
from scaffold.tree import Tree

HANDLERS = PurePosixPath(".scaffold/handlers")
FORMAT = "1"
_FIXED = {
    ".scaffold/.gitattributes": b"handlers/** linguist-generated -diff\n",
    ".scaffold/.gitignore": b"/kept/\n/lock\n/txn/\n",
}


class Record(NamedTuple):
    """What was generated for one handler.

    Attributes:
        files: the text of each file.
        places: the text of each registration, by the `id` of its place: its path, name
            and key with a space between.
    """

    files: Mapping[PurePosixPath, str]
    places: Mapping[str, str]


def kinds(tree: Tree) -> list[str]:
    """The handlers that something is kept of."""
    return tree.names(HANDLERS)


def places(tree: Tree, kind: str) -> Iterator[str]:
    """The ids of the places where a handler is registered."""
    path = HANDLERS / kind / "manifest"
    for _, words in _lines(path, tree.read(path) or f"format {FORMAT}\n".encode()):
        if len(words) == 3:
            yield " ".join(words)


def read(tree: Tree, kind: str) -> Record | None:
    """What was generated for a handler; None: nothing is kept of it.

    Raises:
        StateError: what is kept is damaged, or a newer version wrote it.
    """
    path = HANDLERS / kind / "manifest"
    data = tree.read(path)
    if data is None:
        return None
    files: dict[PurePosixPath, str] = {}
    places: dict[str, str] = {}
    file = HANDLERS / kind / "generated"
    kept = _texts(tree.read(file) or b"")
    for digest, words in _lines(path, data):
        text = kept.get(" ".join(words), "")
        if _digest(text) != digest:
            raise StateError(file, "is damaged; restore it from version control")
        if len(words) == 1:
            files[PurePosixPath(words[0])] = text
        else:
            places[" ".join(words)] = text
    return Record(files, places)


def changes(tree: Tree, kind: str, record: Record | None) -> Iterator[Change]:
    """What has to be written so that `record` is kept; None: nothing more is kept."""
    folder = HANDLERS / kind
    wanted: dict[PurePosixPath, bytes | None] = {
        folder / "generated": _generated(record).encode() if record else None,
        folder / "manifest": manifest(record).encode() if record else None,
    }
    if record:
        wanted |= {PurePosixPath(path): data for path, data in _FIXED.items()}
    for path, data in wanted.items():
        yield Change(path, tree.read(path), data)


def manifest(record: Record) -> str:
    """The list of a record, sorted, one thing per line, so that branches merge."""
    lines = [f"create {_digest(text)} {path}" for path, text in record.files.items()]
    lines += [f"edit {_digest(text)} {place}" for place, text in record.places.items()]
    lines.sort(key=lambda line: line.split(" ", 2)[2])
    return "\n".join([f"format {FORMAT}", *lines, ""])


def _lines(path: PurePosixPath, data: bytes) -> Iterator[tuple[str, list[str]]]:
    """The digest and the words of each line."""
    text = data.decode(errors="replace").replace("\r\n", "\n")
    first, *rest = text.removesuffix("\n").split("\n")
    if first != f"format {FORMAT}":
        if first.startswith("format "):
            raise StateError(path, "was written by a newer version of scaffold")
        raise StateError(path, "is damaged; restore it from version control")
    for number, line in enumerate(rest, start=2):
        role, *words = line.split(" ")
        if (role, len(words)) not in {("create", 2), ("edit", 4)}:
            raise StateError(f"{path}:{number}", "is damaged")
        if not _is_inside(words[1]):
            raise StateError(f"{path}:{number}", "names a file outside the project")
        yield words[0], words[1:]


def _is_inside(path: str) -> bool:
    """True if a path of a manifest is one that the generator would write."""
    parts = path.split("/")
    return path.isprintable() and not {"", ".", "..", ".git", ".scaffold"} & {*parts}


def _generated(record: Record) -> str:
    """All texts of a record in one."""
    texts = {str(path): text for path, text in record.files.items()}
    texts |= record.places
    return "".join(
        f"{name}\n" + "".join(f"\t{line}\n" for line in text.split("\n"))
        for name, text in sorted(texts.items())
    )


def _texts(data: bytes) -> dict[str, str]:
    """The texts that `_generated` put together, by their names."""
    texts: dict[str, list[str]] = {}
    lines: list[str] = []
    # A checkout may have turned the line ends.
    for line in data.decode(errors="replace").replace("\r\n", "\n").split("\n"):
        if line.startswith("\t"):
            lines.append(line[1:])
        elif line:
            lines = texts.setdefault(line, [])
    return {name: "\n".join(lines) for name, lines in texts.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
