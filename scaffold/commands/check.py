"""`scaffold check`: a project compared with the output of the generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from scaffold.checkout import with_removed
from scaffold.disk import verdicts
from scaffold.errors import MarkersLeft
from scaffold.findings import Finding, examined, outdated
from scaffold.formats import upgraded
from scaffold.handlers import chosen, fresh, wants
from scaffold.markers import refuse_markers
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import DiskTree, WatchedTree

_PACKAGE = Path(__file__).parents[1]


def check(project: Project, names: Sequence[str]) -> Report:
    """Compare the tree with the output of the generator."""
    tree = WatchedTree(DiskTree(project.root))
    tree.read(PurePosixPath("pyproject.toml"))
    try:
        refuse_markers(tree, project.package)
        found = with_removed(tree, project.package)
        wanted = wants(project, found, names)
        findings = outdated(upgraded(project, tree))
        findings += [
            finding
            for want in wanted
            for finding in examined(want, found, fresh(project))
        ]
        count = sum(not want.is_gone for want in wanted)
    except MarkersLeft as error:
        count = len(chosen(project, tree, names))
        findings = [
            Finding("SC113", path, line, "holds a conflict marker", error.fix)
            for path, line in error.lines.items()
        ]
    report = _verdict(findings, count)
    if not names and report.exit_code == 0:
        _remember(project, report.summary, tree)
    return report


def _verdict(findings: list[Finding], count: int) -> Report:
    wrong = [finding for finding in findings if not finding.is_informational]
    noun = "handler" if count == 1 else "handlers"
    verdict = f"{len(wrong)} wrong" if wrong else "nothing to do"
    edited = [finding for finding in findings if finding.code in {"SC103", "SC105"}]
    if edited:
        verdict += f" ({len(edited)} edited by hand; scaffold diff shows them)"
    return Report(
        "check",
        exit_code=1 if wrong else 0,
        findings=findings,
        summary=f"{count} {noun} examined, {verdict}",
        next=list(dict.fromkeys(finding.fix for finding in wrong if finding.fix)),
        extra={"examined": count},
    )


def _remember(project: Project, verdict: str, tree: WatchedTree) -> None:
    """Keep a clean verdict with everything that it depends on."""
    from scaffold.rendering.render import templates_path

    ours = [*_PACKAGE.rglob("*.py"), *templates_path().rglob("*.j2")]
    inputs = [*tree.seen, "pyproject.toml", *map(str, ours)]
    verdicts.remember(str(project.root), verdict, inputs)
