"""Lists are made while the compute thread is busy with something else."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

SCRIPT = """\
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |alert()
        .crit(lambda: "v" > 0.0)
        .topic('t')
"""
# these do not answer with a list, and answer as long as the client reads
OTHERS = {"/kapacitor/v1preview/logs", "/kapacitor/v1/storage/backup"}
BELOW_TOPICS = (
    "/alerts/topics?pattern=t*&min-level=WARNING",
    "/alerts/topics/t",
    "/alerts/topics/t/events?min-level=CRITICAL&limit=1",
    "/alerts/topics/t/events/cpu:host=a",
    "/alerts/topics/t/handlers?pattern=h*",
    "/alerts/topics/t/handlers/h",
)


@pytest.fixture
def filled(api: Any) -> Any:
    dbrps = [{"db": "d", "rp": "r"}]
    task = {"id": "a", "dbrps": dbrps, "script": SCRIPT, "status": "enabled"}
    api.json("POST", "/tasks", task)
    handler = {"id": "h", "kind": "log", "options": {"path": "/dev/null"}}
    api.json("POST", "/alerts/topics/t/handlers", handler)
    assert api.ask("POST", "/write?db=d&rp=r", "cpu,host=a v=1 1") == (204, "")
    return api


def test_no_list_waits_for_the_compute_thread(filled: Any) -> None:
    api, done = filled, threading.Event()
    exact = {
        path
        for path, methods in api.server.http.router.routes().items()
        if "GET" in methods and not path.endswith("/")
    }
    assert {"/kapacitor/v1/alerts/topics", "/metrics"} < exact
    paths = sorted(exact - OTHERS)
    paths += [f"/kapacitor/v1{each}" for each in BELOW_TOPICS]
    paths.append("/kapacitor/v1preview/alerts/topics/t/events")

    async def work() -> asyncio.Future[bool]:
        return api.server._compute.run(done.wait, 30)

    working = api.run(work())
    try:
        answers = {path: api.answer("GET", path) for path in paths}
        assert not working.done()
    finally:
        done.set()
    assert {path: each.status for path, each in answers.items()} == {
        path: 204 if path.endswith("/ping") else 200 for path in paths
    }
    events = answers["/kapacitor/v1preview/alerts/topics/t/events"]
    assert b'"cpu:host=a"' in events.body
