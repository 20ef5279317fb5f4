"""`scaffold undo`: the last command that wrote, taken back."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath

from scaffold import places
from scaffold.change import Change
from scaffold.commands.change import UNPROVEN, ChangeOptions, change
from scaffold.disk import last
from scaffold.errors import Conflict
from scaffold.generate import ChangeSet
from scaffold.outcomes import Created, FileOutcome, Removed, Updated
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import Tree


def undo(project: Project, how: ChangeOptions) -> Report:
    """Undo the last command that wrote.

    Raises:
        Conflict: a file changed since.
    """
    undone = ""

    def generated(tree: Tree) -> ChangeSet:
        nonlocal undone
        found = last.read(project.root)
        if found is None:
            return ChangeSet()
        undone = found.command
        if found.touched:
            raise _refusal(found)
        outcomes = [_outcome(each, project.package) for each in found.changes]
        return ChangeSet(found.changes, tuple(outcomes))

    report = change("undo", project, generated, how._replace(verify=UNPROVEN), [])
    report.extra["undone"] = undone
    if not undone:
        report.summary = "nothing to undo"
    elif not report.result.changes:
        report.summary = f"nothing to undo: all files are as before `{undone}`,"
    elif not how.is_preview:
        report.notes.append(f"`{undone}` is undone; `scaffold undo` again repeats it")
    return report


def _refusal(found: last.Last) -> Conflict:
    reasons = {}
    commands = []
    for path, before, is_there in found.touched:
        was = f"; its version before is {before}" if before else ""
        reasons[path] = f"was changed after `scaffold {found.command}`{was}"
        if is_there:
            commands.append(["mv", str(path), f"{path}.mine"])
        if before:
            commands.append(["cp", before, str(path)])
    commands.append(["scaffold", "undo"])
    return Conflict(reasons, fix="; ".join(map(shlex.join, commands)))


def _outcome(change: Change, package: str) -> FileOutcome:
    role = _role(change.path, package)
    if change.after is None:
        return Removed(change.path, role=role)
    kind = Created if change.before is None else Updated
    return kind(change.path, role=role)


def _role(path: PurePosixPath, package: str) -> str:
    """The role of a file, by its path."""
    if path.parts[0] == ".scaffold":
        return "state"
    if path == places.spec_path(path.parent.name, package):
        return "spec"
    shared = {places.within(place.path, package) for place in places.EDIT}
    return "shared" if path in shared else "owned"
