"""`scaffold apply`: applies a plan exactly as it was shown."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from scaffold import plans
from scaffold.commands.change import UNPROVEN, ChangeOptions, change, compiles
from scaffold.errors import PlanError, PlanOutdated, UsageError
from scaffold.generate import ChangeSet
from scaffold.project import Project
from scaffold.rendering import product
from scaffold.report import Report
from scaffold.tree import Tree

_MAX_BYTES = 64 * 1024 * 1024


def apply(project: Project, file: str, how: ChangeOptions) -> Report:
    """Apply the changes of a plan.

    Args:
        project: the project that it was made for.
        file: the path of the plan; `-` for standard input.
        how: the options of the command.

    Raises:
        UsageError: it is not a plan.
        PlanOutdated: an input, or scaffold itself, changed since.
    """
    plan = plans.parse(_read(file), file)

    def generated(tree: Tree) -> ChangeSet:
        result = plans.result(plan, tree, file)
        if plan.generator != product.digest():
            problem = PlanError(file, "was made by another version of scaffold")
            raise PlanOutdated([problem], fix=plans.again(plan, file))
        if plan.is_proven:  # the plan itself may have been edited
            compiles(result.changes)
        return result

    if not plan.is_proven:
        how = how._replace(verify=UNPROVEN)
    report = change("apply", project, generated, how, plan.next)
    report.notes = [*plan.notes, *report.notes]
    report.extra["planned"] = plan.command
    return report


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(_MAX_BYTES)
    path = Path(file)
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{file}: is not a file")
        with path.open("rb") as stream:
            return stream.read(_MAX_BYTES)
    except OSError as error:
        fix = shlex.join(["scaffold", "regenerate", "--all", "--plan", file])
        raise UsageError(f"{file}: {error.strerror}", fix=fix) from error
    except ValueError:
        raise UsageError(f"{file!r}: is not a path") from None
