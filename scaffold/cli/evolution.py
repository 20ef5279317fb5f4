"""Commands that change the fields and the names of handlers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session
from scaffold.flags import Flags

if TYPE_CHECKING:
    from scaffold.commands.change import ChangeOptions
    from scaffold.project import Project
    from scaffold.report import Report


@click.command("add-field")
@options.name
@click.argument("fields", nargs=-1, metavar="[FIELD:TYPE[=DEFAULT]]...")
@options.settings
@options.on_conflict
@options.writing
@options.common
def add_field(name: str, fields: Sequence[str], **values: Any) -> None:
    """Add fields to a handler, as new-handler --field does.

    The spec, configuration, options, tests, documentation and samples change together.
    A field becomes a setting that each alert can override. If the spec has one request
    with a JSON body, the field is sent in it under its own name.
    """
    flags = Flags(name, fields, values.pop("config"), values.pop("options"))

    def run(project: Project, how: ChangeOptions) -> Report:
        from scaffold.commands import fields

        return fields.add_fields(project, flags, how)

    _run("add-field", run, values)


@click.command("rename-field")
@options.name
@click.argument("old")
@click.argument("new")
@click.option(
    "--keep-alias",
    is_flag=True,
    help="Keep OLD as a deprecated name, whose use is logged.",
)
@options.on_conflict
@options.writing
@options.common
def rename_field(
    name: str, old: str, new: str, keep_alias: bool, **values: Any
) -> None:
    """Rename a field of a handler.

    The setting, the option and all expressions that use them are renamed. Keys of
    requests keep their names, as the service expects them.

    With --keep-alias, configuration files, variables, the API, handlers and scripts
    can still use OLD. `scaffold remove-field NAME OLD` ends that.
    """

    def run(project: Project, how: ChangeOptions) -> Report:
        from scaffold.commands import fields

        return fields.rename_field(project, name, old, new, how, keeps_alias=keep_alias)

    _run("rename-field", run, values)


@click.command("remove-field")
@options.name
@click.argument("field")
@options.on_conflict
@options.writing
@options.common
def remove_field(name: str, field: str, **values: Any) -> None:
    """Remove a field of a handler, or a former name of one.

    The command fails if the spec uses the field for more than add-field writes. The
    error names each place.
    """

    def run(project: Project, how: ChangeOptions) -> Report:
        from scaffold.commands import fields

        return fields.remove_field(project, name, field, how)

    _run("remove-field", run, values)


@click.command("rename-handler")
@options.name
@click.argument("new")
@click.option(
    "--property",
    "property_",
    default="",
    metavar="NAME",
    help="New TICKscript property (default: from NEW).",
)
@click.option(
    "--title",
    default="",
    help="New name of the service in prose (default: from NEW, if it was from NAME).",
)
@options.on_conflict
@options.writing
@options.common
def rename_handler(
    name: str, new: str, property_: str, title: str, **values: Any
) -> None:
    """Rename a handler, with its files and registrations.

    Hand edits are kept. Lines of the changelog stay unchanged. Mentions of the old name
    elsewhere in the project are listed with file and line.
    """

    def run(project: Project, how: ChangeOptions) -> Report:
        from scaffold.commands.rename_handler import rename_handler

        return rename_handler(project, name, new, how, property=property_, title=title)

    _run("rename-handler", run, values)


def _run(
    command: str,
    run: Callable[[Project, ChangeOptions], Report],
    values: dict[str, Any],
) -> None:
    """Run a command that changes files, with the options that these commands share."""
    session = Session(command, values)
    session.run_in_project(
        lambda project: run(project, options.of_change(values, "none")), writes=True
    )
