import pytest

from runtime.errors import TaskError
from runtime.nodes.environment import Environment
from runtime.nodes.task import ExecutingTask
from runtime.pipeline.evaluate import evaluate
from runtime.testing.clock import ManualClock
from runtime.testing.frames import Collector, frame_of, points
from runtime.tick.parser import parse
from runtime.units import SECOND


def running(script: str) -> tuple[ExecutingTask, Collector, ManualClock]:
    clock = ManualClock(1000 * SECOND)
    environment = Environment("t", clock=clock)
    task = ExecutingTask("t", evaluate(parse(script), "stream"), environment)
    collector = Collector()
    task.nodes[-1].link(collector)
    return task, collector, clock


def pass_time(task: ExecutingTask, clock: ManualClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.advance(SECOND)
        task.tick(clock())


def test_shift_moves_points_in_both_forms():
    task, collector, _ = running("stream|from()|shift(-5s)")
    given = points("m v=1 10\nm v=2 11")
    task.points(given)
    task.nodes[2].frame(frame_of(given))
    assert [p.time / SECOND for p in collector.points] == [5, 6, 5, 6]


def test_shift_moves_no_time_past_the_last():
    task, collector, _ = running("stream|from()|shift(5s)")
    given = [point.replace(time=2**63 - 2) for point in points("m v=1 10")]
    task.points(given)
    task.nodes[2].frame(frame_of(given))
    assert [p.time for p in collector.points] == [2**63 - 2] * 2


def test_shift_moves_the_ends_of_batches():
    task, collector, _ = running(
        "stream|from()|window().period(5s).every(5s)|shift(1m)"
    )
    task.points(points("m v=1 0\nm v=2 5"))
    [batch] = collector.got
    assert (batch.tmax, batch.points[0].time) == (65 * SECOND, 60 * SECOND)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("stream|from()|shift(0s)", "invalid shift value: must be non zero duration"),
        (
            "stream|from()|sample(0)",
            "invalid sample rate: must be positive integer or duration",
        ),
    ],
)
def test_zero_does_not_start(script, reason):
    with pytest.raises(TaskError, match=reason):
        running(script)


def test_sample_by_count_begins_with_the_first_of_each_group():
    task, collector, _ = running("stream|from().groupBy('h')|sample(3)")
    task.points(points("\n".join(f"m,h={t % 2} v={t} {t}" for t in range(10))))
    assert [point.fields["v"] for point in collector.points] == [0, 1, 6, 7]


def test_sample_by_duration_counts_from_year_one():
    task, collector, _ = running("stream|from()|sample(7s)")
    given = points("\n".join(f"m v={t} {t}" for t in range(20)))
    task.points(given)
    task.nodes[2].frame(frame_of(given))
    assert [p.time / SECOND for p in collector.points] == [3, 10, 17, 3, 10, 17]


def test_an_idle_barrier_sends_the_window():
    task, collector, clock = running(
        "stream|from().groupBy('h')|barrier().idle(5s)|window().period(4s).every(4s)"
    )
    task.points(points("m,h=a v=1 100\nm,h=a v=2 101"))
    pass_time(task, clock, 4)
    assert collector.got == []
    pass_time(task, clock, 1)
    [batch] = collector.got
    assert (batch.tmax, len(batch.points)) == (104 * SECOND, 2)
    task.points(points("m,h=a v=3 105"))
    assert task.nodes[2].emitted == 2


def test_a_periodic_barrier_can_delete_groups():
    task, collector, clock = running(
        "stream|from().groupBy('h')|barrier().period(5s).delete(TRUE)"
        "|window().period(1m).every(1m)"
    )
    task.points(points("m,h=a v=1 100"))
    assert task.nodes[3].working_cardinality == 1
    pass_time(task, clock, 5)
    assert task.nodes[3].working_cardinality == 0
    assert [len(batch.points) for batch in collector.got] == [1]


def test_stats_tell_what_a_node_has_sent_on():
    task, _, clock = running("stream|from().groupBy('h')|stats(10s)")
    collector = Collector()
    next(n for n in task.nodes if n.name.startswith("stats")).link(collector)
    task.points(points("m,h=a v=1 1\nm,h=b v=1 1\nm,h=a v=1 1"))
    task.nodes[1].emit_frame(frame_of(points("m,h=a v=1 1\n" * 9, group_by="h")))
    pass_time(task, clock, 10)
    assert [(p.name, p.tags, p.fields) for p in collector.points] == [
        ("stats", {"h": "a"}, {"emitted": 11}),
        ("stats", {"h": "b"}, {"emitted": 1}),
    ]


def test_aligned_stats_come_at_multiples():
    task, _, clock = running("stream|from()|stats(10s).align()")
    collector = Collector()
    next(n for n in task.nodes if n.name.startswith("stats")).link(collector)
    task.points(points("m v=1 1"))
    clock.advance(3 * SECOND)
    pass_time(task, clock, 20)
    assert [p.time / SECOND for p in collector.points] == [1010, 1020]


def test_a_deadman_sees_that_nothing_comes_any_more():
    task, collector, clock = running("stream|from()|deadman(0.0, 10s)")
    task.points(points("m v=1 1"))
    pass_time(task, clock, 20)
    task.points(points("m v=1 1"))
    pass_time(task, clock, 10)
    assert [point.fields["emitted"] for point in collector.points] == [0.0, 1.0]
