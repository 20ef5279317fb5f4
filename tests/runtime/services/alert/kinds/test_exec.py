import asyncio
import json
import os
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
import uvloop

from runtime.errors import DeliveryError, OptionsError
from runtime.services.alert.kinds.exec import (
    OUTPUT_BYTES,
    ExecHandler,
    ExecHandlerConfig,
    environment,
)
from runtime.testing.events import sample_event


def run(prog, *args, time_limit_s=10.0):
    handler = ExecHandler(ExecHandlerConfig(prog, args), time_limit_s=time_limit_s)
    # the server's own loop, whose pipes are not quite asyncio's
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(handler.handle(sample_event()))


def failure(prog, *args, **more):
    with pytest.raises(DeliveryError) as caught:
        run(prog, *args, **more)
    assert caught.value.retry
    return str(caught.value)


def test_the_program_reads_the_event_as_a_line(tmp_path):
    path = tmp_path / "out"
    run("/bin/sh", "-c", f"cat > {path}")
    text = path.read_text()
    assert text.endswith("}\n")
    assert json.loads(text)["id"] == "cpu:serverA"


def test_arguments_are_given_as_they_are(tmp_path):
    path = tmp_path / "$(touch x); a b"
    run(sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", str(path))
    assert [each.name for each in tmp_path.iterdir()] == ["$(touch x); a b"]


def test_a_program_that_does_not_read_is_fine():
    run("true")


def test_a_failing_program_tells_what_it_said():
    text = failure("sh", "-c", "echo out; echo err >&2; exit 3")
    assert text == "exec command failed: exit status 3: output: out\nerr"


def test_much_output_is_read_and_little_kept():
    text = failure("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' a; exit 1")
    assert len(text) < OUTPUT_BYTES + 100


def test_a_program_that_hangs_is_killed_with_what_it_started(tmp_path):
    path = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {path}; echo begun; wait"
    start = time.monotonic()
    text = failure("sh", "-c", script, time_limit_s=0.5)
    assert text == "exec command failed: killed after 0.5s: output: begun"
    assert time.monotonic() - start < 60
    assert _is_gone(int(path.read_text()))


def _is_gone(pid, limit_s=30.0):
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
    return False


def test_a_child_that_keeps_the_output_open_holds_nothing_up():
    start = time.monotonic()
    run("sh", "-c", "sleep 20 & exit 0")
    assert time.monotonic() - start < 10


def test_what_was_started_aside_is_killed_with_a_program_that_hangs(tmp_path):
    path = tmp_path / "pid"
    # a grandchild that keeps the output open, of a child that is gone
    script = f"(sleep 600 & echo $! > {path}) ; sleep 600"
    assert "killed after 0.5s" in failure("sh", "-c", script, time_limit_s=0.5)
    assert _is_gone(int(path.read_text()))


def test_a_flood_of_output_neither_fills_the_memory_nor_blocks():
    tracemalloc.start()
    try:
        run("sh", "-c", "head -c 200000000 /dev/zero", time_limit_s=30.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_a_missing_program_is_told():
    text = failure("/no/such/program")
    assert text == (
        "exec command failed: fork/exec /no/such/program: no such file or directory"
    )


def test_a_program_that_dies_of_a_signal_has_failed():
    assert failure("sh", "-c", "kill -9 $$") == "exec command failed: signal: killed"


def test_settings_of_the_server_are_not_passed_on():
    given = {"PATH": "/bin", "KAPACITOR_HIPCHAT_TOKEN": "x", "KAPACITOR_URL": "u"}
    assert environment(given) == {"PATH": "/bin", "KAPACITOR_URL": "u"}


def test_options_of_the_wrong_type_are_refused(make):
    with pytest.raises(OptionsError) as caught:
        make("exec", {"prog": "/x", "args": ["a", 5]})
    assert str(caught.value) == (
        "failed to decode options into *alert.ExecHandlerConfig: 1 error(s) decoding:"
        "\n\n* 'args[1]' expected type 'string', got unconvertible type 'float64', "
        "value: '5'"
    )
