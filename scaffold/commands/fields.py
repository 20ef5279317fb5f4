"""`scaffold add-field`, `rename-field`, `remove-field`: fields of a handler that exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scaffold import places
from scaffold.commands.change import ChangeOptions, change
from scaffold.commands.revision import described, revised
from scaffold.errors import UsageError
from scaffold.evolution import evolved
from scaffold.flags import Flags
from scaffold.formats import refuse_outdated
from scaffold.generate import ChangeSet
from scaffold.handlers import committed, fresh, specs, wanted_of
from scaffold.markers import refuse_markers
from scaffold.project import Project
from scaffold.refusal import refuse
from scaffold.report import Report
from scaffold.spec import fields
from scaffold.spec.edits import Edits
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.reader import Path
from scaffold.tree import DiskTree, Tree

Evolution = Callable[[HandlerSpec], tuple[Edits, Mapping[Path, str]]]
"""The edits of a spec, and the flags that the new places in it come from."""


def add_fields(project: Project, flags: Flags, how: ChangeOptions) -> Report:
    """Add the fields that flags describe to the handler that they name."""
    if not (flags.fields or flags.config or flags.options):
        raise UsageError(
            "FIELD:TYPE, --config or --option is required",
            fix=f"scaffold add-field {flags.name} channel:str",
        )
    return _evolved(
        "add-field", project, flags.name, lambda spec: fields.added(spec, flags), how
    )


def rename_field(
    project: Project,
    kind: str,
    old: str,
    new: str,
    how: ChangeOptions,
    *,
    keeps_alias: bool = False,
) -> Report:
    """Rename a field of a handler, and everything that refers to it."""

    def evolution(spec: HandlerSpec) -> tuple[Edits, Mapping[Path, str]]:
        return fields.renamed(spec, old, new, keeps_alias=keeps_alias), {}

    return _evolved("rename-field", project, kind, evolution, how)


def remove_field(project: Project, kind: str, key: str, how: ChangeOptions) -> Report:
    """Remove a field of a handler, or one of its former names."""
    return _evolved(
        "remove-field", project, kind, lambda spec: (fields.removed(spec, key), {}), how
    )


def _evolved(
    command: str, project: Project, kind: str, evolution: Evolution, how: ChangeOptions
) -> Report:
    """Edit a handler's spec, and regenerate it, all in one transaction."""
    on_disk = DiskTree(project.root)
    refuse_markers(on_disk, project.package)
    refuse_outdated(project)
    path = places.spec_path(kind, project.package)
    warnings: list[str] = []

    def generated(tree: Tree) -> ChangeSet:
        if specs(project, tree, [kind])[kind] is None:
            raise UsageError(f"{path}: is missing")
        spec = committed(project, tree, kind)
        edits, origins = evolution(spec)
        data = tree.read(path) or b""
        after = revised(data, edits, path)
        new = described(after, path, origins)
        warnings[:] = new.warnings
        want = wanted_of(project, new)
        result = evolved(
            want, after, tree, fresh(project), lambda path: how.on_conflict
        )
        return result if result.unsettled else refuse(result)

    report = change(command, project, generated, how, [f"scaffold check {kind}"])
    report.notes += warnings
    if report.result.unsettled:
        report.next = []
        report.notes.append(
            "the spec was left unchanged as well; run the command with "
            "`--on-conflict mine`, `generated` or `markers` to settle the conflicts"
        )
    return report
