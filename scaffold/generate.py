"""The core: what a handler's spec makes of a tree. It reads, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import places, state
from scaffold.change import Change
from scaffold.errors import (
    Conflict,
    Fault,
    PlanError,
    PlanErrors,
    SpecError,
    UsageError,
)
from scaffold.layout.style import style_of
from scaffold.outcomes import (
    Conflicting,
    Created,
    EditedConflict,
    FileOutcome,
    ForeignConflict,
    Identical,
    Kept,
    NameOwned,
    Outcome,
    RecordCreated,
    RecordUpdated,
    Released,
    Removed,
    Restored,
    Updated,
)
from scaffold.patching.outcomes import (
    AlreadyRegistered,
    FileUnusable,
    NameTaken,
    NotWanted,
    PlaceMissing,
    PlaceOutcome,
    SurplusKept,
    SurplusRemoved,
    Unregistered,
)
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from scaffold.spec.model import HandlerSpec
from scaffold.state import Record
from scaffold.tree import Tree

Render = Callable[[str, HandlerSpec, str], str]
"""The text of a template, for a spec and the package that the runtime is called."""


class Wanted(NamedTuple):
    """What should be there for one handler.

    Attributes:
        kind: the handler's name.
        spec_path: where its spec is committed.
        files: the text of each file, the spec's own included.
        places: the text of each registration.
    """

    kind: str
    spec_path: PurePosixPath
    files: Mapping[PurePosixPath, str]
    places: Mapping[Place, str]


class ChangeSet(NamedTuple):
    """What a command would do.

    Attributes:
        changes: of files, in the order in which they are reported; the state's last.
        outcomes: of every file and place, those that need no change included.
    """

    changes: tuple[Change, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def conflicts(self) -> tuple[PurePosixPath, ...]:
        """The files that a person must look at first."""
        found = [each for each in self.outcomes if isinstance(each, Conflicting)]
        return tuple(dict.fromkeys(each.path for each in found))

    @property
    def shared(self) -> frozenset[PurePosixPath]:
        """The files that were patched; `patch` has proven them."""
        return frozenset(
            each.path for each in self.outcomes if isinstance(each, PlaceOutcome)
        )


class Overlay(NamedTuple):
    """A tree as it will be after some changes."""

    tree: Tree
    files: Mapping[PurePosixPath, bytes | None]

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it is not there."""
        return self.files[path] if path in self.files else self.tree.read(path)

    def names(self, folder: PurePosixPath) -> list[str]:
        """What a folder holds, sorted; nothing if it is not there."""
        depth = len(folder.parts)
        new = {path.parts[depth] for path in self.files if folder in path.parents}
        return sorted({*self.tree.names(folder), *new})


def wanted(spec: HandlerSpec, package: str, render: Render) -> Wanted:
    """Render everything for one handler.

    Args:
        spec: what the handler is.
        package: the import package that holds the runtime.
        render: gives the text of a template.
    """
    names = spec.names
    spec_path = places.spec_path(names.kind, package)
    files = {spec_path: spec.to_toml()}
    for file in places.files(names, package):
        content = render(file.template, spec, package)
        if content:
            files[file.path] = content
    texts = {
        place: render(place.template, spec, package)
        for place in places.places(names, package)
    }
    return Wanted(names.kind, spec_path, dict(sorted(files.items())), texts)


def generate(want: Wanted, tree: Tree) -> ChangeSet:
    """What brings the tree to what is wanted, keeping what a person wrote.

    Whatever is in the way is an outcome; `refuse` raises it.
    """
    record = state.read(tree, want.kind)
    changes, outcomes = [], []
    for change, outcome in _files(want, record or Record({}, {}), tree):
        changes.append(change)
        outcomes.append(outcome)
    patched, registered = _places(want, record, tree)
    kept = _record(want, record or Record({}, {}), registered)
    changes += [*patched, *state.changes(tree, want.kind, kept)]
    changes = [change for change in changes if change.before != change.after]
    result: list[Outcome] = [*outcomes, *registered]
    if any(change.is_state for change in changes):
        written = RecordUpdated if record else RecordCreated
        result.append(written(state.HANDLERS / want.kind, role="state"))
    return ChangeSet(tuple(changes), tuple(result))


def generate_all(wants: Iterable[Wanted], tree: Tree) -> ChangeSet:
    """`generate` for several handlers, each on top of the ones before."""
    changes: dict[PurePosixPath, Change] = {}
    outcomes: list[Outcome] = []
    for want in wants:
        files = {path: change.after for path, change in changes.items()}
        result = generate(want, Overlay(tree, files))
        for change in result.changes:
            first = changes.get(change.path, change)
            changes[change.path] = change._replace(before=first.before)
        outcomes += result.outcomes
    return ChangeSet(tuple(changes.values()), tuple(outcomes))


def refuse(result: ChangeSet, kind: str) -> ChangeSet:
    """The change set, if nothing is in its way.

    Args:
        result: what a command would do.
        kind: the handlers that it is about, as arguments of a command; "" for all.

    Raises:
        PlanError: places are not as expected; all of them are reported.
        SpecError: a name that the handler needs belongs to another one.
        UsageError: a name that the handler needs stands for something else.
        Conflict: somebody's work is in the way.
    """
    _refuse_places(result)
    _refuse_names(result)
    conflicts = {
        each.path: each.reason
        for each in result.outcomes
        if isinstance(each, Conflicting)
    }
    if not conflicts:
        return result
    foreign = [
        each.path for each in result.outcomes if isinstance(each, ForeignConflict)
    ]
    fix = f"scaffold diff {kind}".rstrip()
    if foreign:
        fix = "; ".join(f"mv {path} {path}.mine" for path in foreign)
    raise Conflict(conflicts, fix=fix)


def same(data: bytes, text: str) -> bool:
    """Whether a file has this text, line ends aside."""
    return data == text.encode() or data.replace(b"\r\n", b"\n") == text.encode()


def _refuse_places(result: ChangeSet) -> None:
    """Refuse a tree in which an entry cannot be made."""
    errors = {
        str(each.error): each.error
        for each in result.outcomes
        if isinstance(each, PlaceMissing | FileUnusable) and each.error
    }
    if errors:
        first, *others = errors.values()
        raise PlanErrors([first, *others]) if others else first


def _refuse_names(result: ChangeSet) -> None:
    """Refuse a handler that needs a name which is somebody else's."""
    faults = [
        Fault(
            f"{each.path} ({each.place.place})",
            f"`{each.place.key}` belongs to the handler `{each.owner}`",
        )
        for each in result.outcomes
        if isinstance(each, NameOwned)
    ]
    if faults:
        raise SpecError(faults)
    for each in result.outcomes:
        if isinstance(each, NameTaken):
            raise UsageError(
                f"{each.path}: {each.place.anchor.name}: "
                f"`{each.place.key}` already stands for something else"
            )


def _files(
    want: Wanted, record: Record, tree: Tree
) -> Iterator[tuple[Change, FileOutcome]]:
    for path, text in want.files.items():
        now = tree.read(path)
        if path == want.spec_path and now is not None:
            # The spec is its author's, never ours to change.
            outcome: FileOutcome = Identical(path, text, "spec")
        else:
            role = "spec" if path == want.spec_path else "owned"
            kind = _file_outcome(now, text, record.files.get(path))
            outcome = kind(path, text, role)
        data = now
        if isinstance(outcome, Created | Restored | Updated):
            data = text.encode()
            if now is not None and b"\r\n" in now:
                data = data.replace(b"\n", b"\r\n")
        yield Change(path, now, data), outcome
    for path in sorted(set(record.files) - set(want.files)):
        now = tree.read(path)
        if now is None:
            continue
        if same(now, record.files[path]):
            yield Change(path, now, None), Removed(path)
        else:
            yield Change(path, now, now), Released(path)


def _file_outcome(now: bytes | None, text: str, base: str | None) -> type[FileOutcome]:
    if now is None:
        return Created if base is None else Restored
    if same(now, text):
        return Identical
    if base is None:
        return ForeignConflict
    if same(now, base):
        return Updated
    return Kept if base == text else EditedConflict


def _places(
    want: Wanted, record: Record | None, tree: Tree
) -> tuple[list[Change], list[PlaceOutcome]]:
    changes: list[Change] = []
    outcomes: list[PlaceOutcome] = []
    style = style_of(tree.read(PurePosixPath("pyproject.toml")))
    for path, registrations in _by_file(want, record).items():
        data = tree.read(path)
        try:
            if data is None:
                raise PlanError(path, "is missing")
            patched, found = register(path, data, registrations, style)
        except PlanError as error:
            outcomes += [
                FileUnusable(asked.place, asked.text, error=error)
                for asked in registrations
            ]
            continue
        changes.append(Change(path, data, patched))
        outcomes += [each for each in found if not isinstance(each, NotWanted)]
    if record is None:
        outcomes = list(_with_owners(want.kind, outcomes, tree))
    return changes, outcomes


def _by_file(
    want: Wanted, record: Record | None
) -> dict[PurePosixPath, list[Registration]]:
    by_file: dict[PurePosixPath, list[Registration]] = {}
    for place, text in want.places.items():
        base = record.places.get(place.id) if record else None
        if (place.once and record) or not (text.strip() or base is not None):
            continue
        by_file.setdefault(place.path, []).append(Registration(place, text, base))
    return by_file


def _record(want: Wanted, record: Record, outcomes: Iterable[PlaceOutcome]) -> Record:
    """What is kept after the changes: the generator's text, not the person's."""
    gone = (FileUnusable, PlaceMissing, SurplusKept, SurplusRemoved, Unregistered)
    texts = {
        each.place.id: each.text for each in outcomes if not isinstance(each, gone)
    }
    once = {place.id for place in want.places if place.once}
    texts |= {place: text for place, text in record.places.items() if place in once}
    return Record(want.files, texts)


def _with_owners(
    kind: str, outcomes: Iterable[PlaceOutcome], tree: Tree
) -> Iterator[PlaceOutcome]:
    """Tell an entry that a person wrote for this handler from another handler's."""
    owners: dict[str, str] | None = None
    for each in outcomes:
        if isinstance(each, AlreadyRegistered):
            if owners is None:
                owners = {
                    place: other
                    for other in state.kinds(tree)
                    for place in state.places(tree, other)
                }
            owner = owners.get(each.place.id, kind)
            if owner != kind:
                yield NameOwned(each.place, each.text, each.line, each.was, owner=owner)
                continue
        yield each
