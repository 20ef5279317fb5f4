"""A task that uses too much memory or time is stopped; the others continue."""

from __future__ import annotations

import contextlib
import re
import tracemalloc

import pytest

from runtime.frames import Frame
from runtime.integrations.bundled import INTEGRATIONS
from runtime.line_protocol import parse
from runtime.nodes.budget import Budget, BudgetError, TaskLimits
from runtime.nodes.environment import Environment
from runtime.nodes.sizes import of_frame, of_points
from runtime.pipeline.evaluate import evaluate
from runtime.tasks import parts
from runtime.tasks.task_master import TaskMaster
from runtime.testing.alerts import RecordingTopics, services
from runtime.testing.clock import ManualClock
from runtime.testing.frames import frame, points
from runtime.tick.parser import parse as script_of
from runtime.units import MINUTE, SECOND

MIB = 1 << 20
DBRPS = (("d", "r"),)


class Master:
    """Tasks with a small budget; `bad` has a clock that moves on at each look."""

    def __init__(self, memory: int = MIB, step: int = 0) -> None:
        self.stopped: dict[str, str] = {}
        self.clock = ManualClock(5 * SECOND)
        self._step = step
        self._slow = 0
        self.topics = RecordingTopics()
        self.master = TaskMaster(
            lambda id, dbrps: Environment(
                id,
                clock=self.clock,
                dbrps=dbrps,
                services=services(),
                topics=self.topics,
                budget=Budget(
                    TaskLimits(memory, MINUTE),
                    clock=self._now if id == "bad" else self.clock,
                ),
            ),
            clock=self.clock,
            transaction=contextlib.nullcontext,
        )
        self.master.stopped = self.stopped.__setitem__

    def _now(self) -> int:
        self._slow += self._step
        return self.clock.now + self._slow

    def start(self, id: str, nodes: str) -> None:
        tick = f"stream|from().measurement('m').groupBy('h'){nodes}"
        self.master.start(
            id,
            evaluate(
                script_of(tick), "stream", handlers=INTEGRATIONS.handler_properties
            ),
            DBRPS,
        )

    def write(self, lines: list[str], *, at_once: bool) -> None:
        for body in ["\n".join(lines)] if at_once else lines:
            self.master.take(body.encode(), "d", "r", "s")
            # memory is estimated every five seconds
            self.clock.advance(5 * SECOND)


KEEPERS = [
    ("|window().period(100d).every(100d)|log()", "window2"),
    ("|window().periodCount(100000).everyCount(100000)|log()", "window2"),
    ("|flatten().on('h').tolerance(100d)|log()", "flatten2"),
    ("|combine(lambda: FALSE, lambda: FALSE).as('l', 'r').tolerance(100d)", "combine2"),
    ("|movingAverage('v', 1000000000)", "movingAverage2"),
    ("|shift(-100d)|last('v')|window().period(100d).every(100d)", "window4"),
]


@pytest.mark.parametrize(("nodes", "keeper"), KEEPERS)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_task_that_keeps_too_much_stops(
    nodes: str, keeper: str, at_once: bool
) -> None:
    memory = 16_000 if "moving" in nodes else 100_000
    running = Master(memory)
    running.start("bad", nodes)
    running.start("good", '|where(lambda: "v" > 5)|log()')
    same = "flatten" in nodes or "combine" in nodes
    size = 4000 if at_once else 500
    lines = [f"m v={n} {100 if same else n}" for n in range(size)]
    running.write(lines, at_once=at_once)
    running.write(["m v=1 100"], at_once=True)
    assert running.master.get("good") is not None
    reason = running.stopped["bad"]
    assert re.fullmatch(
        rf"the task keeps some \d MiB, most of it in {keeper}: "
        r"more than the 0 MiB of \[task\] max-memory",
        reason,
    )


@pytest.mark.parametrize(
    "nodes",
    [
        "|window().period(100d).every(100d)|log()",
        # nodes that tasks share
        "|window().period(100d).every(100d)|mean('v')|alert().crit(lambda: \"mean\" > 1)",
        "|flatten().on('h').tolerance(100d)|log()",
    ],
)
def test_few_points_may_be_long_work_while_much_is_kept(nodes: str) -> None:
    running = Master(memory=0)
    running.start("keeper", nodes)
    running.write(["m v=1 1"], at_once=True)
    running.master.measure()
    assert not running.master.is_heavy

    def keep_much(at: int) -> None:
        lines = (f"m,h=a,n={n} v={n} {at}" for n in range(20_000))
        running.write(["\n".join(lines)], at_once=True)
        running.master.measure()

    keep_much(5)
    assert running.master.is_heavy
    # the window ends
    running.write(["m,h=a v=1 9000000", "m,h=a v=1 9000001"], at_once=False)
    running.master.measure()
    assert not running.master.is_heavy
    keep_much(9_000_002)
    assert running.master.is_heavy
    running.master.stop("keeper")
    assert not running.master.is_heavy


def test_few_points_may_be_long_work_while_a_task_with_such_a_script_runs() -> None:
    running = Master()
    running.start("light", "|log()")
    assert not running.master.is_heavy
    running.start(
        "heavy", "|where(lambda: strReplace(\"s\", 'a', 'b', -1) == 'b')|log()"
    )
    assert running.master.is_heavy
    running.master.stop("heavy")
    assert not running.master.is_heavy


@pytest.mark.parametrize("parents", ["join", "union"])
def test_points_that_wait_for_another_parent_count(parents: str) -> None:
    running = Master(100_000)
    names = ".as('l', 'r')" if parents == "join" else ""
    script = (
        "var a = stream|from().measurement('m')\n"
        f"var b = stream|from().measurement('n')\na|{parents}(b){names}|log()"
    )
    running.master.start(
        "bad",
        evaluate(script_of(script), "stream", handlers=INTEGRATIONS.handler_properties),
        DBRPS,
    )
    running.write([f"m v=1 {n}" for n in range(500)], at_once=False)
    assert f"most of it in {parents}" in running.stopped["bad"]


def test_long_texts_count_for_what_they_take() -> None:
    long = "x" * 100_000
    assert 2_000_000 < of_points(points(f'm s="{long}" 1\n' * 20)) < 2_100_000
    many: Frame = frame(f'm s="{long}" 1\n' * 20)
    assert 2_000_000 < of_frame(many) < 2_100_000
    assert of_frame(frame("m v=1 1\n" * 1000)) < 30_000


@pytest.mark.parametrize(
    "nodes",
    [
        "|window().period(1000s).every(1s)|mean('v')",
        "|window().period(1000s).every(1s)|distinct('v')",
        "|combine(lambda: FALSE, lambda: TRUE).as('l', 'r').tolerance(100d)",
        "|eval(lambda: sigma(\"v\")).as('s')",
    ],
)
def test_a_task_that_takes_too_long_stops(nodes: str) -> None:
    running = Master(0, step=9 * SECOND)
    running.start("bad", nodes + "|log()")
    running.start("good", '|where(lambda: "v" > 5)|log()')
    running.write([f"m v={n} {n}" for n in range(9000)], at_once=True)
    running.write([f"m v={n} 1000000000" for n in range(9)], at_once=True)
    assert running.stopped == {
        "bad": "one write takes longer than 1m0s, the limit [task] max-write-time"
    }
    assert running.master.get("good") is not None


def test_the_time_for_the_parts_of_a_write_adds_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # each takes less than the limit
    for bound in ("_FIRST", "_MOST"):
        monkeypatch.setattr(parts, bound, 16)
    running = Master(0, step=7 * SECOND)
    running.start("bad", "|eval(lambda: regexReplace(/x/, \"s\", 'y')).as('t')|log()")
    running.write([f'm s="x" {n}' for n in range(12)], at_once=False)
    assert running.stopped == {}
    running.write([f'm s="x" {n}' for n in range(12)] * 200, at_once=True)
    assert running.stopped == {
        "bad": "one write takes longer than 1m0s, the limit [task] max-write-time"
    }


@pytest.mark.parametrize(
    "nodes",
    [
        "|eval(lambda: strReplace(\"s\", 'x', 'xxxxxxxxx', -1)).as('t')|log()",
        "|alert().crit(lambda: TRUE).message('{{ range 2000 }}xxxxxxxxxx{{ end }}')"
        ".topic('t')",
        "|window().periodCount(100).everyCount(1)|alert().crit(lambda: TRUE).topic('t')",
    ],
)
def test_texts_made_of_one_write_are_bounded(nodes: str) -> None:
    running = Master(MIB)
    running.start("bad", nodes)
    text = "x" * 2000
    running.write([f'm s="{text}" {n}' for n in range(100)], at_once=True)
    assert running.stopped["bad"].startswith("texts and events of one write take some ")
    assert len(running.topics.events) < 60


def test_pages_keep_points_and_not_the_writes_they_came_in() -> None:
    running = Master(0)
    running.start("t", "|httpOut('out')")
    tracemalloc.start()
    try:
        for number in range(50):
            lines = "\n".join(f"m,h=a v={n} {n}" for n in range(3000))
            running.write([f"{lines}\nm,h=h{number} v=1 1"], at_once=True)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 5 * MIB


def test_tasks_that_share_their_nodes_stop_together() -> None:
    running = Master(100_000)
    for id in ("a", "b"):
        running.start(
            id, '|window().period(100d).every(100d)|alert().crit(lambda: "v" > 1)'
        )
    running.write([f"m v=1 {n}" for n in range(500)], at_once=False)
    assert list(running.stopped) == ["a", "b"]


def test_no_limit_is_no_limit() -> None:
    clock = ManualClock(0)
    budget = Budget(TaskLimits(0, 0), clock=clock)
    budget.begin()
    clock.advance(1000 * MINUTE)
    budget.look()
    budget.make(1 << 40)
    other = Budget(TaskLimits(20, 5), clock=clock)
    other.begin()
    clock.advance(6)
    with pytest.raises(BudgetError):
        other.look()
    with pytest.raises(BudgetError):
        other.make(6)


def test_joins_of_many_points_of_one_time_take_no_quadratic_time() -> None:
    running = Master(0)
    script = (
        "var a = stream|from().measurement('m')\n"
        "var b = stream|from().measurement('n')\na|join(b).as('l', 'r')|log()"
    )
    running.master.start(
        "t",
        evaluate(script_of(script), "stream", handlers=INTEGRATIONS.handler_properties),
        DBRPS,
    )
    lines = "\n".join(["m v=1 5"] * 20_000 + ["n v=1 5"] * 20_000).encode()
    write = parse(lines, precision="s", now=0, db="d", rp="r")
    running.master.feed(write, "d", "r")
    task = running.master.get("t")
    assert task is not None
    assert task.nodes[3].sent == 20_000
