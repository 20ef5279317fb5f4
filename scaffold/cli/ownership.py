"""Commands about edits and owners of generated files: adopt, eject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session

if TYPE_CHECKING:
    from scaffold.project import Project
    from scaffold.report import Report


@click.command()
@options.names
@options.previewed
@options.common
def adopt(names: Sequence[str], **values: Any) -> None:
    """Recreate lost or damaged records of handlers.

    Without names, those of all handlers. Text that differs from the generated text
    counts as edited. Only records under .scaffold/ are written.
    """
    session = Session("adopt", values)

    def run(project: Project) -> Report:
        from scaffold.commands.adopt import adopt

        return adopt(project, names, options.of_change(values))

    session.run_in_project(run, writes=True)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--revoke", is_flag=True, help="Let the files follow their templates again."
)
@options.previewed
@options.common
def eject(paths: Sequence[str], revoke: bool, **values: Any) -> None:
    """Make generated files your own, to be left alone.

    regenerate and check leave them alone, even if they are missing, and remove-handler
    keeps them. The choice is recorded in .scaffold/ejected; --revoke undoes it.
    """
    session = Session("eject", values)

    def run(project: Project) -> Report:
        from pathlib import Path

        from scaffold.commands.eject import eject

        how = options.of_change(values)
        return eject(project, Path(session.directory), paths, how, revoke=revoke)

    session.run_in_project(run, writes=True)
