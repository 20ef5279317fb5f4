"""`scaffold diff`: hand edits of generated code as a patch."""

from __future__ import annotations

from collections.abc import Sequence

from scaffold.commands.change import ChangeOptions
from scaffold.commands.regenerate import regenerate
from scaffold.edits import edits
from scaffold.generate import generate
from scaffold.handlers import wants
from scaffold.project import Project
from scaffold.report import Report, patch
from scaffold.tree import DiskTree


def pending(project: Project, names: Sequence[str]) -> Report:
    """The patch that `regenerate` would apply."""
    how = ChangeOptions(dry_run=True, diff=True, exit_code=True)
    report = regenerate(project, names, how)
    report.command = "diff"
    return report


def diff(project: Project, names: Sequence[str]) -> Report:
    """The patch from the generated text to the text in the project."""
    tree = DiskTree(project.root)
    results = [generate(want, tree) for want in wants(project, tree, names)]
    changes = edits(results, tree)
    text = patch(tuple(changes), whole=True)
    noun = "file" if len(changes) == 1 else "files"
    return Report(
        "diff",
        exit_code=1 if changes else 0,
        output=text,
        summary=f"{len(changes)} {noun} edited" if changes else "nothing was edited",
        extra={"diff": text},
    )
