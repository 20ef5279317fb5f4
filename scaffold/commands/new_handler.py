"""`scaffold new-handler`: a new handler, or one that exists as described."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from scaffold import places, state, testing
from scaffold.commands.change import ChangeOptions, change
from scaffold.commands.description import SpecText, described, flags_spec
from scaffold.errors import UsageError
from scaffold.escaping import escaped
from scaffold.flags import Flags
from scaffold.formats import refuse_outdated
from scaffold.generate import ChangeSet, generate
from scaffold.handlers import check_hook, committed, fresh, kinds, wanted_of
from scaffold.markers import refuse_markers
from scaffold.outcomes import Identical, Outcome
from scaffold.patching.outcomes import AlreadyRegistered
from scaffold.project import Project
from scaffold.refusal import refuse
from scaffold.report import Report
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import differences
from scaffold.tree import DiskTree, Tree

_SCHEMA = re.compile(r"(?m)^#:schema\b")

if TYPE_CHECKING:
    from scaffold.inference.draft import SpecDraft


def new_handler(
    project: Project,
    flags: Flags,
    spec_file: str,
    how: ChangeOptions,
    draft: SpecDraft | None = None,
) -> Report:
    """Generate a handler, or find that it already exists as described.

    Args:
        project: the project.
        flags: its description, or only its name.
        spec_file: the path of its spec, or "".
        how: the options of the command.
        draft: the spec that an example led to, instead of flags and file.
    """
    tree = DiskTree(project.root)
    refuse_markers(tree, project.package)
    refuse_outdated(project)
    file = SpecText.of_file(spec_file, flags) if spec_file else None
    if draft is not None:
        file = SpecText(draft.text)
    name = file.name if file else flags.name
    others = kinds(tree, project.package)
    if name in others:
        spec = file.spec() if file else flags_spec(flags)
        return _existing(project, tree, spec)
    spec = _for_editors(project, tree, described(project, file or flags))
    check_hook(project, tree, spec)

    def generated(tree: Tree) -> ChangeSet:
        if kinds(tree, project.package) != others:
            described(project, file or flags)  # names may clash by now
        result = generate(wanted_of(project, spec), tree, fresh(project))
        return refuse(result)

    steps = _next(project, spec)
    sources = [spec_file] if spec_file not in ("", "-") else []
    report = change("new-handler", project, generated, how, steps, sources)
    report.notes += spec.warnings
    if draft is not None:
        report.notes += [*draft.reasons, *draft.doubts]
    return report


def _for_editors(project: Project, tree: Tree, spec: HandlerSpec) -> HandlerSpec:
    """The spec with the project's schema in its first line, unless it names one."""
    if tree.read(places.SCHEMA) is None or _SCHEMA.search(spec.text):
        return spec
    folder = places.spec_path(spec.names.kind, project.package).parent
    up = "/".join([".."] * len(folder.parts))
    return replace(spec, text=f"#:schema {up}/{places.SCHEMA}\n\n{spec.text}")


def _existing(project: Project, tree: Tree, spec: HandlerSpec) -> Report:
    """Report an existing handler: identical, or how to change it."""
    kind = spec.names.kind
    path = places.spec_path(kind, project.package)
    unlike = differences(spec, committed(project, tree, kind))
    if unlike:
        lines = "\n".join(f"  {escaped(line)}" for line in unlike)
        raise UsageError(
            f"the handler `{kind}` already exists and differs:\n{lines}\n"
            f"To change it, edit {path}, then regenerate.",
            fix=f"scaffold regenerate {kind}",
        )
    record = state.read(tree, kind)
    outcomes: list[Outcome] = [
        Identical(file) for file in (record.files if record else [path])
    ]
    outcomes += [
        AlreadyRegistered(place)
        for place in places.places(spec.names, project.package)
        if record and place.id in record.places
    ]
    return Report(
        "new-handler",
        result=ChangeSet((), tuple(outcomes)),
        summary=f"nothing to do: `{kind}` exists as described,",
        next=[f"scaffold check {kind}"],
    )


def _next(project: Project, spec: HandlerSpec) -> list[str]:
    kind = spec.names.kind
    tests = places.within("tests/runtime/services/{kind}", project.package, kind)
    return [
        *testing.commands(project.root, str(tests)),
        f"$EDITOR {places.spec_path(kind, project.package)}",
        f"scaffold regenerate {kind}",
    ]
