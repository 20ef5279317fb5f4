"""`scaffold override`: a template of scaffold copied into the project, and kept up to date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from scaffold import overrides
from scaffold.change import Change
from scaffold.commands.change import ChangeOptions, change
from scaffold.errors import Conflict, UsageError
from scaffold.escaping import escaped
from scaffold.generate import ChangeSet
from scaffold.merging import documents
from scaffold.merging.versions import Take, Versions
from scaffold.names import closest
from scaffold.outcomes import Created, Identical, Merged, Outcome, Updated
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import DiskTree, Tree

_ROLE = "template"


def listing(project: Project) -> Report:
    """All templates that can be overridden, and those that are."""
    tree = DiskTree(project.root)
    own = {each.name: each.text for each in overrides.find(tree, project).overrides}
    bases = overrides.recorded(tree)
    found = [
        {"template": name, "state": _state(own.get(name), bases.get(name), text)}
        for name, text in overrides.product().items()
    ]
    width = max(len(each["template"]) for each in found)
    lines = (f"{each['template'].ljust(width)}  {each['state']}" for each in found)
    return Report(
        "override",
        output="".join(f"{line.rstrip()}\n" for line in lines),
        summary=f"{len(found)} templates, {len(own)} overridden in {project.templates}",
        extra={"templates": found},
    )


def override(
    project: Project, given: Sequence[str], how: ChangeOptions, take: Take
) -> Report:
    """Copy templates into the project, or merge changes of scaffold into its copies.

    Args:
        project: the project.
        given: the templates, by name or by the end of one.
        how: the options of the command.
        take: the way to settle conflicts.

    Raises:
        UsageError: a template does not exist.
        Conflict: a change of scaffold contradicts one of the project.
    """
    product = overrides.product()
    names = [_name(each, list(product), project) for each in given]

    def generated(tree: Tree) -> ChangeSet:
        bases = dict(overrides.recorded(tree))
        found = [
            _overridden(project, tree, name, bases.get(name), product[name], take)
            for name in dict.fromkeys(names)
        ]
        kept = {
            name: text
            for name, text in {
                **bases,
                **{name: product[name] for name in names},
            }.items()
            if name in names or tree.read(project.templates / name) is not None
        }
        changes = [*(each for each, _ in found), *overrides.record(tree, kept)]
        changes = [each for each in changes if each.before != each.after]
        return ChangeSet(tuple(changes), tuple(each for _, each in found))

    steps = [f"$EDITOR {project.templates / names[0]}", "scaffold regenerate --all"]
    return change("override", project, generated, how, steps)


def _overridden(
    project: Project, tree: Tree, name: str, base: str | None, new: str, take: Take
) -> tuple[Change, Outcome]:
    """The project's copy of a template, merged with later changes of scaffold's."""
    path = project.templates / name
    now = tree.read(path)
    if now is None:
        return Change(path, None, new.encode()), Created(path, new, _ROLE)
    mine = now.decode()
    if base in (None, new) or mine == new:
        return Change(path, now, now), Identical(path, new, _ROLE, base)
    merge = documents.merged(path, Versions(base or "", mine, new), take)
    if merge.conflicts and take == "fail":
        raise Conflict(
            {path: "was changed in the project and in scaffold, on the same lines"},
            fix=f"scaffold override {name} --on-conflict markers",
        )
    kind = Updated if mine == base else Merged
    return Change(path, now, merge.text.encode()), kind(path, new, _ROLE, base)


def _name(given: str, names: Sequence[str], project: Project) -> str:
    """The template that is meant.

    Raises:
        UsageError: no template fits, or several do.
    """
    wanted = PurePosixPath(given.removeprefix(f"{project.templates}/"))
    found = [
        name
        for name in names
        if PurePosixPath(name).parts[-len(wanted.parts) :] == wanted.parts
        or PurePosixPath(name).with_suffix("").parts[-len(wanted.parts) :]
        == wanted.parts
    ]
    if str(wanted) in found:
        return str(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{escaped(given)!r} may be any of {', '.join(found)}",
            fix=f"scaffold override {found[0]}",
        )
    guess = closest(wanted.name, [PurePosixPath(name).name for name in names])
    hint = f"; did you mean {guess}?" if guess else ""
    raise UsageError(
        f"unknown template {escaped(given)!r}{hint}", fix="scaffold override"
    )


def _state(mine: str | None, base: str | None, product: str) -> str:
    if mine is None:
        return ""
    return "overridden" if mine == product or base == product else "behind"
