"""Each node that makes at most one point of a point, by points and by columns."""

import itertools
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import TaskError
from runtime.frames import Dimensions, Point
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.nodes.stream import FromNode
from runtime.nodes.where import WhereNode
from runtime.pipeline import source, transform
from runtime.pipeline.node import Node as PipelineNode
from runtime.tasks.build import NODES
from runtime.testing.frames import (
    Collector,
    batch_of,
    batches_of,
    dimensions,
    frame,
    frame_of,
    lambda_of,
    points,
    seconds,
    shown,
    shown_batch,
)
from runtime.tick.ast import StarNode
from runtime.units import LATEST, Duration
from tests.examples import at_most


def running(spec: PipelineNode) -> tuple[Any, Collector]:
    spec.name = "node1"
    node, collector = NODES[type(spec)](spec, Environment("t")), Collector()
    node.link(collector)
    return node, collector


def by_points(node: Node, given: list[Point]) -> None:
    for point in given:
        node.point(point)


def by_columns(node: Node, given: list[Point]) -> None:
    node.frame(frame_of(given))


both = pytest.mark.parametrize("feed", [by_points, by_columns])


def fields(collector: Collector) -> list[dict[str, object]]:
    return [dict(point.fields) for point in collector.points]


def errors(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(r.getMessage(), r.err) for r in caplog.records]


# from


def test_from_takes_what_matches_exactly():
    node, collector = running(
        source.FromNode(measurement="m", database="d", retention_policy="r")
    )
    given = [
        *points("m v=1 1\nx v=2 1"),
        *points("m v=3 1", db="e"),
        *points("m v=4 1", rp="s"),
    ]
    by_points(node, given)
    for point in given:
        node.frame(frame_of([point]))
    assert fields(collector) == [{"v": 1.0}, {"v": 1.0}]


@both
def test_from_filters_by_the_original_time_and_then_moves_it(feed):
    node, collector = running(
        source.FromNode(
            where=(lambda_of('unixNano("time") > 14000000000'), lambda_of('"v" > 1')),
            round=Duration(seconds(10)),
        )
    )
    feed(node, points("m v=2 14\nm v=2 15\nm v=2 24\nm v=1 26"))
    assert [point.time for point in collector.points] == [seconds(20), seconds(20)]


@both
def test_from_truncates(feed):
    node, collector = running(source.FromNode(truncate=Duration(seconds(10))))
    feed(node, points("m v=2 14\nm v=2 -1\nm v=2 20"))
    assert [p.time / 1e9 for p in collector.points] == [10, -10, 20]


@both
def test_from_rounds_no_time_past_the_last(feed):
    node, collector = running(source.FromNode(round=Duration(seconds(3600))))
    feed(node, [point.replace(time=LATEST) for point in points("m v=2 1")])
    assert [p.time for p in collector.points] == [LATEST]


@both
def test_from_counts_a_week_from_monday(feed):
    node, collector = running(source.FromNode(truncate=Duration(seconds(604800))))
    feed(node, points("m v=2 1700000000"))
    assert [point.time / 1e9 for point in collector.points] == [1699833600]


@both
def test_from_logs_what_it_cannot_decide(feed, caplog):
    node, collector = running(source.FromNode(where=(lambda_of('"v" > 1'),)))
    feed(node, points("m w=1 1\nm v=2 2"))
    assert fields(collector) == [{"v": 2.0}]
    assert errors(caplog) == [
        (
            "failed to evaluate WHERE expression",
            'left reference value "v" is missing value',
        )
    ]


@both
def test_stateful_functions_of_from_are_shared_by_all(feed):
    node, collector = running(
        source.FromNode(where=(lambda_of("count() > 2"),), dimensions=("h",))
    )
    feed(node, points("m,h=a v=1 1\nm,h=b v=2 2\nm,h=a v=3 3\nm,h=b v=4 4"))
    assert [point.fields["v"] for point in collector.points] == [3.0, 4.0]


@both
def test_from_groups_by_sorted_tags_and_measurement(feed):
    node, collector = running(
        source.FromNode(dimensions=("z", "h"), group_by_measurement=True)
    )
    feed(node, points("m,h=a,x=1 v=1 1"))
    [point] = collector.points
    assert point.dimensions == Dimensions(True, ("h", "z"))
    assert (point.group, point.tags) == ("m\nh=a,z=", {"h": "a", "x": "1"})


@both
def test_from_without_group_by_does_not_group(feed):
    node, collector = running(source.FromNode())
    feed(node, points("m,h=a v=1 1", group_by="h"))
    assert collector.points[0].group == ""


@both
def test_a_star_groups_by_the_tags_of_each_point(feed):
    node, collector = running(source.FromNode(dimensions=(StarNode(),)))
    feed(node, points("m,h=a v=1 1\nm,h=a,x=1 v=1 2\nm v=1 3"))
    assert [p.group for p in collector.points] == ["h=a", "h=a,x=1", ""]


def test_a_frame_that_passes_whole_is_passed_on_itself():
    node, _ = running(source.FromNode(where=(lambda_of('"v" >= 0'),)))
    taken: list[object] = []
    node.emit_frame = taken.append
    given = frame("m v=1 1\nm v=2 2")
    node.frame(given)
    assert taken[0] is given


def test_tasks_share_the_groups_of_a_filtered_frame():
    taken: list[object] = []
    given = frame("m,h=a v=1 1\nm,h=b v=2 2")
    for _ in range(2):
        spec = source.FromNode(where=(lambda_of('"v" > 1'),), dimensions=("h",))
        node, _ = running(spec)
        node.emit_frame = taken.append
        node.frame(given)
    assert taken[0] is taken[1]


def test_a_predicate_that_fits_no_data_does_not_start():
    with pytest.raises(TaskError, match="Failed to compile expression in where clause"):
        running(transform.WhereNode(lambda_of("1 + 'a' > 2")))


# `where`


@both
def test_case_5_where_resolves_types_for_each_point(feed, caplog):
    node, collector = running(transform.WhereNode(lambda_of('"v" > 1')))
    feed(node, points('m v=2 1\nm v=3i 2\nm v="x" 3\nm v=5 4\nm v=1 5'))
    assert fields(collector) == [{"v": 2.0}, {"v": 3}, {"v": 5.0}]
    assert errors(caplog) == [
        (
            "error while evaluating expression",
            "mismatched type to binary operator. got string > int. see bool(), int(),"
            " float(), string(), duration()",
        )
    ]
    assert (caplog.records[0].task, caplog.records[0].node) == ("t", "node1")


@both
def test_case_6_an_int_and_a_float_do_not_add(feed, caplog):
    node, collector = running(transform.WhereNode(lambda_of('"i" + 1.0 > 1.0')))
    feed(node, points("m i=2i 1"))
    assert collector.points == []
    assert errors(caplog)[0][1].startswith(
        "mismatched type to binary operator. got int + float. see"
    )


@both
def test_division_by_zero_drops_the_point(feed, caplog):
    node, collector = running(transform.WhereNode(lambda_of('10 / "i" > 1')))
    feed(node, points("m i=0i 1\nm i=2i 1"))
    assert fields(collector) == [{"i": 2}]
    assert errors(caplog)[0][1] == "runtime error: integer divide by zero"


@both
def test_a_predicate_that_is_not_boolean_passes_nothing(feed, caplog):
    node, collector = running(transform.WhereNode(lambda_of('"v"')))
    feed(node, points("m v=2 1"))
    assert collector.points == []
    assert "TypeGuard: expression returned unexpected" in caplog.records[0].err


@both
def test_a_quiet_node_neither_counts_nor_logs(feed, caplog):
    node, _ = running(transform.WhereNode(lambda_of('"v" > 1'), quiet=True))
    feed(node, points("m w=2 1"))
    assert (node.errors, caplog.records) == (0, [])


@both
def test_stateful_functions_of_where_start_afresh_for_each_group(feed):
    node, collector = running(transform.WhereNode(lambda_of("count() > 1")))
    given = points("m,h=a v=1 1\nm,h=b v=2 2\nm,h=a v=3 3", group_by="h")
    feed(node, given)
    assert fields(collector) == [{"v": 3.0}]


def test_a_batch_flows_on_when_all_its_points_are_filtered():
    node, collector = running(transform.WhereNode(lambda_of('"v" > 5')))
    given = [
        batch_of(points("m v=9 1\nm v=1 2"), seconds(3)),
        batch_of(points("m v=1 4"), seconds(5)),
        batch_of(points("m v=7 6"), seconds(7)),
    ]
    for each in given:
        node.batch(each)
    node.batches(batches_of(given))
    assert [len(batch.points) for batch in collector.got] == [1, 0, 1, 1, 0, 1]


# groupBy


@both
def test_group_by_measurement_stays(feed):
    first, collector = running(
        transform.GroupByNode(dimensions=("h",), by_measurement=True)
    )
    second, collector = running(transform.GroupByNode(dimensions=("x",)))
    first.link(second)
    feed(first, points("m,h=a,x=1 v=1 1"))
    assert collector.points[0].group == "m\nx=1"


@both
def test_group_by_star_can_exclude_tags(feed):
    node, collector = running(
        transform.GroupByNode(dimensions=(StarNode(),), exclude=("x",))
    )
    feed(node, points("m,h=a,x=1,a=2 v=1 1"))
    assert collector.points[0].group == "a=2,h=a"


def test_batches_are_regrouped_when_the_next_time_comes():
    node, collector = running(transform.GroupByNode(dimensions=("x",)))
    for host, tmax in (("a", 9), ("b", 9), ("a", 19)):
        lines = f"m,h={host},x=1 v=1 {tmax - 1}\nm,h={host},x=2 v=2 {tmax - 2}"
        node.batch(batch_of(points(lines, group_by="h"), seconds(tmax)))
    assert [(b.group, b.tmax, len(b.points)) for b in collector.got] == [
        ("x=1", seconds(9), 2),
        ("x=2", seconds(9), 2),
    ]


def test_regrouped_batches_are_sorted_by_time():
    node, collector = running(transform.GroupByNode(dimensions=()))
    for line, tmax in (("m,h=a v=1 5", 9), ("m,h=b v=2 3", 9), ("m,h=b v=2 13", 19)):
        node.batch(batch_of(points(line, group_by="h"), seconds(tmax)))
    assert [point.time / 1e9 for point in collector.got[0].points] == [3, 5]


# eval


def evaluated(
    *expressions: str, as_names: tuple[str, ...], **settings: object
) -> tuple[Any, Collector]:
    lambdas = tuple(map(lambda_of, expressions))
    return running(transform.EvalNode(lambdas, as_names=as_names, **settings))


@both
@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (None, {"r": 3.0}),
        ((), {"v": 2.0, "w": 5.0, "r": 3.0}),
        (("w", "r"), {"w": 5.0, "r": 3.0}),
    ],
)
def test_eval_keeps_what_is_asked(feed, keep, expected):
    node, collector = evaluated('"v" + 1.0', as_names=("r",), keep=keep)
    feed(node, points("m,h=a v=2,w=5 1"))
    assert fields(collector) == [expected]
    assert collector.points[0].tags == {"h": "a"}


@both
def test_half_a_character_does_not_leave_eval(feed):
    cut = 'strSubstring("s", 0, 1)'
    node, collector = evaluated(
        cut, f"strLength({cut})", cut, as_names=("x", "n", "t"), tag_names=("t",)
    )
    feed(node, points('m s="é" 1\nm s="ee" 2'))
    assert fields(collector) == [{"x": "\ufffd", "n": 1}, {"x": "e", "n": 1}]
    assert [p.tags for p in collector.points] == [{"t": "\ufffd"}, {"t": "e"}]


@both
def test_later_expressions_see_earlier_results(feed):
    node, collector = evaluated('"v" + 1.0', '"r" * 2.0', as_names=("r", "s"))
    feed(node, points("m v=2 1"))
    assert fields(collector) == [{"r": 3.0, "s": 6.0}]


@both
def test_case_7_a_raw_field_hides_a_result_of_its_name(feed):
    node, collector = evaluated('"v" + 1.0', '"v" + 1.0', as_names=("v", "w"))
    feed(node, points("m v=1 1"))
    assert fields(collector) == [{"v": 1.0, "w": 2.0}]


@both
def test_a_result_nobody_refers_to_replaces_the_field(feed):
    node, collector = evaluated('"v" + 1.0', as_names=("v",), keep=())
    feed(node, points("m v=1 1"))
    assert fields(collector) == [{"v": 2.0}]


@both
def test_case_8_integers_divide_as_in_go(feed):
    node, collector = evaluated("-7 / 2", "-7 % 3", as_names=("a", "b"))
    feed(node, points("m v=1 1"))
    assert fields(collector) == [{"a": -3, "b": -1}]


@both
def test_case_9_calls_of_one_expression_share_their_state(feed):
    node, collector = evaluated("count() + count()", as_names=("r",))
    feed(node, points("m v=1 1\nm v=1 2"))
    assert fields(collector) == [{"r": 3}, {"r": 7}]


@both
def test_two_expressions_do_not_share_state(feed):
    node, collector = evaluated("count()", "count()", as_names=("a", "b"))
    feed(node, points("m v=1 1"))
    assert fields(collector) == [{"a": 1, "b": 1}]


@both
@pytest.mark.parametrize(
    ("keep", "expected"), [(None, {"n": 1}), ((), {"v": 1.0, "t": "v1", "n": 1})]
)
def test_results_can_become_tags(feed, keep, expected):
    node, collector = evaluated(
        "'v' + string(\"v\")",
        '"v" > 0.0 AND TRUE',
        as_names=("t", "n"),
        tag_names=("t",),
        keep=keep,
    )
    feed(node, points("m,h=a v=1 1"))
    assert fields(collector) == [expected | {"n": True}]
    assert collector.points[0].tags == {"h": "a", "t": "v1"}


@both
def test_a_tag_must_be_a_string(feed, caplog):
    node, collector = evaluated('"v"', as_names=("t",), tag_names=("t",))
    feed(node, points("m v=1 1"))
    assert collector.points == []
    assert "must be of type string, got float64" in caplog.records[0].err


@both
def test_a_tag_that_is_a_dimension_changes_the_group(feed):
    node, collector = evaluated("'b'", as_names=("h",), tag_names=("h",))
    feed(node, points("m,h=a v=1 1", group_by="h"))
    assert collector.points[0].group == "h=b"


@both
def test_what_cannot_be_evaluated_is_dropped_and_logged(feed, caplog):
    node, collector = evaluated('10 / "i"', as_names=("r",))
    feed(node, points("m i=0i 1\nm i=5i 2\nm v=1 3"))
    assert fields(collector) == [{"r": 2}]
    assert errors(caplog)[0] == (
        "error evaluating expression",
        "runtime error: integer divide by zero",
    )
    assert node.errors == 2


@both
def test_a_field_to_keep_must_exist(feed, caplog):
    node, collector = evaluated('"v"', as_names=("r",), keep=("nope",))
    feed(node, points("m v=1 1"))
    assert collector.points == []
    assert errors(caplog)[0][1] == 'cannot keep field "nope", field does not exist'


@both
def test_the_value_of_a_missing_field_is_missing(feed, caplog):
    node, _ = evaluated('"f"', as_names=("r",))
    feed(node, points("m v=1 1"))
    assert errors(caplog)[0][1] == 'missing value: "f"'


# default, delete


@both
def test_default_fills_what_is_absent(feed):
    spec = transform.DefaultNode(fields={"v": 0.0, "s": "x"}, tags={"h": "none"})
    node, collector = running(spec)
    feed(node, points("m,h=a v=1 1\nm w=1 2", group_by="h"))
    assert fields(collector) == [
        {"v": 1.0, "s": "x"},
        {"w": 1.0, "v": 0.0, "s": "x"},
    ]
    assert [point.group for point in collector.points] == ["h=a", "h=none"]


def test_default_fills_nulls():
    node, collector = running(transform.DefaultNode(fields={"v": 5}))
    node.point(Point("m", 1, {}, {"v": None}))
    assert fields(collector) == [{"v": 5}]


@both
def test_delete_takes_fields_tags_and_dimensions_away(feed):
    node, collector = running(transform.DeleteNode(fields=("v",), tags=("h",)))
    feed(node, points("m,h=a,x=1 v=1 1", group_by="h x"))
    [point] = collector.points
    assert (point.fields, point.tags, point.group) == ({}, {"x": "1"}, "x=1")


# derivative, stateDuration, stateCount, changeDetect


@both
def test_derivative_is_a_rate_and_keeps_other_fields(feed):
    node, collector = running(transform.DerivativeNode("v", as_name="rate"))
    feed(node, points("m v=1i,w=7 1\nm v=5i,w=8 3\nm v=3i,w=9 4"))
    assert fields(collector) == [
        {"v": 5, "w": 8.0, "rate": 2.0},
        {"v": 3, "w": 9.0, "rate": -2.0},
    ]


@both
def test_derivative_can_drop_negative_rates_and_use_another_unit(feed):
    node, collector = running(
        transform.DerivativeNode(
            "v", as_name="v", unit=Duration(seconds(10)), non_negative=True
        )
    )
    feed(node, points("m v=1 1\nm v=0 2\nm v=2 4"))
    assert fields(collector) == [{"v": 10.0}]


@both
def test_derivative_needs_time_and_numbers(feed, caplog):
    node, collector = running(transform.DerivativeNode("v", as_name="v"))
    feed(node, points('m v=1 1\nm v=2 1\nm v="x" 2\nm w=1 3'))
    assert collector.points == []
    assert errors(caplog)[0] == ("cannot perform derivative", "elaspsed time was 0")
    assert node.errors == 3


def test_derivative_starts_again_with_each_batch():
    node, collector = running(transform.DerivativeNode("v", as_name="v"))
    for tmax in (9, 19):
        node.batch(batch_of(points("m v=1 1\nm v=2 2"), seconds(tmax)))
    assert [len(batch.points) for batch in collector.got] == [1, 1]


@both
def test_state_duration_counts_time_while_the_predicate_holds(feed):
    node, collector = running(transform.StateDurationNode(lambda_of('"v" > 5')))
    feed(node, points("m v=1 1\nm v=9 2\nm v=9 4.5\nm v=1 5\nm v=9 6"))
    found = [point.fields["state_duration"] for point in collector.points]
    assert found == [-1.0, 0.0, 2.5, -1.0, 0.0]


@both
def test_state_count_counts_points_for_each_group(feed):
    spec = transform.StateCountNode(lambda_of('"v" > 5'), as_name="n")
    node, collector = running(spec)
    lines = "m,h=a v=9 1\nm,h=b v=9 2\nm,h=a v=9 3\nm,h=b v=1 4\nm,h=a w=1 5"
    feed(node, points(lines, group_by="h"))
    assert [point.fields["n"] for point in collector.points] == [1, 1, 2, -1]
    assert node.errors == 1


def test_state_count_starts_again_with_each_batch():
    node, collector = running(transform.StateCountNode(lambda_of('"v" > 5')))
    for tmax in (9, 19):
        node.batch(batch_of(points("m v=9 1\nm v=9 2"), seconds(tmax)))
    found = [p.fields["state_count"] for b in collector.got for p in b.points]
    assert found == [1, 2, 1, 2]


@both
def test_change_detect_compares_value_and_type_with_the_last_passed(feed, caplog):
    node, collector = running(transform.ChangeDetectNode(("v", "w")))
    lines = "m v=1,w=1 1\nm v=1,w=1 2\nm v=1i,w=1 3\nm v=true,w=1 4\nm v=true 5"
    feed(node, points(lines))
    assert [point.time / 1e9 for point in collector.points] == [1, 3, 4]
    assert errors(caplog)[0][0] == "Invalid field in change detect"


@both
def test_a_derivative_that_is_not_negative_goes_by_the_change_not_the_rate(feed):
    spec = transform.DerivativeNode("v", as_name="r", non_negative=True)
    node, collector = running(spec)
    feed(node, points("m v=1 5\nm v=3 4\nm v=2 3\nm v=2 9\nm v=5 10"))
    assert [point.fields["r"] for point in collector.points] == [-2, 0, 3]


@both
@pytest.mark.parametrize(
    ("names", "passed"),
    [
        ((), []),
        (("nope",), []),
        (("nope", "never"), []),
        (("v",), [1, 3]),
        (("nope", "v"), [1, 3]),
        # a field that the last passed point lacks counts as changed
        (("v", "w"), [1, 3, 4]),
        (("w",), [1, 4]),
    ],
)
def test_change_detect_passes_only_points_with_a_field_it_watches(feed, names, passed):
    node, collector = running(transform.ChangeDetectNode(names))
    feed(node, points("m v=1,w=1 1\nm v=1,w=1 2\nm v=2 3\nm v=2,w=7 4"))
    assert [point.time / 1e9 for point in collector.points] == passed


# all of them: points and columns agree

SPECS = {
    "from": lambda: source.FromNode(
        where=(lambda_of('isPresent("v") AND "v" > 1'),),
        dimensions=("x", "h"),
        truncate=Duration(seconds(7)),
    ),
    "from star": lambda: source.FromNode(dimensions=(StarNode(),)),
    "where": lambda: transform.WhereNode(lambda_of('"v" > 1 OR "h" == \'a\'')),
    "where tag": lambda: transform.WhereNode(lambda_of('"h" =~ /a|b/')),
    "where count": lambda: transform.WhereNode(lambda_of("count() % 2 == 0")),
    "groupBy": lambda: transform.GroupByNode(("x",), by_measurement=True),
    "groupBy star": lambda: transform.GroupByNode((StarNode(),), exclude=("x",)),
    "eval": lambda: transform.EvalNode(
        (lambda_of('"v" + "w"'), lambda_of('"r" * 2.0')), as_names=("r", "s")
    ),
    "eval keep": lambda: transform.EvalNode(
        (lambda_of('float("v") / 3.0'),), as_names=("v",), keep=()
    ),
    "eval some": lambda: transform.EvalNode(
        (lambda_of("'t' + \"h\""), lambda_of('"t" + "x"')),
        as_names=("t", "u"),
        tag_names=("t",),
        keep=("u", "w"),
    ),
    "default": lambda: transform.DefaultNode(fields={"v": 1}, tags={"x": "none"}),
    "delete": lambda: transform.DeleteNode(fields=("v",), tags=("x",)),
    "derivative": lambda: transform.DerivativeNode("v", as_name="v"),
    "changeDetect": lambda: transform.ChangeDetectNode(("v",)),
    "stateCount": lambda: transform.StateCountNode(lambda_of('"v" > 1')),
    "stateDuration": lambda: transform.StateDurationNode(lambda_of('"v" > 1')),
}
# None means absent; one draw for all, as many draws take longer than the tests
PARTS = [
    tuple(
        {name: value for name, value in part.items() if value is not None}
        for part in ({"h": h, "x": x}, {"v": v, "w": w})
    )
    for h, x, v, w in itertools.product(
        [None, *"abc"], [None, *"12"], [None, 0.5, 1.0, 2.5, 7], [None, 0.5, 4.0]
    )
]
some_points = st.lists(
    st.tuples(st.integers(-9, 99), st.sampled_from(PARTS)).map(
        lambda drawn: Point(
            "m", seconds(drawn[0]), *map(dict, drawn[1]), dimensions("h"), "d", "r"
        )
    ),
    min_size=1,
    max_size=20,
)
# of each node; of all together more than a thousand
EXAMPLES = at_most(150)


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=EXAMPLES)
@given(given=some_points)
def test_columns_and_points_give_the_same(name, given):
    logging.disable(logging.CRITICAL)
    try:
        one, expected = running(SPECS[name]())
        other, found = running(SPECS[name]())
        for _ in range(2):
            by_points(one, given)
            by_columns(other, given)
    finally:
        logging.disable(logging.NOTSET)
    assert [*map(shown, found.points)] == [*map(shown, expected.points)]
    assert other.errors == one.errors
    assert other.emitted == one.emitted


@pytest.mark.parametrize("name", [n for n in SPECS if n[:4] not in ("from", "grou")])
@settings(max_examples=EXAMPLES)
@given(given=some_points)
def test_batches_in_columns_give_the_same(name, given):
    logging.disable(logging.CRITICAL)
    try:
        one, expected = running(SPECS[name]())
        other, found = running(SPECS[name]())
        by_group: dict[str, list[Point]] = {}
        for point in given:
            by_group.setdefault(point.group, []).append(point)
        batches = [batch_of(each, seconds(100)) for each in by_group.values()]
        for batch in batches:
            one.batch(batch)
        other.batches(batches_of(batches))
    finally:
        logging.disable(logging.NOTSET)
    assert [*map(shown_batch, found.got)] == [*map(shown_batch, expected.got)]
    assert other.errors == one.errors


def test_nodes_tell_their_counters():
    node, collector = running(transform.WhereNode(lambda_of('"v" > 1')))
    assert isinstance(node, WhereNode)
    first, _ = running(source.FromNode())
    assert isinstance(first, FromNode)
    first.link(node)
    by_points(first, points("m v=1 1\nm v=2 2\nm w=2 2"))
    assert node.stats() == {
        "avg_exec_time_ns": 0,
        "collected": 3,
        "emitted": 1,
        "errors": 1,
        "working_cardinality": 1,
    }
    assert collector.collected == 1
