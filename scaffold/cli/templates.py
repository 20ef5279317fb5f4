"""Commands for templates: override."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session

if TYPE_CHECKING:
    from scaffold.merging.versions import Take
    from scaffold.project import Project
    from scaffold.report import Report


@click.command()
@click.argument("templates", nargs=-1, metavar="[TEMPLATE]...")
@click.option(
    "--on-conflict",
    "take",
    type=click.Choice(["fail", "markers", "mine", "generated"]),
    default="fail",
    show_default=True,
    help="If you and scaffold changed the same lines of a template: write nothing, write "
    "both with markers, or take one side.",
)
@options.previewed
@options.common
def override(templates: Sequence[str], take: Take, **values: Any) -> None:
    """Copy templates into the project, to generate from them.

    TEMPLATE is a name, as create/docs/handlers/KIND.md.j2, or the end of one, as KIND.md.
    If the project has it already, later changes of scaffold's template are merged into it.
    Without TEMPLATE, list all names.

    A template of the project cannot call methods or read files: it is rendered in a
    sandbox.
    """
    session = Session("override", values)

    def run(project: Project) -> Report:
        from scaffold.commands import override

        how = options.of_change(values)
        if not templates:
            return override.listing(project)
        return override.override(project, templates, how, take)

    session.run_in_project(run, writes=bool(templates))
