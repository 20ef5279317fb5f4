"""One long write does not keep the others waiting, and is kept whole."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from runtime.services.httpd.messages import Request
from runtime.tick import parser

DBRPS = [{"db": "d", "rp": "r"}]
TASKS = 6
GROUPS = 1000


def firing(number: int) -> str:
    return f"""\
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |alert()
        .crit(lambda: "v" > {number}.5)
        .topic('t{number}')
"""


def written(lines: str) -> Request:
    return Request("POST", "/write", "/write?db=d&rp=r", "db=d&rp=r", lines.encode())


def test_small_writes_are_answered_while_one_fires_in_all_groups(api: Any) -> None:
    for number in range(TASKS):
        task = {"id": f"a{number}", "dbrps": DBRPS, "script": firing(number)}
        api.json("POST", "/tasks", task | {"status": "enabled"})
    long = "\n".join(f"cpu,host=g{n} v=100 {n}" for n in range(GROUPS))
    # one series changes within the write: its last value counts
    long += f"\ncpu,host=g0 v=0 {GROUPS}"

    async def run() -> list[int]:
        answer = api.server.http.answer
        writing = asyncio.ensure_future(answer(written(long)))
        # a small write is done at once: the long one has to begin before
        await asyncio.sleep(0)
        small: list[int] = []
        while not writing.done():
            number = len(small)
            done = await answer(written(f"cpu,host=s{number % 5} v=0 {number}"))
            small.append(done.status)
        assert writing.result().status == 204
        return small

    small = api.run(run())
    assert len(small) > 3
    assert set(small) == {204}
    for number in range(TASKS):
        path = f"/kapacitor/v1/alerts/topics/t{number}/events?limit=2000"
        body = b"".join(parts(api, api.answer("GET", path)))
        events = {e["id"]: e["state"] for e in json.loads(body)["events"]}
        levels = {id: state["level"] for id, state in events.items()}
        fired = {f"cpu:host=g{n}": "CRITICAL" for n in range(1, GROUPS)}
        assert levels == fired | {"cpu:host=g0": "OK"}


def parts(api: Any, answer: Any) -> list[bytes]:
    async def read() -> list[bytes]:
        return [part async for part in answer.stream]

    return [answer.body] if answer.stream is None else api.run(read())


@pytest.mark.parametrize("kind", ["tasks", "templates"])
@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("\n".join(f"var v{n} = {n}" for n in range(900)) + "\nstream|from()", 200),
        ("\n".join(f"var v{n} = {n}" for n in range(6000)) + "\nstream|from()", 400),
        ("// much said\n" * 900 + "stream|from(", 400),
    ],
    ids=["variables", "too-many-variables", "comments"],
)
def test_a_large_script_is_parsed_beside_the_writes(
    api: Any, kind: str, script: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    program = parser._Parser.program

    def noted(self: Any) -> Any:
        threads.append(threading.current_thread().name)
        return program(self)

    monkeypatch.setattr(parser._Parser, "program", noted)
    body = {"id": kind, "type": "stream", "dbrps": DBRPS, "script": script}
    parser._outcome.cache_clear()
    found, text = api.ask("POST", f"/{kind}", body)
    assert found == status, text
    assert len(threads) == 1
    assert threads != ["compute"]
