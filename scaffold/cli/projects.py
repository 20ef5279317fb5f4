"""Commands for projects: init, recover, merge-driver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import options
from scaffold.cli.session import Session

if TYPE_CHECKING:
    from scaffold.disk.recovery import Choice
    from scaffold.project import Project
    from scaffold.report import Report


@click.command()
@click.argument("target", metavar="DIR")
@click.option(
    "--package",
    default="alerts",
    show_default=True,
    help="Import package of your handlers.",
)
@options.dry_run
@options.common
def init(target: str, package: str, dry_run: bool, **values: Any) -> None:
    """Create a project for your own handlers.

    It is a plugin of the runtime, which it depends on.
    """
    session = Session("init", values)

    def run() -> Report:
        from pathlib import Path

        from scaffold.commands import init

        folder = Path(session.directory) / target
        return init.init(folder, package, dry_run=dry_run, shown=target)

    session.run(run)


@click.command()
@click.option(
    "--continue", "completes", is_flag=True, help="Complete the interrupted command."
)
@click.option("--abort", "undoes", is_flag=True, help="Undo the interrupted command.")
@click.option(
    "--set-aside",
    "sets_aside",
    is_flag=True,
    help="Move transactions of other users or machines to .scaffold/kept.",
)
@options.common
def recover(completes: bool, undoes: bool, sets_aside: bool, **values: Any) -> None:
    """Finish an interrupted command.

    Every command that writes does this first. If a file was edited in between, it exits
    with 8. Then --continue or --abort finishes the other files, leaves that one unchanged,
    and keeps its two versions under .scaffold/kept.
    """
    options.refuse_several(
        {"--continue": completes, "--abort": undoes, "--set-aside": sets_aside}
    )
    choice: Choice = "continue" if completes else "abort" if undoes else ""

    def run(project: Project) -> Report:
        from scaffold.commands import recover

        if sets_aside:
            return recover.set_aside(project)
        return recover.recover(project, choice)

    Session("recover", values).run_in_project(run)


@click.command("merge-driver")
@click.argument("files", nargs=-1, metavar="[BASE OURS THEIRS PATH]")
@click.option(
    "--install", is_flag=True, help="Configure git to use it in this checkout."
)
@options.common
def merge_driver(files: Sequence[str], install: bool, **values: Any) -> None:
    """Merge registrations of two branches (git runs this).

    --install adds it to git's configuration of this checkout, and the registration files to
    .gitattributes. Without it, merging two branches that each added a handler ends in
    conflicts. These commands resolve them:

    \b
      git checkout --ours -- $(git diff --name-only --diff-filter=U)
      scaffold regenerate --all
    """
    session = Session("merge-driver", values)
    if install == bool(files) or len(files) not in (0, 4):
        raise click.UsageError("BASE OURS THEIRS PATH or --install is required")

    def installed(project: Project) -> Report:
        from scaffold.commands import merge_driver

        return merge_driver.install(project)

    def merged() -> Report:
        from pathlib import Path

        from scaffold.commands import merge_driver

        return merge_driver.merge([Path(file) for file in files[:3]], files[3])

    if install:
        session.run_in_project(installed, writes=True)
    session.quiet = True
    session.run(merged)
