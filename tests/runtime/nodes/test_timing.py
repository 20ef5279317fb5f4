import pytest

from runtime.errors import TaskError
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier
from runtime.nodes.timers import Timers
from runtime.pipeline.evaluate import evaluate
from runtime.tasks.task import ExecutingTask
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


def pass_time(
    task: ExecutingTask, clock: ManualClock, seconds: int, step: int = SECOND
) -> None:
    for _ in range(0, seconds * SECOND, step):
        clock.advance(step)
        task.environment.timers.run()


def stats_of(task: ExecutingTask) -> Collector:
    collector = Collector()
    next(n for n in task.nodes if n.name.startswith("stats")).link(collector)
    return collector


class Barriers(Collector):
    """Keeps the times of barriers, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[tuple[str, float]] = []

    def barrier(self, barrier: Barrier) -> None:
        self.times.append((barrier.group, barrier.time / SECOND))


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
        (
            "stream|from()|sample(0s)",
            "invalid sample rate: must be positive integer or duration",
        ),
        ("stream|from()|stats(0s)", "stats node must have positive interval"),
        ("stream|from()|stats(-1s)", "stats node must have positive interval"),
        ("stream|from()|deadman(1.0, 0s)", "stats node must have positive interval"),
        ("stream|from()|deadman(1.0, -10s)", "stats node must have positive interval"),
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


@pytest.mark.parametrize(
    ("period", "times"),
    [
        ("200ms", [0.2, 0.4, 0.6, 0.8, 1.0]),
        ("300ms", [0.3, 0.6, 0.9, 1.2, 1.5]),
        ("2100ms", [2.1, 4.2, 6.3, 8.4]),
        ("1s", [1.0, 2.0, 3.0]),
    ],
)
def test_barriers_keep_their_period(period, times):
    task, _, clock = running(f"stream|from()|barrier().period({period})")
    barriers = Barriers()
    task.nodes[2].link(barriers)
    task.points(points("m v=1 1"))
    pass_time(task, clock, 10, SECOND // 10)
    assert [time - 1000 for _, time in barriers.times][: len(times)] == pytest.approx(
        times
    )


def test_an_idle_time_of_less_than_a_second_counts_from_the_last_point():
    task, _, clock = running("stream|from().groupBy('h')|barrier().idle(300ms)")
    barriers = Barriers()
    task.nodes[2].link(barriers)
    for _ in range(4):
        task.points(points("m,h=a v=1 100"))
        clock.advance(SECOND // 5)
        task.environment.timers.run()
    assert barriers.times == []
    clock.advance(SECOND // 10)
    task.environment.timers.run()
    assert barriers.times == [("h=a", 100.3)]


def test_a_late_barrier_is_sent_once_and_the_next_in_time():
    task, _, clock = running("stream|from()|barrier().period(2s)")
    barriers = Barriers()
    task.nodes[2].link(barriers)
    task.points(points("m v=1 1"))
    for seconds in (7, 1):
        clock.advance(seconds * SECOND)
        task.environment.timers.run()
    assert [time for _, time in barriers.times] == [1007, 1008]


def test_points_of_batches_before_the_last_barrier_are_dropped():
    task, collector, clock = running(
        "stream|from()|window().periodCount(3).everyCount(3)|barrier().period(5s)"
    )
    task.points(points("m v=1 1\nm v=2 2\nm v=3 3"))
    pass_time(task, clock, 5)
    task.points(points("m v=4 4\nm v=5 1005\nm v=6 1006"))
    assert [[p.fields["v"] for p in batch.points] for batch in collector.got] == [
        [1, 2, 3],
        [5, 6],
    ]


def test_a_barrier_passes_only_newer_barriers_of_others():
    task, _, clock = running("stream|from()|barrier().period(3s)|barrier().period(2s)")
    barriers = Barriers()
    task.nodes[3].link(barriers)
    task.points(points("m v=1 1"))
    pass_time(task, clock, 6)
    assert [time for _, time in barriers.times] == [1002, 1003, 1004, 1006, 1006]


def test_nothing_is_due_for_groups_that_are_gone():
    task, _, clock = running(
        "stream|from().groupBy('h')|barrier().idle(1s).delete(TRUE)"
    )
    lines = "\n".join(f"m,h={number} v=1 1" for number in range(500))
    task.points(points(lines))
    timers = task.environment.timers
    assert len(timers) == 500
    pass_time(task, clock, 1)
    assert (len(timers), timers.next_due) == (0, None)
    task.points(points(lines))
    task.close()
    pass_time(task, clock, 2)
    assert (len(timers), timers.next_due) == (0, None)


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


SILENT = [
    "stream|from()",
    "stream|from().groupBy('h')",
    "stream|from().groupBy(*)",
    "stream|from()|groupBy('h')",
    "stream|from()|window().period(10s).every(10s)|mean('v')",
    "stream|from()|window().period(10s).every(10s)",
    "stream|from()|where(lambda: FALSE)",
    "stream|from()|eval(lambda: 1.0).as('x')",
    "stream|from()|alert()",
    "stream|from()|barrier().idle(1s)",
    "var a = stream|from() var b = stream|from() a|join(b).as('a', 'b')",
    "var a = stream|from() var b = stream|from() a|union(b)",
    "stream|from()|log()",
    "stream",
]


@pytest.mark.parametrize("script", SILENT)
def test_stats_of_a_node_that_never_sent_anything_are_zero(script):
    more = "" if script != "stream" else " stream|from()"
    task, _, clock = running(f"{script}|stats(2s){more}")
    collector = stats_of(task)
    pass_time(task, clock, 5)
    told = [(p.time / SECOND, p.group, p.tags, p.fields) for p in collector.points]
    assert told == [(1002, "", {}, {"emitted": 0}), (1004, "", {}, {"emitted": 0})]


def test_the_group_that_is_none_goes_when_others_come_and_returns_with_their_end():
    task, _, clock = running(
        "stream|from().groupBy('h')|barrier().idle(5s).delete(TRUE)|stats(2s)"
    )
    collector = stats_of(task)
    pass_time(task, clock, 2)
    task.points(points("m,h=a v=1 1001\nm,h=b v=1 1001"))
    pass_time(task, clock, 8)
    assert [
        (p.time / SECOND, p.group, p.fields["emitted"]) for p in collector.points
    ] == [
        (1002, "", 0),
        (1004, "h=a", 1),
        (1004, "h=b", 1),
        (1006, "h=a", 1),
        (1006, "h=b", 1),
        (1008, "", 0),
        (1010, "", 0),
    ]


def test_stats_of_less_than_a_second_keep_their_interval():
    task, _, clock = running("stream|from()|stats(250ms)")
    collector = stats_of(task)
    pass_time(task, clock, 2, SECOND // 20)
    assert [p.time / SECOND - 1000 for p in collector.points] == pytest.approx(
        [0.25 * number for number in range(1, 9)]
    )


def test_several_stats_of_one_node_count_alike_and_are_no_edges():
    task, _, clock = running("var f = stream|from() f|stats(1s) f|stats(2s) f|log()")
    collector = stats_of(task)
    task.points(points("m v=1 1"))
    pass_time(task, clock, 1)
    assert [p.fields for p in collector.points] == [{"emitted": 1}]
    # `from` has a noop and a log node below it
    assert [(n.name, n.emitted) for n in task.nodes[:2]] == [
        ("stream0", 1),
        ("from1", 2),
    ]
    assert "from1 -> stats2" not in task.dot()


def test_aligned_stats_come_at_multiples():
    task, _, clock = running("stream|from()|stats(10s).align()")
    collector = Collector()
    next(n for n in task.nodes if n.name.startswith("stats")).link(collector)
    task.points(points("m v=1 1"))
    clock.advance(3 * SECOND)
    pass_time(task, clock, 20)
    assert [p.time / SECOND for p in collector.points] == [1010, 1020]
    # a bit early, late, and after the clock was set
    for step, expected in ((6.9, []), (0.1, [1030]), (14, [1040]), (3600, [4640])):
        clock.advance(int(step * SECOND))
        before = len(collector.points)
        task.environment.timers.run()
        assert [p.time / SECOND for p in collector.points[before:]] == expected


def test_a_deadman_of_a_silent_source_fires():
    task, collector, clock = running("stream|from().groupBy('h')|deadman(0.0, 10s)")
    pass_time(task, clock, 20)
    assert [(p.group, p.fields["emitted"]) for p in collector.points] == [("", 0.0)]


def test_a_deadman_can_ask_for_less_than_nothing():
    task, collector, clock = running("stream|from()|deadman(-1.0, 10s)")
    pass_time(task, clock, 40)
    assert collector.points == []


def test_a_deadman_can_have_more_conditions():
    for condition, count in (("FALSE", 0), ("TRUE", 2), ('"emitted" > 5', 0)):
        task, collector, clock = running(
            f"stream|from()|deadman(0.0, 10s, lambda: {condition})"
        )
        pass_time(task, clock, 30)
        assert len(collector.points) == count


def test_of_many_timers_that_are_due_some_run_at_a_time():
    clock = ManualClock(0)
    timers, called = Timers(clock), []
    for number in range(5):
        timers.after(number, lambda number=number: called.append(number))
    clock.advance(3)
    timers.run(2)
    assert (called, timers.next_due) == ([0, 1], 2)
    timers.run(9)
    assert (called, timers.next_due) == ([0, 1, 2, 3], 4)


def test_thousands_of_deadmans_wait_in_one_heap():
    clock = ManualClock(1000 * SECOND)
    timers, made = Timers(clock), []
    earlier = []
    timers.earlier = lambda: earlier.append(timers.next_due)
    script = evaluate(parse("stream|from()|deadman(0.0, 1h)"), "stream")
    for _ in range(2000):
        environment = Environment("t", clock=clock)
        environment.timers = timers
        made.append(ExecutingTask("t", script, environment))
    assert (len(timers), earlier) == (2000, [3600 * SECOND])
    for task in made[1:]:
        task.close()
    assert len(timers) == 1
    assert timers.next_due == 3600 * SECOND


def test_a_deadman_sees_that_nothing_comes_any_more():
    task, collector, clock = running("stream|from()|deadman(0.0, 10s)")
    task.points(points("m v=1 1"))
    pass_time(task, clock, 20)
    task.points(points("m v=1 1"))
    pass_time(task, clock, 10)
    assert [point.fields["emitted"] for point in collector.points] == [0.0, 1.0]
