"""A change set on its way to the disk: verified, written or previewed, reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import conflicts, verify
from scaffold.change import Change
from scaffold.disk import commit, recovery
from scaffold.errors import Conflict
from scaffold.generate import ChangeSet
from scaffold.merging.versions import Take
from scaffold.outcomes import DocumentationMissing, Unsettled
from scaffold.patching.source import marker_line
from scaffold.project import Project
from scaffold.report import Report, patch
from scaffold.tree import DiskTree, Tree

UNPROVEN = "off"
"""The level of verification of changes that restore former files."""


_LEVELS = (UNPROVEN, "none", "import", "tests")


class ChangeOptions(NamedTuple):
    """Options of commands that change files.

    Attributes:
        dry_run: write nothing.
        diff: print the whole patch.
        verify: `none` (only compile), `import` or `tests`; or `UNPROVEN`.
        exit_code: end with 1 if a dry run would change something.
        plan: file for a plan, written instead of making the changes; `-` prints it.
        on_conflict: the way to settle conflicts with hand edits.
        allow_dirty: true if lines that git does not have may be lost.
        wait_s: the time to wait for another command that is writing, in seconds.
    """

    dry_run: bool = False
    diff: bool = False
    verify: str = "none"
    exit_code: bool = False
    plan: str = ""
    on_conflict: Take = "fail"
    allow_dirty: bool = False
    wait_s: float = 0

    @property
    def is_preview(self) -> bool:
        """True if the project stays unchanged."""
        return self.dry_run or bool(self.plan)


def change(
    command: str,
    project: Project,
    generated: Callable[[Tree], ChangeSet],
    how: ChangeOptions,
    next_steps: list[str],
    sources: Sequence[str] = (),
) -> Report:
    """Make a change set and put it on the disk, unless this is a dry run.

    Args:
        command: the name of the command.
        project: the project to change.
        generated: makes the change set from the tree.
        how: the options of the command.
        next_steps: suggested next commands.
        sources: files that it read besides those of the project.
    """
    root = project.root
    note = ""
    tree = DiskTree(root)
    inputs: dict[str, str] = {}
    if how.plan:
        from scaffold.commands import planning

        result, inputs = planning.planned(project, tree, generated, sources)
    elif how.dry_run:
        result = generated(tree)
    else:
        with recovery.locked(root, wait_s=how.wait_s):
            result = generated(tree)
            _refuse_losses(project, result, how)
            _verify(project, result, how.verify)
            # `undo` ignores changes that only lay out the versions of a conflict
            is_work = any(not conflicts.is_version(each) for each in result.changes)
            note = commit.apply(root, result.changes, command if is_work else "")
    if how.is_preview:
        _refuse_losses(project, result, how)
        _verify(project, result, min(how.verify, "none", key=_LEVELS.index))
    report = Report(command, result=result, dry_run=how.is_preview, next=next_steps)
    report.notes += [note] if note else []
    report.notes += _to_paste(result)
    if how.is_preview or how.diff:
        report.output = patch(result.changes, whole=how.diff)
        report.extra["diff"] = report.output
    if how.is_preview and how.exit_code and result.changes:
        report.exit_code = 1
    if result.unsettled:
        _stop_at(report, result.unsettled)
    if how.plan:
        is_proven = how.verify != UNPROVEN
        plan = planning.plan_of(report, inputs, is_proven=is_proven, command=command)
        planning.store(report, how.plan, plan)
    return report


def _refuse_losses(project: Project, result: ChangeSet, how: ChangeOptions) -> None:
    """Check that no uncommitted line is lost, unless that was asked for."""
    if how.verify == UNPROVEN or how.allow_dirty:
        return
    # merging keeps all lines, except where it takes the generated side
    takes = how.on_conflict == "generated"
    if takes or any(each.after is None for each in result.changes):
        from scaffold.commands import uncommitted

        uncommitted.refuse_losses(project, result)


def _stop_at(report: Report, waiting: Sequence[Unsettled]) -> None:
    """Report conflicts that a person must settle, with the commands that settle them."""
    report.exit_code = Conflict.exit_code
    first, *_ = paths = list(dict.fromkeys(each.path for each in waiting))
    report.next = conflicts.ways_out(first)
    report.notes.append(
        f"{len(paths)} of the files above must be settled first; their handlers were left "
        f"as they are, and the versions are under {conflicts.FOLDER}/"
    )
    report.notes.append(f"{conflicts.CHOICE}; accept takes the file as you merged it")


def compiles(
    changes: Sequence[Change], proven: Set[PurePosixPath] = frozenset()
) -> None:
    """Compile the changed files, except those in which a person asked for markers.

    Raises:
        VerificationFailed: one is not valid Python.
    """
    marked = {each.path for each in changes if each.after and marker_line(each.after)}
    verify.compiles(changes, proven | marked)


def _verify(project: Project, result: ChangeSet, level: str) -> None:
    if level == UNPROVEN:
        return
    compiles(result.changes, result.shared)
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
