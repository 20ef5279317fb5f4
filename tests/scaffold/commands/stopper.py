"""A program that stops one command at many moments; run by the tests.

`python -m tests.scaffold.commands.stopper PROJECT FOLDER STEP ARGUMENTS...` runs `scaffold
ARGUMENTS...` in copies of PROJECT below FOLDER. At every STEP-th call that writes it is
killed, in another run recovery is killed too, and in a third the disk is full there. The
output is one JSON object: the number of calls, and the runs after which the next command
found neither the files before nor those after.

It forks, so that a run costs little; for that it must be a process with one thread.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scaffold.cli import main
from scaffold.disk import recovery
from tests.scaffold.files import files

_CALLS = (
    *("open", "write", "fsync", "fchmod", "replace", "mkdir", "link", "unlink"),
    *("rmdir", "ftruncate"),
)
_FULL = 7


class Stopping:
    """Counts calls that write, and stops at one of them."""

    def __init__(self, at: int, stop: Callable[[], None]) -> None:
        self.at = at
        self.stop = stop
        self.count = 0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Count the calls in the block."""
        before = {name: getattr(os, name) for name in _CALLS}
        for name, call in before.items():
            setattr(os, name, self._watched(name, call))
        try:
            yield
        finally:
            for name, call in before.items():
                setattr(os, name, call)

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            if name != "open" or args[1] & os.O_CREAT:
                self.count += 1
                if self.count == self.at:
                    self.stop()
            return call(*args, **kwargs)

        return watched


def kill() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def fill() -> None:
    """Fail as on a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device")


def command(root: Path, arguments: list[str]) -> int:
    """Run a command line; its exit code."""
    os.chdir(root)
    try:
        main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def forked(run: Callable[[], int]) -> int:
    """Run something in a process of its own; its result, negative for a signal."""
    child = os.fork()
    if child == 0:
        with open(os.devnull, "r+b") as nothing:  # noqa: PTH123 - before it is watched
            for stream in (1, 2):
                os.dup2(nothing.fileno(), stream)
        code = 70
        try:
            code = run()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    """The files of a project, with their permissions."""
    return {
        path: (data, stat.S_IMODE((root / path).stat().st_mode))
        for path, data in files(root).items()
    }


class Trial:
    """One command, to be stopped.

    Attributes:
        total: the number of its calls that write.
        wrong: descriptions of the runs that left something else.
    """

    def __init__(self, project: Path, folder: Path, arguments: list[str]) -> None:
        self._project = project
        self._folder = folder
        self._arguments = arguments
        self._before = snapshot(project)
        self.wrong: list[str] = []
        root = self._copy()
        counting = Stopping(0, kill)
        with counting.watching():  # in this process, so that everything is imported
            code = command(root, arguments)
        assert code == 0, code
        self.total = counting.count
        self._after = snapshot(root)
        assert self._after != self._before

    def stop(self, at: int) -> None:
        """Stop at one call: killed, killed in recovery too, and with a full disk."""
        root = self._copy()
        self._run(root, at, kill)
        self._judge(root, f"killed at {at}")
        root = self._copy()
        self._run(root, at, kill)
        # the farther it came, the more recovery has to do
        for again in (1 + at % 7, 1 + at % 23):
            forked(lambda again=again: self._recover(root, again))  # type: ignore[misc]
        self._judge(root, f"killed at {at}, and again in recovery")
        root = self._copy()
        code = self._run(root, at, fill)
        if code == _FULL and snapshot(root) != self._before:
            self.wrong.append(f"full at {at}: not as before")
        self._judge(root, f"full at {at}")

    def _run(self, root: Path, at: int, stop: Callable[[], None]) -> int:
        def run() -> int:
            with Stopping(at, stop).watching():
                return command(root, self._arguments)

        return forked(run)

    @staticmethod
    def _recover(root: Path, at: int = 0) -> int:
        with Stopping(at, kill).watching():
            recovery.recover(root)
        return 0

    def _judge(self, root: Path, how: str) -> None:
        code = forked(lambda: self._recover(root))
        now = snapshot(root)
        if code or now not in (self._before, self._after):
            self.wrong.append(f"{how}: neither before nor after ({code})")
        if (root / ".scaffold/txn").exists():
            self.wrong.append(f"{how}: an open transaction")

    def _copy(self) -> Path:
        root = self._folder / "copy"
        shutil.rmtree(root, ignore_errors=True)
        return Path(shutil.copytree(self._project, root))


if __name__ == "__main__":
    project, folder, step, *arguments = sys.argv[1:]
    trial = Trial(Path(project), Path(folder), arguments)
    for at in range(1, trial.total + 1, int(step)):
        trial.stop(at)
    print(json.dumps({"total": trial.total, "wrong": trial.wrong}))
