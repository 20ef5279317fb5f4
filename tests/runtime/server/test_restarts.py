"""A restarted server keeps its state and reports only changes."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from runtime.testing.loopback import Answer, LoopbackServer

SCRIPT = """
stream
    |from().measurement('m').groupBy('h')
    |alert()
        .id('{{ .Tags.h }}')
        .warn(lambda: "v" > 3)
        .crit(lambda: "v" > 5)
        .stateChangesOnly()
        .topic('t')
        .post('URL')
"""
OWN = "/alerts/topics/main:t:alert2"
NAMED = "/alerts/topics/t"
SECOND = 10**9


def snapshot(server: Any) -> dict[str, Any]:
    """The states shown by the API; their order in a topic is arbitrary."""
    seen = {}
    for path in (OWN, NAMED):
        topic = server.json("GET", path)
        events = server.json("GET", f"{path}/events")["events"]
        seen[path] = topic["level"], {each["id"]: each["state"] for each in events}
    dead = server.json("GET", "/deliveries?state=dead")["deliveries"]
    task = server.json("GET", "/tasks/t")
    keys = ("status", "executing", "error", "script", "created", "last-enabled")
    return {**seen, "dead": dead, "task": {key: task[key] for key in keys}}


def told(sink: LoopbackServer, count: int) -> dict[str, tuple[str, str, int]]:
    """Level, previous level and seconds of the next messages, by id."""
    bodies = [json.loads(sink.next(20).body) for _ in range(count)]
    return {
        body["id"]: (body["level"], body["previousLevel"], body["duration"] // SECOND)
        for body in bodies
    }


def settle(server: Any) -> None:
    """Wait until nothing is under way that would come twice after a kill."""
    deadline = time.monotonic() + 20
    while server.json("GET", "/deliveries?state=pending")["deliveries"]:
        assert time.monotonic() < deadline
        server.process_wait(0.02)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_is_known_outlives_the_process(
    start_kapacitord: Any, sink: LoopbackServer, end: str
) -> None:
    server = start_kapacitord()
    script = SCRIPT.replace("URL", sink.url)
    dbrps = [{"db": "telegraf", "rp": "autogen"}]
    task = {"id": "t", "script": script, "dbrps": dbrps, "status": "enabled"}
    server.json("POST", "/tasks", task)
    sink.answers.append(Answer(400, b"no"))
    server.write(f"m,h=dead v=9 {SECOND}")
    assert set(told(sink, 1)) == {"dead"}
    first = [f"m,h={host} v={9 if host != 'warn' else 4} {SECOND}" for host in HOSTS]
    server.write("\n".join(first))
    assert {each[0] for each in told(sink, 5).values()} == {"CRITICAL", "WARNING"}
    server.write(f"m,h=over v=1 {3 * SECOND}")
    assert told(sink, 1) == {"over": ("OK", "CRITICAL", 2)}

    settle(server)
    before = snapshot(server)
    assert len(before["dead"]) == 1
    getattr(server, end)()
    server.start()
    assert snapshot(server) == before

    after = {"same": 9, "recovers": 1, "eases": 4, "warn": 9, "over": 1, "dead": 9}
    server.write("\n".join(f"m,h={h} v={v} {11 * SECOND}" for h, v in after.items()))
    assert told(sink, 3) == {
        "recovers": ("OK", "CRITICAL", 10),
        "eases": ("WARNING", "CRITICAL", 10),
        "warn": ("CRITICAL", "WARNING", 10),
    }
    server.write(f"m,h=last v=9 {12 * SECOND}")
    # there are no entries before it: an unchanged level was not sent again
    assert set(told(sink, 1)) == {"last"}


HOSTS = ("same", "recovers", "eases", "warn", "over")


def test_the_duration_goes_on(start_kapacitord: Any, sink: LoopbackServer) -> None:
    server = start_kapacitord()
    script = SCRIPT.replace("URL", sink.url).replace(".stateChangesOnly()", "")
    dbrps = [{"db": "telegraf", "rp": "autogen"}]
    task = {"id": "t", "script": script, "dbrps": dbrps, "status": "enabled"}
    server.json("POST", "/tasks", task)
    for second in (1, 61):
        server.write(f"m,h=a v=9 {second * SECOND}")
        told(sink, 1)
    settle(server)
    server.kill()
    server.start()
    server.write(f"m,h=a v=9 {91 * SECOND}")
    assert told(sink, 1) == {"a": ("CRITICAL", "CRITICAL", 90)}
