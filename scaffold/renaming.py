"""A handler under another name: its files, registrations and record, with their edits.

Generated text is generated again under the new name. Hand edits are kept: in them and in
the record, the new names replace the old ones, so that `generate` still distinguishes edits
from generated text.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import ejected, places, state
from scaffold.change import Change
from scaffold.errors import Conflict
from scaffold.generate import ChangeSet, combined, generate
from scaffold.layout.style import Style
from scaffold.names import Names
from scaffold.outcomes import (
    Conflicting,
    Identical,
    Kept,
    LeftAlone,
    Merged,
    Moved,
    Outcome,
    RecordCreated,
    RecordRemoved,
    Updated,
)
from scaffold.patching.outcomes import PlaceMissing, PlaceOutcome, Unregistered
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from scaffold.patching.reading import find, read
from scaffold.patching.source import Source
from scaffold.shared import Fresh, Settle, unsettled
from scaffold.state import Record
from scaffold.tree import Overlay, Tree
from scaffold.wanted import Wanted

_FOLDERS = (
    "runtime/services/{kind}",
    "tests/runtime/services/{kind}",
    "examples/{kind}",
)
_CACHE = "__pycache__"

Reword = Callable[[str], str]


class _Moved(NamedTuple):
    """A tree in which a handler has another name, before it is generated again.

    Attributes:
        changes: changes of the present tree.
        sources: former paths of moved files by new path.
        outcomes: outcomes of the registrations removed under the old name.
    """

    changes: tuple[Change, ...]
    sources: Mapping[PurePosixPath, PurePosixPath]
    outcomes: tuple[PlaceOutcome, ...]


class Renaming(NamedTuple):
    """The renaming of a handler.

    Attributes:
        package: the import package of the project.
        old: its names now.
        new: its names afterwards.
        reword: replaces the old names with the new ones in a text.
        style: the project's layout of code.
    """

    package: str
    old: Names
    new: Names
    reword: Reword
    style: Style

    def applied(
        self,
        tree: Tree,
        record: Record,
        spec: bytes,
        want: Wanted,
        fresh: Fresh,
        settle: Settle = unsettled,
    ) -> ChangeSet:
        """The changes that give the handler its new name.

        Args:
            tree: the files.
            record: record of the handler.
            spec: the file of its new spec.
            want: the wanted state under the new name.
            fresh: gives the shared files and places that an older project lacks.
            settle: gives the way to settle conflicts in a file.

        Raises:
            Conflict: a file that would be moved to exists, or an edit is in the way.
            PlanError: a file cannot be read or patched.
        """
        moved = self._moved(tree, record, spec)
        overlay = Overlay(tree, {each.path: each.after for each in moved.changes})
        result = generate(want, overlay, fresh, settle)
        self._refuse(result, moved)
        whole = combined([ChangeSet(moved.changes, moved.outcomes), result])
        changes = [each for each in whole.changes if each.before != each.after]
        return ChangeSet(tuple(changes), tuple(self._outcomes(result, moved, tree)))

    def _refuse(self, result: ChangeSet, moved: _Moved) -> None:
        """Check that no edit contradicts the text generated under the new name.

        Raises:
            Conflict: edits contradict it; their files are named by their present paths.
        """
        why = {
            moved.sources.get(each.path, each.path): each.reason
            for each in result.outcomes
            if isinstance(each, Conflicting)
        }
        if why:
            fix = ["scaffold", "rename-handler", self.old.kind, self.new.kind]
            raise Conflict(why, fix=shlex.join([*fix, "--on-conflict", "markers"]))

    def _outcomes(
        self, result: ChangeSet, moved: _Moved, tree: Tree
    ) -> Iterator[Outcome]:
        """The outcomes, with files moved instead of created."""
        sources = {
            path: source
            for path, source in moved.sources.items()
            if tree.read(source) is not None
        }
        for each in result.outcomes:
            source = sources.pop(each.path, None)
            if (
                isinstance(each, Identical | Kept | LeftAlone | Merged | Updated)
                and source is not None
            ):
                yield Moved(each.path, each.text, each.role, each.base, source=source)
            elif each.path.parts[0] != ".scaffold":
                yield each
        yield from (Moved(path, source=source) for path, source in sources.items())
        yield from moved.outcomes
        yield RecordRemoved(state.HANDLERS / self.old.kind, role="state")
        yield RecordCreated(state.HANDLERS / self.new.kind, role="state")

    def _moved(self, tree: Tree, record: Record, spec: bytes) -> _Moved:
        """The tree with the new name, not generated again."""
        sources = self._sources(tree, record)
        taken = [path for path in sources if tree.read(path) is not None]
        if taken:
            raise Conflict(dict.fromkeys(taken, "already exists"))
        changes: list[Change] = []
        for target, source in sources.items():
            data = tree.read(source)
            if data is None:
                continue
            after = data
            if target == self._spec(self.new):
                after = spec
            elif source in record.files or source.suffix == ".py":
                after = self._data(data)
            changes += [Change(source, data, None), Change(target, None, after)]
        shared, outcomes, kept = self._shared(tree, record)
        old, new = (state.path(each.kind) for each in (self.old, self.new))
        files = {
            self._path(path): (
                spec.decode("utf-8-sig").replace("\r\n", "\n")
                if path == self._spec(self.old)
                else self.reword(text)
            )
            for path, text in record.files.items()
        }
        changes += [*shared, Change(old, tree.read(old), None)]
        targets = {source: target for target, source in sources.items()}
        changes += ejected.moved(tree, targets)
        moved = state.text(Record(files, dict(kept))).encode()
        changes.append(Change(new, tree.read(new), moved))
        return _Moved(tuple(changes), sources, tuple(outcomes))

    def _spec(self, names: Names) -> PurePosixPath:
        return places.spec_path(names.kind, self.package)

    def _sources(
        self, tree: Tree, record: Record
    ) -> dict[PurePosixPath, PurePosixPath]:
        """The files that move, by their new paths: generated files and others beside them."""
        found = [*record.files, self._spec(self.old)]
        for folder in self._folders(self.old):
            found += _below(tree, folder)
        paths = {path: self._path(path) for path in found}
        return {new: old for old, new in paths.items() if new != old}

    def _folders(self, names: Names) -> list[PurePosixPath]:
        return [places.within(each, self.package, names.kind) for each in _FOLDERS]

    def _path(self, path: PurePosixPath) -> PurePosixPath:
        """The new path of a file of the handler; any other stays."""
        named = dict(
            zip(
                (each.path for each in places.files(self.old, self.package)),
                (each.path for each in places.files(self.new, self.package)),
                strict=True,
            )
        )
        if path in named:
            return named[path]
        folders = zip(self._folders(self.old), self._folders(self.new), strict=True)
        for old, new in folders:
            if old in path.parents:
                inner = path.relative_to(old)
                return new.joinpath(*map(self.reword, inner.parts))
        return path

    def _data(self, data: bytes) -> bytes:
        """The content of a file with the new names; unchanged if it is not text."""
        try:
            return self.reword(data.decode()).encode()
        except UnicodeDecodeError:
            return data

    def _shared(
        self, tree: Tree, record: Record
    ) -> tuple[list[Change], list[PlaceOutcome], dict[str, str]]:
        """The shared files without generated entries, and with edited ones renamed.

        Returns:
            Their changes, the outcomes, and the recorded text of edited entries and of lines
            that are no longer entries.
        """
        olds = places.places(self.old, self.package)
        news = places.places(self.new, self.package)
        after: dict[PurePosixPath, bytes] = {}
        outcomes: list[PlaceOutcome] = []
        rest = dict(record.places)
        for old, new in zip(olds, news, strict=True):
            text = rest.pop(old.id, None)
            data = after.get(old.path, tree.read(old.path))
            if text is None or data is None:
                continue
            if old.once:  # a line of history, which is kept
                rest[new.id] = self.reword(text)
                continue
            registration = Registration(old, "", text)
            after[old.path], found = register(
                old.path, data, [registration], self.style
            )
            outcomes += [each for each in found if isinstance(each, Unregistered)]
            if any(isinstance(each, PlaceMissing | Unregistered) for each in found):
                continue
            renamed = self._entry(old, after[old.path])
            if renamed != after[old.path]:
                after[old.path] = renamed
                rest[new.id] = self._in_place(old, text)
        changes = [Change(path, tree.read(path), data) for path, data in after.items()]
        return changes, outcomes, rest

    def _entry(self, place: Place, data: bytes) -> bytes:
        """A shared file in which the lines of the entry have the new names."""
        source: Source = read(place.path, data)
        entries = find(source, Registration(place, "")).named(place.key)
        lines = list(source.lines)
        for entry in entries:
            lines[entry.first : entry.end] = [
                self._in_place(place, line) for line in lines[entry.first : entry.end]
            ]
        return source.encode("".join(lines))

    def _in_place(self, place: Place, text: str) -> str:
        """The text of an edited entry with the new names; values of a configuration stay."""
        if place.path.suffix != ".conf":
            return self.reword(text)
        return "".join(
            self.reword(line) if line.lstrip().startswith(("[", "#")) else line
            for line in text.splitlines(keepends=True)
        )


def _below(tree: Tree, folder: PurePosixPath) -> Iterator[PurePosixPath]:
    """The files in a folder and in the folders in it, but for caches."""
    for name in tree.names(folder):
        path = folder / name
        if name == _CACHE:
            continue
        inner = list(_below(tree, path))
        yield from inner
        if not inner:
            yield path
