"""`scaffold rename-handler`: renames a handler with its files and registrations."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath

from scaffold import places, state, testing
from scaffold.commands.change import ChangeOptions, change
from scaffold.commands.description import properties_of, refuse_service
from scaffold.commands.leftovers import add_leftovers
from scaffold.commands.revision import described, revised
from scaffold.disk import commit
from scaffold.errors import SpecError, StateError, UsageError
from scaffold.formats import refuse_outdated
from scaffold.generate import ChangeSet
from scaffold.handlers import committed, fresh, kinds, specs, wanted_of
from scaffold.markers import refuse_markers
from scaffold.names import (
    Names,
    default_property,
    kind_faults,
    property_faults,
    rewording,
    staying,
)
from scaffold.outcomes import FileOutcome, Moved
from scaffold.project import Project
from scaffold.refusal import refuse
from scaffold.renaming import Renaming
from scaffold.report import Report
from scaffold.spec.identity import fixed, renamed
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.reader import Path
from scaffold.tree import DiskTree, Tree

_FLAGS: dict[Path, str] = {
    ("handler", "name"): "NEW",
    ("handler", "property"): "--property",
}


def rename_handler(
    project: Project,
    old: str,
    new: str,
    how: ChangeOptions,
    *,
    property: str = "",
    title: str = "",
) -> Report:
    """Rename a handler.

    Args:
        project: the project.
        old: its name.
        new: its new name.
        how: the options of the command.
        property: its new TICKscript property; "": derived from the name.
        title: the new name of the service in prose; "": derived from the name, if the
            old one was.

    Raises:
        UsageError: the handler does not exist.
        SpecError: the new name is not allowed.
        StateError: its record is missing.
        Conflict: a file is in the way.
    """
    on_disk = DiskTree(project.root)
    refuse_markers(on_disk, project.package)
    refuse_outdated(project)
    if old == new:
        raise UsageError(f"the handler is already called {old!r}")
    before: list[Names] = []

    def generated(tree: Tree) -> ChangeSet:
        spec = _spec(project, tree, old)
        before[:] = [spec.names]
        record = state.read(tree, old)
        if record is None:
            problem = "is missing, so edits cannot be distinguished from generated text"
            fix = shlex.join(["scaffold", "adopt", old])
            raise StateError(state.path(old), problem, fix=fix)
        names = _names(project, tree, old, new, property)
        path = places.spec_path(old, project.package)
        data = revised(tree.read(path) or b"", renamed(spec, names, title), path)
        after = described(
            data,
            places.spec_path(new, project.package),
            _FLAGS,
        )
        refuse_service(project, tree, after)
        want = wanted_of(project, after)
        kept = [
            *_kept(project, tree, spec, after),
            *staying(spec.names, names, [*want.files.values(), *want.places.values()]),
        ]
        reword = rewording(spec.names, names, kept)
        renaming = Renaming(project.package, spec.names, names, reword, project.style)
        result = renaming.applied(
            tree, record, data, want, fresh(project), lambda path: how.on_conflict
        )
        return _with_permissions(project, refuse(result))

    tests = places.within("tests/runtime/services/{kind}", project.package, new)
    next_steps = [*testing.commands(project.root, str(tests)), "scaffold check"]
    report = change("rename-handler", project, generated, how, next_steps)
    [was] = before
    add_leftovers(report, project, was, _own(report.result, new, project.package))
    return report


def _with_permissions(project: Project, result: ChangeSet) -> ChangeSet:
    """The change set, in which files that move keep their permissions."""
    modes = {
        each.path: commit.permissions(project.root, each.source)
        for each in result.outcomes
        if isinstance(each, Moved) and each.source is not None
    }
    changes = [each._replace(mode=modes.get(each.path)) for each in result.changes]
    return result._replace(changes=tuple(changes))


def _own(result: ChangeSet, kind: str, package: str) -> set[PurePosixPath]:
    """The files not to search for leftovers: generated files, and those with history."""
    spec = places.spec_path(kind, package)
    history = {each.path for each in places.EDIT if each.once}
    return history | {
        each.path
        for each in result.outcomes
        if isinstance(each, FileOutcome) and each.text and each.path != spec
    }


def _spec(project: Project, tree: Tree, kind: str) -> HandlerSpec:
    """The spec of the handler.

    Raises:
        UsageError: the handler or its spec is missing.
    """
    if specs(project, tree, [kind])[kind] is None:
        raise UsageError(f"{places.spec_path(kind, project.package)}: is missing")
    return committed(project, tree, kind)


def _names(project: Project, tree: Tree, old: str, new: str, property: str) -> Names:
    """The new names.

    Raises:
        SpecError: they are not allowed, or belong to another handler.
    """
    others = [each for each in kinds(tree, project.package) if each != old]
    faults = kind_faults(new, "NEW", others)
    if not faults or property:
        where = "--property" if property else "NEW"
        taken = properties_of(project, tree, besides=old)
        property = property or default_property(new)
        faults += property_faults(property, where, taken)
    if faults:
        raise SpecError(faults)
    return Names(new, property)


def _kept(
    project: Project, tree: Tree, spec: HandlerSpec, after: HandlerSpec
) -> Iterator[str]:
    """Texts with the old name in them that stay."""
    if spec.title == after.title:
        yield spec.title
    yield from fixed(spec, after)
    for kind in kinds(tree, project.package):
        if kind != spec.names.kind:
            names = Names(kind, default_property(kind))
            yield from (kind, f"{kind}test", names.property, names.class_name)
