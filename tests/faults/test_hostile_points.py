"""Hostile points neither stop a task nor crash the server."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

HOSTILE = Path(__file__).with_name("hostile.py")
MEMORY_LIMIT = 2 << 30
AT_ONCE = 60


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def cases(first: int, count: int) -> tuple[list[Any], int]:
    """Problems of some cases, and the number of refused ones."""
    done = subprocess.run(
        [sys.executable, str(HOSTILE), str(first), str(count)],
        preexec_fn=_limited,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    return said["faults"], said["refused"]


def test_hostile_points_stop_no_task(kit: Any) -> None:
    # the first case of a long run is another each time
    first, count = (int(time.time()) % 10**8 * 1000, 20_000) if kit.long else (0, 60)
    for start in range(first, first + count, AT_ONCE):
        faults, refused = cases(start, AT_ONCE)
        assert not faults
        assert refused < AT_ONCE / 5


BOMBS = {
    "history": "|alert().crit(lambda: TRUE).flapping(0.2, 0.5).history(1000000000)",
    "sliding": "|window().period(1000s).every(1s)|mean('v')|log()",
    "counted": "|window().periodCount(1000000).everyCount(1)|count('v')|log()",
    "doubled": "|eval("
    + ", ".join(['lambda: "s" + "s"', *(f'lambda: "s{n}" + "s{n}"' for n in range(30))])
    + ").as("
    + ", ".join(f"'s{n}'" for n in range(31))
    + ")|log()",
    "replaced": "|eval(lambda: "
    + "regexReplace(/./, " * 9
    + '"s"'
    + ", '$0$0$0$0$0$0$0$0')" * 9
    + ").as('t')|log()",
    "combined": "|combine(lambda: TRUE, lambda: TRUE, lambda: TRUE)"
    ".as('a', 'b', 'c').tolerance(1000d).max(9223372036854775807)|log()",
    "kept": "|shift(-100d)|window().period(10000d).every(10000d)|log()",
    "endless": "|alert().crit(lambda: TRUE).message('{{ range 1000000 }}"
    "{{ range 1000000 }}x{{ end }}{{ end }}').topic('t')",
}


@pytest.fixture
def server(start_kapacitord: Any) -> Any:
    sections = """
[task]
  max-memory = 50000000
  max-write-time = "2s"
[logging]
  level = "ERROR"
"""
    # of a forked one the memory of its parent would count, too
    return start_kapacitord(sections, is_forked=False)


def define(server: Any, id: str, nodes: str) -> None:
    task = {
        "id": id,
        "dbrps": [{"db": "d", "rp": "r"}],
        "script": f"stream|from().measurement('{id}'){nodes}",
        "status": "enabled",
    }
    server.json("POST", "/tasks", task)


def test_no_script_takes_the_server_down(server: Any) -> None:
    pid = server.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
    for id, nodes in BOMBS.items():
        define(server, id, nodes)
    define(server, "good", "|alert().crit(lambda: \"v\" > 5).topic('good')")
    resource.prlimit(pid, resource.RLIMIT_AS, (2 * MEMORY_LIMIT, hard))
    slowest = [0.0]
    done = threading.Event()

    def ping() -> None:
        while not done.wait(0.05):
            began = time.monotonic()
            assert server.call("GET", "/kapacitor/v1/ping")[0] == 204
            slowest[0] = max(slowest[0], time.monotonic() - began)

    pinging = threading.Thread(target=ping)
    pinging.start()
    try:
        for id in BOMBS:
            lines = "\n".join(f'{id} v={n},s="xxxxxxxx" {n}' for n in range(4000))
            assert write(server, f"{lines}\n{id} v=1 900000000") == 204, id
            assert write(server, "good v=9 1") == 204
    finally:
        done.set()
        pinging.join()
    assert server.process.poll() is None
    assert slowest[0] < 30
    tasks = {each["id"]: each for each in server.json("GET", "/tasks")["tasks"]}
    assert tasks["good"]["executing"]
    events = server.json("GET", "/alerts/topics/_internal/events")["events"]
    stopped = {each["id"].removeprefix("task/"): each["state"] for each in events}
    # those that took too much, which start again in a while
    assert "combined" in stopped
    assert set(stopped) <= {*BOMBS} - {"history", "kept", "endless"}
    assert all(
        state["level"] == "OK" or "[task] max-" in state["message"]
        for state in stopped.values()
    )


def write(server: Any, lines: str) -> int:
    status: int = server.call("POST", "/write?db=d&rp=r&precision=s", lines)[0]
    return status
