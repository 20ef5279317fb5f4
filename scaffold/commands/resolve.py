"""`scaffold resolve` and `scaffold accept`: conflicts in one file, settled."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from scaffold import resolution
from scaffold.change import Change
from scaffold.commands.change import ChangeOptions, change
from scaffold.errors import UsageError
from scaffold.escaping import escaped
from scaffold.generate import ChangeSet, combined
from scaffold.handlers import wants
from scaffold.markers import marked
from scaffold.merging import markers
from scaffold.merging.versions import Take
from scaffold.outcomes import Updated
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import DiskTree, Overlay, Tree


def resolve(
    project: Project, name: str, folder: Path, take: Take | None, how: ChangeOptions
) -> Report:
    """Settle the conflicts in a file.

    Args:
        project: the project.
        name: the file's path.
        folder: the folder that `name` may be relative to, besides the project's root.
        take: the side to take; None: the file as it is, which a person merged.
        how: the options of the command.

    Raises:
        UsageError: no handler has generated text in that file.
        MarkersLeft: the file still has conflict markers.
    """
    tree = DiskTree(project.root)
    path = _path(project, tree, name, folder)
    how = how._replace(allow_dirty=True)  # the file and the side were named
    if take is not None and path in dict(marked(tree, project.package)):
        return _merge(project, path, take, how)
    owners = resolution.owners(tree, path)
    if not owners:
        raise UsageError(
            f"{path}: no handler has anything in this file", fix="scaffold list -v"
        )

    def resolved(tree: Tree) -> ChangeSet:
        results: list[ChangeSet] = []
        for want in wants(project, tree, owners):
            made = combined(results).changes
            now = Overlay(tree, {each.path: each.after for each in made})
            results.append(resolution.resolved(want, now, path, take))
        return combined(results)

    command = "accept" if take is None else "resolve"
    follow = [f"scaffold regenerate {' '.join(owners)}"]
    report = change(command, project, resolved, how, follow)
    if not report.result.outcomes:
        report.summary, report.next = f"nothing to do: {path} is in no conflict,", []
    return report


def _merge(
    project: Project, path: PurePosixPath, take: Take, how: ChangeOptions
) -> Report:
    """Settle a merge of git that stopped in a file that handlers share, or in a spec."""

    def merged(tree: Tree) -> ChangeSet:
        now = tree.read(path) or b""
        text = markers.settled(now.decode(errors="surrogateescape"), take)
        data = text.encode(errors="surrogateescape")
        return ChangeSet((Change(path, now, data),), (Updated(path, role="shared"),))

    others = {*dict(marked(DiskTree(project.root), project.package))} - {path}
    follow = "scaffold check" if others else "scaffold regenerate --all"
    return change("resolve", project, merged, how, [follow])


def _path(project: Project, tree: Tree, name: str, folder: Path) -> PurePosixPath:
    """The path of a file below the project's root."""
    for path in project.meant(name, folder):
        if tree.read(path) is not None:
            return path
    raise UsageError(
        f"{escaped(name)}: no such file in the project", fix="scaffold list -v"
    )
