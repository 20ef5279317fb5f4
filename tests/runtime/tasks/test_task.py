"""Tasks from their TICKscript text."""

import logging

import numpy as np
import pytest

from runtime.errors import TaskError
from runtime.frames import Batch, Point
from runtime.line_protocol import Write, parse
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.nodes.rows import batch_row
from runtime.pipeline.evaluate import evaluate
from runtime.server.logs import LogfmtFormatter
from runtime.tasks.task import ExecutingTask
from runtime.testing.frames import Collector, host_frame
from runtime.tick.parser import parse as parse_script
from runtime.units import SECOND


def started(script: str, environment: Environment | None = None) -> ExecutingTask:
    environment = environment or Environment("t", dbrps=(("d", "r"),))
    return ExecutingTask("t", evaluate(parse_script(script), "stream"), environment)


def running(script: str) -> tuple[ExecutingTask, Collector]:
    task, collector = started(script), Collector()
    for node in [node for node in task.nodes if not node.children]:
        node.link(collector)
    return task, collector


def write(text: str, *, db: str = "d", rp: str = "r") -> Write:
    return parse(text.encode(), precision="s", now=0, db=db, rp=rp)


def fields(points: list[Point]) -> list[dict[str, object]]:
    return [dict(point.fields) for point in points]


def test_a_task_reads_its_databases_and_measurements():
    task, collector = running("stream|from().measurement('m')")
    task.write(write("m v=1 1\nx v=2 1"))
    task.write(write("m v=3 1", db="e"))
    task.write(write("m v=4 1", rp="s"))
    assert fields(collector.points) == [{"v": 1.0}]
    assert task.measurements == {"m"}


def test_a_from_without_measurement_takes_everything_in_order_of_arrival():
    task, collector = running("stream|from()")
    task.write(write("m v=1 1\nx v=2 1\nm v=3 1\nx v=4 1"))
    assert [point.fields["v"] for point in collector.points] == [1, 2, 3, 4]


def test_one_from_with_and_one_without_measurement_get_each_point_once():
    task, _ = running(
        "var a = stream|from().measurement('m')|eval(lambda: 1.0).as('one')\n"
        "var b = stream|from()|eval(lambda: 2.0).as('all')"
    )
    task.write(write("m v=1 1\nx v=2 1"))
    counts = {node.name: node.sent for node in task.nodes}
    assert counts == {"stream0": 2, "from1": 1, "eval2": 1, "from3": 2, "eval4": 2}


def test_froms_of_two_measurements_see_the_order_of_arrival():
    task, collector = running(
        "stream|from().measurement('m')\nstream|from().measurement('x')"
    )
    task.write(write("m v=1 1\nx v=2 1\nother v=9 1\nm v=3 1"))
    assert [point.fields["v"] for point in collector.points] == [1, 2, 3]


def test_a_from_can_follow_a_from():
    task, collector = running(
        "var data = stream|from().measurement('m')\n"
        "data|from().where(lambda: \"h\" == 'a').groupBy('h')"
    )
    task.write(write("m,h=a v=1 1\nm,h=b v=2 1"))
    assert [point.group for point in collector.points] == ["h=a"]


def test_repeated_where_is_a_conjunction_that_shares_its_state():
    task, collector = running(
        "stream|from().where(lambda: count() > 2).where(lambda: count() < 7)"
    )
    task.write(write("\n".join(f"m v={t} {t}" for t in range(1, 8))))
    # counted: 1, 2, then 3 4, 5 6, 7 8, …
    assert [point.fields["v"] for point in collector.points] == [3, 4]


def test_case_20_21_window_and_count_of_the_integration_script():
    task, collector = running(
        "stream|from().measurement('m')|window().period(10s).every(10s)|count('value')"
    )
    task.write(write("\n".join(f"m value={t} {t}" for t in range(1, 13))))
    [point] = collector.points
    assert (point.time, point.fields) == (11 * SECOND, {"count": 10})
    assert type(point.fields["count"]) is int
    assert (point.db, point.rp) == ("", "")


def test_case_23_the_first_point_decides_about_the_columns():
    task, collector = running(
        "stream|from().groupBy('h')|window().period(10s).every(10s)"
    )
    task.write(write("m,h=a,x=1 u=9 0\nm,h=a,y=2 v=8,w=7 1\nm,h=a v=1 10"))
    row = batch_row(collector.got[0])
    assert row.columns == ("time", "u", "x")
    assert [*map(list, row.values)] == [[0, 9.0, "1"], [SECOND, None, None]]
    assert row.tags == {"h": "a"}


def test_aggregates_reduce_tags_to_those_of_the_group_and_selectors_do_not():
    script = "stream|from().groupBy('h','z')|window().period(5s).every(5s)"
    data = "m,h=a,x=1 v=1 1\nm,h=a,x=2 v=2 2\nm,h=a v=0 9"
    task, means = running(script + "|mean('v')")
    task.write(write(data))
    task, maxima = running(script + "|max('v').as('v')")
    task.write(write(data))
    assert means.points[0].tags == {"h": "a", "z": ""}
    assert maxima.points[0].tags == {"h": "a", "x": "2"}


def test_grouping_keeps_all_tags():
    task, collector = running("stream|from()|groupBy('h')")
    task.write(write("m,h=a,x=1 v=1 1"))
    assert collector.points[0].tags == {"h": "a", "x": "1"}


def test_a_task_works_the_same_in_columns_and_by_rows():
    script = (
        "stream|from().measurement('cpu').where(lambda: \"host\" != 'server003')"
        ".groupBy('host')|eval(lambda: \"usage_user\" / 2.0).as('half').keep()"
        "|window().period(10s).every(10s)|mean('half')"
    )
    columns, found = running(script)
    rows, expected = running(script)
    for number in range(3):
        frame = host_frame(2000, 20, start_s=1000 + 100 * number, seed=number)
        columns.frames([frame])
        rows.points(frame.points())
    assert len(found.points) == 19 * 29
    assert [(p.time, p.group, p.fields) for p in found.points] == [
        (p.time, p.group, p.fields) for p in expected.points
    ]
    flows = [(node.name, node.collected, node.emitted) for node in columns.nodes]
    assert flows == [(node.name, node.collected, node.emitted) for node in rows.nodes]


def test_tasks_share_the_work_on_a_frame():
    script = "stream|from().measurement('cpu').where(lambda: \"host\" != 'x').groupBy('host')"
    taken = []
    for _ in range(2):
        task = started(script)
        task.nodes[1].emit_frame = taken.append
        frame = taken[0] if taken else None
        task.frames([SHARED])
    assert frame is None or taken[0] is taken[1]


SHARED = host_frame(600, 20)


class Failing(Node):
    def point(self, point: Point) -> None:
        self.fail("it has had enough")


def test_a_node_that_fails_stops_the_task():
    task, collector = running("stream|from()|log()")
    task.nodes[1].link(Failing(task.nodes[1], Environment("t")))
    task.write(write("m v=1 1\nm v=2 1"))
    task.write(write("m v=3 1"))
    assert task.error == "from1: it has had enough"
    assert task.stopped
    assert fields(collector.points) == [{"v": 1.0}]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "stream|from()|where(lambda: 1 == 'a')",
            "Failed to compile expression in where clause: mismatched type to binary "
            "operator. got int == string. see bool(), int(), float(), string(), duration()",
        ),
        (
            "stream|from()|window()",
            "window node must have either a non zero period or non zero period count",
        ),
        (
            "stream|from()|holtWinters('v', 1, 1, 1s)",
            "holtWinters2: holtWinters is not supported by this server",
        ),
    ],
)
def test_what_cannot_run_does_not_start(script, reason):
    with pytest.raises(TaskError) as caught:
        started(script)
    assert reason in str(caught.value)


def test_http_out_shows_the_latest_row_of_each_group():
    environment = Environment("t", dbrps=(("d", "r"),))
    task = started("stream|from().groupBy('h')|httpOut('top')", environment)
    page = environment.http_out.page("t", "top")
    assert page.json() == {"series": None}
    task.write(write("m,h=b v=1,u=2i 1\nm,h=a v=2 1\nm,h=b v=3 1700000000"))
    assert page.json() == {
        "series": [
            {
                "name": "m",
                "tags": {"h": "b"},
                "columns": ["time", "v"],
                "values": [["2023-11-14T22:13:20Z", 3.0]],
            },
            {
                "name": "m",
                "tags": {"h": "a"},
                "columns": ["time", "v"],
                "values": [["1970-01-01T00:00:01Z", 2.0]],
            },
        ]
    }
    task.close()
    assert environment.http_out.page("t", "top") is None


def test_http_out_shows_frames_and_batches():
    environment = Environment("t", dbrps=(("d", "r"),))
    task = started(
        "var data = stream|from().groupBy('host')\n"
        "data|httpOut('points')\n"
        "data|window().period(2s).every(2s)|httpOut('batches')",
        environment,
    )
    task.frames([host_frame(1000, 10)])
    shown = environment.http_out.page("t", "points").rows()
    assert [row.tags["host"] for row in shown] == [f"server{n:03d}" for n in range(10)]
    assert shown[0].values[0][0] == (1_700_000_000 + 99) * SECOND
    batches = environment.http_out.page("t", "batches").rows()
    assert [len(row.values) for row in batches] == [2] * 10


def test_log_writes_points_and_batches(caplog):
    caplog.set_level(logging.INFO, logger="kapacitor")
    task, collector = running(
        "stream|from().groupBy('h')|log().prefix('P Q')"
        "|window().period(1s).every(1s)|log().level('error')"
    )
    task.write(write("m,h=a v=1 1\nm,h=a v=2 2"))
    first, *_, begin, point, end = map(LogfmtFormatter().format, caplog.records)
    assert (
        " lvl=info msg=point service=kapacitor task_master=main task=t node=log2 "
        'prefix="P Q" name=m db=d rp=r group="h=a" dimension_0=h tag_h=a field_v=1 '
        "time=1970-01-01T00:00:01Z"
    ) in first
    assert ' lvl=error msg="begin batch" ' in begin
    assert ' msg="batch point" ' in point
    assert "field_v=1" in point
    assert ' msg="end batch" ' in end
    assert len(collector.got) == 1


def test_windows_do_not_flush_when_the_task_stops():
    task, collector = running("stream|from()|window().period(5s).every(5s)")
    task.write(write("m v=1 1"))
    task.close()
    assert collector.got == []


def test_nothing_of_a_frame_is_decoded_that_no_node_needs():
    frame = host_frame(2000, 20)
    asked: list[str] = []

    class Spy:
        tag_names = ("host",)
        field_names = ("usage_user", "other")

        def tag(self, name: str) -> object:
            return frame.tag(name)

        def field(self, name: str) -> object:
            asked.append(name)
            return frame.field(name)

        def rows(self, which: object) -> object:
            raise AssertionError("rows are not needed")

    spied = frame.replace(time=frame.time + np.int64(0))
    spied.columns = Spy()
    task, _ = running(
        "stream|from().measurement('cpu').groupBy('host')"
        "|window().period(10s).every(10s)|max('usage_user')"
    )
    task.nodes[3].children.clear()
    task.frames([spied])
    assert task.nodes[3].sent == 20 * 9
    assert set(asked) == {"usage_user"}


def test_batches_of_a_window_pass_other_nodes():
    task, collector = running(
        "stream|from().groupBy('h')|window().period(5s).every(5s)"
        '|where(lambda: "v" > 1)|eval(lambda: "v" * 2.0).as(\'w\').keep()'
        "|stateCount(lambda: \"w\" > 5)|sum('w').as('total')"
    )
    task.write(write("m,h=a v=1 1\nm,h=a v=2 2\nm,h=a v=3 3\nm,h=a v=4 6"))
    assert fields(collector.points) == [{"total": 10.0}]
    batches: list[Batch] = collector.got
    assert batches == []
