"""Commands about the owner of generated files: eject."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session

if TYPE_CHECKING:
    from scaffold.project import Project
    from scaffold.report import Report


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--revoke", is_flag=True, help="Let the files follow their templates again."
)
@options.previewed
@options.common
def eject(paths: Sequence[str], revoke: bool, **values: Any) -> None:
    """Take generated files over: yours alone from then on.

    regenerate and check leave them alone, also if they are missing, and remove-handler
    keeps them. The choice is recorded in .scaffold/ejected; --revoke takes it back.
    """
    session = Session("eject", values)

    def run(project: Project) -> Report:
        from scaffold.commands.eject import eject

        how = options.of_change(values)
        return eject(project, Path(session.directory), paths, how, revoke=revoke)

    session.run_in_project(run, writes=not values["dry_run"])
