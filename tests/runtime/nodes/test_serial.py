"""Nodes with state have the same results by columns as by points."""

import itertools
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.frames import Point
from runtime.nodes import serial
from runtime.nodes.environment import Environment
from runtime.pipeline import transform
from runtime.tasks.build import NODES
from runtime.testing.frames import (
    Collector,
    batch_of,
    batches_of,
    dimensions,
    frame_of,
    lambda_of,
    points,
    seconds,
    shown,
    shown_batch,
)
from runtime.units import Duration
from tests.examples import at_most

HOUR = Duration(seconds(3600))
SPECS = {
    "derivative": lambda: transform.DerivativeNode("v"),
    "derivative as": lambda: transform.DerivativeNode(
        "v", as_name="r", unit=HOUR, non_negative=True
    ),
    "stateCount": lambda: transform.StateCountNode(lambda_of('"v" > 1'), as_name="s"),
    "stateCount tag": lambda: transform.StateCountNode(
        lambda_of("\"h\" != 'b'"), as_name="v"
    ),
    "stateDuration": lambda: transform.StateDurationNode(
        lambda_of('"v" > 1'), as_name="s"
    ),
    "stateDuration unit": lambda: transform.StateDurationNode(
        lambda_of('"v" <= 2 AND "b"'), as_name="s", unit=HOUR
    ),
    "changeDetect": lambda: transform.ChangeDetectNode(("v",)),
    "changeDetect text": lambda: transform.ChangeDetectNode(("t", "b")),
}
VALUES = {
    "float": [0.5, 1.0, 1.5, 2.0, -0.0, 0.0, float("inf")],
    "int": [0, 1, 2, 3, 2**62, -(2**62)],
}

# of each node; of all together more than a thousand
EXAMPLES = at_most(150)


def some_points(kind: str) -> st.SearchStrategy[list[Point]]:
    # a draw for a whole point: one for each part takes three times as long as the test
    parts = itertools.product(range(10), "abc", VALUES[kind], "xy", [False, True])
    return st.lists(
        st.sampled_from([*parts]).map(
            lambda drawn: Point(
                "m",
                seconds(drawn[0]),
                {"h": drawn[1]},
                dict(zip("vtb", drawn[2:], strict=True)),
                dimensions("h"),
                "d",
                "r",
            )
        ),
        min_size=1,
        max_size=20,
    )


def running(name: str) -> tuple[Any, Collector]:
    spec = SPECS[name]()
    spec.name = "node1"
    node, collector = NODES[type(spec)](spec, Environment("t")), Collector()
    node.link(collector)
    return node, collector


@pytest.fixture(autouse=True, scope="module")
def _columns_without_a_word():
    logging.disable(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serial, "COLUMNS_FROM", 1)
        yield
    logging.disable(logging.NOTSET)


frames = st.one_of(
    st.lists(some_points(kind), min_size=1, max_size=4) for kind in VALUES
)


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=EXAMPLES)
@given(writes=frames)
def test_streams(name, writes):
    one, expected = running(name)
    other, found = running(name)
    other.apply = None  # nothing goes point by point
    for write in writes:
        for point in write:
            one.point(point)
        other.frame(frame_of(write))
    assert [*map(shown, found.points)] == [*map(shown, expected.points)]
    assert other.errors == one.errors
    assert other.working_cardinality == one.working_cardinality


@settings(max_examples=EXAMPLES)
@given(writes=frames)
def test_nodes_that_differ_share_what_a_frame_has_for_both(writes):
    names = ["derivative", "derivative as"]
    by_points, by_columns = [*map(running, names)], [*map(running, names)]
    for write in writes:
        frame = frame_of(write)
        for (one, _), (other, _) in zip(by_points, by_columns, strict=True):
            for point in write:
                one.point(point)
            other.frame(frame)
    for (_, expected), (_, found) in zip(by_points, by_columns, strict=True):
        assert [*map(shown, found.points)] == [*map(shown, expected.points)]


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=EXAMPLES)
@given(writes=frames)
def test_state_is_shared_by_points_and_columns(name, writes):
    one, expected = running(name)
    other, found = running(name)
    for number, write in enumerate(writes):
        for point in write:
            one.point(point)
        if number % 2:
            other.frame(frame_of(write))
        else:
            for point in write:
                other.point(point)
    assert [*map(shown, found.points)] == [*map(shown, expected.points)]


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=EXAMPLES)
@given(writes=frames)
def test_batches(name, writes):
    one, expected = running(name)
    other, found = running(name)
    batches = [
        batch_of(some, seconds(100))
        for write in writes
        for host in "abc"
        if (some := [point for point in write if point.tags["h"] == host])
    ]
    other.batch = None  # nothing goes batch by batch
    for batch in batches:
        one.batch(batch)
    other.batches(batches_of(batches))
    assert [*map(shown_batch, found.got)] == [*map(shown_batch, expected.got)]
    assert other.errors == one.errors
    assert other.working_cardinality == one.working_cardinality


@pytest.mark.parametrize("name", SPECS)
def test_an_empty_batch_is_a_beginning(name):
    one, expected = running(name)
    other, found = running(name)
    full = batch_of(points("m,h=a v=2,t=1,b=true 1", group_by="h"), seconds(9))
    empty = batch_of(full.points, seconds(10))
    empty.points = []
    for batch in [full, empty]:
        one.batch(batch)
    other.batches(batches_of([full, empty]))
    assert [*map(shown_batch, found.got)] == [*map(shown_batch, expected.got)]


def test_few_points_go_point_by_point(monkeypatch):
    monkeypatch.setattr(serial, "COLUMNS_FROM", 3)
    node, collector = running("stateCount")
    node.series = None
    node.frame(frame_of(points("m v=2 1\nm v=2 2")))
    assert [point.fields["s"] for point in collector.points] == [1, 2]


@pytest.mark.parametrize("name", ["derivative", "stateDuration"])
def test_times_that_are_too_far_apart_go_point_by_point(name):
    one, expected = running(name)
    other, found = running(name)
    times = [-(2**63), 2**63 - 1, 0]
    write = [Point("m", time, {}, {"v": float(n + 2)}) for n, time in enumerate(times)]
    for point in write:
        one.point(point)
    other.frame(frame_of(write))
    assert [*map(shown, found.points)] == [*map(shown, expected.points)]
