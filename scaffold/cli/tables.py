"""Commands about the generator itself: explain, places, schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session

if TYPE_CHECKING:
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
@click.argument("subject", metavar="[CODE]", default="")
@options.common
def explain(subject: str, **values: Any) -> None:
    """Explain a finding of `scaffold check` by its code.

    Without CODE it lists all codes.
    """

    def run() -> Report:
        from scaffold.commands import explain

        return explain.code(subject) if subject else explain.codes()

    Session("explain", values).run(run)
