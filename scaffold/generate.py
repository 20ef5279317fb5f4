"""The core: what a handler's spec makes of a tree. It reads, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import plan, state
from scaffold.change import Change
from scaffold.errors import Conflict, Fault, PlanError, PlanErrors, SpecError
from scaffold.patching.patch import Outcome, Registration, register
from scaffold.rendering.layout import fit_module
from scaffold.spec.model import HandlerSpec
from scaffold.state import Record, Registered
from scaffold.tree import Tree

Render = Callable[[str, HandlerSpec, str], str]
"""The text of a template, for a spec and the package that the runtime is called."""


_FOREIGN = "is there already, with other text"
_EDITED = "was edited by hand, and would have to change"


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
    places: Mapping[plan.Place, str]


class Step(NamedTuple):
    """One line of a report.

    Attributes:
        action: the verb: `create`, `identical`, `register`, ….
        path: the file.
        role: `spec`, `owned` (a generated file), `shared` (others are registered there
            too) or `state`.
        place: for a registration, the name of the place.
        key: for a registration, its key.
        line: for a registration, where it stands.
        reason: why, if the verb does not say it.
    """

    action: str
    path: PurePosixPath
    role: str
    place: str = ""
    key: str = ""
    line: int = 0
    reason: str = ""


class ChangeSet(NamedTuple):
    """What a command would do.

    Attributes:
        changes: of files, in the order in which they are reported; the state's last.
        steps: the same for people, with what needs no change.
    """

    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def conflicts(self) -> tuple[PurePosixPath, ...]:
        """The files that a person must look at first."""
        paths = [step.path for step in self.steps if step.action == "conflict"]
        return tuple(dict.fromkeys(paths))

    @property
    def shared(self) -> frozenset[PurePosixPath]:
        """The files that were patched; `patch` has proven them."""
        return frozenset(step.path for step in self.steps if step.role == "shared")


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
    spec_path = plan.spec_path(names.kind, package)
    files = {spec_path: spec.to_toml()}
    for file in plan.files(names, package):
        content = render(file.template, spec, package)
        if content:
            is_python = file.path.suffix == ".py"
            files[file.path] = fit_module(content) if is_python else content
    places = {
        place: render(place.template, spec, package)
        for place in plan.places(names, package)
    }
    return Wanted(names.kind, spec_path, dict(sorted(files.items())), places)


def generate(want: Wanted, tree: Tree) -> ChangeSet:
    """What brings the tree to what is wanted, keeping what a person wrote.

    Raises:
        PlanError: places are not as expected; all of them are told.
        SpecError: a name that the handler needs belongs to another one.
    """
    record = state.read(tree, want.kind)
    files = _files(want, record or Record({}, {}), tree)
    places, outcomes = _places(want, record, tree)
    kept = _record(want, record or Record({}, {}), outcomes)
    changes = [
        *files.changes,
        *places.changes,
        *state.changes(tree, want.kind, kept),
    ]
    steps = [*files.steps, *places.steps]
    changes = [change for change in changes if change.before != change.after]
    if any(change.is_state for change in changes):
        action = "update" if record else "create"
        folder = state.HANDLERS / want.kind
        steps.append(Step(action, folder, "state", reason="what was generated"))
    return ChangeSet(tuple(changes), tuple(steps))


def generate_all(wants: Iterable[Wanted], tree: Tree) -> ChangeSet:
    """`generate` for several handlers, each on top of the ones before."""
    changes: dict[PurePosixPath, Change] = {}
    steps: list[Step] = []
    for want in wants:
        files = {path: change.after for path, change in changes.items()}
        result = generate(want, Overlay(tree, files))
        for change in result.changes:
            first = changes.get(change.path, change)
            changes[change.path] = change._replace(before=first.before)
        steps += result.steps
    return ChangeSet(tuple(changes.values()), tuple(steps))


def refuse_conflicts(result: ChangeSet, kind: str) -> ChangeSet:
    """The change set, if nobody's work is in its way.

    Raises:
        Conflict: somebody's is.
    """
    conflicts = {
        step.path: step.reason for step in result.steps if step.action == "conflict"
    }
    if not conflicts:
        return result
    foreign = [path for path, reason in conflicts.items() if reason == _FOREIGN]
    fix = f"scaffold diff {kind}".rstrip()
    if foreign:
        fix = "; ".join(f"mv {path} {path}.mine" for path in foreign)
    raise Conflict(conflicts, fix=fix)


def same(data: bytes, text: str) -> bool:
    """Whether a file has this text, line ends aside."""
    return data == text.encode() or data.replace(b"\r\n", b"\n") == text.encode()


def _files(want: Wanted, record: Record, tree: Tree) -> ChangeSet:
    changes, steps = [], []
    for path, text in want.files.items():
        now = tree.read(path)
        action, reason = _file_action(now, text, record.files.get(path))
        if path == want.spec_path and now is not None:
            # The spec is its author's, never ours to change.
            action, reason = "identical", ""
        if action in {"create", "update"}:
            data = text.encode()
            if now is not None and b"\r\n" in now:
                data = data.replace(b"\n", b"\r\n")
            changes.append(Change(path, now, data))
        role = "spec" if path == want.spec_path else "owned"
        steps.append(Step(action, path, role, reason=reason))
    for path in sorted(set(record.files) - set(want.files)):
        now = tree.read(path)
        if now is None:
            continue
        ours = same(now, record.files[path])
        if ours:
            changes.append(Change(path, now, None))
        action, reason = ("remove", "") if ours else ("keep", "edited by hand")
        steps.append(Step(action, path, "owned", reason=reason))
    return ChangeSet(tuple(changes), tuple(steps))


def _file_action(now: bytes | None, text: str, base: str | None) -> tuple[str, str]:
    if now is None:
        return "create", "" if base is None else "was missing"
    if same(now, text):
        return "identical", ""
    if base is None:
        return "conflict", _FOREIGN
    if same(now, base):
        return "update", ""
    if base == text:
        return "keep", "edited by hand"
    return "conflict", _EDITED


def _places(
    want: Wanted, record: Record | None, tree: Tree
) -> tuple[ChangeSet, list[tuple[plan.Place, Outcome]]]:
    changes: list[Change] = []
    steps: list[Step] = []
    outcomes: list[tuple[plan.Place, Outcome]] = []
    errors: list[PlanError] = []
    for path, places in _by_file(want, record).items():
        data = tree.read(path)
        registrations = [registration(place, text, record) for place, text in places]
        try:
            if data is None:
                raise PlanError(path, "is missing")
            patched, found = register(path, data, registrations)
        except PlanError as error:
            errors.append(error)
            continue
        changes.append(Change(path, data, patched))
        for (place, _), outcome in zip(places, found, strict=True):
            if outcome.copies or outcome.action == "unregister":
                outcomes.append((place, outcome))
                steps.append(_step(place, outcome))
    if errors:
        raise errors[0] if len(errors) == 1 else PlanErrors(errors)
    if record is None:
        _refuse_foreign_names(want.kind, outcomes, tree)
    return ChangeSet(tuple(changes), tuple(steps)), outcomes


def _by_file(
    want: Wanted, record: Record | None
) -> dict[PurePosixPath, list[tuple[plan.Place, str]]]:
    by_file: dict[PurePosixPath, list[tuple[plan.Place, str]]] = {}
    for place, text in want.places.items():
        known = record is not None and registered(place) in record.places
        if (place.once and record is not None) or not (text.strip() or known):
            continue
        by_file.setdefault(place.path, []).append((place, text))
    return by_file


def registration(
    place: plan.Place, text: str, record: Record | None, *, force: bool = False
) -> Registration:
    """What `patch` is asked for at one place."""
    previous = record.places.get(registered(place)) if record else None
    return Registration(
        place.path, place.place, place.anchor, place.key, text, previous, force
    )


def registered(place: plan.Place) -> Registered:
    """How a place is called in the record."""
    return Registered(place.path, place.place, place.key)


def _step(place: plan.Place, outcome: Outcome) -> Step:
    reasons = {"keep": "edited by hand", "conflict": _EDITED}
    return Step(
        outcome.action,
        place.path,
        "shared",
        place=place.place,
        key=place.key,
        line=outcome.line,
        reason=reasons.get(outcome.action, ""),
    )


def _record(
    want: Wanted, record: Record, outcomes: Iterable[tuple[plan.Place, Outcome]]
) -> Record:
    """What is kept after the changes: the generator's text, not the person's."""
    places = {
        registered(place): outcome.fragment
        for place, outcome in outcomes
        if outcome.action != "unregister"
    }
    once = {registered(place) for place in want.places if place.once}
    places |= {entry: text for entry, text in record.places.items() if entry in once}
    return Record(want.files, places)


def _refuse_foreign_names(
    kind: str, outcomes: Iterable[tuple[plan.Place, Outcome]], tree: Tree
) -> None:
    """Tell an entry that a person wrote for this handler from another handler's."""
    there = [place for place, outcome in outcomes if outcome.action == "registered"]
    if not there:
        return
    owners = {
        entry: other for other in state.kinds(tree) for entry in state.keys(tree, other)
    }
    faults = [
        Fault(
            f"{place.path} ({place.place})",
            f"`{place.key}` belongs to the handler `{owners[registered(place)]}`",
        )
        for place in there
        if owners.get(registered(place), kind) != kind
    ]
    if faults:
        raise SpecError(faults)
