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
│   ├── StateError
│   └── ForeignTransaction
├── Locked                 another run holds the tree
├── WriteFailed            the disk refused; the tree is as before
└── RecoveryFailed         a person must choose; all versions are kept
"""

# ruff: noqa: N818 - the names say what happened
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.escaping import escaped


class ScaffoldError(Exception):
    """Anything the command line reports as one message and an exit code.

    Attributes:
        exit_code: what the process ends with.
        fix: a command that helps, or "".
    """

    exit_code = 70
    fix = ""


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
        allowed: what would be right, as `str, int`, or "".
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
    """

    exit_code = 3

    def __init__(self, why: Mapping[PurePosixPath, str], *, fix: str = "") -> None:
        self.paths = tuple(why)
        self.fix = fix
        lines = [
            f"{escaped(str(path))}: {reason}; left alone"
            for path, reason in why.items()
        ]
        super().__init__("\n".join(lines))


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
    """

    exit_code = 5

    def __init__(self, path: PurePosixPath | str, message: str) -> None:
        super().__init__(f"{escaped(str(path))}: {message}")
        self.path = PurePosixPath(path)


class UnreadableFile(PlanError):
    """A file that cannot be patched safely: not text, broken, a link, too large."""


class StaleTree(PlanError):
    """A file changed between planning and writing."""

    def __init__(self, path: PurePosixPath | str) -> None:
        super().__init__(path, "changed while the command ran; nothing was written")


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
        self.problem = problem
        self.snippet = snippet


class PlanErrors(PlanError):
    """Several places that are not as expected, told together.

    Attributes:
        errors: each of them.
    """

    def __init__(self, errors: Sequence[PlanError]) -> None:
        self.errors = tuple(errors)
        Exception.__init__(self, "\n".join(str(error) for error in errors))
        self.path = errors[0].path


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
