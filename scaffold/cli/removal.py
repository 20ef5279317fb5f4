"""Commands that take back: undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session

if TYPE_CHECKING:
    from scaffold.project import Project
    from scaffold.report import Report


@click.command()
@options.previewed
@options.common
def undo(**values: Any) -> None:
    """Take back the last command that wrote.

    Refuses if a file that it changed was changed again. A second undo repeats the
    command.
    """
    session = Session("undo", values)

    def run(project: Project) -> Report:
        from scaffold.commands import undo

        return undo.undo(project, options.of_change(values))

    session.run_in_project(run, writes=not values["dry_run"])
