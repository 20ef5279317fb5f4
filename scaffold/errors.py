"""What can go wrong, as one tree.

ScaffoldError
├── UsageError             what was asked for makes no sense here
├── SpecError              the handler's description is wrong      (names each key)
├── Conflict               files that a person edited are in the way
├── VerificationFailed     what would be written does not work
├── PlanError              the tree is not as a place expects      (names the file)
│   ├── AnchorNotFound
│   ├── UnreadableFile
│   ├── StaleTree
│   ├── MarkersLeft
│   ├── StateError
│   └── ForeignTransaction
├── Locked                 another run holds the tree
├── WriteFailed            the disk refused; the tree is as before
└── RecoveryFailed         a person must choose; all versions are kept
"""

# ruff: noqa: N818 - the names say what happened
from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.escaping import escaped


class Problem(NamedTuple):
    """One thing that is wrong, for machines.

    Attributes:
        message: what is wrong, without the place.
        path: the file, or "".
        line: in it, from 1; 0: the file as a whole.
    """

    message: str
    path: str = ""
    line: int = 0


class ScaffoldError(Exception):
    """Anything the command line reports as one message and an exit code.

    Attributes:
        exit_code: what the process ends with.
        fix: a command that helps, or "".
        output: what a checking process printed, or "".
        problems: everything that is wrong, each with its place.
    """

    exit_code = 70
    fix = ""
    output = ""

    @property
    def problems(self) -> list[Problem]:
        """Everything that is wrong, each with its place."""
        return [Problem(str(self))]


class UsageError(ScaffoldError):
    """What was asked for makes no sense here."""

    exit_code = 2

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class Fault(NamedTuple):
    """One thing that is wrong with a spec.

    Attributes:
        where: the key's path or the flag, as `option.room.type` or `--field room:strr`.
        problem: what is wrong with it.
        allowed: the alternatives, as `str, int`, or "".
        suggestion: what was probably meant, or "".
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
    """A handler's description is wrong: all its faults at once.

    Attributes:
        faults: in the order of the description.
        path: the file it came from, or "" for flags.
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
    """Files that a person edited, or that are not ours, are in the way.

    Attributes:
        paths: these files.
        why: what is wrong with each.
    """

    exit_code = 3

    def __init__(self, why: Mapping[PurePosixPath, str], *, fix: str = "") -> None:
        self.paths = tuple(why)
        self.why = dict(why)
        self.fix = fix
        lines = [
            f"{escaped(str(path))}: {reason}; left alone"
            for path, reason in why.items()
        ]
        super().__init__("\n".join(lines))

    @property
    def problems(self) -> list[Problem]:
        """The files."""
        return [
            Problem(f"{reason}; left alone", str(path))
            for path, reason in self.why.items()
        ]


class VerificationFailed(ScaffoldError):
    """What would be written does not compile, import or pass its tests.

    Attributes:
        output: what the checking process said.
    """

    exit_code = 4

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class PlanError(ScaffoldError):
    """The tree is not as a place expects it.

    Attributes:
        path: the file.
        line: in it, from 1; 0: the file as a whole.
        problem: what is wrong, without the path.
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
    """A file that cannot be patched safely: not text, broken, a link, too large."""


class StaleTree(PlanError):
    """A file changed between planning and writing."""

    def __init__(self, path: PurePosixPath | str) -> None:
        super().__init__(path, "changed while the command ran; nothing was written")


class MarkersLeft(PlanError):
    """A merge was not resolved in some files.

    Attributes:
        lines: these files, with the line of the first marker in each.
    """

    def __init__(self, lines: Mapping[PurePosixPath, int]) -> None:
        path, line = next(iter(lines.items()))
        super().__init__(f"{path}:{line}", "holds a conflict marker")
        self.lines = dict(lines)
        Exception.__init__(
            self,
            "\n".join(
                f"{escaped(str(path))}:{line}: holds a conflict marker"
                for path, line in lines.items()
            ),
        )
        take_ours = ["git", "checkout", "--ours", "--", *map(str, lines)]
        self.fix = f"{shlex.join(take_ours)}; scaffold regenerate --all"

    @property
    def problems(self) -> list[Problem]:
        """The files."""
        return [
            Problem("holds a conflict marker", str(path), line)
            for path, line in self.lines.items()
        ]


class StateError(PlanError):
    """A record under `.scaffold/` is damaged, or a newer version wrote it."""

    def __init__(self, path: PurePosixPath | str, message: str, *, fix: str) -> None:
        super().__init__(path, message)
        self.fix = fix


class ForeignTransaction(PlanError):
    """A transaction that this user did not write on this machine."""

    def __init__(self, path: PurePosixPath | str) -> None:
        super().__init__(
            path,
            "was not written by you on this machine, so it is not completed. Remove it; "
            "if a command of yours was interrupted here, look at what it holds first",
        )
        self.fix = f"rm -r {path}"


class AnchorNotFound(PlanError):
    """A registration place is absent, doubled, or written in an unexpected form.

    Attributes:
        anchor: what was looked for.
        snippet: what to paste there by hand.
    """

    def __init__(
        self, path: PurePosixPath | str, anchor: str, problem: str, snippet: str = ""
    ) -> None:
        paste = f"\npaste this there by hand:\n{snippet.rstrip()}" if snippet else ""
        super().__init__(path, f"{anchor}: {problem}{paste}")
        self.anchor = anchor
        self.problem = f"{anchor}: {problem}"
        self.snippet = snippet


class PlanErrors(PlanError):
    """Several places that are not as expected, told together.

    Attributes:
        errors: each of them.
    """

    def __init__(self, errors: Sequence[PlanError]) -> None:
        self.errors = tuple(errors)
        Exception.__init__(self, "\n".join(str(error) for error in errors))
        self.path, self.line = errors[0].path, errors[0].line
        self.problem = errors[0].problem

    @property
    def problems(self) -> list[Problem]:
        """Those of each error."""
        return [problem for error in self.errors for problem in error.problems]


class Locked(ScaffoldError):
    """Another run holds the tree."""

    exit_code = 6

    def __init__(self, pid: str) -> None:
        super().__init__(f"another scaffold command (pid {pid}) is writing here")
        self.pid = pid


class WriteFailed(ScaffoldError):
    """The disk refused; the tree is as before."""

    exit_code = 7


class RecoveryFailed(ScaffoldError):
    """An interrupted run cannot be completed without a person; nothing is lost.

    Attributes:
        saved: by changed file, where its versions before and after are kept; "" where
            there was none.
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
