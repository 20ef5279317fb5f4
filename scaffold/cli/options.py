"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from scaffold.flags import declared

if TYPE_CHECKING:
    from scaffold.commands.change import ChangeOptions

Command = Callable[..., Any]


def common(command: Command) -> Command:
    """The options that mean the same on every command."""
    for option in (
        click.option(
            "--no-color", is_flag=True, help="Disable colors (also: NO_COLOR)."
        ),
        click.option(
            "-v", "--verbose", is_flag=True, help="Also print unchanged files."
        ),
        click.option("-q", "--quiet", is_flag=True, help="Print errors only."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option(
            "-C",
            "directory",
            metavar="DIR",
            default=".",
            help="Run in DIR: any folder of the project.",
        ),
    ):
        command = option(command)
    return command


def format_(command: Command) -> Command:
    """The option that chooses the form of findings."""
    return click.option(
        "--format",
        "format",
        type=click.Choice(["text", "json", "github"]),
        default="text",
        show_default=True,
        help="Print findings for people, as --json, or as annotations of GitHub Actions.",
    )(command)


def describing(command: Command) -> Command:
    """The options that describe a new handler."""
    return _declared(command, [name for name, _, _ in declared()])


def of_example(command: Command) -> Command:
    """The options that describe a handler besides its example."""
    return _declared(command, ["title", "property_name", "message_key"])


def from_curl(command: Command) -> Command:
    """The option that takes a curl example."""
    return click.option(
        "--from-curl",
        "from_curl",
        default="",
        metavar="TEXT",
        help="Describe the handler by the curl example of an API page; @FILE for a file "
        "with it, - for stdin.",
    )(command)


def settings(command: Command) -> Command:
    """The options that describe settings of another kind than fields."""
    return _declared(command, ["config", "options"])


def _declared(command: Command, chosen: Sequence[str]) -> Command:
    for name, flag, default in reversed(declared()):
        if name not in chosen:
            continue
        command = click.option(
            flag.option,
            name,
            help=flag.help,
            metavar=flag.metavar,
            is_flag=default is False,
            multiple=default == (),
            default=default,
        )(command)
    return command


def writing(command: Command) -> Command:
    """The options of commands that change code; `of_change` reads them."""
    return previewed(verified(command))


def verified(command: Command) -> Command:
    """The option `--verify`."""
    return click.option(
        "--verify",
        type=click.Choice(["none", "import", "tests"]),
        default=None,
        help="Before writing, import the changed modules or also run the generated "
        "tests (default: none; tests for a new handler in a terminal).",
    )(command)


def previewed(command: Command) -> Command:
    """The options of commands that change files; `of_change` reads them."""
    planned = click.option(
        "--plan",
        metavar="FILE",
        default="",
        help="Write only a plan of the changes to FILE, for `scaffold apply`.",
    )
    return shown(planned(command))


def shown(command: Command) -> Command:
    """The options that show changes; `of_change` reads them."""
    for option in (
        click.option(
            "--wait",
            metavar="SECONDS",
            type=click.FloatRange(min=0),
            default=0,
            help="Wait this long for another command that is writing (default: 0).",
        ),
        click.option(
            "--allow-dirty",
            is_flag=True,
            help="Allow losing lines that were edited by hand and not committed.",
        ),
        click.option(
            "--exit-code",
            is_flag=True,
            help="Exit with 1 if a dry run would change anything.",
        ),
        click.option("--diff", is_flag=True, help="Print the complete patch."),
        dry_run,
    ):
        command = option(command)
    return command


def on_conflict(command: Command) -> Command:
    """The option that settles conflicts with hand edits."""
    return click.option(
        "--on-conflict",
        type=click.Choice(["fail", "markers", "mine", "generated"]),
        default=None,
        help="If a hand edit contradicts the generated code: leave the handler unchanged, "
        "write both versions with markers, or take one side (default: ask in a terminal, "
        "else fail).",
    )(command)


def dry_run(command: Command) -> Command:
    """The option `--dry-run`."""
    text = "Preview changes; write nothing."
    return click.option("-n", "--dry-run", is_flag=True, help=text)(command)


def of_change(values: dict[str, Any], verify: str = "none") -> ChangeOptions:
    """The options of `writing` or `previewed`, taken out of `values`.

    Args:
        values: all options.
        verify: the default of one.
    """
    from scaffold.commands.change import ChangeOptions

    return ChangeOptions(
        dry_run=values.pop("dry_run"),
        diff=values.pop("diff"),
        verify=values.pop("verify", None) or verify,
        exit_code=values.pop("exit_code"),
        plan=values.pop("plan", ""),
        allow_dirty=values.pop("allow_dirty"),
        wait_s=values.pop("wait"),
        on_conflict=values.pop("on_conflict", None) or "fail",
    )


def refuse_several(flags: Mapping[str, bool]) -> None:
    """Refuse flags that exclude each other.

    Args:
        flags: the flags by their names, each true if it is given.

    Raises:
        UsageError: more than one is given.
    """
    if sum(flags.values()) > 1:
        *first, last = flags
        shown = f"{', '.join(first)} and {last}"
        raise click.UsageError(f"{shown} exclude each other: give one")


def name(command: Command) -> Command:
    """The argument that names one handler."""
    return click.argument("name", shell_complete=_completed)(command)


def names(command: Command) -> Command:
    """The arguments that name handlers."""
    return click.argument(
        "names", nargs=-1, metavar="[NAME]...", shell_complete=_completed
    )(command)


def _completed(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Handlers' names, for the shell to complete."""
    from pathlib import Path

    from scaffold import handlers, project
    from scaffold.errors import ScaffoldError
    from scaffold.tree import DiskTree

    try:
        found = project.find(Path(context.params.get("directory") or "."))
    except ScaffoldError:
        return []
    kinds = handlers.kinds(DiskTree(found.root), found.package)
    return [kind for kind in kinds if kind.startswith(incomplete)]
