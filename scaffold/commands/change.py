"""A change set on its way to the disk: verified, written or previewed, reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from scaffold import verify
from scaffold.disk import commit, recovery
from scaffold.generate import ChangeSet
from scaffold.outcomes import DocumentationMissing
from scaffold.project import Project
from scaffold.report import Report, patch
from scaffold.tree import DiskTree, Tree

UNPROVEN = "off"
"""The level of verification of changes that bring back what was there before."""


_LEVELS = (UNPROVEN, "none", "import", "tests")


class ChangeOptions(NamedTuple):
    """Options of commands that change files.

    Attributes:
        dry_run: write nothing.
        diff: print the whole patch.
        verify: `none` (only compile), `import` or `tests`; or `UNPROVEN`.
        exit_code: end with 1 if a dry run would change something.
    """

    dry_run: bool = False
    diff: bool = False
    verify: str = "none"
    exit_code: bool = False


def change(
    command: str,
    project: Project,
    generated: Callable[[Tree], ChangeSet],
    how: ChangeOptions,
    next_steps: list[str],
) -> Report:
    """Make a change set and put it on the disk, unless this is a dry run.

    Args:
        command: the name of the command.
        project: the project to change.
        generated: makes the change set of what is there.
        how: the options of the command.
        next_steps: commands to go on with.
    """
    root = project.root
    note = ""
    if how.dry_run:
        result = generated(DiskTree(root))
        _verify(project, result, min(how.verify, "none", key=_LEVELS.index))
    else:
        with recovery.locked(root):
            result = generated(DiskTree(root))
            _verify(project, result, how.verify)
            note = commit.apply(root, result.changes, command)
    report = Report(command, result=result, dry_run=how.dry_run, next=next_steps)
    report.notes += [note] if note else []
    report.notes += _to_paste(result)
    if how.dry_run or how.diff:
        report.output = patch(result.changes, whole=how.diff)
        report.extra["diff"] = report.output
    if how.dry_run and how.exit_code and result.changes:
        report.exit_code = 1
    return report


def _verify(project: Project, result: ChangeSet, level: str) -> None:
    if level == UNPROVEN:
        return
    verify.compiles(result.changes, result.shared)
    if level == "none" or not result.changes:
        return
    verify.imports(project.root, result.changes, project.package)
    if level == "tests":
        tests = [
            str(change.path)
            for change in result.changes
            if change.path.parts[0] == "tests"
            and change.path.suffix == ".py"
            and change.after is not None
        ]
        verify.tests_pass(project.root, result.changes, tests)


def _to_paste(result: ChangeSet) -> Iterator[str]:
    """The text to add to documentation by hand where its place is missing."""
    for each in result.outcomes:
        if isinstance(each, DocumentationMissing) and each.error is not None:
            skip = f'skip = ["{each.path}"]'
            text = each.text.strip("\n")
            yield (
                f"{each.path}: {each.error.problem.partition(chr(10))[0]}, so the handler "
                f"was generated without it. Add there by hand, or set {skip} under "
                f"[tool.scaffold]:\n{text}"
            )
