"""`scaffold adopt`: recreates lost or damaged records from the tree."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from scaffold import places, state
from scaffold.adoption import adopted, is_generated, is_lost, without_lost
from scaffold.commands.change import ChangeOptions, change
from scaffold.errors import UsageError
from scaffold.formats import refuse_outdated
from scaffold.generate import ChangeSet, combined, generate
from scaffold.handlers import chosen, kinds, wants
from scaffold.markers import refuse_markers
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import DiskTree, Tree


def adopt(project: Project, names: Sequence[str], how: ChangeOptions) -> Report:
    """Recreate the records of handlers.

    Args:
        project: the project.
        names: the handlers; none for all whose record is missing or damaged.
        how: the options of the command.

    Raises:
        UsageError: the spec of a handler is missing, or no part of it was generated.
        StateError: a newer version of scaffold wrote a record.
        PlanError: a shared file cannot be read, or lacks a place.
    """
    on_disk = DiskTree(project.root)
    refuse_markers(on_disk, project.package)
    refuse_outdated(project)
    lost: list[str] = []

    def generated(tree: Tree) -> ChangeSet:
        lost[:] = [kind for kind in chosen(project, tree, names) if is_lost(tree, kind)]
        _refuse_without_spec(project, tree, lost)
        found = wants(project, tree, lost) if lost else []
        if not names:  # a spec that was just written needs no record yet
            found = [
                each
                for each in found
                if state.has_record(tree, each.kind)
                or is_generated(generate(each, without_lost(tree)), each)
            ]
        return combined([adopted(want, tree) for want in found])

    report = change("adopt", project, generated, how, [])
    if not report.result.changes:
        report.summary = "nothing to do: no record is missing or damaged,"
        return report
    edited = any(each.verb == "keep" for each in report.result.outcomes)
    report.next = [shlex.join(["scaffold", "diff", *lost])] if edited else []
    report.next.append(shlex.join(["scaffold", "check", *lost]))
    if edited:
        report.notes.append(
            "text that differs from the generated one counts as edited from now on"
        )
    return report


def _refuse_without_spec(project: Project, tree: Tree, lost: Sequence[str]) -> None:
    """Check that the handlers have a spec.

    Raises:
        UsageError: a handler has no spec.
    """
    for kind in sorted(set(lost) - set(kinds(tree, project.package))):
        spec = places.spec_path(kind, project.package)
        raise UsageError(
            f"{spec}: is missing, so the record {state.path(kind)} cannot be made again; "
            "restore one of them from version control"
        )
