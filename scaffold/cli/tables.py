"""Commands about the generator itself: explain, places, schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session

if TYPE_CHECKING:
    from scaffold.project import Project
    from scaffold.report import Report


@click.command()
@options.common
def places(**values: Any) -> None:
    """Print the generated files and registration places."""

    def run() -> Report:
        from scaffold.commands import tables

        return tables.places()

    Session("places", values).run(run)


@click.command()
@options.common
def schema(**values: Any) -> None:
    """Print the JSON Schema of specs, for editors."""

    def run() -> Report:
        from scaffold.commands import tables

        return tables.schema()

    Session("schema", values).run(run)


@click.command()
@click.argument("topic", metavar="[TABLE[.KEY]]", default="")
@options.common
def spec(topic: str, **values: Any) -> None:
    """Print the vocabulary of specs: whole, a table, or a key.

    \b
    scaffold spec request
    scaffold spec request.auth
    scaffold spec functions
    """

    def run() -> Report:
        from scaffold.commands import vocabulary

        return vocabulary.spec(topic)

    Session("spec", values).run(run)


@click.command()
@click.argument("subject", metavar="[CODE|PATH[:LINE]]", default="")
@options.common
def explain(subject: str, **values: Any) -> None:
    """Explain a finding of `scaffold check`, a file or a line.

    For a PATH, print its handler, its template and the effect of `regenerate` on it. With
    a LINE, also print the line of the template and the keys of the spec that it depends
    on. Without an argument, list all codes.
    """
    session = Session("explain", values)

    def explained() -> Report:
        from scaffold.commands import explain

        return explain.code(subject) if subject else explain.codes()

    def placed(project: Project) -> Report:
        from pathlib import Path

        from scaffold.commands import explain_path

        return explain_path.place(project, subject, Path(session.directory))

    if not subject or re.fullmatch(r"SC\d+", subject, re.IGNORECASE):
        session.run(explained)
    session.run_in_project(placed)
