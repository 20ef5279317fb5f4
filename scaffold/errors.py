"""All errors, as one tree.

ScaffoldError
├── UsageError             wrong command or arguments
├── SpecError              wrong description of a handler          (names each key)
├── Conflict               edited or foreign files block a command
├── VerificationFailed     the generated code does not work
├── PlanError              unexpected content of the tree          (names the file)
│   ├── AnchorNotFound
│   ├── UnreadableFile
│   ├── StaleTree
│   ├── MarkersLeft
│   ├── StateError
│   │   └── DamagedRecord
│   ├── TemplateFailed
│   ├── Uncommitted
│   ├── PlanOutdated
│   └── ForeignTransaction
├── Locked                 another run holds the tree
├── WriteFailed            write error; the tree is as before
└── RecoveryFailed         a person must choose; all versions are kept
"""

# ruff: noqa: N818 - the names describe the failure
from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.escaping import escaped


class Problem(NamedTuple):
    """One error, for machines.

    Attributes:
        message: the error, without its place.
        path: the file, or "".
        line: line in the file, from 1; 0 for the file as a whole.
    """

    message: str
    path: str = ""
    line: int = 0


class ScaffoldError(Exception):
    """Anything the command line reports as one message and an exit code.

    Attributes:
        exit_code: exit code of the process.
        fix: a command that helps, or "".
        output: output of a check, or "".
        problems: all errors, each with its place.
    """

    exit_code = 70
    fix = ""
    output = ""

    @property
    def problems(self) -> list[Problem]:
        """All errors, each with its place."""
        return [Problem(str(self))]


class UsageError(ScaffoldError):
    """Wrong command or arguments."""

    exit_code = 2

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class Fault(NamedTuple):
    """One error in a spec.

    Attributes:
        where: the key's path or the flag, as `option.room.type` or `--field room:strr`.
        problem: the error.
        allowed: the alternatives, as `str, int`, or "".
        suggestion: the probable intent, or "".
        line: the line of the spec file, or None.
    """

    where: str
    problem: str
    allowed: str = ""
    suggestion: str = ""
    line: int | None = None

    def __str__(self) -> str:
        hints = []
        if self.allowed:
            hints.append(f"allowed: {self.allowed}")
        if self.suggestion:
            hints.append(f"did you mean {self.suggestion}?")
        hint = f" ({'; '.join(hints)})" if hints else ""
        where = f"{self.where}: " if self.where else ""
        return escaped(f"{where}{self.problem}{hint}")


class SpecError(ScaffoldError):
    """A wrong description of a handler, with all its faults.

    Attributes:
        faults: all faults, in the order of the description.
        path: its file, or "" for flags.
    """

    exit_code = 2

    def __init__(self, faults: Sequence[Fault], path: str = "") -> None:
        self.faults = tuple(faults)
        self.path = path
        super().__init__("\n".join(self._lines()))

    @property
    def problems(self) -> list[Problem]:
        """The faults."""
        return [
            Problem(str(fault), self.path, fault.line or 0) for fault in self.faults
        ]

    def _lines(self) -> list[str]:
        lines = []
        for fault in self.faults:
            place = escaped(self.path)
            if place and fault.line is not None:
                place = f"{place}:{fault.line}"
            lines.append(f"{place}: {fault}" if place else str(fault))
        return lines


class Conflict(ScaffoldError):
    """Edited or foreign files block a command.

    Attributes:
        paths: the files.
        why: the reason for each.
    """

    exit_code = 3

    def __init__(self, why: Mapping[PurePosixPath, str], *, fix: str = "") -> None:
        self.paths = tuple(why)
        self.why = dict(why)
        self.fix = fix
        lines = [
            f"{escaped(str(path))}: {reason}; left unchanged"
            for path, reason in why.items()
        ]
        super().__init__("\n".join(lines))

    @property
    def problems(self) -> list[Problem]:
        """The files."""
        return [
            Problem(f"{reason}; left unchanged", str(path))
            for path, reason in self.why.items()
        ]


class VerificationFailed(ScaffoldError):
    """Generated code does not compile, import or pass its tests.

    Attributes:
        output: output of the check.
    """

    exit_code = 4

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class PlanError(ScaffoldError):
    """The tree has unexpected content.

    Attributes:
        path: the file.
        line: line in the file, from 1; 0 for the file as a whole.
        problem: the error, without the path.
    """

    exit_code = 5

    def __init__(self, path: PurePosixPath | str, message: str) -> None:
        super().__init__(f"{escaped(str(path))}: {message}")
        name, colon, line = str(path).rpartition(":")
        is_numbered = bool(colon) and line.isdecimal()
        self.path = PurePosixPath(name if is_numbered else path)
        self.line = int(line) if is_numbered else 0
        self.problem = message

    @property
    def problems(self) -> list[Problem]:
        """The problem, with its place."""
        return [Problem(self.problem, str(self.path), self.line)]


class UnreadableFile(PlanError):
    """A file that cannot be patched: not text, broken, a link or too large."""


class StaleTree(PlanError):
    """A file changed between planning and writing."""

    def __init__(self, path: PurePosixPath | str) -> None:
        super().__init__(path, "changed while the command ran; nothing was written")


class MarkersLeft(PlanError):
    """Files with unresolved merges.

    Attributes:
        lines: the files, each with the line of its first marker.
    """

    def __init__(self, lines: Mapping[PurePosixPath, int]) -> None:
        path, line = next(iter(lines.items()))
        super().__init__(f"{path}:{line}", "contains a conflict marker")
        self.lines = dict(lines)
        Exception.__init__(
            self,
            "\n".join(
                f"{escaped(str(path))}:{line}: contains a conflict marker"
                for path, line in lines.items()
            ),
        )
        commands = [
            shlex.join(["scaffold", "resolve", str(path), "--take", "mine"])
            for path in lines
        ]
        self.fix = "; ".join([*commands, "scaffold regenerate --all"])

    @property
    def problems(self) -> list[Problem]:
        """The files."""
        return [
            Problem("contains a conflict marker", str(path), line)
            for path, line in self.lines.items()
        ]


class StateError(PlanError):
    """A record under `.scaffold/` is damaged, or a newer version wrote it."""

    def __init__(self, path: PurePosixPath | str, message: str, *, fix: str) -> None:
        super().__init__(path, message)
        self.fix = fix


class DamagedRecord(StateError):
    """A record under `.scaffold/` is damaged."""


class TemplateFailed(PlanError):
    """A template of the project cannot be rendered, or gives invalid Python."""


class ForeignTransaction(PlanError):
    """A transaction that this user did not write on this machine."""

    fix = "scaffold recover --set-aside"

    def __init__(self, path: PurePosixPath | str) -> None:
        super().__init__(
            path,
            "was not written by you on this machine, so it is neither completed nor "
            "undone",
        )


class AnchorNotFound(PlanError):
    """A registration place is absent, doubled, or written in an unexpected form.

    Attributes:
        anchor: description of the place.
        snippet: text to add by hand.
    """

    def __init__(
        self, path: PurePosixPath | str, anchor: str, problem: str, snippet: str = ""
    ) -> None:
        paste = f"\nadd this by hand:\n{snippet.rstrip()}" if snippet else ""
        super().__init__(path, f"{anchor}: {problem}{paste}")
        self.anchor = anchor
        self.problem = f"{anchor}: {problem}"
        self.snippet = snippet


class PlanErrors(PlanError):
    """Unexpected content in several places, reported together.

    Attributes:
        errors: one error for each place.
    """

    def __init__(self, errors: Sequence[PlanError]) -> None:
        self.errors = tuple(errors)
        Exception.__init__(self, "\n".join(str(error) for error in errors))
        self.path, self.line = errors[0].path, errors[0].line
        self.problem = errors[0].problem

    @property
    def problems(self) -> list[Problem]:
        """The problems of all errors."""
        return [problem for error in self.errors for problem in error.problems]


class Uncommitted(PlanErrors):
    """Lines that git does not have would be lost."""

    def __init__(self, errors: Sequence[PlanError], *, fix: str) -> None:
        super().__init__(errors)
        self.fix = fix


class PlanOutdated(PlanErrors):
    """Files that a plan depends on changed since it was made."""

    def __init__(self, errors: Sequence[PlanError], *, fix: str) -> None:
        super().__init__(errors)
        self.fix = fix


class Locked(ScaffoldError):
    """Another run holds the tree."""

    exit_code = 6

    def __init__(self, pid: str) -> None:
        super().__init__(f"another scaffold command (pid {pid}) is writing here")
        self.pid = pid


class WriteFailed(ScaffoldError):
    """Writing failed; the tree is as before."""

    exit_code = 7


class RecoveryFailed(ScaffoldError):
    """An interrupted run cannot be completed without a person; nothing is lost.

    Attributes:
        saved: paths of the kept versions before and after, by changed file; "" if there was none.
    """

    exit_code = 8
    fix = "scaffold recover --continue"

    def __init__(self, saved: Mapping[str, tuple[str, str]]) -> None:
        self.saved = saved
        lines = ["a command was interrupted here, and these files were changed since:"]
        for path, (before, after) in saved.items():
            lines.append(f"  {escaped(path)}")
            lines += [f"    before: {escaped(before)}"] if before else []
            lines += [f"    after:  {escaped(after)}"] if after else []
        lines += [
            "`scaffold recover --continue` writes all other files, --abort puts all",
            "other files back. Both leave yours as they are, and keep the two versions.",
        ]
        super().__init__("\n".join(lines))
