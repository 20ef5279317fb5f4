"""`scaffold eject`: generated files that belong to their owner alone from then on.

A file may be ejected before its handler exists: `new-handler` then leaves it unchanged.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from scaffold import ejected, places, state
from scaffold.adoption import is_lost
from scaffold.change import Change
from scaffold.commands.change import ChangeOptions, change
from scaffold.errors import UsageError
from scaffold.escaping import escaped
from scaffold.formats import refuse_outdated
from scaffold.generate import ChangeSet
from scaffold.handlers import kinds
from scaffold.outcomes import (
    Created,
    Ejected,
    FileOutcome,
    Followed,
    LeftAlone,
    Removed,
    Updated,
)
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import DiskTree, Tree


def eject(
    project: Project,
    folder: Path,
    names: Sequence[str],
    how: ChangeOptions,
    *,
    revoke: bool = False,
) -> Report:
    """Leave generated files to their owner, or have them follow their templates again.

    Args:
        project: the project.
        folder: the folder that `names` may be relative to, besides the project's root.
        names: paths of the files.
        how: the options of the command.
        revoke: true to undo an earlier `eject`.

    Raises:
        UsageError: one is not a generated file, or was not ejected.
    """
    refuse_outdated(project)
    on_disk = DiskTree(project.root)
    owners = _owners(on_disk)
    known: Collection[PurePosixPath] = ejected.read(on_disk) if revoke else owners
    paths = [_chosen(project, folder, name, known, revoke=revoke) for name in names]

    def generated(tree: Tree) -> ChangeSet:
        before = ejected.read(tree)
        if revoke:
            changes = list(ejected.without(tree, paths))
        else:
            changes = list(ejected.added(tree, paths))
        outcomes: list[FileOutcome] = []
        for path in dict.fromkeys(paths):
            done = Followed if revoke else LeftAlone if path in before else Ejected
            outcomes.append(done(path))
        changes = [each for each in changes if each.before != each.after]
        return ChangeSet(tuple(changes), (*outcomes, *_of_state(changes)))

    found = dict.fromkeys(owners[path] for path in paths if path in owners)
    next_steps = [shlex.join(["scaffold", "regenerate", *found])] if found else []
    return change("eject", project, generated, how, next_steps if revoke else [])


def _owners(tree: Tree) -> dict[PurePosixPath, str]:
    """The handler of each generated file."""
    return {
        path: kind
        for kind in state.kinds(tree)
        if (record := state.read(tree, kind))
        for path in record.files
    }


def _chosen(
    project: Project,
    folder: Path,
    name: str,
    known: Collection[PurePosixPath],
    *,
    revoke: bool,
) -> PurePosixPath:
    """The path of a generated file in the project.

    Raises:
        UsageError: the path is not a generated file.
    """
    inside = project.meant(name, folder)
    for path in inside:
        if path in known and (revoke or path.name != "handler.toml"):
            return path
        if not revoke and _is_in_the_way(project, path):
            return path
    raise _refusal(project, inside, revoke=revoke)


def _is_in_the_way(project: Project, path: PurePosixPath) -> bool:
    """True if a future handler would have a generated file in place of this one."""
    tree = DiskTree(project.root)
    kind = places.kind_of(path, project.package)
    return (
        kind is not None
        and kind not in kinds(tree, project.package)
        and tree.read(path) is not None
    )


def _refusal(
    project: Project, inside: Sequence[PurePosixPath], *, revoke: bool
) -> UsageError:
    entries = [
        place
        for place in places.EDIT
        if places.within(place.path, project.package) in inside
    ]
    shared = [places.within(place.path, project.package) for place in entries]
    path = [*shared, *inside][0]
    shown = escaped(str(path))
    if revoke:
        return UsageError(f"{shown}: was not ejected", fix="scaffold list -v")
    if path.name == "handler.toml":
        return UsageError(
            f"{shown}: the spec is yours already; regenerate never changes it"
        )
    if any(place.optional for place in entries):
        return UsageError(
            f"{shown}: is not a generated file. To have no entries of handlers in it, set "
            f'skip = ["{shown}"] under [tool.scaffold] in pyproject.toml'
        )
    if entries:
        return UsageError(
            f"{shown}: handlers are registered in it. Its other text is yours already, and "
            "edited entries are kept"
        )
    tree = DiskTree(project.root)
    lost = [kind for kind in kinds(tree, project.package) if is_lost(tree, kind)]
    fix = ["scaffold", "adopt", *lost] if lost else ["scaffold", "list", "-v"]
    return UsageError(f"{shown}: is not a generated file", fix=shlex.join(fix))


def _of_state(changes: Sequence[Change]) -> Iterator[FileOutcome]:
    """The outcomes of the files of the state."""
    for each in changes:
        kind = Created if each.before is None else Updated
        yield (Removed if each.after is None else kind)(each.path, role="state")
