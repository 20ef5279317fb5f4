import pytest

from runtime.errors import TaskError
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier
from runtime.pipeline.evaluate import evaluate
from runtime.tasks.task import ExecutingTask
from runtime.testing.frames import Collector, frame_of, points
from runtime.tick.parser import parse
from runtime.units import SECOND

TWO = "var a = stream|from().measurement('a'){0}\nvar b = stream|from().measurement('b'){1}\n"


def running(script: str, *, by: str = "") -> tuple[ExecutingTask, Collector]:
    text = TWO.format(by, by) + script
    task = ExecutingTask("t", evaluate(parse(text), "stream"), Environment("t"))
    collector = Collector()
    [last] = [node for node in task.nodes if not node.children]
    last.link(collector)
    return task, collector


def found(collector: Collector) -> list[tuple[float, dict[str, object]]]:
    return [(point.time / SECOND, dict(point.fields)) for point in collector.points]


def test_union_waits_for_the_slowest_parent():
    task, collector = running("a|union(b)")
    task.points(points("a v=1 1\na v=2 2\nb v=3 1.5\na v=4 3"))
    assert [point.fields["v"] for point in collector.points] == [1, 3]
    task.close()
    assert [point.fields["v"] for point in collector.points] == [1, 3, 2, 4]
    assert [point.name for point in collector.points] == ["a", "b", "a", "a"]


def test_union_can_rename():
    task, collector = running("a|union(b).rename('u')")
    task.points(points("a v=1 1\nb v=3 1"))
    assert [point.name for point in collector.points] == ["u", "u"]


def test_union_merges_batches_by_their_ends():
    task, collector = running("a|union(b)", by="|window().period(2s).every(2s).align()")
    task.points(points("a v=1 1\nb v=2 1\na v=3 3\nb v=4 3"))
    # of one time the parent that the call follows is the last, as in Kapacitor
    assert [(b.name, b.tmax / SECOND) for b in collector.got] == [("b", 2), ("a", 2)]


def test_union_emits_barriers_behind_the_points_before_them():
    task, collector = running("a|union(b)|window().period(2s).every(2s).align()")
    task.points(points("a v=1 1\na v=2 2"))
    union = task.nodes[3]
    union.input(1).barrier(Barrier("", 3 * SECOND))
    assert collector.got == []
    union.input(0).barrier(Barrier("", 3 * SECOND))
    [batch] = collector.got
    assert (batch.tmax / SECOND, len(batch.points)) == (2, 1)


@pytest.mark.parametrize("count", [1, 60])
def test_aggregates_keep_the_name_of_the_first_batch_of_a_group(count):
    task, collector = running(
        "a|union(b)|count('v')",
        by=f".groupBy('h')|window().periodCount({count}).everyCount({count})",
    )
    # b is the first parent of the union
    rows = [
        *(
            (name, host, time)
            for time in range(count)
            for name, host in (("a", "x"), ("b", "x"))
        ),
        *((name, "y", 100 + time) for time in range(count) for name in ("a", "b")),
        *((name, "x", 200 + time) for time in range(count) for name in ("a", "b")),
    ]
    lines = "\n".join(f"{name},h={host} v=1 {time}" for name, host, time in rows)
    task.points(points(lines))
    task.close()
    assert [(p.name, p.tags["h"], p.fields["count"]) for p in collector.points] == [
        ("b", host, count) for host in "xxyyxx"
    ]


def test_a_group_that_begins_with_another_name_keeps_that_one():
    task, collector = running(
        "a|union(b)|last('v')", by=".groupBy('h')|window().periodCount(2).everyCount(2)"
    )
    for start, (name, host) in enumerate(
        (("a", "x"), ("b", "y"), ("a", "y"), ("b", "x"))
    ):
        times = range(100 * start, 100 * start + 60)
        lines = "\n".join(f"{name},h={host} v={time} {time}" for time in times)
        task.frames([frame_of(points(lines))])
    task.close()
    assert len(collector.points) == 120
    names = {(p.tags["h"], p.name) for p in collector.points}
    assert names == {("x", "a"), ("y", "b")}


def test_a_tag_that_is_named_twice_is_twice_in_the_group():
    script = "stream|from().groupBy('r', 'h', 'r')|log()"
    task = ExecutingTask("t", evaluate(parse(script), "stream"), Environment("t"))
    collector = Collector()
    task.nodes[2].link(collector)
    task.points(points("a,h=x,r=y v=1 1"))
    [point] = collector.points
    assert (point.group, point.dimensions.group_tags(point.tags)) == (
        "h=x,r=y,r=y",
        {"h": "x", "r": "y"},
    )
    task.nodes[1].frame(frame_of(points("a,h=x,r=y v=1 1\n" * 50)))
    assert {point.group for point in collector.points} == {"h=x,r=y,r=y"}


def test_join_pairs_points_of_one_time():
    task, collector = running("a|join(b).as('x','y')")
    task.points(points("a v=1,w=2 1\nb v=3 1\na v=4 2\nb v=5 3\na v=6 3"))
    assert found(collector) == [
        (1, {"x.v": 1.0, "x.w": 2.0, "y.v": 3.0}),
        (3, {"x.v": 6.0, "y.v": 5.0}),
    ]
    assert collector.points[0].name == "a"


@pytest.mark.parametrize("word", ["xyz", "", "NULL", "0", "previous"])
def test_an_unknown_way_to_fill_is_refused_when_the_task_starts(word):
    with pytest.raises(TaskError, match=f"^unexpected fill option {word}$"):
        running(f"a|join(b).as('x','y').fill('{word}')")


@pytest.mark.parametrize("fill", ["'none'", "1s", "TRUE", "/x/"])
def test_what_is_neither_number_nor_null_fills_nothing(fill):
    task, collector = running(f"a|join(b).as('x','y').fill({fill})")
    task.points(points("a v=1 1\na v=2 2\nb v=3 2\na v=4 3\nb v=5 3"))
    assert [time for time, _ in found(collector)] == [2, 3]


@pytest.mark.parametrize(
    ("fill", "expected"), [("'null'", None), ("0.5", 0.5), ("7", 7)]
)
def test_an_outer_join_fills_the_missing_side(fill, expected):
    task, collector = running(f"a|join(b).as('x','y').fill({fill}).streamName('s')")
    task.points(points("a v=1 1\na v=2 2\nb v=3 2\nb v=4 3"))
    task.close()
    assert found(collector) == [
        (1, {"x.v": 1.0, "y.v": expected}),
        (2, {"x.v": 2.0, "y.v": 3.0}),
        (3, {"x.v": expected, "y.v": 4.0}),
    ]
    assert {point.name for point in collector.points} == {"s"}


def test_join_rounds_times_to_its_tolerance():
    task, collector = running("a|join(b).as('x','y').tolerance(2s).delimiter('_')")
    task.points(points("a v=1 1.2\nb v=2 2.9"))
    assert found(collector) == [(2, {"x_v": 1.0, "y_v": 2.0})]


def test_join_keeps_groups_apart():
    task, collector = running("a|join(b).as('x','y')", by=".groupBy('h')")
    task.points(points("a,h=1,z=9 v=1 1\nb,h=2 v=2 1\nb,h=1 v=3 1"))
    [point] = collector.points
    assert (point.tags, point.fields) == ({"h": "1"}, {"x.v": 1.0, "y.v": 3.0})


def test_join_on_a_coarser_grouping():
    task, collector = running(
        "a|groupBy('h','d')|join(b|groupBy('h')).as('x','y').on('h')"
    )
    lines = (
        "a,h=1,d=p v=1 1\na,h=1,d=q v=2 1\nb,h=1 v=10 1\nb,h=1 v=20 2\na,h=1,d=p v=3 2"
    )
    task.points(points(lines))
    assert [(p.group, p.fields["x.v"], p.fields["y.v"]) for p in collector.points] == [
        ("d=p,h=1", 1.0, 10.0),
        ("d=q,h=1", 2.0, 10.0),
        ("d=p,h=1", 3.0, 20.0),
    ]


def test_join_pairs_batches_point_by_point():
    task, collector = running(
        "a|join(b).as('x','y')", by="|window().period(3s).every(3s).align()"
    )
    lines = "a v=1 0\nb v=2 0\na v=3 1\nb v=4 2\na v=5 2\na v=0 3\nb v=0 3"
    task.points(points(lines))
    [batch] = collector.got
    assert batch.tmax == 3 * SECOND
    assert [point.fields for point in batch.points] == [
        {"x.v": 1.0, "y.v": 2.0},
        {"x.v": 5.0, "y.v": 4.0},
    ]


def test_counters_of_a_join_show_what_came_in():
    task, _ = running("a|join(b).as('x','y')")
    task.points(points("a v=1 1\nb v=3 1"))
    assert task.nodes[3].stats()["collected"] == 2
    assert task.nodes[1].children[0].name == "join4"
