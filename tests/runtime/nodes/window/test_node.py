import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import TaskError
from runtime.frames import Batch, Point
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier
from runtime.nodes.window import buffer as window_buffer
from runtime.nodes.window import node as window_node
from runtime.nodes.window.node import WindowNode
from runtime.pipeline.evaluate import EvaluatedScript, evaluate
from runtime.pipeline.transform import WindowNode as Spec
from runtime.tasks.task_master import TaskMaster
from runtime.testing.frames import (
    Collector,
    dimensions,
    frame_of,
    points,
    seconds,
    shown_batch,
)
from runtime.tick.parser import parse
from runtime.units import Duration


def window(**settings: float) -> tuple[WindowNode, Collector]:
    values = {
        name: Duration(seconds(value)) if name in ("period", "every") else value
        for name, value in settings.items()
    }
    spec = Spec(**values)
    spec.name = "window1"
    node, collector = WindowNode(spec, Environment("t")), Collector()
    node.link(collector)
    return node, collector


def script(text: str) -> EvaluatedScript:
    return evaluate(parse(text), "stream")


def master() -> TaskMaster:
    return TaskMaster(
        lambda id, dbrps: Environment(id, clock=lambda: 5, dbrps=dbrps),
        clock=lambda: 5,
        transaction=contextlib.nullcontext,
    )


def each_second(first: int, last: int) -> list[Point]:
    return points("\n".join(f"m v={t} {t}" for t in range(first, last + 1)))


def seen(batch: Batch) -> tuple[float, list[float]]:
    return batch.tmax / 1e9, [point.time / 1e9 for point in batch.points]


def feed(node: WindowNode, given: list[Point], *, columns: bool) -> None:
    if columns:
        node.frame(frame_of(given))
    else:
        for point in given:
            node.point(point)


both = pytest.mark.parametrize("columns", [False, True])


@both
def test_the_triggering_point_is_not_in_its_batch(columns):
    node, collector = window(period=5, every=5)
    feed(node, each_second(3, 18), columns=columns)
    assert [seen(batch) for batch in collector.got] == [
        (8, [3, 4, 5, 6, 7]),
        (13, [8, 9, 10, 11, 12]),
        (18, [13, 14, 15, 16, 17]),
    ]


@both
def test_align_sends_at_multiples(columns):
    node, collector = window(period=5, every=5, align=True)
    feed(node, each_second(3, 15), columns=columns)
    assert [seen(batch) for batch in collector.got] == [
        (5, [3, 4]),
        (10, [5, 6, 7, 8, 9]),
        (15, [10, 11, 12, 13, 14]),
    ]


@both
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, [(8, 3, 7), (13, 3, 12), (18, 8, 17)]),
        ({"fill_period": True}, [(13, 3, 12), (18, 8, 17)]),
        ({"fill_period": True, "align": True}, [(15, 5, 14), (20, 10, 19)]),
    ],
)
def test_windows_overlap_and_fill(columns, flags, expected):
    node, collector = window(period=10, every=5, **flags)
    feed(node, each_second(3, 20), columns=columns)
    found = [seen(batch) for batch in collector.got]
    assert [(tmax, times[0], times[-1]) for tmax, times in found] == expected


@both
def test_case_20_a_gap_sends_one_stale_batch_and_restarts_the_phase(columns):
    node, collector = window(period=5, every=5)
    given = points("\n".join(f"m v=1 {t}" for t in (0, 3, 23, 24, 28, 29)))
    feed(node, given, columns=columns)
    assert [seen(b) for b in collector.got] == [(5, [0, 3]), (28, [23, 24])]


@both
def test_every_zero_sends_with_each_point(columns):
    node, collector = window(period=2)
    feed(node, each_second(1, 4), columns=columns)
    assert [seen(batch) for batch in collector.got] == [
        (1, [1]),
        (2, [1, 2]),
        (3, [2, 3]),
        (4, [3, 4]),
    ]


@both
def test_every_zero_with_fill_waits_for_a_period(columns):
    node, collector = window(period=2, fill_period=True)
    feed(node, each_second(1, 4), columns=columns)
    assert [seen(batch) for batch in collector.got] == [(3, [2, 3]), (4, [3, 4])]


@both
def test_count_windows_include_the_triggering_point(columns):
    node, collector = window(period_count=3, every_count=2)
    feed(node, each_second(0, 5), columns=columns)
    assert [seen(batch) for batch in collector.got] == [
        (1, [0, 1]),
        (3, [1, 2, 3]),
        (5, [3, 4, 5]),
    ]


@both
def test_count_windows_can_wait_until_they_are_full(columns):
    node, collector = window(period_count=3, every_count=2, fill_period=True)
    feed(node, each_second(0, 4), columns=columns)
    assert [seen(b) for b in collector.got] == [(2, [0, 1, 2]), (4, [2, 3, 4])]


@both
def test_points_out_of_order_stay_in_order_of_arrival(columns):
    node, collector = window(period=5, every=5)
    given = points("\n".join(f"m v=1 {t}" for t in (10, 12, 3, 11, 15, 9, 20)))
    feed(node, given, columns=columns)
    assert [seen(batch) for batch in collector.got] == [
        (15, [10, 12, 3, 11]),
        (20, [15, 9]),
    ]


@both
def test_batches_have_the_tags_of_the_group_and_points_all_tags(columns):
    node, collector = window(period=1, every=1)
    given = points("m,h=a,x=1 v=1 1\nm,h=a,x=2 v=1 3", group_by="h z")
    feed(node, given, columns=columns)
    [batch] = collector.got
    assert (batch.tags, batch.group) == ({"h": "a", "z": ""}, "h=a,z=")
    assert batch.points[0].tags == {"h": "a", "x": "1"}


def test_a_window_without_length_does_not_start():
    with pytest.raises(TaskError, match=r"window node must have either a non zero"):
        window()


def test_a_barrier_sends_what_is_due_and_goes_no_further():
    node, collector = window(period=5, every=5)
    feed(node, each_second(0, 2), columns=True)
    node.barrier(Barrier("", seconds(9)))
    node.barrier(Barrier("", seconds(9)))
    assert [seen(batch) for batch in collector.got] == [(5, [0, 1, 2])]


def test_a_deleting_barrier_forgets_the_group():
    node, collector = window(period=5, every=5)
    feed(node, each_second(0, 2), columns=True)
    node.barrier(Barrier("", seconds(3), delete=True))
    feed(node, each_second(7, 8), columns=True)
    assert (collector.got, node.working_cardinality) == ([], 1)


def test_frames_without_waiting_rows_are_let_go():
    node, _ = window(period=5, every=5)
    for start in range(0, 1000, 10):
        feed(node, each_second(start, start + 9), columns=True)
    assert len(node._buffer._sources) < 3


def test_rows_are_copied_out_of_mostly_dead_frames():
    node, collector = window(period=1, every=1)
    for number in range(100):
        lines = [f"m,h=once{number} v={number} {number}"]
        lines += [f"m,h=a v=1 {number + i / 100}" for i in range(20)]
        node.frame(frame_of(points("\n".join(lines), group_by="h")))
    assert len(node._buffer._sources) <= 33
    node.frame(frame_of(points("m,h=once3 v=0 500", group_by="h")))
    assert shown_batch(collector.got[-1])[4][0][3] == {"v": ("float", "3.0")}


time_settings = st.fixed_dictionaries(
    {
        "period": st.integers(1, 8),
        "every": st.integers(0, 8),
        "align": st.booleans(),
        "fill_period": st.booleans(),
    }
)
count_settings = st.fixed_dictionaries(
    {
        "period_count": st.integers(1, 5),
        "every_count": st.integers(1, 5),
        "fill_period": st.booleans(),
    }
)
steps = st.sampled_from([0, 0, 1, 1, 2, 5, 13, -3])
writes = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(st.tuples(st.sampled_from("abc"), steps), min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=8,
)


@given(
    settings=time_settings | count_settings,
    writes=writes,
    at_once=st.sampled_from([1, 5, 1 << 16]),
    few=st.sampled_from([0, 3, 64]),
    tail=st.sampled_from([1, 3, 1024]),
)
def test_columns_and_points_give_the_same_windows(settings, writes, at_once, few, tail):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_node, "ROWS_AT_ONCE", at_once)
        patch.setattr(window_node, "_FEW_DONE", few)
        patch.setattr(window_node, "_FEW_AGAIN", few)
        patch.setattr(window_node, "_TAIL", tail)
        patch.setattr(window_buffer, "_MANY_ROWS", few)
        check_windows(settings, writes)


def check_windows(settings, writes):
    by_points, expected = window(**settings)
    mixed, found = window(**settings)
    clock = {"a": 3, "b": 3, "c": 4}
    number = 0
    for columns, moves in writes:
        given = []
        for host, step in moves:
            clock[host] += step
            number += 1
            fields = {"v": float(number)} | ({"w": number} if number % 3 else {})
            tags = {"h": host, "n": str(number % 4)}
            by = dimensions("h")
            given.append(Point("m", seconds(clock[host]), tags, fields, by))
        feed(by_points, given, columns=False)
        feed(mixed, given, columns=columns)
    assert [shown_batch(b) for b in found.got] == [shown_batch(b) for b in expected.got]


@pytest.mark.parametrize(
    ("length", "reduce"),
    [
        (".period(1000s).every(1s)", "|mean('v').as('v')"),
        (".period(1000s).every(1s).align()", "|mean('v').as('v')"),
        (".periodCount(1000).everyCount(1)", "|mean('v').as('v')"),
        (".periodCount(1000).everyCount(1)", "|max('v')"),
    ],
)
def test_windows_that_overlap_take_no_more_memory_than_one(length, reduce):
    tick = f"stream|from().measurement('cpu')|window(){length}{reduce}|alert()"
    running = master()
    running.start("t", script(tick + '.crit(lambda: "v" > 1000.0)'), (("d", "r"),))
    lines = "\n".join(f"cpu v={n % 7}.5 {n}" for n in range(6000)).encode()
    tracemalloc.start()
    try:
        # 5 million rows in all, which took hundreds of megabytes
        running.take(lines, "d", "r", "s")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    task = running.get("t")
    assert task is not None
    assert task.nodes[2].sent > 5000
    assert peak < 64 << 20


def test_many_batches_travel_in_columns():
    node, collector = window(period=10, every=10)
    by_points, expected = window(period=10, every=10)
    lines = [f"m,h=h{n % 20} v={n} {n / 20}" for n in range(1000)]
    given = points("\n".join(lines), group_by="h")
    feed(node, given, columns=True)
    feed(by_points, given, columns=False)
    assert [shown_batch(b) for b in collector.got] == [
        shown_batch(b) for b in expected.got
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"period": 3600, "every": 3600},
        {"period": 3600, "every": 1800},
        {"period_count": 100_001, "every_count": 100_001},
    ],
    ids=str,
)
def test_a_point_that_ends_a_long_window_makes_no_points_of_its_rows(
    settings, monkeypatch
):
    node, collector = window(**settings)
    lines = (f"m v={n} {n / 100}" for n in range(100_000))
    node.frame(frame_of(points("\n".join(lines))))
    collector.got.clear()
    monkeypatch.setattr(window_buffer.Buffer, "extract", None)
    monkeypatch.setattr(Collector, "batches", lambda self, some: self.got.append(some))
    node.point(*points("m v=1 9000"))
    [batches] = collector.got
    assert len(batches.frame) >= 100_000


@both
def test_tags_that_give_one_group_id_share_a_window(columns):
    node, collector = window(period=5, every=5)
    by = dimensions("h z")
    one, two = {"h": "a,z=b", "z": ""}, {"h": "a", "z": "b,z="}
    moves = [(one, 0), (two, 1), (one, 6)]
    feed(
        node,
        [Point("m", seconds(t), tags, {"v": 1.0}, by) for tags, t in moves],
        columns=columns,
    )
    assert [seen(batch) for batch in collector.got] == [(5, [0, 1])]


def test_a_span_of_centuries_does_not_overflow():
    node, collector = window(period=10, every=10)
    lines = [f"m,h=h{n % 50} v=1 {n // 50 * 4_000_000_000}" for n in range(150)]
    feed(node, points("\n".join(lines), group_by="h"), columns=True)
    assert len(collector.got) == 100
