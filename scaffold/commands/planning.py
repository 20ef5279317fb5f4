"""`--plan`: writes the changes of a command to a file instead of making them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from scaffold import handlers, overrides, places, plans, state
from scaffold.disk import commit
from scaffold.errors import UsageError, WriteFailed
from scaffold.generate import ChangeSet
from scaffold.plans import Plan
from scaffold.project import Project
from scaffold.rendering import product
from scaffold.report import Report
from scaffold.tree import Tree, WatchedTree

STDOUT = "-"


def planned(
    project: Project,
    tree: Tree,
    generated: Callable[[Tree], ChangeSet],
    sources: Sequence[str],
) -> tuple[ChangeSet, dict[str, str]]:
    """A change set, and the digests of everything that it depends on.

    Args:
        project: the project.
        tree: its files.
        generated: makes the change set.
        sources: other files that the command read.
    """
    seen = WatchedTree(tree)
    seen.read(PurePosixPath("pyproject.toml"))
    result = generated(seen)
    overrides.find(seen, project)
    # commands look at all handlers before they make a change set
    for kind in handlers.kinds(seen, project.package):
        seen.read(places.spec_path(kind, project.package))
    for kind in state.kinds(seen):
        for path in state.paths(kind):
            seen.read(path)
    for source in sources:
        file = Path(os.path.abspath(source))  # noqa: PTH100 - links as named
        if file.is_relative_to(project.root):
            seen.read(PurePosixPath(file.relative_to(project.root).as_posix()))
        else:
            seen.digests[file.as_posix()] = plans.digest_outside(file)
    return result, seen.digests


def plan_of(
    report: Report, inputs: dict[str, str], *, is_proven: bool, command: str
) -> Plan:
    """The plan in a command's report."""
    plan = plans.made(
        command, product.digest(), inputs, report.result, is_proven=is_proven
    )
    plan.next, plan.notes = list(report.next), list(report.notes)
    return plan


def store(report: Report, file: str, plan: Plan) -> None:
    """Write a plan, and report where.

    Raises:
        UsageError: another file has that name.
        WriteFailed: it cannot be written.
    """
    report.plan = file
    report.extra["plan"] = file
    report.next = [shlex.join(["scaffold", "apply", file])]
    data = plans.text(plan)
    if file == STDOUT:
        report.output = data.decode()
        return
    path = Path(file)
    try:
        if not _is_free(path):
            raise UsageError(f"{file}: exists, and is not a plan; use another name")
        commit.create(path, data)
    except OSError as error:
        raise WriteFailed(f"{file}: {error.strerror}") from error
    except ValueError:
        raise UsageError(f"{file!r}: is not a path") from None


def _is_free(path: Path) -> bool:
    """True if nothing but an older plan has that name."""
    if not os.path.lexists(path):
        return True
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as stream:
        return plans.is_plan(stream.read(100))
