"""Tasks that change while points come in: nothing leaks, nothing answered is lost."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import threading
from typing import Any

from runtime.nodes.alert.node import AlertNode
from runtime.services.httpd.messages import Request
from runtime.tasks.task import ExecutingTask
from runtime.testing.loopback import LoopbackServer

TIMES = 1000 if os.environ.get("FAULTS") == "long" else 100
DBRPS = [{"db": "d", "rp": "r"}]
SCRIPT = """stream
    |from().measurement('m').groupBy('h')
    |window().period(10s).every(10s)
    |max('v').as('v')
    |alert().id('{{ .Tags.h }}').crit(lambda: "v" > 5).topic('t').post('URL')
"""
PLAIN = SCRIPT.replace(
    "    |window().period(10s).every(10s)\n    |max('v').as('v')\n", ""
)


def living() -> list[object]:
    """The tasks, alert nodes and threads of this process, of all tests."""
    gc.collect()
    kinds = (ExecutingTask, AlertNode)
    return [each for each in gc.get_objects() if type(each) in kinds] + [
        # workers start when there is something for them, and stay
        each
        for each in threading.enumerate()
        if not each.name.startswith(("outbox", "reader", "asyncio"))
    ]


def counted(api: Any, others: list[object]) -> dict[str, int]:
    """The numbers of objects that must not grow, without those that other tests left."""
    known = set(map(id, others))
    objects = [each for each in living() if id(each) not in known]
    return {
        "tasks": sum(type(each) is ExecutingTask for each in objects),
        "alerts": sum(type(each) is AlertNode for each in objects),
        "threads": sum(isinstance(each, threading.Thread) for each in objects),
        "topics": len(list(api.server._alerts.topics)),
        "taps": len(api.server._master.taps),
    }


def test_switching_on_and_off_leaks_nothing(api: Any, sink: LoopbackServer) -> None:
    task = {"id": "x", "dbrps": DBRPS, "script": SCRIPT.replace("URL", sink.url)}

    def switch(times: int) -> None:
        for time in range(times):
            api.json("PATCH", "/tasks/x", {"status": "enabled"})
            api.json("POST", "/write?db=d&rp=r", f"m,h=a v=1 {time}".encode())
            api.json("PATCH", "/tasks/x", {"status": "disabled"})

    others = living()
    api.json("POST", "/tasks", task)
    switch(5)
    before = counted(api, others)
    assert before["tasks"] == 0
    switch(TIMES)
    assert counted(api, others) == before


def test_redefining_and_deleting_under_load_loses_nothing(
    api: Any, sink: LoopbackServer
) -> None:
    """Every point that is answered while a task runs becomes its event."""
    script = PLAIN.replace("URL", sink.url)
    plain = {"id": "x", "dbrps": DBRPS, "script": script, "status": "enabled"}
    watch = {**plain, "id": "watch", "script": script.replace("'t'", "'w'")}
    api.json("POST", "/tasks", plain)
    api.json("POST", "/tasks", watch)
    answered: list[str] = []
    done = asyncio.Event()

    async def ask(method: str, path: str, body: bytes = b"") -> int:
        uri = f"/kapacitor/v1{path}"
        pure, _, query = uri.partition("?")
        request = Request(method, pure, uri, query, body)
        status: int = (await api.server.http.answer(request)).status
        return status

    async def write(name: str) -> None:
        for number in itertools.count():
            if done.is_set():
                return
            host = f"{name}{number}"
            body = f"m,h={host} v=9 {number + 1}".encode()
            assert await ask("POST", "/write?db=d&rp=r", body) == 204
            answered.append(host)

    async def change() -> None:
        for time in range(TIMES):
            other = script.replace("> 5", f"> {5 - time % 3}")
            assert await ask("PATCH", "/tasks/x", _json(script=other)) == 200
            assert await ask("PATCH", "/tasks/x", _json(status="disabled")) == 200
            assert await ask("PATCH", "/tasks/x", _json(status="enabled")) == 200
            if time % 10 == 9:
                assert await ask("DELETE", "/tasks/x") == 204
                assert await ask("POST", "/tasks", _json(**plain)) == 200
        done.set()

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            for name in "ab":
                group.create_task(write(name))
            group.create_task(change())

    api.run(both())
    assert answered
    # the unchanged task has every point
    assert event_ids(api, "w") == set(answered)
    # the other has what came in while it ran
    assert api.json("GET", "/tasks/x")["executing"]
    assert event_ids(api, "t") <= set(answered)
    api.json("POST", "/write?db=d&rp=r", b"m,h=last v=9 1")
    assert api.json("GET", "/alerts/topics/t/events/last")["state"]["level"]


def event_ids(api: Any, topic: str) -> set[str]:
    """The ids of a topic's events, of all pages."""
    found: set[str] = set()
    while True:
        path = f"/alerts/topics/{topic}/events?offset={len(found)}&limit=1000"
        page = {event["id"] for event in api.json("GET", path)["events"]}
        found |= page
        if len(page) < 1000:
            return found


def _json(**fields: object) -> bytes:
    return json.dumps(fields).encode()
