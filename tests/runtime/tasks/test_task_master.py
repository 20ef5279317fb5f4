"""The tasks that run."""

import contextlib
from typing import Any

import pytest

from runtime.errors import BusyError, RefusedError, TaskError
from runtime.line_protocol import Write
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import EvaluatedScript, evaluate
from runtime.tasks import parts
from runtime.tasks.task_master import TaskMaster
from runtime.tick.parser import parse

DBRPS = (("d", "r"),)


def script(text: str = "stream|from().measurement('cpu')") -> EvaluatedScript:
    return evaluate(parse(text), "stream")


@pytest.fixture
def master() -> TaskMaster:
    return TaskMaster(
        lambda id, dbrps: Environment(id, clock=lambda: 5, dbrps=dbrps),
        clock=lambda: 5,
        default_retention_policy="",
        transaction=contextlib.nullcontext,
    )


def emitted(master: TaskMaster, id: str, node: str = "stream0") -> Any:
    task = master.get(id)
    assert task is not None
    return task.stats()["node-stats"][node]["emitted"]  # type: ignore[index] # a tree of JSON


def test_points_reach_the_tasks_that_read_them(master: TaskMaster) -> None:
    master.start("a", script(), DBRPS)
    master.start("b", script(), (("d", ""), ("e", "r")))
    master.take(b"cpu v=1\nmem v=1", "d", "r", "")
    master.take(b"cpu v=1", "d", "", "")
    master.take(b"cpu v=1\ncpu v=2", "e", "r", "")
    master.take(b"cpu v=1", "f", "r", "")
    assert (emitted(master, "a"), emitted(master, "b")) == (1, 3)
    assert sum(count for _, count in master.ingress) == 6


def test_other_writes_come_in_between_the_nodes_of_a_task_that_starts() -> None:
    seen: list[int] = []

    def pause() -> None:
        master.take(b"cpu v=1", "d", "r", "")
        seen.append(len(master))

    master = TaskMaster(
        lambda id, dbrps: Environment(id, clock=lambda: 5, dbrps=dbrps),
        clock=lambda: 5,
        transaction=contextlib.nullcontext,
        pause=pause,
    )
    master.start("a", script(), DBRPS)
    seen.clear()
    master.start("b", script("stream|from().measurement('cpu')|log()|log()"), DBRPS)
    # at least once for each node, and the new task has taken none of them
    assert len(seen) >= 4
    assert set(seen) == {1}
    assert (emitted(master, "a"), emitted(master, "b")) == (len(seen), 0)


def test_a_write_that_is_refused_is_refused_whole(master: TaskMaster) -> None:
    master.start("a", script(), DBRPS)
    with pytest.raises(RefusedError, match=r"^unable to parse 'bad': missing fields$"):
        master.take(b"cpu v=1\nbad", "d", "r", "")
    with pytest.raises(RefusedError, match=r"^database is required$"):
        master.take(b"cpu v=1", "", "r", "")
    # the text is looked at first
    with pytest.raises(RefusedError, match=r"^unable to parse"):
        master.take(b"bad", "", "r", "")
    assert emitted(master, "a") == 0


def test_a_stopped_task_gets_nothing(master: TaskMaster) -> None:
    master.start("a", script(), DBRPS)
    master.stop("a")
    master.stop("never")
    master.take(b"cpu v=1", "d", "r", "")
    assert (master.get("a"), len(master)) == (None, 0)


def test_starting_again_starts_afresh(master: TaskMaster) -> None:
    master.start("a", script(), DBRPS)
    master.take(b"cpu v=1", "d", "r", "")
    master.start("a", script(), DBRPS)
    assert (emitted(master, "a"), len(master)) == (0, 1)


@pytest.mark.parametrize("error", [TaskError("a reason"), KeyError("a mistake")])
def test_a_task_that_fails_is_dropped_and_told_about(
    master: TaskMaster, error: Exception, caplog: Any
) -> None:
    told: list[tuple[str, str]] = []
    master.stopped = lambda id, reason: told.append((id, reason))
    master.start("bad", script(), DBRPS)
    master.start("good", script(), DBRPS)
    bad = master.get("bad")
    assert bad is not None

    def fail(point: object) -> None:
        raise error

    bad.nodes[1].point = fail  # type: ignore[method-assign, assignment] # a node that fails
    master.take(b"cpu v=1", "d", "r", "")
    master.take(b"cpu v=1", "d", "r", "")
    assert emitted(master, "good") == 2
    assert master.get("bad") is None
    assert len(told) == 1
    assert str(error) in told[0][1]


def test_all_tasks_end_with_the_master(master: TaskMaster) -> None:
    for id in ("a", "b"):
        master.start(id, script(), DBRPS)
    master.tick()
    master.close()
    assert len(master) == 0


ALERT = "stream|from().measurement('cpu').groupBy('h')|alert().id('{{ .Group }}')"
FIRING = f'{ALERT}.crit(lambda: "v" > 0)'


def long_write(groups: int = 2000) -> bytes:
    return "\n".join(
        f"{'cpu' if n % 3 else 'mem'},h=h{n % groups} v={n + 1} {n}"
        for n in range(2 * groups)
    ).encode()


def test_a_long_write_is_the_same_in_steps(master: TaskMaster) -> None:
    for id, text in (("watched", FIRING), ("fed", FIRING + "|log()")):
        master.start(id, script(text), DBRPS)
    steps = sum(1 for _ in master.steps(long_write(), "d", "r", ""))
    assert steps > 4
    assert emitted(master, "watched", "from1") == 2666
    assert emitted(master, "fed", "alert2") == 2666
    assert sum(count for _, count in master.ingress) == 4000


def test_parts_are_small_where_each_point_is_much_work(
    master: TaskMaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    sizes: list[int] = []

    def tap(write: Any, db: str, rp: str) -> None:
        monkeypatch.setattr(type(write), "part", part)

    def part(write: Any, start: int, end: int) -> Any:
        # a millisecond for each point
        sizes.append(end - start)
        now[0] += 0.001 * (end - start)
        return original(write, start, end)

    original = Write.part
    monkeypatch.setattr(parts.time, "thread_time", lambda: now[0])
    master.taps.add(tap)
    master.take(long_write(), "d", "r", "")
    assert sum(sizes) == 4000
    # 128 in equal parts, and then twenty
    assert sizes[0] == 125
    assert {19, 20} >= set(sizes[2:])
    # the next one begins with what the last one has shown
    before = len(sizes)
    master.take(long_write(), "d", "r", "")
    assert sizes[before] == 20


def test_others_have_their_turn_between_small_parts(
    master: TaskMaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    master.start("watched", script(FIRING), DBRPS)
    # as where each point is so much work that few of them are a part
    monkeypatch.setattr(parts, "_MOST", 16)
    steps = sum(1 for _ in master.steps(long_write(), "d", "r", ""))
    # a third of the points is read by no task, and left out
    assert steps >= 2500 // 16


def test_a_write_begins_with_few_points_where_one_may_be_much_work(
    master: TaskMaster,
) -> None:
    replacing = "|eval(lambda: regexReplace(/x/, \"s\", 'y')).as('t')"
    master.start("heavy", script(f"stream|from().measurement('cpu'){replacing}"), DBRPS)
    steps = master.steps(b'cpu s="x"\n' * 10, "d", "r", "")
    next(steps)
    assert emitted(master, "heavy", "from1") == 2


def test_tasks_start_and_stop_between_the_steps_of_a_write(
    master: TaskMaster,
) -> None:
    for id in ("a", "b"):
        master.start(id, script(FIRING), DBRPS)
    steps = master.steps(long_write(), "d", "r", "")
    next(steps)
    gone = master.get("b")
    assert gone is not None
    master.stop("b")
    master.start("c", script(FIRING), DBRPS)
    for _ in steps:
        pass
    assert emitted(master, "a", "from1") == 2666
    assert 0 < emitted(master, "c", "from1") < 2666
    before = gone.stats()
    master.take(b"cpu,h=x v=1", "d", "r", "")
    assert gone.stats() == before


def test_the_rest_of_a_long_write_is_refused_when_the_server_stops(
    master: TaskMaster,
) -> None:
    master.start("a", script(FIRING), DBRPS)
    steps = master.steps(long_write(), "d", "r", "")
    next(steps)
    master.close()
    with pytest.raises(BusyError, match="stopping"):
        for _ in steps:
            pass
