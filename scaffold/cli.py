"""The command line: the only module that prints or exits.

Everything but click is imported by the command that needs it, so that `--help` costs
little more than Python itself.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from scaffold.flags import Flags, declared

if TYPE_CHECKING:
    from scaffold.commands import How
    from scaffold.project import Project
    from scaffold.recovery import Choice
    from scaffold.report import Report

_INTERRUPTED = 130
_DISK_REFUSED = 7
_BUG = 70
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF))
_AS_BEFORE = "the tree is as before"
_AS_AFTER = "the changes were made"
_MAX_OUTPUT_LINES = 100


class _Output:
    """How a command talks: the flags that every command has."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        self.name = name
        self.directory: str = values.pop("directory")
        self.json: bool = values.pop("as_json")
        self.quiet: bool = values.pop("quiet")
        self.verbose: bool = values.pop("verbose")
        no_colour: bool = values.pop("no_color")
        is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self.colour = is_terminal and not (no_colour or "NO_COLOR" in os.environ)
        self.started = time.perf_counter()

    def tell(self, report: Report) -> None:
        """Print a report."""
        from scaffold import report as reporting

        elapsed_s = time.perf_counter() - self.started
        if self.json:
            self._print_json(reporting.as_json(report, elapsed_s))
            return
        if not self.quiet:
            for line in reporting.lines(
                report, elapsed_s, verbose=self.verbose, colour=self.colour
            ):
                _to_stderr(line)
        if report.output:
            _to_stdout(report.output)

    def refuse(self, error: Exception, exit_code: int, fix: str) -> None:
        """Print why nothing was done."""
        output: str = getattr(error, "output", "")
        if self.json:
            from scaffold.errors import Problem, ScaffoldError
            from scaffold.report import failure

            problems = [Problem(str(error))]
            if isinstance(error, ScaffoldError):
                problems = error.problems
            self._print_json(failure(self.name, exit_code, problems, fix))
            return
        from scaffold.escaping import escaped, escaped_lines

        _to_stderr("error: " + escaped_lines(str(error)).replace("\n", "\n       "))
        shown = output.splitlines()
        for line in shown[-_MAX_OUTPUT_LINES:]:
            _to_stderr(f"  {escaped(line)}")
        if fix:
            _to_stderr(f"fix:   {escaped(fix)}")

    def _print_json(self, value: dict[str, Any]) -> None:
        import json

        _to_stdout(json.dumps(value, indent=2, ensure_ascii=True) + "\n")

    def note(self, text: str) -> None:
        """Print what people should know besides."""
        if not (self.json or self.quiet):
            from scaffold.escaping import escaped

            _to_stderr(f"note: {escaped(text)}")


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags that mean the same on every command."""
    for option in (
        click.option(
            "--no-color", is_flag=True, help="Disable colors (also: NO_COLOR)."
        ),
        click.option(
            "-v", "--verbose", is_flag=True, help="Also print what stays unchanged."
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


def _describing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags that describe a new handler."""
    for name, flag, default in reversed(declared()):
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


def _writing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags of commands that change files."""
    for option in (
        click.option(
            "--exit-code",
            is_flag=True,
            help="Exit with 1 if a dry run would change anything.",
        ),
        click.option(
            "--verify",
            type=click.Choice(["none", "import", "tests"]),
            default=None,
            help="Check before writing: that changed modules import, or that the generated "
            "tests pass too (default: none; tests for a new handler in a terminal).",
        ),
        click.option("--diff", is_flag=True, help="Print the complete patch."),
        click.option(
            "-n",
            "--dry-run",
            is_flag=True,
            help="Preview changes; write nothing.",
        ),
    ):
        command = option(command)
    return command


def _kinds(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Handlers' names, for the shell to complete."""
    from pathlib import Path

    from scaffold import check, project
    from scaffold.errors import ScaffoldError
    from scaffold.tree import DiskTree

    try:
        found = project.find(Path(context.params.get("directory") or "."))
    except ScaffoldError:
        return []
    kinds = check.kinds(DiskTree(found.root), found.package)
    return [kind for kind in kinds if kind.startswith(incomplete)]


_NAMES = click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=_kinds)


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
        said = {"directory": directory}
        context.default_map = dict.fromkeys(scaffold.commands, said)


@scaffold.command("new-handler")
@click.argument("name", required=False, default="")
@_describing
@click.option(
    "--spec",
    "spec_file",
    default="",
    metavar="FILE",
    help="Read the description from FILE; - for stdin.",
)
@_writing
@_common
def new_handler(**values: Any) -> None:
    """Generate an integration and register it everywhere.

    TYPE is one of str, secret, int, float, bool, duration, url, list[str], map[str].

    In a terminal, without NAME and --spec, it asks for the description. It never asks
    without a terminal, or where CI is set.
    """
    output = _Output("new-handler", values)

    def run(project: Project) -> Report:
        from scaffold import commands, testing

        is_watched = _is_watched()
        how = _how(values, testing.level(is_watched=is_watched))
        spec_file = values.pop("spec_file")
        flags = Flags(**values)
        if is_watched and not (flags.name or spec_file or output.json):
            flags = _asked(output, project, flags, how)
        return commands.new_handler(project, flags, spec_file, how)

    _in_project(output, run, writes=not values["dry_run"])


@scaffold.command()
@_NAMES
@click.option("--all", "all_", is_flag=True, help="Regenerate all handlers.")
@click.option("--check", is_flag=True, help="Same as `scaffold check`.")
@_writing
@_common
def regenerate(names: Sequence[str], all_: bool, check: bool, **values: Any) -> None:
    """Regenerate handlers from their specs.

    Files edited by hand are kept. If one of them would have to change, nothing is
    written, and the error names it.
    """
    output = _Output("regenerate", values)
    if bool(names) == all_:
        raise click.UsageError("NAME or --all is required")

    def run(project: Project) -> Report:
        from scaffold import commands

        how = _how(values, "none")
        if check:
            return commands.check(project, names)
        return commands.regenerate(project, names, how)

    _in_project(output, run, writes=not (check or values["dry_run"]))


@scaffold.command()
@_NAMES
@_common
def check(names: Sequence[str], **values: Any) -> None:
    """Report what differs from the specs, with the command that mends it."""
    output = _Output("check", values)

    def run(project: Project) -> Report:
        from scaffold import commands

        return commands.check(project, names)

    _in_project(output, run)


@scaffold.command()
@_NAMES
@_common
def diff(names: Sequence[str], **values: Any) -> None:
    """Show hand edits of generated code as a patch."""
    output = _Output("diff", values)

    def run(project: Project) -> Report:
        from scaffold import commands

        return commands.diff(project, names)

    _in_project(output, run)


@scaffold.command("list")
@_common
def list_(**values: Any) -> None:
    """List handlers; with -v their files too."""
    output = _Output("list", values)

    def run(project: Project) -> Report:
        from scaffold import commands

        return commands.list_handlers(project, verbose=output.verbose)

    _in_project(output, run)


@scaffold.command()
@click.option(
    "--continue",
    "choice",
    flag_value="continue",
    help="Complete the interrupted command.",
)
@click.option(
    "--abort", "choice", flag_value="abort", help="Undo the interrupted command."
)
@_common
def recover(choice: Choice, **values: Any) -> None:
    """Finish a command that was interrupted.

    Every command that changes files does this first. Where a file was changed since, they
    stop with 8: --continue or --abort finishes the others, leaves that file as it is, and
    keeps its two versions under .scaffold/kept.
    """
    output = _Output("recover", values)

    def run(project: Project) -> Report:
        from scaffold import commands

        return commands.recover(project, choice or "")

    _in_project(output, run)


@scaffold.command("merge-driver")
@click.argument("files", nargs=-1, metavar="[BASE OURS THEIRS PATH]")
@click.option(
    "--install", is_flag=True, help="Configure git to use it in this checkout."
)
@_common
def merge_driver(files: Sequence[str], install: bool, **values: Any) -> None:
    """Merge the registrations of two branches; git runs this.

    With --install, git's configuration of this checkout and .gitattributes name it for the
    files that handlers are registered in. Without it, a merge of two branches that each
    added a handler ends in conflicts. This resolves them:

    \b
      git checkout --ours -- $(git diff --name-only --diff-filter=U)
      scaffold regenerate --all
    """
    output = _Output("merge-driver", values)
    if install == bool(files) or len(files) not in (0, 4):
        raise click.UsageError("BASE OURS THEIRS PATH or --install is required")

    def installed(project: Project) -> Report:
        from scaffold import merging

        return merging.install(project)

    def merged() -> Report:
        from pathlib import Path

        from scaffold import merging

        return merging.merge([Path(file) for file in files[:3]], files[3])

    if install:
        _in_project(output, installed, writes=True)
    output.quiet = True
    _run(output, merged)


@scaffold.command()
@_common
def places(**values: Any) -> None:
    """Print the two tables: files created, places registered in."""
    output = _Output("places", values)

    def run() -> Report:
        from scaffold import overview

        return overview.places()

    _run(output, run)


@scaffold.command()
@_common
def schema(**values: Any) -> None:
    """Print the JSON Schema of specs, for editors."""
    output = _Output("schema", values)

    def run() -> Report:
        from scaffold import overview

        return overview.schema()

    _run(output, run)


@scaffold.command()
@click.argument("target", metavar="DIR")
@click.option(
    "--package",
    default="alerts",
    show_default=True,
    help="Import package of your handlers.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Preview changes; write nothing.")
@_common
def init(target: str, package: str, dry_run: bool, **values: Any) -> None:
    """Create a project for your own handlers: a plugin of the runtime."""
    output = _Output("init", values)

    def run() -> Report:
        from pathlib import Path

        from scaffold import starting

        folder = Path(output.directory) / target
        return starting.init(folder, package, dry_run=dry_run, shown=target)

    _run(output, run)


def _is_watched() -> bool:
    """True if a person is at the terminal, and can be asked."""
    streams = (sys.stdin, sys.stderr)
    is_terminal = all(stream is not None and stream.isatty() for stream in streams)
    return is_terminal and not os.environ.get("CI")


class _Terminal:
    """Asks the person at the terminal."""

    def ask(self, question: str, default: str) -> str:
        """The answer to a question; `default` for an empty line."""
        from scaffold.errors import UsageError

        click.echo(f"{question} [{default}]: ", sys.stderr, nl=False)
        sys.stderr.flush()
        line = sys.stdin.buffer.readline()
        if not line:
            raise UsageError(
                "the input ended; NAME and --field describe a handler without questions",
                fix="scaffold new-handler huddle --field channel:str",
            )
        return line.decode(errors="replace").strip() or default

    def show(self, line: str) -> None:
        """Print a line."""
        _to_stderr(line)


def _asked(output: _Output, project: Project, given: Flags, how: How) -> Flags:
    """The flags of a handler that a person describes, and wants when they see it."""
    from scaffold import commands, questions

    terminal = _Terminal()
    flags = questions.answered(
        given,
        commands.kinds(project),
        lambda flags: commands.described(project, flags),
        terminal,
    )
    if how.dry_run:
        return flags
    preview = commands.new_handler(project, flags, "", commands.How(dry_run=True))
    preview.output, preview.next = "", []
    output.tell(preview)
    answer = ""
    while answer not in ("y", "yes", "n", "no"):
        answer = terminal.ask("Write these changes? y or n", "y").lower()
    if answer.startswith("n"):
        raise click.Abort
    if how.verify == "tests":
        output.note("the generated tests run first; --verify none skips them")
    return flags


def _how(values: dict[str, Any], verify: str) -> How:
    from scaffold.commands import How

    return How(
        dry_run=values.pop("dry_run"),
        diff=values.pop("diff"),
        verify=values.pop("verify") or verify,
        exit_code=values.pop("exit_code"),
    )


def _in_project(
    output: _Output, command: Callable[[Project], Report], *, writes: bool = False
) -> None:
    """Run a command in the project that the current folder belongs to."""

    def run() -> Report:
        from pathlib import Path

        from scaffold import project, recovery
        from scaffold.errors import Locked

        found = project.find(Path(output.directory))
        if writes:
            # what another run is writing is its own to finish
            with contextlib.suppress(Locked):
                recovery.recover(found.root)
        elif output.name != "recover" and recovery.is_interrupted(found.root):
            output.note(
                "a command was interrupted here; the next one that writes, or "
                "`scaffold recover`, finishes it"
            )
        return command(found)

    _run(output, run)


def _run(output: _Output, command: Callable[[], Report]) -> None:
    """Run a command, print its report, end with its exit code."""
    from scaffold.errors import ScaffoldError

    try:
        report = command()
    except ScaffoldError as error:
        with contextlib.suppress(BrokenPipeError):
            output.refuse(error, error.exit_code, error.fix)
        sys.exit(error.exit_code)
    outcome = _AS_AFTER if report.has_written else _AS_BEFORE
    try:
        output.tell(report)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(outcome) from None
    except BrokenPipeError:
        # Whoever read us has seen enough.
        sys.exit(report.exit_code)
    except OSError as error:
        _to_stderr(f"error: standard output: {error.strerror}; {outcome}")
        sys.exit(_DISK_REFUSED)
    except Exception:
        _to_stderr(f"error: the report cannot be printed; {outcome}")
        raise
    sys.exit(report.exit_code)


def _tell_misuse(error: click.ClickException, as_json: bool) -> None:
    """Print what is wrong with the command line itself."""
    if not as_json:
        text = io.StringIO()
        error.show(text)
        from scaffold.escaping import escaped_lines

        _to_stderr(escaped_lines(text.getvalue().rstrip("\n")))
        return
    import json

    from scaffold.errors import Problem
    from scaffold.report import failure

    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "scaffold"
    name = path.removeprefix("scaffold").strip()
    told = failure(
        name, error.exit_code, [Problem(error.format_message())], f"{path} -h"
    )
    _to_stdout(json.dumps(told, indent=2) + "\n")


def _to_stdout(text: str) -> None:
    """Print data: bytes as they are, but nothing that a terminal would obey.

    Raises:
        OSError: it cannot be printed.
    """
    stream = sys.stdout
    if stream is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if stream.isatty():
        from scaffold.escaping import escaped_lines

        text = escaped_lines(text)
    try:
        stream.flush()
        stream.buffer.write(text.encode("utf-8", "surrogateescape"))
        stream.flush()
    except OSError:
        _give_up(stream)
        raise


def _to_stderr(line: str) -> None:
    """Print for people; a closed stream is ignored."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        click.echo(line, stream)
        stream.flush()
    except OSError:
        _give_up(stream)


def _give_up(stream: TextIO) -> None:
    """Replace a stream that cannot be written; otherwise Python exits with 120."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _invoke(arguments: list[str]) -> None:
    """Run the command line, help and misuse included."""
    try:
        if "_SCAFFOLD_COMPLETE" in os.environ:
            scaffold.main(args=arguments, prog_name="scaffold", standalone_mode=False)
        # click's own `main` ends with 1 where nobody reads the help to its end
        with scaffold.make_context("scaffold", arguments) as context:
            scaffold.invoke(context)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        with contextlib.suppress(BrokenPipeError):
            _tell_misuse(error, "--json" in arguments)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        _give_up(sys.stdout)
        sys.exit(0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process."""
    # A polite kill takes the same way out as Ctrl-C: everything is put back.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _invoke(sys.argv[1:] if arguments is None else list(arguments))
    except (KeyboardInterrupt, click.Abort) as error:
        outcome = str(error) or _AS_BEFORE
        _to_stderr(f"interrupted: {outcome}")
        sys.exit(_INTERRUPTED)
    except Exception as error:
        # Files are worded where they are written; what has no name is output.
        if isinstance(error, OSError) and error.errno in _FULL and not error.filename:
            _to_stderr(f"error: standard output: {error.strerror}; {_AS_BEFORE}")
            if sys.stdout is not None:
                _give_up(sys.stdout)
            sys.exit(_DISK_REFUSED)
        # A bug. Python would end with 1, which means that something was found.
        if sys.stderr is not None:
            sys.excepthook(*sys.exc_info())
        sys.exit(_BUG)
