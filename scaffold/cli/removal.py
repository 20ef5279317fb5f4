"""Commands that undo others: remove-handler, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session

if TYPE_CHECKING:
    from scaffold.commands.undo import Edits
    from scaffold.project import Project
    from scaffold.report import Report


@click.command("remove-handler")
@options.name
@click.option(
    "--discard-edits",
    is_flag=True,
    help="Also remove code edited by hand.",
)
@options.writing
@options.common
def remove_handler(name: str, discard_edits: bool, **values: Any) -> None:
    """Remove an integration and its registrations.

    The inverse of new-handler. Files edited by hand are listed and kept. Remaining
    mentions of the handler elsewhere in the project are listed with file and line.
    """
    session = Session("remove-handler", values)

    def run(project: Project) -> Report:
        from scaffold.commands.remove_handler import remove_handler

        how = options.of_change(values)
        return remove_handler(project, name, how, discard_edits=discard_edits)

    session.run_in_project(run, writes=True)


@click.command()
@click.option(
    "--keep-edits",
    is_flag=True,
    help="Leave files that were changed since, and undo the others.",
)
@click.option(
    "--discard-edits", is_flag=True, help="Also undo files that were changed since."
)
@options.previewed
@options.common
def undo(keep_edits: bool, discard_edits: bool, **values: Any) -> None:
    """Undo the last command that wrote.

    If a file that it changed was changed again, it exits with 3. Then --keep-edits leaves
    that file unchanged and keeps its version before the command under .scaffold/kept;
    --discard-edits puts that version back. A second undo repeats the command.
    """
    options.refuse_several(
        {"--keep-edits": keep_edits, "--discard-edits": discard_edits}
    )
    edits: Edits = "keep" if keep_edits else "discard" if discard_edits else ""
    session = Session("undo", values)

    def run(project: Project) -> Report:
        from scaffold.commands import undo

        return undo.undo(project, options.of_change(values), edits)

    session.run_in_project(run, writes=True)
