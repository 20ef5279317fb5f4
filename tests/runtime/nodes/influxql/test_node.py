import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import TaskError
from runtime.frames import Batch, Point
from runtime.nodes.environment import Environment
from runtime.nodes.influxql.node import influxql
from runtime.nodes.node import Barrier, Node
from runtime.pipeline.influxql import InfluxQLNode as Spec
from runtime.testing.frames import (
    Collector,
    batch_of,
    batches_of,
    dimensions,
    points,
    seconds,
    shown,
    shown_batch,
)
from runtime.units import Duration

GROUPED = dimensions("h")


def function(
    method: str, *arguments: object, field: str = "v", **settings: object
) -> tuple[Node, Collector]:
    spec = Spec(method, field, arguments, **{"as_name": method, **settings})
    spec.name = f"{method}2"
    node, collector = influxql(spec, Environment("t")), Collector()
    node.link(collector)
    return node, collector


def batch(*values: object, first: int = 1, tmax: int = 100) -> Batch:
    lines = (f"m,h=a,n={i} v={v},w={i}i {first + i}" for i, v in enumerate(values))
    return batch_of(points("\n".join(lines), group_by="h"), seconds(tmax))


def results(collector: Collector) -> list[tuple[float, dict[str, object]]]:
    return [(point.time / 1e9, dict(point.fields)) for point in collector.points]


@pytest.mark.parametrize(
    ("method", "values", "expected"),
    [
        ("count", (1.0, 2.0), 2),
        ("count", ('"x"', '"y"', '"x"'), 3),
        ("sum", (1.5, 2.0), 3.5),
        ("sum", ("1i", "2i"), 3),
        ("sum", ("9223372036854775807i", "1i"), -(2**63)),
        ("mean", ("1i", "2i"), 1.5),
        ("mean", (1.0, 2.0, 6.0), 3.0),
        ("median", (9.0, 1.0, 5.0), 5.0),
        ("median", ("1i", "2i", "10i", "4i"), 3.0),
        ("mode", ("3i", "1i", "3i", "2i"), 3),
        ("spread", ("3i", "1i", "7i"), 6),
        ("spread", (3.0, 1.5), 1.5),
        ("stddev", (1.0, 2.0, 3.0, 4.0), 1.2909944487358056),
    ],
)
def test_aggregates_give_one_field_at_the_end_of_the_window(method, values, expected):
    node, collector = function(method)
    node.batch(batch(*values))
    [(time, fields)] = results(collector)
    assert (time, fields) == (100, {method: expected})
    assert type(fields[method]) is type(expected)
    assert collector.points[0].tags == {"h": "a"}


def test_stddev_of_one_value_is_not_a_number():
    node, collector = function("stddev")
    node.batch(batch(1.0))
    assert math.isnan(collector.points[0].fields["stddev"])


def test_stddev_of_enormous_values_is_infinite():
    node, collector = function("stddev")
    node.batch(batch(1e300, -1e300))
    assert collector.points[0].fields["stddev"] == math.inf


@pytest.mark.parametrize("method", ["median", "mode", "stddev", "percentile"])
@pytest.mark.parametrize("kind", [float, int])
def test_many_batches_are_reduced_without_points(method, kind):
    arguments = [60.0] if method == "percentile" else []
    by_points, expected = function(method, *arguments)
    by_columns, found = function(method, *arguments)
    given = [
        batch_of(
            [
                Point("m", seconds(t), {"h": h}, {"v": kind(t * 37 % 11)}, GROUPED)
                for t in range(size)
            ],
            seconds(100),
        )
        for h, size in [("a", 9), ("b", 1), ("c", 4), ("a", 30)]
    ]
    columns = batches_of(given)
    for one in given:
        by_points.batch(one)
    by_columns.batch = None  # type: ignore[assignment, method-assign] # not to be used
    by_columns.batches(columns)
    assert [*map(shown, found.points)] == [*map(shown, expected.points)]


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("min", (), (1.0, 1)),
        ("max", (), (9.0, 2)),
        ("first", (), (3.0, 0)),
        ("last", (), (4.0, 4)),
        ("percentile", (50.0,), (3.0, 0)),
        ("percentile", (90.0,), (9.0, 2)),
    ],
)
def test_selectors_keep_all_fields_and_tags_of_their_point(method, arguments, expected):
    node, collector = function(method, *arguments)
    node.batch(batch(3.0, 1.0, 9.0, 1.0, 4.0))
    value, row = expected
    [(time, fields)] = results(collector)
    assert (time, fields) == (100, {method: value, "w": row})
    assert collector.points[0].tags == {"h": "a", "n": str(row)}


def test_a_selector_can_keep_the_time_and_the_name():
    node, collector = function("max", as_name="v", use_point_times=True)
    node.batch(batch(3.0, 9.0))
    assert results(collector) == [(2, {"v": 9.0, "w": 1})]


def test_aggregates_use_the_end_of_the_window_whatever_is_asked():
    node, collector = function("mean", use_point_times=True)
    node.batch(batch(3.0, 9.0))
    assert results(collector) == [(100, {"mean": 6.0})]


def test_a_percentile_out_of_range_gives_nothing():
    node, collector = function("percentile", 1.0)
    node.batch(batch(3.0, 9.0))
    assert collector.points == []


@pytest.mark.parametrize(("method", "zero"), [("count", 0), ("sum", 0.0)])
def test_count_and_sum_of_nothing_are_zero(method, zero):
    node, collector = function(method)
    node.batch(Batch("m", {}, seconds(5), []))
    assert results(collector) == [(5, {method: zero})]


@pytest.mark.parametrize("method", ["mean", "median", "mode", "spread", "min", "last"])
def test_other_functions_of_nothing_are_silent(method):
    node, collector = function(method)
    node.batch(Batch("m", {}, seconds(5), []))
    assert collector.points == []


def test_distinct_gives_each_value_once_by_time():
    node, collector = function("distinct")
    node.batch(batch('"x"', '"y"', '"x"'))
    [got] = collector.got
    assert [(p.time, p.fields, p.tags) for p in got.points] == [
        (seconds(100), {"distinct": "x"}, {"h": "a"}),
        (seconds(100), {"distinct": "y"}, {"h": "a"}),
    ]


@pytest.mark.parametrize(
    ("method", "expected"),
    [("top", [(9.0, "3"), (5.0, "0")]), ("bottom", [(1.0, "1"), (1.0, "2")])],
)
def test_top_and_bottom_are_best_first_with_all_tags(method, expected):
    node, collector = function(method, 2, "n")
    node.batch(batch(5.0, 1.0, 1.0, 9.0))
    [got] = collector.got
    assert [(p.fields, p.tags["n"]) for p in got.points] == [
        ({method: value}, row) for value, row in expected
    ]


def test_top_can_give_the_times_of_its_points():
    node, collector = function("top", 1, use_point_times=True)
    node.batch(batch(5.0, 9.0, 1.0))
    assert [p.time for p in collector.got[0].points] == [seconds(2)]


@pytest.mark.parametrize(
    ("method", "arguments", "values", "expected"),
    [
        ("difference", (), (1.0, 4.0, 2.0), [(2, 3.0), (3, -2.0)]),
        ("difference", (), ("1i", "4i"), [(2, 3)]),
        ("elapsed", (Duration(400_000_000),), ('"a"', '"b"'), [(2, 2)]),
        ("movingAverage", (2,), ("1i", "2i", "5i"), [(2, 1.5), (3, 3.5)]),
        ("cumulativeSum", (), ("1i", "2i", "5i"), [(1, 1), (2, 3), (3, 8)]),
    ],
)
def test_transformations_go_point_by_point(method, arguments, values, expected):
    stream, from_points = function(method, *arguments)
    for point in batch(*values).points:
        stream.point(point)
    node, from_batch = function(method, *arguments)
    node.batch(batch(*values))
    node.batch(batch(*values))
    wanted = [(time, {method: value}) for time, value in expected]
    assert results(from_points) == wanted
    assert [(p.time / 1e9, p.fields) for p in from_batch.got[1].points] == wanted
    assert from_points.points[0].tags == {"h": "a"}


def test_difference_skips_points_that_do_not_advance():
    node, collector = function("difference")
    for point in points("m v=1 1\nm v=5 1\nm v=2 2"):
        node.point(point)
    assert results(collector) == [(2, {"difference": 1.0})]


def test_on_a_stream_points_of_one_time_are_reduced_when_the_time_changes():
    node, collector = function("sum")
    given = points("m,h=a v=1 1\nm,h=b v=9 1\nm,h=a v=2 1\nm,h=a v=4 2", group_by="h")
    for point in given:
        node.point(point)
    assert results(collector) == [(1, {"sum": 3.0})]
    node.barrier(Barrier("h=a", seconds(3)))
    assert results(collector)[1:] == [(2, {"sum": 4.0})]


def errors(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(r.getMessage(), r.err) for r in caplog.records]


def test_points_without_the_field_are_skipped(caplog):
    node, collector = function("sum")
    lines = "m w=1 1\nm v=1 2\nm w=1 3\nm v=2i 4\nm v=5 5"
    node.batch(batch_of(points(lines), seconds(9)))
    assert results(collector) == [(9, {"sum": 6.0})]
    in_batch = "failed to aggregate point in batch"
    assert errors(caplog) == [
        (
            "failed to realize reduce context from fields",
            'field "v" missing from point',
        ),
        (in_batch, "field v missing from point cannot aggregate"),
        (in_batch, "field v has wrong type: got int64 exp float64"),
    ]
    assert node.errors == 3


def test_a_type_that_does_not_fit_still_sums_to_zero(caplog):
    node, collector = function("sum")
    node.batch(batch('"x"'))
    assert results(collector) == [(100, {"sum": 0.0})]
    assert [err for _, err in errors(caplog)] == [
        "invalid influxql func sum with field v: cannot apply sum to string field"
    ]


def test_an_unknown_function_does_not_start():
    with pytest.raises(TaskError, match="fourier2: fourier is not supported"):
        function("fourier")


METHODS = ["count", "sum", "mean", "median", "mode", "spread", "stddev"]
METHODS += ["min", "max", "first", "last", "distinct", "difference", "cumulativeSum"]
METHODS += ["percentile"]
values = {
    "float": st.sampled_from([0.0, 0.1, 0.2, 0.7, -3.5, 1e9]),
    "int": st.sampled_from([0, 1, 2, -5, 2**62]),
    "string": st.sampled_from(["a", "b"]),
    "bool": st.booleans(),
}
columns = st.one_of(*(st.just(kind) for kind in values)).flatmap(
    lambda kind: st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(90, 100),
            st.lists(st.tuples(st.integers(0, 9), values[kind]), max_size=9),
        ),
        min_size=1,
        max_size=6,
    ).filter(lambda batches: any(rows for _, _, rows in batches))
)


@given(
    method=st.sampled_from(METHODS),
    drawn=columns,
    point_times=st.booleans(),
    name=st.sampled_from(["v", "r"]),
    lacking=st.booleans(),
    percent=st.sampled_from([0.0, 10.0, 50.0, 90.0, 100.0, 110.0]),
)
def test_columns_and_points_give_the_same(
    method, drawn, point_times, name, lacking, percent
):
    logging.disable(logging.CRITICAL)
    try:
        given = []
        for host, tmax, rows in drawn:
            tags = {"h": host}
            each = [
                Point(
                    "m",
                    seconds(time),
                    {**tags, "n": str(i)},
                    {"w": i} if lacking and i == 2 else {"v": value, "w": i},
                    dimensions("h"),
                )
                for i, (time, value) in enumerate(rows)
            ]
            given.append(Batch("m", tags, seconds(tmax), each, dimensions("h")))
        settings = {"as_name": name, "use_point_times": point_times}
        arguments = [percent] if method == "percentile" else []
        by_points, expected = function(method, *arguments, **settings)
        by_columns, found = function(method, *arguments, **settings)
        for one in given:
            by_points.batch(one)
        by_columns.batches(batches_of(given))
    finally:
        logging.disable(logging.NOTSET)
    assert [shown(p) for p in found.points] == [shown(p) for p in expected.points]
    assert [*map(shown_batch, found.got)] == [*map(shown_batch, expected.got)]
    assert by_columns.errors == by_points.errors
