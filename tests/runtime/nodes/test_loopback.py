"""`kapacitorLoopback` nodes, through a task master."""

import contextlib
from typing import Any

import pytest

from runtime.errors import ScriptError, TaskError
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.tasks.task_master import MAX_ROUNDS, TaskMaster
from runtime.testing.frames import points
from runtime.tick.parser import parse

OUT = "|kapacitorLoopback().database('e').retentionPolicy('s')"


@pytest.fixture
def master() -> TaskMaster:
    return TaskMaster(
        lambda id, dbrps: Environment(id, clock=lambda: 5, dbrps=dbrps),
        clock=lambda: 5,
        transaction=contextlib.nullcontext,
    )


def start(master: TaskMaster, id: str, script: str, *dbrps: tuple[str, str]) -> None:
    master.start(id, evaluate(parse(script), "stream"), dbrps)


def stats(master: TaskMaster, id: str, node: str) -> Any:
    task = master.get(id)
    assert task is not None
    return task.stats()["node-stats"][node]


def page(master: TaskMaster, id: str) -> Any:
    task = master.get(id)
    assert task is not None
    found = task.environment.http_out.page(id, "x")
    assert found is not None
    return found.json()["series"]


def test_points_come_in_again_elsewhere(master: TaskMaster) -> None:
    out = OUT + ".measurement('n').tag('t', '1')"
    start(master, "a", f"stream|from().measurement('m'){out}", ("d", "r"))
    start(master, "b", "stream|from().measurement('n')|httpOut('x')", ("e", "s"))
    master.take(b"m,h=a v=1,w=2i 1000000000", "d", "r", "")
    assert page(master, "b") == [
        {
            "name": "n",
            "tags": {"h": "a", "t": "1"},
            "columns": ["time", "v", "w"],
            "values": [["1970-01-01T00:00:01Z", 1.0, 2]],
        }
    ]
    assert stats(master, "a", "kapacitor_loopback2")["points_written"] == 1
    assert dict(master.ingress) == {("d", "r", "m"): 1, ("e", "s", "n"): 1}


def test_frames_and_batches_come_in_again(master: TaskMaster) -> None:
    script = (
        f"var a = stream|from()\na{OUT}\na|window().periodCount(50).everyCount(50){OUT}"
    )
    start(master, "a", script, ("d", "r"))
    start(master, "b", "stream|from().groupBy('h')|eval().keep()", ("e", "s"))
    lines = "\n".join(f"m,h=a{n % 3} v={n} {n}" for n in range(100))
    master.take(lines.encode(), "d", "r", "s")
    assert stats(master, "b", "from1")["emitted"] == 200


def test_what_is_written_back_is_seen_by_recordings(master: TaskMaster) -> None:
    seen = []
    master.taps.add(
        lambda write, db, rp: seen.append((db, rp, len(list(write.points()))))
    )
    start(master, "a", f"stream|from(){OUT}", ("d", "r"))
    master.take(b"m v=1\nn v=2", "d", "r", "")
    assert seen == [("d", "r", 2), ("e", "s", 2)]


def test_what_time_brings_forth_comes_in_again(master: TaskMaster) -> None:
    start(master, "a", f"stream|stats(1s){OUT}", ("d", "r"))
    start(master, "b", "stream|from()", ("e", "s"))
    master.take(b"m v=1", "d", "r", "")
    master.timers.clock = lambda: 10**10
    master.tick()
    assert stats(master, "b", "from1")["collected"] == 1


def test_fields_without_value_are_left_out(master: TaskMaster) -> None:
    start(master, "a", f"stream|from(){OUT}", ("d", "r"))
    start(master, "b", "stream|from()|httpOut('x')", ("e", "s"))
    task = master.get("a")
    assert task is not None
    [point] = points("m v=1 1")
    task.nodes[2].point(point.replace(fields={"v": 1.0, "w": None}))
    master.tick()
    assert page(master, "b")[0]["columns"] == ["time", "v"]


def test_cycles_through_several_tasks_end(master: TaskMaster, caplog: Any) -> None:
    back = OUT.replace("'e'", "'d'").replace("'s'", "'r'")
    start(master, "a", f"stream|from(){OUT}", ("d", "r"))
    start(master, "b", f"stream|from(){back}", ("e", "s"))
    master.take(b"m v=1", "d", "r", "")
    seen = [stats(master, id, "from1")["emitted"] for id in "ab"]
    assert sum(seen) == 1 + MAX_ROUNDS
    [record] = caplog.records
    assert record.getMessage() == "dropped points that loopbacks write in a cycle"
    assert record.points == 1
    master.take(b"x v=1", "f", "r", "")
    assert [stats(master, id, "from1")["emitted"] for id in "ab"] == seen


def test_a_task_does_not_write_to_what_it_reads(master: TaskMaster) -> None:
    with pytest.raises(TaskError) as caught:
        start(master, "a", f"stream|from(){OUT}", ("d", "r"), ("e", "s"))
    assert str(caught.value) == 'loop detected on dbrp: "e"."s"'


@pytest.mark.parametrize(
    ("out", "text"),
    [
        ("|kapacitorLoopback()", "must specify a database"),
        ("|kapacitorLoopback().database('e')", "must specify a retention policy"),
    ],
)
def test_where_to_must_be_said(master: TaskMaster, out: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        start(master, "a", f"stream|from(){out}", ("d", "r"))
