"""The handler that runs a program."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from runtime.alert.serialize import event_line
from runtime.alert.types import Event
from runtime.errors import DeliveryError

# below the time limit of handlers, so that this error is reported
TIME_LIMIT_S = 50.0
OUTPUT_BYTES = 4096
_AFTER_EXIT_S = 1.0
_AFTER_KILL_S = 5.0
# settings for programs that use this server; other settings may be secret
_PASSED = frozenset(("KAPACITOR_URL", "KAPACITOR_UNSAFE_SSL"))


@dataclass(frozen=True, slots=True)
class ExecHandlerConfig:
    """Options of one handler.

    Attributes:
        prog: program; a bare name is looked up in `PATH`.
        args: arguments, passed without a shell.
    """

    prog: str = ""
    args: tuple[str, ...] = ()


class ExecHandler:
    """Runs a program for each event, with the event's JSON as its input."""

    def __init__(
        self, options: ExecHandlerConfig, *, time_limit_s: float = TIME_LIMIT_S
    ) -> None:
        """Create a handler that kills a program after a time limit."""
        self.options = options
        self._time_limit_s = time_limit_s

    async def handle(self, event: Event) -> None:
        """Run the program for `event`.

        Raises:
            DeliveryError: the program cannot be run, takes too long, or does not exit
                with 0.
        """
        line = event_line(event)
        transport, run = await self._started()
        try:
            async with asyncio.timeout(self._time_limit_s):
                run.feed(transport, line)
                await run.exited.wait()
            # do not wait longer: a child of the program may keep the output open
            await _within(_AFTER_EXIT_S, run.ended)
        except TimeoutError:
            reason = f"killed after {self._time_limit_s:g}s"
            raise _failure(reason, run.output) from None
        finally:
            if transport.get_returncode() is None:
                _kill_group(transport.get_pid())
                await _within(_AFTER_KILL_S, run.exited)
            transport.close()
        code = transport.get_returncode()
        if code:
            reason = f"exit status {code}" if code > 0 else _signal_name(-code)
            raise _failure(reason, run.output)

    async def _started(self) -> tuple[asyncio.SubprocessTransport, _Run]:
        try:
            return await asyncio.get_running_loop().subprocess_exec(
                _Run,
                self.options.prog,
                *self.options.args,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment(os.environ),
                # in its own group, so that its children can be killed with it
                start_new_session=True,
            )
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            text = f"exec command failed: fork/exec {self.options.prog}: {reason}"
            raise DeliveryError(text, retry=True) from error
        except ValueError as error:
            raise DeliveryError(f"exec command failed: {error}") from error


def environment(of: Mapping[str, str]) -> dict[str, str]:
    """The environment of programs: the server's, without its own settings."""
    return {
        name: value
        for name, value in of.items()
        if not name.startswith("KAPACITOR_") or name in _PASSED
    }


class _Run(asyncio.SubprocessProtocol):
    """The output of a program so far.

    Attributes:
        output: beginning of its output.
        exited: set when the program has ended.
        ended: set when its output is closed.
    """

    def __init__(self) -> None:
        self.output = bytearray()
        self.exited = asyncio.Event()
        self.ended = asyncio.Event()

    def feed(self, transport: asyncio.SubprocessTransport, text: bytes) -> None:
        """Write `text` to the program, which may ignore it."""
        # uvloop's pipes do not inherit from asyncio.WriteTransport, but have its
        # methods
        pipe = cast(asyncio.WriteTransport, transport.get_pipe_transport(0))
        # they raise an error if the program has ended; its exit code is enough
        with contextlib.suppress(RuntimeError):
            pipe.write(text)
            pipe.close()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep the beginning and discard the rest, so that the program never blocks."""
        self.output += data[: OUTPUT_BYTES - len(self.output)]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note the end of the output."""
        if fd == 1:
            self.ended.set()

    def process_exited(self) -> None:
        """Note the end of the program."""
        self.exited.set()


async def _within(limit_s: float, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await event.wait()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _signal_name(number: int) -> str:
    try:
        return f"signal: {signal.strsignal(number) or number}".lower()
    except ValueError:
        return f"signal: {number}"


def _failure(reason: str, output: bytearray) -> DeliveryError:
    decoded = output.decode("utf-8", "replace").strip()
    text = f"exec command failed: {reason}"
    return DeliveryError(f"{text}: output: {decoded}" if decoded else text, retry=True)
