"""Server processes that are forked from one which has loaded the product.

Loading it is most of what a start takes. The processes are the same otherwise: each has
its own id, signals, files and exit code.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.preloaded"])


class ForkedServer:
    """A server process, used as a `subprocess.Popen` is.

    Attributes:
        pid: process id.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        folder: Path,
    ) -> None:
        given = [*arguments], {**environment}, log, folder
        # a daemon: what a failing test leaves is stopped at the end, not waited for
        self._process: BaseProcess = _CONTEXT.Process(
            target=_serve, args=given, daemon=True
        )
        with _without_main():
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Exit code, or None while it runs; the negative signal that ended it."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Wait for the process to end; its exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs after `timeout` seconds.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("kapacitord", timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the process to stop."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Hide the program that runs: each new process would import pytest again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _serve(
    arguments: list[str], environment: dict[str, str], log: Path, folder: Path
) -> None:
    """Become a server, as if this process had just been started."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    sys.argv = ["kapacitord", *arguments]
    from runtime.server.__main__ import main

    main()
