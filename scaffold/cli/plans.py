"""Commands for plans: apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session

if TYPE_CHECKING:
    from scaffold.project import Project
    from scaffold.report import Report


@click.command()
@click.argument("file", metavar="FILE")
@options.verified
@options.shown
@options.common
def apply(file: str, **values: Any) -> None:
    """Apply the changes of a plan.

    Commands that write create one with --plan FILE. If a file that the plan depends on,
    or scaffold itself, changed since, apply exits with 5 and writes nothing.
    """
    session = Session("apply", values)

    def run(project: Project) -> Report:
        from scaffold.commands import apply

        return apply.apply(project, file, options.of_change(values))

    session.run_in_project(run, writes=True)
