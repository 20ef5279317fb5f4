"""What the generator last wrote, kept as plain text under `.scaffold/`.

    .scaffold/handlers/<kind>/manifest     one line per file and registration
    .scaffold/handlers/<kind>/places       the registrations as they were generated
    .scaffold/handlers/<kind>/<path>.txt   a file as it was generated; `/` as `--`

The texts are the base of later merges, so that a person's edits can be told from the
generator's. The suffix keeps formatters and test runners away from them.
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
    ".scaffold/.gitignore": b"/cache/\n/lock\n/txn/\n",
}


class Registered(NamedTuple):
    """A registration that was made.

    Attributes:
        path: in which file.
        place: at which of its places.
        key: under which key.
    """

    path: PurePosixPath
    place: str
    key: str


class Record(NamedTuple):
    """What was generated for one handler.

    Attributes:
        files: the text of each file.
        places: the text of each registration.
    """

    files: Mapping[PurePosixPath, str]
    places: Mapping[Registered, str]


def kinds(tree: Tree) -> list[str]:
    """The handlers that something is kept of."""
    return tree.names(HANDLERS)


def keys(tree: Tree, kind: str) -> Iterator[Registered]:
    """The registrations of a handler, without their texts."""
    path = HANDLERS / kind / "manifest"
    for _, words in _lines(path, tree.read(path) or f"format {FORMAT}\n".encode()):
        if len(words) == 3:
            yield Registered(PurePosixPath(words[0]), words[1], words[2])


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
    places: dict[Registered, str] = {}
    kept = _read_places(tree.read(HANDLERS / kind / "places") or b"")
    for digest, words in _lines(path, data):
        if len(words) == 1:
            file = PurePosixPath(words[0])
            files[file] = _kept(tree, _file(kind, file), digest)
        else:
            entry = Registered(PurePosixPath(words[0]), words[1], words[2])
            places[entry] = _intact(kind, kept.get(entry), digest)
    return Record(files, places)


def changes(tree: Tree, kind: str, record: Record | None) -> Iterator[Change]:
    """What has to be written so that `record` is kept; None: nothing more is kept."""
    wanted = dict(_texts(kind, record)) if record else {}
    if record:
        wanted[HANDLERS / kind / "manifest"] = manifest(record).encode()
        wanted |= {PurePosixPath(path): data for path, data in _FIXED.items()}
    for path, data in sorted(wanted.items()):
        yield Change(path, tree.read(path), data)
    old = read(tree, kind)
    if old:
        for path in sorted({path for path, _ in _texts(kind, old)} - set(wanted)):
            yield Change(path, tree.read(path), None)
        if not record:
            path = HANDLERS / kind / "manifest"
            yield Change(path, tree.read(path), None)


def is_text(path: str) -> bool:
    """Whether a path is that of a text kept of an output."""
    return path.startswith(f"{HANDLERS}/") and path.endswith((".txt", "/places"))


def manifest(record: Record) -> str:
    """The list of a record, sorted, one thing per line, so that branches merge."""
    lines = [f"create {_digest(text)} {path}" for path, text in record.files.items()]
    lines += [
        f"edit {_digest(text)} {entry.path} {entry.place} {entry.key}"
        for entry, text in record.places.items()
    ]
    lines.sort(key=lambda line: line.split(" ", 2)[2])
    return "\n".join([f"format {FORMAT}", *lines, ""])


def _lines(path: PurePosixPath, data: bytes) -> Iterator[tuple[str, list[str]]]:
    """The digest and the words of each line."""
    first, *rest = data.decode(errors="replace").splitlines() or [""]
    if first != f"format {FORMAT}":
        if first.startswith("format "):
            raise StateError(path, "was written by a newer version of scaffold")
        raise StateError(path, "is damaged; restore it from version control")
    for number, line in enumerate(rest, start=2):
        role, *words = line.split(" ")
        if (role, len(words)) not in {("create", 2), ("edit", 4)}:
            raise StateError(f"{path}:{number}", "is damaged")
        yield words[0], words[1:]


def _texts(kind: str, record: Record) -> Iterator[tuple[PurePosixPath, bytes]]:
    for path, text in record.files.items():
        yield _file(kind, path), text.encode()
    yield HANDLERS / kind / "places", _places(record).encode()


def _kept(tree: Tree, path: PurePosixPath, digest: str) -> str:
    data = tree.read(path)
    if data is None:
        raise StateError(path, "is missing; restore it from version control")
    # A checkout may have turned the line ends; that is no damage.
    text = data.decode(errors="replace")
    for candidate in (text, text.replace("\r\n", "\n")):
        if _digest(candidate) == digest:
            return candidate
    raise StateError(path, "is damaged; restore it from version control")


def _file(kind: str, path: PurePosixPath) -> PurePosixPath:
    return HANDLERS / kind / f"{str(path).replace('/', '--')}.txt"


def _places(record: Record) -> str:
    """All registrations in one text: a line that names each, its own lines indented."""
    parts = []
    for entry, text in sorted(record.places.items(), key=lambda item: str(item[0])):
        lines = "".join(f"\t{line}\n" for line in text.split("\n")[:-1])
        parts.append(f"{entry.path} {entry.place} {entry.key}\n{lines}")
    return "".join(parts)


def _read_places(data: bytes) -> dict[Registered, str]:
    places: dict[Registered, str] = {}
    entry: Registered | None = None
    for line in data.decode(errors="replace").replace("\r\n", "\n").split("\n"):
        if line.startswith("\t") and entry:
            places[entry] += line[1:] + "\n"
        elif line.count(" ") == 2:
            path, place, key = line.split(" ")
            entry = Registered(PurePosixPath(path), place, key)
            places[entry] = ""
    return places


def _intact(kind: str, text: str | None, digest: str) -> str:
    if text is None or _digest(text) != digest:
        raise StateError(
            HANDLERS / kind / "places", "is damaged; restore it from version control"
        )
    return text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
