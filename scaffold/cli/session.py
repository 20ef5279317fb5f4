"""One run of a command: its project, its report, its exit code."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from scaffold import terminal
from scaffold.disk import AS_AFTER, AS_BEFORE

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from scaffold.errors import ScaffoldError
    from scaffold.project import Project
    from scaffold.report import Report

DISK_REFUSED = 7
_MAX_OUTPUT_LINES = 100


class Session:
    """One run of a command, with the options that every command has.

    Attributes:
        name: the command.
        directory: folder to run in.
        json: true to print one object for machines.
        github: true to print workflow commands of GitHub Actions.
        quiet: true to print errors only.
        verbose: true to print unchanged files too.
        colour: true to color output for people.
    """

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        """Take the options of `options.common` out of `values`."""
        self.name = name
        self.directory: str = values.pop("directory")
        format: str = values.pop("format", "text")
        self.json: bool = values.pop("as_json") or format == "json"
        self.github = format == "github" and not self.json
        self.quiet: bool = values.pop("quiet")
        self.verbose: bool = values.pop("verbose")
        no_colour: bool = values.pop("no_color")
        self.colour = terminal.has_colours() and not no_colour
        self._started = time.perf_counter()
        self._root: Path | None = None
        self._is_preview = bool(values.get("dry_run") or values.get("plan"))

    def run_in_project(
        self, command: Callable[[Project], Report], *, writes: bool = False
    ) -> NoReturn:
        """Run a command in the project that the current folder belongs to."""

        def run() -> Report:
            from pathlib import Path

            from scaffold import project
            from scaffold.disk import recovery
            from scaffold.errors import Locked

            found = project.find(Path(self.directory))
            self._root = found.root
            if writes and not self._is_preview:
                # a running command finishes its own changes
                with contextlib.suppress(Locked):
                    recovery.recover(found.root)
            elif self.name != "recover" and recovery.is_interrupted(found.root):
                self.note(
                    "a command was interrupted here; the next one that writes, or "
                    "`scaffold recover`, finishes it"
                )
            return command(found)

        self.run(run)

    def run(self, command: Callable[[], Report]) -> NoReturn:
        """Run a command, print its report, end with its exit code."""
        from scaffold.errors import ScaffoldError, SpecError

        try:
            report = command()
        except ScaffoldError as error:
            if isinstance(error, SpecError) and error.path and not error.fix:
                from scaffold.commands.vocabulary import reading

                error.fix = reading(error.faults)
            with contextlib.suppress(BrokenPipeError):
                self._refuse(error)
            sys.exit(error.exit_code)
        outcome = AS_AFTER if report.has_written else AS_BEFORE
        try:
            self.show(report)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(outcome) from None
        except BrokenPipeError:
            # The reader closed the pipe.
            sys.exit(report.exit_code)
        except OSError as error:
            terminal.to_stderr(f"error: standard output: {error.strerror}; {outcome}")
            sys.exit(DISK_REFUSED)
        # a bug; the caller prints its traceback, and only here is the outcome known
        except Exception:
            terminal.to_stderr(f"error: the report cannot be printed; {outcome}")
            raise
        sys.exit(report.exit_code)

    def show(self, report: Report) -> None:
        """Print a report."""
        from scaffold import report as reporting
        from scaffold.statuses import timed

        elapsed_s = time.perf_counter() - self._started
        if self.json:
            print_json(reporting.as_json(report, elapsed_s))
            return
        if self.github:
            from scaffold import annotations

            lines = annotations.of_findings(report.findings, self._folder())
            report.output = "".join(f"{line}\n" for line in lines)
            report.findings = []
        if not self.quiet:
            for line in reporting.lines(
                report, verbose=self.verbose, colour=self.colour
            ):
                terminal.to_stderr(timed(line, elapsed_s))
        if report.output and "diff" in report.extra:
            terminal.patch_to_stdout(report.output, colour=self.colour)
        elif report.output:
            terminal.to_stdout(report.output)

    def note(self, text: str) -> None:
        """Print remarks."""
        if not (self.json or self.quiet):
            from scaffold.escaping import escaped

            terminal.to_stderr(f"note: {escaped(text)}")

    def _refuse(self, error: ScaffoldError) -> None:
        """Print why nothing was done."""
        if self.json:
            from scaffold.report import failure

            print_json(failure(self.name, error.exit_code, error.problems, error.fix))
            return
        if self.github:
            from scaffold import annotations

            lines = annotations.of_problems(error.problems, error.fix, self._folder())
            terminal.to_stdout("".join(f"{line}\n" for line in lines))
        from scaffold.escaping import escaped, escaped_lines

        problem = escaped_lines(str(error)).replace("\n", "\n       ")
        terminal.to_stderr(f"error: {problem}")
        shown = error.output.splitlines()
        for line in shown[-_MAX_OUTPUT_LINES:]:
            terminal.to_stderr(f"  {escaped(line)}")
        if error.fix:
            label = "read:  " if error.fix.startswith("scaffold spec ") else "fix:   "
            terminal.to_stderr(f"{label}{escaped(error.fix)}")

    def _folder(self) -> PurePosixPath:
        """The folder of the project, seen from the top of its checkout."""
        from pathlib import PurePosixPath

        from scaffold.disk import git

        if self._root is None:
            return PurePosixPath()
        top = git.top(self._root) or self._root
        return PurePosixPath(self._root.relative_to(top).as_posix())


def print_json(value: dict[str, Any]) -> None:
    """Print one object for machines."""
    import json

    terminal.to_stdout(json.dumps(value, indent=2, ensure_ascii=True) + "\n")
