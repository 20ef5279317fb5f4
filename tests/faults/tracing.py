"""Runs strace on a server: to see its system calls, or to have them fail."""

import contextlib
import subprocess
import threading
import time

import pytest


@contextlib.contextmanager
def traced(server, *arguments):
    """Attach strace to a running server; it is gone when the block ends."""
    told = server.directory / "strace"
    with told.open("wb") as log:
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(server.process.pid), *arguments], stderr=log
        )
    try:
        end = time.monotonic() + 20
        while not (text := told.read_text()).endswith("\n") and tracer.poll() is None:
            assert time.monotonic() < end, "strace says nothing"
            threading.Event().wait(0.01)
        if "attached" not in text:
            pytest.skip("strace may not attach")
        yield
    finally:
        # strace may write on after a kill of the server, or wait for threads endlessly
        with contextlib.suppress(subprocess.TimeoutExpired):
            tracer.wait(0 if server.process.poll() is None else 10)
        tracer.terminate()
        try:
            tracer.wait(30)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait(30)
