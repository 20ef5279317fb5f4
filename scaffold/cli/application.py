"""The program `scaffold`: its commands and its exit codes.

Everything but click is imported by the command that needs it, so that `--help` costs
little more than Python itself.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from scaffold import terminal
from scaffold.cli import (
    evolution,
    handlers,
    ownership,
    plans,
    projects,
    removal,
    tables,
    templates,
)
from scaffold.cli.session import DISK_REFUSED, print_json
from scaffold.disk import AS_BEFORE

_INTERRUPTED = 130
_BUG = 70
# The least likeness of a word and its guess: `remove-handler` does not mean `new-handler`.
_NEAR = 0.85
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF))


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88}
)
@click.version_option(package_name="scaffold-alerts", prog_name="scaffold")
@click.option(
    "-C", "directory", metavar="DIR", help="Run in DIR instead of the current folder."
)
@click.pass_context
def scaffold(context: click.Context, directory: str | None) -> None:
    """Generate alert integrations and register them in a runtime.

    \b
    Begin with:
      scaffold init my-alerts && cd my-alerts
      scaffold new-handler huddle --field channel:str
    """
    if directory is not None:
        given = {"directory": directory}
        context.default_map = dict.fromkeys(scaffold.commands, given)


for _command in (
    *(handlers.new_handler, handlers.infer),
    *(handlers.regenerate, handlers.check, handlers.diff),
    *(evolution.add_field, evolution.rename_field, evolution.remove_field),
    *(handlers.resolve, handlers.accept),
    evolution.rename_handler,
    *(handlers.list_, projects.init, projects.recover, projects.merge_driver),
    *(removal.remove_handler, removal.undo, plans.apply),
    *(ownership.adopt, ownership.eject),
    *(templates.override, tables.explain, tables.places, tables.schema, tables.spec),
):
    scaffold.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process."""
    # SIGTERM ends the command as Ctrl-C does: all changes are undone.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _invoke(sys.argv[1:] if arguments is None else list(arguments))
    except (KeyboardInterrupt, click.Abort) as error:
        outcome = str(error) or AS_BEFORE
        terminal.to_stderr(f"interrupted: {outcome}")
        sys.exit(_INTERRUPTED)
    except Exception as error:
        # Errors about files are translated elsewhere; one without a name is about output.
        if isinstance(error, OSError) and error.errno in _FULL and not error.filename:
            terminal.to_stderr(f"error: standard output: {error.strerror}; {AS_BEFORE}")
            terminal.give_up_output()
            sys.exit(DISK_REFUSED)
        # Python would end with 1, which means that something was found.
        terminal.print_traceback()
        sys.exit(_BUG)


def _invoke(arguments: list[str]) -> None:
    """Run the command line, help and misuse included."""
    try:
        if "_SCAFFOLD_COMPLETE" in os.environ:
            scaffold.main(args=arguments, prog_name="scaffold", standalone_mode=False)
        # click's own `main` exits with 1 if the reader of the help closes the pipe early
        # the list is consumed
        with scaffold.make_context("scaffold", [*arguments]) as context:
            scaffold.invoke(context)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        with contextlib.suppress(BrokenPipeError):
            _print_misuse(error, _is_for_machines(arguments))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        terminal.give_up_output()
        sys.exit(0)


def _is_for_machines(arguments: Sequence[str]) -> bool:
    """True if a command line that is wrong asks for JSON."""
    forms = (["--json"], ["--format=json"], ["--format", "json"])
    pairs = zip(arguments, [*arguments[1:], ""], strict=True)
    return any([first] in forms or [first, second] in forms for first, second in pairs)


def _print_misuse(error: click.ClickException, as_json: bool) -> None:
    """Print a usage error."""
    from scaffold.errors import Problem

    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "scaffold"
    message, fix = _misuse(error), f"{path} --help"
    if not as_json:
        from scaffold.escaping import escaped

        terminal.to_stderr(f"error: {escaped(message)}\nfix:   {escaped(fix)}")
        return
    from scaffold.report import failure

    name = path.removeprefix("scaffold").strip()
    print_json(failure(name, error.exit_code, [Problem(message)], fix))


def _misuse(error: click.ClickException) -> str:
    """Click's message in the form of all others."""
    guesses = getattr(error, "possibilities", None)
    message = error.message if guesses else error.format_message()
    # click lists choices below each other
    message = " ".join(message.split()).rstrip(".")
    if message[1:2].islower():  # a name in capitals stays as it is
        message = message[:1].lower() + message[1:]
    if not guesses:
        return message
    import difflib

    given = getattr(error, "option_name", "") or getattr(error, "command_name", "")
    near = difflib.get_close_matches(given, guesses, n=1, cutoff=_NEAR)
    return f"{message} (did you mean {near[0]}?)" if near else message


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
