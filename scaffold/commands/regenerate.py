"""`scaffold regenerate`: handlers updated to their specs and the templates."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType

from scaffold import state
from scaffold.adoption import is_generated
from scaffold.commands.change import ChangeOptions, change
from scaffold.commands.verdict import remember
from scaffold.errors import Conflict
from scaffold.formats import refuse_outdated, upgraded
from scaffold.generate import ChangeSet, combined, generate, generate_all
from scaffold.handlers import fresh, seen, specs, wants
from scaffold.markers import refuse_markers
from scaffold.merging.versions import Take
from scaffold.project import Project
from scaffold.refusal import refuse
from scaffold.report import Report
from scaffold.tree import DiskTree, Overlay, Tree, WatchedTree
from scaffold.wanted import Wanted

_NO_TAKES: Mapping[PurePosixPath, Take] = MappingProxyType({})


def regenerate(
    project: Project,
    names: Sequence[str],
    how: ChangeOptions,
    takes: Mapping[PurePosixPath, Take] = _NO_TAKES,
) -> Report:
    """Update handlers to their specs and the templates.

    Leftovers of handlers whose spec was removed are removed too. Without names, a
    project of an older format is upgraded first. A handler with conflicts stays
    unchanged; all others are updated.

    Args:
        project: the project.
        names: the handlers; empty: all.
        how: the options of the command.
        takes: ways to settle the conflicts of single files, in place of that in `how`.
    """
    digests: dict[str, str] = {}
    on_disk = WatchedTree(DiskTree(project.root), digests)
    refuse_markers(on_disk, project.package)
    if names:
        refuse_outdated(project)
    described = specs(project, seen(project, on_disk, names), names)

    def settle(path: PurePosixPath) -> Take:
        return takes.get(path, how.on_conflict)

    def generated(tree: Tree) -> ChangeSet:
        tree = WatchedTree(tree, digests)
        first = upgraded(project, tree)
        tree = Overlay(tree, {change.path: change.after for change in first.changes})
        found = seen(project, tree, names)
        wanted = wants(project, found, names)
        result = generate_all(wanted, found, fresh(project), settle)
        result = combined([first, result])
        # records in the overlay do not exist on disk
        changes = [each for each in result.changes if each.path not in found.files]
        result = result._replace(changes=tuple(changes))
        try:
            return refuse(result)
        except Conflict as error:
            error.fix = _adoption(wanted, found) or error.fix
            raise

    report = change("regenerate", project, generated, how, [])
    report.notes += [
        warning
        for spec in described.values()
        if spec is not None
        for warning in spec.warnings
    ]
    is_plain = not (names or takes or how.is_preview) and how.on_conflict == "fail"
    if is_plain and not (report.exit_code or report.result.changes):
        remember(project, report, digests)
    return report


def _adoption(wanted: Sequence[Wanted], tree: Tree) -> str:
    """The command for handlers that were generated and have no record, or ""."""
    lost = [
        want.kind
        for want in wanted
        if state.read(tree, want.kind) is None
        and not want.is_gone
        and is_generated(generate(want, tree), want)
    ]
    return shlex.join(["scaffold", "adopt", *lost]) if lost else ""
