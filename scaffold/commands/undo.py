"""`scaffold undo`: undoes the last command that wrote."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from scaffold import places
from scaffold.change import Change
from scaffold.commands.change import UNPROVEN, ChangeOptions, change
from scaffold.disk import last
from scaffold.errors import Conflict
from scaffold.generate import ChangeSet
from scaffold.outcomes import Created, EditedSince, FileOutcome, Removed, Updated
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import Tree

Edits = Literal["", "keep", "discard"]
"""The choice for files that were changed since; "": ask."""


def undo(project: Project, how: ChangeOptions, edits: Edits = "") -> Report:
    """Undo the last command that wrote.

    Args:
        project: the project.
        how: the options of the command.
        edits: the choice for files that were changed since.

    Raises:
        Conflict: a file changed since, and `edits` has no choice.
    """
    undone = ""
    package = project.package

    def generated(tree: Tree) -> ChangeSet:
        nonlocal undone
        found = last.read(project.root)
        if found is None:
            return ChangeSet()
        undone = found.command
        if found.touched and not edits:
            raise _refusal(found)
        changes = [*found.changes]
        outcomes: list[FileOutcome] = []
        for taken_back, path in found.touched:
            if edits == "discard":
                changes.append(taken_back)
                continue
            outcomes.append(
                EditedSince(taken_back.path, role=_role(taken_back.path, package))
            )
            if taken_back.after is not None:
                changes.append(Change(path, None, taken_back.after))
        outcomes += [_outcome(each, package) for each in changes]
        return ChangeSet(tuple(changes), tuple(outcomes))

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
    why = f"was changed after `scaffold {found.command}`"
    ways = "; --discard-edits undoes that change, too"
    reasons = {each.change.path: why + ways for each in found.touched}
    return Conflict(reasons, fix="scaffold undo --keep-edits")


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
