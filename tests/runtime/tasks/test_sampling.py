"""Measured speeds of tasks."""

import contextlib

from runtime.line_protocol import Write, parse
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.tasks.routes import WriteRoutes
from runtime.tasks.task import ExecutingTask
from runtime.tick.parser import parse as parse_script
from runtime.units import SECOND

ALERT = "stream|from().measurement('m')|alert().crit(lambda: \"v\" > 5)"
WINDOW = "stream|from().measurement('m')|window().period(3s).every(3s)|count('v')"


def started(script: str) -> ExecutingTask:
    environment = Environment("t", clock=lambda: 0, dbrps=(("d", "r"),))
    return ExecutingTask("t", evaluate(parse_script(script), "stream"), environment)


def write(time: int) -> Write:
    return parse(f"m v=1 {time}".encode(), precision="s", now=0, db="d", rp="r")


def exec_times(task: ExecutingTask) -> dict[str, int]:
    return {node.name: node.stats()["avg_exec_time_ns"] for node in task.nodes}


def test_nodes_tell_how_long_they_take():
    task = started(WINDOW)
    assert set(exec_times(task).values()) == {0}
    for time in range(130):
        task.write(write(time))
    times = exec_times(task)
    assert all(times[name] > 0 for name in ("stream0", "from1", "window2"))
    # the children's time is not the parent's
    assert sum(times.values()) < SECOND


def test_nodes_that_tasks_share_tell_it_too():
    task, routes = started(ALERT), WriteRoutes()
    routes.add(task)
    for time in range(9):
        routes.feed(write(time), ("d", "r"), lambda task, work: work())
    task.stats()
    times = exec_times(task)
    assert times["stream0"] > 0
    assert times["from1"] > 0


def test_so_do_alerts_behind_them():
    task, routes = started(ALERT), WriteRoutes()
    routes.add(task)
    for time in range(3):
        text = f"m v={time + 5} {time}"
        more = parse(text.encode(), precision="s", now=0, db="d", rp="r")
        routes.feed(more, ("d", "r"), lambda task, work: work())
    assert exec_times(task)["alert2"] > 0


def test_a_measured_write_is_a_write_like_others():
    task = started(WINDOW)
    for time in range(10):
        task.write(write(time))
    stats = {node.name: node.stats() for node in task.nodes}
    assert stats["from1"]["emitted"] == 10
    # batches are counted, not their points
    assert stats["window2"]["emitted"] == 3


def test_measuring_changes_no_node():
    task = started(WINDOW)
    with task._sampling.measured(task.nodes) as entrance:
        for node in task.nodes:
            assert {"point", "frame", "batch", "batches"}.isdisjoint(vars(node))
            assert entrance(node) is not node
            assert len(node.takers) == len(node.children)
            assert not {*node.takers} & {*node.children}
    assert all(node.takers is node.children for node in task.nodes)


def test_a_failing_node_is_measured_no_more():
    task = started(WINDOW)
    with contextlib.suppress(ValueError), task._sampling.measured(task.nodes):
        raise ValueError
    assert all(node.takers is node.children for node in task.nodes)


def test_the_throughput_is_that_of_the_last_second():
    task = started(ALERT)
    for time in range(10):
        task.write(write(time))
    task.measure(2 * SECOND)
    assert task.stats()["task-stats"] == {"throughput": 5.0}
    task.measure(3 * SECOND)
    assert task.stats()["task-stats"] == {"throughput": 0.0}
