"""`scaffold check`: a project compared with the output of the generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from scaffold import handlers, markers, state
from scaffold.checkout import with_removed
from scaffold.commands.verdict import remember
from scaffold.errors import MarkersLeft, SpecError, StateError, TemplateFailed
from scaffold.findings import (
    Finding,
    damaged_record,
    examined,
    invalid_spec,
    of_overrides,
    outdated,
    unusable_template,
)
from scaffold.formats import upgraded
from scaffold.handlers import chosen, fresh, specs, wanted_as, wanted_of
from scaffold.overrides import find, recorded
from scaffold.project import Project
from scaffold.rendering.overrides import Overrides
from scaffold.report import Report
from scaffold.spec.parse import parse
from scaffold.tree import DiskTree, Overlay, Tree, WatchedTree
from scaffold.wanted import Wanted


def check(project: Project, names: Sequence[str]) -> Report:
    """Compare the tree with the output of the generator."""
    tree = WatchedTree(DiskTree(project.root))
    tree.read(PurePosixPath("pyproject.toml"))
    found, damaged = _readable(with_removed(tree, project.package))
    marked = dict(markers.marked(tree, project.package))
    findings = _of_markers(marked) + outdated(upgraded(project, tree))
    templates, own = _of_overrides(project, tree)
    findings += own
    kinds = chosen(project, found, names)
    for kind in kinds:
        for finding in _of_handler(project, found, kind, damaged.get(kind), templates):
            # a file with markers cannot be compared with its generated text
            if finding.path not in marked and finding not in findings:
                findings.append(finding)
    count = len(set(kinds) & set(handlers.kinds(found, project.package)))
    report = _verdict(findings, count)
    if not names and report.exit_code == 0:
        remember(project, report, tree.digests)
    return report


def _of_markers(marked: Mapping[PurePosixPath, int]) -> list[Finding]:
    fix = MarkersLeft(marked).fix if marked else ""
    return [
        Finding("SC113", path, line, "contains a conflict marker", fix)
        for path, line in marked.items()
    ]


def _of_overrides(
    project: Project, tree: Tree
) -> tuple[Overrides | None, list[Finding]]:
    """The project's templates, and the findings about them; None: they are unusable."""
    try:
        found = find(tree, project)
    except TemplateFailed as error:
        return None, [unusable_template(error)]
    try:
        return found.overrides, list(of_overrides(found, recorded(tree)))
    except StateError as error:
        return found.overrides, [damaged_record(error)]


def _of_handler(
    project: Project,
    tree: Tree,
    kind: str,
    damage: StateError | None,
    templates: Overrides | None,
) -> list[Finding]:
    """The findings about a handler. An unusable handler hides no findings of others."""
    if damage is not None:
        return [damaged_record(damage)]
    try:
        spec = specs(project, tree, [kind])[kind]
    except SpecError as error:
        return invalid_spec(error)
    if templates is None:
        return []
    try:
        want = wanted_as(project, tree, kind, spec, templates)
    except TemplateFailed as error:
        return [unusable_template(error)]
    found = examined(want, tree, fresh(project))
    if any(finding.code == "SC107" for finding in found):
        found += _of_templates(project, tree, want, templates)
    return found


def _of_templates(
    project: Project, tree: Tree, want: Wanted, templates: Overrides
) -> list[Finding]:
    """The findings about changed templates beside a changed spec, by the former spec."""
    record = state.read(tree, want.kind)
    text = record.files[want.spec_path] if record else ""
    try:
        spec = parse(text, str(want.spec_path))
    except SpecError:  # for example a key was renamed since
        return []
    before = Overlay(tree, {want.spec_path: text.encode()})
    found = examined(wanted_of(project, spec, templates), before, fresh(project))
    return [finding for finding in found if finding.code == "SC106"]


def _readable(tree: Overlay) -> tuple[Overlay, dict[str, StateError]]:
    """The tree without damaged records, and the faults of those."""
    damaged: dict[str, StateError] = {}
    hidden: dict[PurePosixPath, bytes | None] = {}
    for kind in state.kinds(tree):
        try:
            state.read(tree, kind)
        except StateError as error:
            damaged[kind] = error
            hidden |= dict.fromkeys(state.paths(kind))
    return tree._replace(files={**tree.files, **hidden}), damaged


def _verdict(findings: list[Finding], count: int) -> Report:
    wrong = [finding for finding in findings if not finding.is_informational]
    noun = "handler" if count == 1 else "handlers"
    verdict = f"{len(wrong)} wrong" if wrong else "nothing to do"
    edited = [finding for finding in findings if finding.code in {"SC103", "SC105"}]
    if edited:
        verdict += f" ({len(edited)} edited by hand; scaffold diff shows them)"
    return Report(
        "check",
        exit_code=max((finding.exit_code for finding in findings), default=0),
        findings=findings,
        summary=f"{count} {noun} examined, {verdict}",
        next=list(dict.fromkeys(finding.fix for finding in wrong if finding.fix)),
        extra={"examined": count},
    )
