from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.tasks.task import ExecutingTask
from runtime.testing.frames import Collector, points
from runtime.tick.parser import parse
from runtime.units import SECOND


def running(script: str) -> tuple[ExecutingTask, Collector]:
    task = ExecutingTask("t", evaluate(parse(script), "stream"), Environment("t"))
    collector = Collector()
    task.nodes[-1].link(collector)
    return task, collector


PORTS = "m,h=a,p=80 up=1,lat=2 1\nm,h=a,p=443 up=0 1\nm,h=a,p=80 up=9 2"


def test_flatten_puts_tag_values_into_field_names():
    task, collector = running("stream|from().groupBy('h')|flatten().on('p')")
    task.points(points(PORTS))
    [point] = collector.points
    assert point.fields == {"80.up": 1.0, "80.lat": 2.0, "443.up": 0.0}
    assert (point.tags, point.time) == ({"h": "a"}, SECOND)


def test_flatten_can_drop_the_name_of_the_field():
    task, collector = running(
        "stream|from()|flatten().on('h','p').delimiter('_').dropOriginalFieldName()"
    )
    task.points(points("m,h=a,p=80 up=1 1\nm,h=a,p=443 up=0 1\nm,h=a,p=1 up=9 2"))
    assert collector.points[0].fields == {"a_80": 1.0, "a_443": 0.0}


def test_flatten_rounds_times_and_skips_points_without_the_tag(caplog):
    task, collector = running("stream|from()|flatten().on('p').tolerance(10s)")
    task.points(points("m,p=x v=1 7\nm v=5 8\nm,p=y v=2 12\nm,p=x v=1 25"))
    [point] = collector.points
    assert (point.time, point.fields) == (10 * SECOND, {"x.v": 1.0, "y.v": 2.0})
    assert caplog.records[0].getMessage() == "point missing tag for flatten operation"


def test_flatten_works_inside_batches():
    task, collector = running(
        "stream|from()|window().period(5s).every(5s)|flatten().on('p')"
    )
    task.points(points("m,p=x v=1 1\nm,p=y v=2 1\nm,p=x v=3 2\nm v=0 9"))
    assert [point.fields for point in collector.got[0].points] == [
        {"x.v": 1.0, "y.v": 2.0},
        {"x.v": 3.0},
    ]


COMBINE = (
    "stream|from().groupBy('h')|combine(lambda: \"s\" == 'login', lambda: TRUE)"
    ".as('login','other')"
)


def test_combine_pairs_points_that_match():
    task, collector = running(COMBINE)
    lines = 'm,h=a,x=1 s="login",v=1 1\nm,h=a s="cart",v=2 1\nm,h=a s="end",v=3 1\n'
    task.points(points(lines + 'm,h=a s="login",v=4 2'))
    assert [(p.fields["login.v"], p.fields["other.v"]) for p in collector.points] == [
        (1.0, 2.0),
        (1.0, 3.0),
    ]
    assert collector.points[0].tags == {"h": "a", "login.x": "1"}


def test_combinations_have_no_order():
    task, collector = running(
        "stream|from()|combine(lambda: TRUE, lambda: TRUE).as('a','b')"
    )
    task.points(points("m v=1 1\nm v=2 1\nm v=3 1\nm v=9 2"))
    assert [(p.fields["a.v"], p.fields["b.v"]) for p in collector.points] == [
        (1.0, 2.0),
        (1.0, 3.0),
        (2.0, 3.0),
    ]


def test_too_many_combinations_are_refused(caplog):
    task, collector = running(COMBINE + ".max(2)")
    task.points(points('m s="login" 1\nm s="x" 1\nm s="y" 1\nm s="login" 2'))
    assert collector.points == []
    assert "total combinations 3 exceeds max combinations 2" in caplog.records[0].err
