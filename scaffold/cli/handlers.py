"""Commands for handlers: new-handler, regenerate, check, diff, list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from scaffold import terminal
from scaffold.cli import options
from scaffold.cli.session import Session
from scaffold.flags import Flags

if TYPE_CHECKING:
    from scaffold.commands.change import ChangeOptions
    from scaffold.inference.draft import SpecDraft
    from scaffold.merging.versions import Take
    from scaffold.project import Project
    from scaffold.report import Report


@click.command("new-handler")
@click.argument("name", required=False, default="")
@options.describing
@click.option(
    "--spec",
    "spec_file",
    default="",
    metavar="FILE",
    help="Read the description from FILE; - for stdin.",
)
@options.from_curl
@options.writing
@options.common
def new_handler(**values: Any) -> None:
    """Generate an integration and register it everywhere.

    TYPE is one of str, secret, int, float, bool, duration, url, list[str], map[str], any,
    list[any], map[any], template, list[template], map[template].

    Without NAME and --spec it asks for the description, but only in a terminal and unless
    CI is set.
    """
    session = Session("new-handler", values)

    def run(project: Project) -> Report:
        from scaffold import testing
        from scaffold.commands.new_handler import new_handler

        is_watched = terminal.is_watched()
        how = options.of_change(values, testing.level(is_watched=is_watched))
        spec_file, example = values.pop("spec_file"), values.pop("from_curl")
        flags = Flags(**values)
        if example:
            draft = _inferred(session, flags, spec_file, example)
            return new_handler(project, flags, "", how, draft)
        if is_watched and not (flags.name or spec_file or session.json):
            flags = _asked(session, project, flags, how)
        return new_handler(project, flags, spec_file, how)

    session.run_in_project(run, writes=True)


def _inferred(
    session: Session, flags: Flags, spec_file: str, example: str
) -> SpecDraft:
    """The spec inferred from a curl example; a person is asked about guesses."""
    from scaffold.commands.infer import inferred
    from scaffold.errors import UsageError

    if spec_file:
        raise UsageError("--from-curl cannot be combined with --spec")
    if not terminal.is_watched() or session.json:
        return inferred(example, flags)
    from scaffold.cli import guesses

    return inferred(example, flags, settle=guesses.settled)


@click.command()
@click.argument("name")
@options.of_example
@options.from_curl
@options.common
def infer(
    name: str,
    title: str,
    property_name: str,
    message_key: str,
    from_curl: str,
    **values: Any,
) -> None:
    """Print the spec inferred from a curl example.

    The reason for each part is printed beside it. Save the spec, correct it, and give it to
    `scaffold new-handler --spec`.
    """
    session = Session("infer", values)

    def run() -> Report:
        from scaffold.commands.infer import infer

        flags = Flags(
            name, title=title, property_name=property_name, message_key=message_key
        )
        return infer(from_curl, flags)

    session.run(run)


def _asked(
    session: Session, project: Project, given: Flags, how: ChangeOptions
) -> Flags:
    """Ask for the flags of a handler, and for consent to its changes."""
    from scaffold.cli import questions
    from scaffold.commands.change import ChangeOptions
    from scaffold.commands.description import described
    from scaffold.commands.new_handler import new_handler
    from scaffold.handlers import kinds
    from scaffold.tree import DiskTree

    existing = kinds(DiskTree(project.root), project.package)
    flags = questions.answered(given, existing, lambda flags: described(project, flags))
    if how.is_preview:
        return flags
    preview = new_handler(project, flags, "", ChangeOptions(dry_run=True))
    preview.output, preview.next = "", []
    session.show(preview)
    if not questions.is_confirmed("Write these changes?"):
        raise click.Abort
    if how.verify == "tests":
        session.note("the generated tests run first; --verify none skips them")
    return flags


@click.command()
@options.names
@click.option("--all", "all_", is_flag=True, help="Regenerate all handlers.")
@click.option("--check", is_flag=True, help="Same as `scaffold check`.")
@options.on_conflict
@options.writing
@options.common
def regenerate(
    names: Sequence[str],
    all_: bool,
    check: bool,
    **values: Any,
) -> None:
    """Regenerate handlers from their specs.

    Hand edits are kept and merged with the new text. A handler with an edit that
    contradicts it stays unchanged unless --on-conflict chooses a side. All others are
    regenerated.
    """
    session = Session("regenerate", values)
    if bool(names) == all_:
        raise click.UsageError("NAME or --all is required")
    is_asked = values["on_conflict"] is None

    def run(project: Project) -> Report:
        from scaffold.commands import check as checking
        from scaffold.commands import regenerate

        how = options.of_change(values, "none")
        if check:
            return checking.check(project, names)
        report = regenerate.regenerate(project, names, how)
        is_for_people = terminal.is_watched() and not session.json
        if report.result.unsettled and is_asked and is_for_people:
            report = _settled(session, project, names, how, report)
        return report

    session.run_in_project(run, writes=not check)


def _settled(
    session: Session,
    project: Project,
    names: Sequence[str],
    how: ChangeOptions,
    report: Report,
) -> Report:
    """Ask about conflicts, and regenerate their handlers according to the answers."""
    from scaffold.cli import questions
    from scaffold.commands import regenerate

    if how.is_preview:
        return report
    takes = questions.taken(report.result.unsettled)
    if {*takes.values()} <= {"fail"}:
        return report
    report.next, report.notes = [], []
    session.show(report)
    report = regenerate.regenerate(project, names, how, takes)
    for path, take in takes.items():
        if take == "markers":
            click.edit(filename=str(project.root / path))
    return report


@click.command()
@click.argument("path")
@click.option(
    "--take",
    type=click.Choice(["mine", "generated", "both"]),
    required=True,
    help="The side to take where both changed the same; both: yours, then the generated.",
)
@options.writing
@options.common
def resolve(path: str, take: Take, **values: Any) -> None:
    """Settle the conflicts in one file.

    Parts that only one side changed are merged as usual. Afterwards, `scaffold regenerate`
    brings the rest of the handler up to date.
    """
    _resolve("resolve", path, take, values)


@click.command()
@click.argument("path")
@options.writing
@options.common
def accept(path: str, **values: Any) -> None:
    """Take a file as merged by hand."""
    _resolve("accept", path, None, values)


def _resolve(
    command: str, path: str, take: Take | None, values: dict[str, Any]
) -> None:
    """Settle the conflicts in a file; None takes it as it is."""
    session = Session(command, values)

    def run(project: Project) -> Report:
        from pathlib import Path

        from scaffold.commands import resolve

        how = options.of_change(values, "none")
        return resolve.resolve(project, path, Path(session.directory), take, how)

    session.run_in_project(run, writes=not values["dry_run"])


@click.command()
@options.names
@options.format_
@options.common
def check(names: Sequence[str], **values: Any) -> None:
    """Report drift, with the commands that repair it.

    `scaffold explain CODE` explains a finding.
    """

    def run(project: Project) -> Report:
        from scaffold.commands import check

        return check.check(project, names)

    Session("check", values).run_in_project(run)


@click.command()
@options.names
@click.option(
    "--pending",
    is_flag=True,
    help="Show the changes that `regenerate` would make instead.",
)
@options.common
def diff(names: Sequence[str], pending: bool, **values: Any) -> None:
    """Show hand edits of generated code as a patch."""

    def run(project: Project) -> Report:
        from scaffold.commands import diff

        return (diff.pending if pending else diff.diff)(project, names)

    Session("diff", values).run_in_project(run)


@click.command("list")
@options.common
def list_(**values: Any) -> None:
    """List handlers (with -v also the state of their parts)."""
    session = Session("list", values)

    def run(project: Project) -> Report:
        from scaffold.commands import listing

        return listing.handlers(project, verbose=session.verbose)

    session.run_in_project(run)
