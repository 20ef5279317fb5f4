"""The generator's last output, kept as plain text under `.scaffold/`.

    .scaffold/handlers/<kind>/generated

    format 2
    create docs/handlers/foo.md 89dcd4…             a file, and the digest of its text
    |# Foo                                          one line of the text
    edit etc/kapacitor.conf section foo f7bf66…     a registration: file, place, key
    |[foo]
    end

The texts are the base of later merges: comparison with them shows hand edits.

Everyday tools rewrite text files: hooks strip trailing whitespace, replace tabs, end a file
with one newline, unify line ends. So no line ends in whitespace, and a line that such a
tool would change is a JSON string. Other changes by such tools do not affect reading.
Sections are sorted, so that branches merge.
"""

from __future__ import annotations

import contextlib
import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.change import Change
from scaffold.errors import DamagedRecord, StateError
from scaffold.tree import Tree

HANDLERS = PurePosixPath(".scaffold/handlers")
FORMAT = "2"
_END = "end"
_WORDS = {"create": 1, "edit": 3}  # of a heading, beside its role and digest
_MARKERS = ("<<<<<<< ", "=======", ">>>>>>> ", "||||||| ")
_FIXED = {
    ".scaffold/.gitattributes": "* -text -whitespace\n"
    "handlers/** linguist-generated -diff merge=scaffold\n",
    ".scaffold/.gitignore": "/conflicts/\n/kept/\n/lock\n/txn/\n",
}


class Record(NamedTuple):
    """The record of a handler: the text that was generated for it.

    Attributes:
        files: the text of each file.
        places: the text of each registration, by the id of its place.
    """

    files: Mapping[PurePosixPath, str]
    places: Mapping[str, str]


class _NewerError(ValueError):
    """A newer version of scaffold wrote the record."""


class _Section(NamedTuple):
    """One text of a record.

    Attributes:
        role: `create` or `edit`.
        name: the path; for a registration the id of its place: path, place and key.
        text: the generated text.
    """

    role: str
    name: str
    text: str


def kinds(tree: Tree) -> list[str]:
    """The handlers that have a record."""
    return [
        name
        for name in tree.names(HANDLERS)
        if not name.startswith(".")  # such as macOS leaves in folders
        and {"generated", "manifest"} & {*tree.names(HANDLERS / name)}
    ]


def path(kind: str) -> PurePosixPath:
    """The file that holds the record of a handler."""
    return HANDLERS / kind / "generated"


def paths(kind: str) -> tuple[PurePosixPath, PurePosixPath]:
    """The files that hold the record of a handler, the one of format 1 last."""
    return path(kind), HANDLERS / kind / "manifest"


def places(tree: Tree, kind: str) -> Iterator[str]:
    """The ids of the places where a handler is registered.

    Raises:
        StateError: the record is damaged, or a newer version wrote it.
    """
    record = read(tree, kind)
    yield from record.places if record else ()


def read(tree: Tree, kind: str) -> Record | None:
    """The record of a handler, or None.

    Raises:
        StateError: the record is damaged, or a newer version wrote it.
    """
    data, list_ = map(tree.read, paths(kind))
    if data is None and list_ is None:
        return None
    try:
        if list_ is not None and not (data or b"").startswith(b"format"):
            return _record(_old_sections(list_, data or b""))
        return parse(data or b"")
    except _NewerError:
        problem = "was written by a newer version of scaffold"
        fix = "pip install -U scaffold-alerts"
        raise StateError(path(kind), problem, fix=fix) from None
    except ValueError as error:
        raise _damaged(kind, str(error)) from None


def files(kind: str) -> tuple[PurePosixPath, ...]:
    """The files that the record of a handler may consist of."""
    return path(kind), _old(kind)


def has_record(tree: Tree, kind: str) -> bool:
    """True if a handler has a record, damaged or not."""
    return any(tree.read(file) is not None for file in files(kind))


def salvaged(tree: Tree, kind: str) -> Record:
    """The intact texts of a damaged record, without entries that occur twice."""
    found: dict[tuple[str, str], list[str]] = {}
    heading: list[str] = []
    kept: list[str] = []
    lines = _lines(tree.read(path(kind)) or b"")
    for line in [*filter(None, lines), _END]:
        if line.startswith(("|", '"')):
            kept.append(line)
            continue
        if heading and _WORDS.get(heading[0], -1) + 2 == len(heading):
            with contextlib.suppress(ValueError):
                section = _section(heading, "\n".join(map(_read, kept)))
                found.setdefault((section.role, section.name), []).append(section.text)
        heading, kept = line.split(" "), []
    whole = {name: texts[0] for name, texts in found.items() if len(texts) == 1}
    return _record(
        _Section(role, name, text)
        for (role, name), text in whole.items()
        if _is_inside(name.split(" ")[0])
    )


def parse(data: bytes) -> Record:
    """The record that a file holds.

    Raises:
        ValueError: it is not a record; the message is the reason.
    """
    return _record(_sections(_lines(data)))


def settings(tree: Tree) -> Iterator[Change]:
    """The changes that make git ignore the lock and leave records unchanged."""
    for name, text in _FIXED.items():
        yield _with_lines(tree, PurePosixPath(name), text.splitlines())


def with_attribute(tree: Tree, line: str) -> Iterator[Change]:
    """The change that adds a line to git's attributes of the state."""
    path, text = next(iter(_FIXED.items()))
    yield _with_lines(tree, PurePosixPath(path), [*text.splitlines(), line])


def changes(tree: Tree, kind: str, record: Record | None) -> Iterator[Change]:
    """The changes that store `record`; None removes it."""
    file, old = paths(kind)
    wanted = {file: text(record) if record else None, old: None}
    if record:
        yield from settings(tree)
    for file, new in wanted.items():
        now = tree.read(file)
        after = None if new is None else new.encode()
        yield Change(file, now, now if _is_same(now, after) else after)


def text(record: Record) -> str:
    """The file that holds a record."""
    sections = {("create", str(file)): each for file, each in record.files.items()}
    sections |= {("edit", place): each for place, each in record.places.items()}
    lines = [f"format {FORMAT}"]
    for (role, name), each in sorted(sections.items(), key=lambda item: item[0][1]):
        lines.append(f"{role} {name} {_digest(each)}")
        lines += map(_written, each.split("\n"))
    return "\n".join([*lines, _END, ""])


def same(data: bytes, text: str) -> bool:
    """True if a file has this text as it was generated, line ends aside."""
    return data == text.encode() or data.replace(b"\r\n", b"\n") == text.encode()


def _old(kind: str) -> PurePosixPath:
    """The list of format 1."""
    return HANDLERS / kind / "manifest"


def _with_lines(tree: Tree, path: PurePosixPath, wanted: Sequence[str]) -> Change:
    """The change that adds missing lines to a file and keeps the lines of its owner."""
    now = tree.read(path)
    present = _lines(now or b"")
    missing = [line for line in wanted if line not in present]
    if now is not None and not missing:
        return Change(path, now, now)
    ending = b"\n" if now and not now.endswith(b"\n") else b""
    text = "".join(f"{line}\n" for line in missing)
    return Change(path, now, (now or b"") + ending + text.encode())


def _lines(data: bytes) -> list[str]:
    """The lines of a file, without whitespace that tools may have put at their ends."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    return [line.rstrip() for line in text.split("\n")]


def _is_same(now: bytes | None, after: bytes | None) -> bool:
    """True if two files differ in such whitespace only."""
    if now is None or after is None:
        return now is after
    return list(filter(None, _lines(now))) == list(filter(None, _lines(after)))


def _sections(lines: Sequence[str]) -> Iterator[_Section]:
    first = lines[0]
    if first != f"format {FORMAT}":
        raise (
            _NewerError
            if _is_format(first)
            else ValueError("the format line is missing")
        )
    heading: list[str] = []
    kept: list[str] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        if line.startswith(("|", '"')) and heading:
            kept.append(_read(line))
            continue
        if heading:
            yield _section(heading, "\n".join(kept))
        if line.startswith(_MARKERS):
            raise ValueError(f"line {number} is a conflict marker of a merge")
        if line == _END and not any(lines[number:]):
            return
        heading, kept = line.split(" "), []
        if _WORDS.get(heading[0], -1) + 2 != len(heading):
            raise ValueError(f"line {number} is invalid")
    raise ValueError("the last line is missing")


def _is_format(line: str) -> bool:
    return line.startswith("format ") and line.removeprefix("format ").isdecimal()


def _section(heading: Sequence[str], text: str) -> _Section:
    role, *words, digest = heading
    if _digest(text) != digest:
        raise ValueError(f"the text of {words[0]} has changed")
    return _Section(role, " ".join(words), text)


def _record(sections: Iterator[_Section]) -> Record:
    files: dict[PurePosixPath, str] = {}
    places: dict[str, str] = {}
    count = 0
    for role, name, each in sections:
        path, *_ = name.split(" ")
        if not _is_inside(path):
            raise ValueError("names a file outside the project")
        if role == "create":
            files[PurePosixPath(path)] = each
        else:
            places[name] = each
        count += 1
    if count != len(files) + len(places):
        raise ValueError("an entry occurs twice")
    return Record(files, places)


def _is_inside(path: str) -> bool:
    """True if a path of a record is one that the generator would write."""
    parts = path.split("/")
    return path.isprintable() and not {"", ".", "..", ".git", ".scaffold"} & {*parts}


def _written(line: str) -> str:
    """A line of a text, in a form that no tool changes."""
    if line.isprintable() and line.rstrip() == line:
        return f"|{line}"
    import json

    return json.dumps(line)


def _read(line: str) -> str:
    """The line of a text that `_written` gave this form."""
    if line.startswith("|"):
        return line[1:]
    import json

    read = json.loads(line)
    if not isinstance(read, str):
        raise ValueError("a line of a text is not a string")
    return read


def _old_sections(manifest: bytes, generated: bytes) -> Iterator[_Section]:
    """The sections of format 1: a list with digests, and texts indented by a tab."""
    texts: dict[str, list[str]] = {}
    kept: list[str] = []
    lines = generated.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    for line in lines[:-1]:
        if line and not line.startswith("\t"):
            kept = texts.setdefault(line, [])
        else:  # a hook may have stripped the tab of an empty line
            kept.append(line[1:])
    first, *rest = _lines(manifest)
    if first != "format 1":
        raise (
            _NewerError
            if _is_format(first)
            else ValueError("the format line of the list is missing")
        )
    for line in filter(None, rest):
        role, digest, *words = line.split(" ")
        if _WORDS.get(role) != len(words):
            raise ValueError("the list has an invalid line")
        text = "\n".join(texts.get(" ".join(words), []))
        # another one may have stripped the empty line at the end
        whole = text if _digest(text) == digest else f"{text}\n"
        yield _section([role, *words, digest], whole)


def _damaged(kind: str, problem: str) -> DamagedRecord:
    fix = shlex.join(["scaffold", "adopt", kind])
    return DamagedRecord(path(kind), f"is damaged: {problem}", fix=fix)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
