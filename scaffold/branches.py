"""Merges registrations of two branches.

Two branches that each add a handler insert lines at the same spot, which git calls a
conflict. Where merging by lines fails, the entries that differ are taken out of the three
versions, the rest is merged by lines, and the entries of both branches are put in again, as
`new-handler` does. An entry that both branches changed remains a conflict of git's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeVar

from scaffold import places, state
from scaffold.change import Change
from scaffold.disk import scratch
from scaffold.errors import ScaffoldError, UsageError
from scaffold.names import Names
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from scaffold.patching.reading import entries_of
from scaffold.patching.source import Source
from scaffold.state import Record
from scaffold.tree import Tree

_MAX_CONFLICTS = 127  # as git counts them in an exit code
_VERSIONS = ("ours", "base", "theirs")
_ANY = Names("any", "any")
_Name = TypeVar("_Name", PurePosixPath, str)


class Versions(NamedTuple):
    """The versions of a file that are merged.

    Attributes:
        base: the last one that both branches have in common; empty if neither had it.
        ours: version of the branch that is merged into.
        theirs: version of the other branch.
    """

    base: bytes
    ours: bytes
    theirs: bytes


class Merged(NamedTuple):
    """A merged file.

    Attributes:
        data: its content, with conflict markers if it is not clean.
        is_clean: true if no conflict is left.
    """

    data: bytes
    is_clean: bool


class _Entry(NamedTuple):
    """An entry that is not the same in all versions.

    Attributes:
        place: its place.
        texts: its text in each version; None where it is missing.
        text: its text after the merge, or None.
    """

    place: Place
    texts: tuple[str | None, ...]
    text: str | None


def by_lines(versions: Versions) -> Merged:
    """The versions as git merges text.

    Raises:
        UsageError: git is missing, or refuses to merge them.
    """
    import subprocess

    order = zip(_VERSIONS, (versions.ours, versions.base, versions.theirs), strict=True)
    labels = [word for name in _VERSIONS for word in ("-L", name)]
    with scratch.files(dict(order)) as files:
        try:
            done = subprocess.run(
                ["git", "merge-file", "-p", *labels, *files],
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise UsageError(f"git: {error.strerror}") from error
    if not 0 <= done.returncode <= _MAX_CONFLICTS:
        raise UsageError(done.stderr.decode(errors="replace").strip())
    return Merged(done.stdout, done.returncode == 0)


def by_entries(
    path: PurePosixPath, versions: Versions, lines: Merged, package: str
) -> Merged:
    """A shared file or a record, merged by its entries where lines are not enough.

    Args:
        path: path of the file in the project.
        versions: the versions to merge.
        lines: the result of git's merge.
        package: the import package of the project.
    """
    if state.HANDLERS in path.parents:
        return _record(versions, lines)
    try:
        entries = list(_differing(path, versions, package))
        if lines.is_clean and _holds(path, lines.data, entries):
            return lines
        rest = by_lines(
            Versions(
                *(
                    _without(path, data, number, entries)
                    for number, data in enumerate(versions)
                )
            )
        )
        whole = rest.data
        for each in entries:  # one by one: an empty list becomes one with a first entry
            if each.text is not None:
                whole, _ = register(path, whole, [Registration(each.place, each.text)])
        if rest.is_clean and _holds(path, whole, entries):
            return Merged(whole, True)
    except ScaffoldError:  # a place in a version has an unexpected form
        return lines
    return lines._replace(is_clean=False)


def attributed(tree: Tree, package: str) -> Change:
    """The change that adds the files to be merged by entries to `.gitattributes`."""
    path = PurePosixPath(".gitattributes")
    now = tree.read(path)
    lines = (now or b"").decode("utf-8", "surrogateescape").split("\n")
    if not lines[-1]:
        lines.pop()
    known = {line.rstrip() for line in lines}
    new = [line for line in attributes(package) if line not in known]
    text = "\n".join([*lines, *new, ""])
    after = text.encode("utf-8", "surrogateescape") if new else now
    return Change(path, now, after)


def attributes(package: str) -> list[str]:
    """The lines of `.gitattributes` for the files to be merged by entries."""
    paths = {place.path for place in places.places(_ANY, package)}
    room = places.within(places.ROOM, package)
    names = {
        f"{room}/*.py" if path.parent == room else str(path) for path in sorted(paths)
    }
    return [f"/{name} merge=scaffold" for name in sorted(names)]


def _differing(
    path: PurePosixPath, versions: Versions, package: str
) -> Iterator[_Entry]:
    """The entries that one branch added, changed or removed."""
    for place in places.places(_ANY, package):
        if place.path != path:
            continue
        base, ours, theirs = (entries_of(path, data, place) for data in versions)
        for key in dict.fromkeys((*ours, *theirs, *base)):
            texts = (base.get(key), ours.get(key), theirs.get(key))
            text = _decided(*texts)
            if len({*texts}) > 1 and text is not ...:
                yield _Entry(place._replace(key=key), texts, text)


def _decided(base: str | None, ours: str | None, theirs: str | None) -> Any:
    """The merge of three versions of a text; `...` if both branches changed it."""
    if theirs in (base, ours):
        return ours
    return theirs if ours == base else ...


def _without(
    path: PurePosixPath, data: bytes, number: int, entries: Sequence[_Entry]
) -> bytes:
    """A version without the entries that differ."""
    asked = [
        Registration(each.place, "", base=text)
        for each in entries
        if (text := each.texts[number]) is not None
    ]
    return register(path, data, asked)[0]


def _holds(path: PurePosixPath, data: bytes, entries: Sequence[_Entry]) -> bool:
    """True if a merged file has the entries of both branches, and is whole."""
    for each in entries:
        if entries_of(path, data, each.place).get(each.place.key) != each.text:
            return False
    return path.suffix != ".py" or bool(Source(path, data).tree)


def _record(versions: Versions, lines: Merged) -> Merged:
    """A merged record: each text from the branch that changed it, or merged by lines."""
    try:
        base, ours, theirs = (
            state.parse(data) if data else Record({}, {}) for data in versions
        )
    except ValueError:
        return lines
    merged = Record(
        dict(_merged_texts(base.files, ours.files, theirs.files)),
        dict(_merged_texts(base.places, ours.places, theirs.places)),
    )
    return Merged(state.text(merged).encode(), True)


def _merged_texts(
    base: Mapping[_Name, str], ours: Mapping[_Name, str], theirs: Mapping[_Name, str]
) -> Iterator[tuple[_Name, str]]:
    for name in {**ours, **theirs}:
        texts = base.get(name), ours.get(name), theirs.get(name)
        text = _decided(*texts)
        if text is ...:
            lines = by_lines(Versions(*((each or "").encode() for each in texts)))
            # else ours: the file that the text is the base of is in conflict, too
            text = lines.data.decode() if lines.is_clean else texts[1]
        if text is not None:
            yield name, text
