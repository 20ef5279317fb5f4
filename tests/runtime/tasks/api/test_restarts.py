"""A task stopped by an error is shown, is an event of `_internal`, and restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime.errors import TaskError
from runtime.frames import Point
from runtime.nodes.alert.node import AlertNode
from runtime.nodes.stateful import ChangeDetectNode
from runtime.tasks.api.restarts import FIRST_DELAY, LONGEST_DELAY
from runtime.testing.clock import ManualClock
from runtime.units import SECOND

SCRIPT = (
    "stream|from().measurement('m')|changeDetect('v')"
    "|alert().crit(lambda: \"v\" > 5).topic('t')"
)
EVENTS = "/alerts/topics/_internal/events"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000 * SECOND)


@pytest.fixture
def server(config: Any, start_api: Any, clock: ManualClock) -> Any:
    return start_api(config, clock=clock)


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A node that fails where a point has the value 13 or 14."""
    apply = ChangeDetectNode.apply

    def failing(self: ChangeDetectNode, point: Point, group: str) -> Point | None:
        if point.fields["v"] == 13:
            raise ZeroDivisionError("a mistake")
        if point.fields["v"] == 14:
            raise TaskError("a reason")
        return apply(self, point, group)

    monkeypatch.setattr(ChangeDetectNode, "apply", failing)
    return


def define(server: Any, id: str = "x", status: str = "enabled") -> None:
    task = {
        "id": id,
        "type": "stream",
        "dbrps": [{"db": "d", "rp": "r"}],
        "script": SCRIPT,
        "status": status,
    }
    server.json("POST", "/tasks", task)


def write(server: Any, value: int) -> None:
    answer = server.answer("POST", "/write?db=d&rp=r", f"m v={value} 1")
    assert answer.status == 204


def task(server: Any, id: str = "x") -> tuple[bool, str]:
    found = server.json("GET", f"/tasks/{id}")
    return found["executing"], found["error"]


def event(server: Any, id: str = "x") -> tuple[str, str]:
    events = server.json("GET", EVENTS)["events"]
    [state] = [each["state"] for each in events if each["id"] == f"task/{id}"]
    return state["level"], state["message"]


def later(server: Any, clock: ManualClock, nanoseconds: int) -> None:
    """Let time pass; what is due is done."""
    clock.advance(nanoseconds)

    async def tick() -> None:
        await server.server._compute.run(server.server._master.tick)

    server.run(tick())


@pytest.mark.usefixtures("poison")
@pytest.mark.parametrize(
    ("value", "reason"),
    [(13, "internal error: ZeroDivisionError: a mistake"), (14, "a reason")],
)
def test_a_point_stops_a_task_for_a_while(
    server: Any, clock: ManualClock, value: int, reason: str
) -> None:
    define(server)
    write(server, 9)
    write(server, value)
    assert task(server) == (False, reason)
    level, message = event(server)
    assert level == "CRITICAL"
    assert message.startswith(f"task x has stopped: {reason}; it starts again in ")
    later(server, clock, FIRST_DELAY)
    assert task(server) == (True, "")
    assert event(server) == ("OK", "task x runs")
    # it goes on from what the topic knows
    write(server, 1)
    assert server.json("GET", "/alerts/topics/t")["level"] == "OK"


@pytest.mark.usefixtures("poison")
def test_rests_grow_until_a_task_has_run_for_long(
    server: Any, clock: ManualClock
) -> None:
    define(server)
    for number in range(12):
        write(server, 13)
        longest = min(FIRST_DELAY << number, LONGEST_DELAY)
        later(server, clock, longest // 2 - 1)
        assert not task(server)[0]
        later(server, clock, longest // 2 + 1)
        assert task(server)[0]
    clock.advance(LONGEST_DELAY)
    write(server, 13)
    later(server, clock, FIRST_DELAY)
    assert task(server)[0]
    metrics = server.answer("GET", "/metrics").body.decode()
    assert 'kapacitor_task_stops_total{task="x"} 13.0' in metrics


@pytest.mark.usefixtures("poison")
@pytest.mark.parametrize("end", ["disable", "delete", "enable"])
def test_what_a_user_does_comes_first(
    server: Any, clock: ManualClock, end: str
) -> None:
    define(server)
    write(server, 13)
    if end == "delete":
        server.answer("DELETE", "/kapacitor/v1/tasks/x")
    else:
        server.json("PATCH", "/tasks/x", {"status": "disabled"})
    assert event(server) == ("OK", "task x was disabled or deleted")
    if end == "enable":
        server.json("PATCH", "/tasks/x", {"status": "enabled"})
        assert task(server) == (True, "")
    later(server, clock, LONGEST_DELAY)
    if end == "disable":
        assert task(server)[0] is False


@pytest.mark.usefixtures("poison")
def test_a_definition_that_cannot_start_is_not_tried_again(
    server: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    define(server)
    write(server, 13)

    def broken(*_: Any) -> None:
        raise TaskError("no such service")

    init: Callable[..., None] = AlertNode.__init__
    monkeypatch.setattr(AlertNode, "__init__", broken)
    later(server, clock, LONGEST_DELAY)
    assert task(server) == (False, "no such service")
    assert event(server) == ("CRITICAL", "task x does not start: no such service")
    monkeypatch.setattr(AlertNode, "__init__", init)
    later(server, clock, LONGEST_DELAY)
    assert task(server)[0] is False
    server.restart()
    assert task(server) == (True, "")
    assert event(server) == ("OK", "task x runs")


@pytest.mark.usefixtures("poison")
def test_a_task_that_stopped_runs_after_a_restart(
    server: Any, clock: ManualClock
) -> None:
    define(server)
    define(server, "y")
    write(server, 14)
    assert event(server, "y")[0] == "CRITICAL"
    server.restart()
    for id in ("x", "y"):
        assert task(server, id) == (True, "")
        assert event(server, id) == ("OK", f"task {id} runs")
