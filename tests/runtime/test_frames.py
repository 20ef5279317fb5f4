"""Frames group and derive without losing the order of points."""

from __future__ import annotations

import gc
import time
import weakref

import numpy as np
import pytest

from runtime.frames import Dimensions, FieldColumn, Frame, Table, TagColumn
from runtime.nodes.columns import derived
from runtime.nodes.predicate import Predicate
from runtime.testing.frames import host_frame, lambda_of


def frame(hosts: list[str | None], zones: list[str | None] | None = None) -> Frame:
    tags = {"host": column(hosts)}
    if zones is not None:
        tags["zone"] = column(zones)
    values = np.arange(len(hosts), dtype=np.float64)
    times = np.arange(len(hosts), dtype=np.int64)
    return Frame("cpu", times, Table(tags, {"v": FieldColumn("float", values)}))


def column(tags: list[str | None]) -> TagColumn:
    values = sorted({tag for tag in tags if tag is not None})
    codes = [-1 if tag is None else values.index(tag) for tag in tags]
    return TagColumn(np.array(codes, dtype=np.int32), values)


def test_groups_are_numbered_in_order_of_appearance():
    groups = frame(["b", "a", "b", "c", "a"]).grouped(Dimensions(tags=("host",))).groups

    assert list(groups.ids) == ["host=b", "host=a", "host=c"]
    assert groups.codes.tolist() == [0, 1, 0, 2, 1]
    assert groups.order.tolist() == [0, 2, 1, 4, 3]
    assert groups.starts.tolist() == [0, 2, 4, 5]
    assert list(groups.tags) == [{"host": "b"}, {"host": "a"}, {"host": "c"}]


def test_groups_by_several_tags_are_their_combinations():
    dimensions = Dimensions(by_name=True, tags=("host", "zone"))
    points = frame(["a", "a", "b", "a"], ["x", "y", "x", "x"])
    groups = points.grouped(dimensions).groups

    assert list(groups.ids) == [
        "cpu\nhost=a,zone=x",
        "cpu\nhost=a,zone=y",
        "cpu\nhost=b,zone=x",
    ]
    assert groups.codes.tolist() == [0, 1, 2, 0]


def test_an_absent_tag_groups_as_an_empty_one():
    groups = frame(["a", None, ""]).grouped(Dimensions(tags=("host", "nope"))).groups

    assert list(groups.ids) == ["host=a,nope=", "host=,nope="]
    assert groups.codes.tolist() == [0, 1, 1]


def test_without_dimensions_all_rows_are_one_group():
    groups = frame(["a", "b"]).groups

    assert (list(groups.ids), groups.starts.tolist()) == ([""], [0, 2])


@pytest.mark.parametrize("tags", [(), ("host",)])
def test_an_empty_frame_has_no_groups(tags: tuple[str, ...]):
    groups = frame([]).grouped(Dimensions(tags=tags)).groups

    assert (list(groups.ids), groups.starts.tolist()) == ([], [0])


def test_many_tags_of_many_values_group_apart():
    size = 300
    names = tuple(f"t{n:02d}" for n in range(12))
    values = [f"v{n}" for n in range(size)]
    codes = np.arange(size, dtype=np.int32)
    table = Table({name: TagColumn(codes, values) for name in names}, {})
    points = Frame("m", codes.astype(np.int64), table)
    groups = points.grouped(Dimensions(tags=names)).groups

    assert groups.codes.tolist() == list(range(size))


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize(
    "rows", [[], [4], [1, 3], [5, 0, 2, 0], [*range(6)], [*range(6)] * 60], ids=len
)
def test_taken_rows_group_as_they_would_by_themselves(rows: list[int], by_name: bool):
    dimensions = Dimensions(by_name=by_name, tags=("host", "zone"))
    points = frame(["b", "a", None, "b", "", "c"], ["x", "y", "x", "x", "x", None])
    points = points.grouped(dimensions)
    assert len(points.groups.ids) == 4
    which = np.array(rows, dtype=np.intp)
    taken = points.take(which)
    # of taken rows some are taken
    taken, which = taken.take(np.arange(len(which))[::-1]), which[::-1]
    alone = Frame("cpu", points.time[which], taken.columns, dimensions=dimensions)

    assert taken.group_ids == alone.group_ids
    assert list(taken.groups.ids) == list(alone.groups.ids)
    assert list(taken.groups.tags) == list(alone.groups.tags)
    for name in ("codes", "order", "starts"):
        left, right = getattr(taken.groups, name), getattr(alone.groups, name)
        assert left.tolist() == right.tolist()


def test_points_of_taken_rows_are_those_rows():
    some = frame(["a", None, "b", "a"]).take(np.array([3, 1]))

    assert [(p.tags, p.fields, p.time) for p in some.points()] == [
        ({"host": "a"}, {"v": 3.0}, 3),
        ({}, {"v": 1.0}, 1),
    ]
    assert [some.point(0).tags, some.point(1).tags] == [{"host": "a"}, {}]


def test_points_lack_fields_that_are_absent():
    present = np.array([True, False])
    fields = {
        "v": FieldColumn("int", np.array([1, 2]), present),
        "w": FieldColumn("string", np.array(["x", "y"], dtype=np.object_)),
    }
    points = Frame("m", np.array([1, 2]), Table({}, fields)).points()

    assert [p.fields for p in points] == [{"v": 1, "w": "x"}, {"w": "y"}]
    assert type(points[0].fields["v"]) is int


def test_points_of_a_grouped_frame_are_in_their_groups():
    points = frame(["a", "b"]).grouped(Dimensions(tags=("host",))).points()

    assert [p.group for p in points] == ["host=a", "host=b"]


def test_what_a_frame_shares_does_not_keep_it_alive() -> None:
    frame = host_frame(50, 5)
    predicate = Predicate(lambda_of("\"host\" != ''"), "")
    alive = weakref.ref(frame.columns)
    grouped = frame.grouped(Dimensions(tags=("host",))).take(np.arange(9))
    selected = predicate.select(grouped.replace(time=grouped.time + 1))
    assert selected is not None
    assert len(selected.frame) == 9
    assert derived(grouped, fields={"usage_user": None}).points()
    gc.disable()
    try:
        del frame, grouped, selected
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("absent", [False, True])
@pytest.mark.parametrize("size", [5, 300, 5_000])
def test_a_part_holds_the_values_of_its_own_rows(size, absent):
    values = [f"h{number}" for number in range(5_000)] + [""]
    codes = np.arange(10_000, dtype=np.int32) % 5_001
    if absent:
        codes[::7] = -1
    hosts = TagColumn(codes, values)
    times = np.arange(len(codes), dtype=np.int64)
    whole = Frame("cpu", times, Table({"host": hosts}, {}))
    rows = np.arange(4_990, 4_990 + size, dtype=np.intp)
    part = whole.take(rows)

    found = part.tag("host")
    assert len(found.values) <= max(256 + 4 * size, size)
    assert [each.tags for each in part.points()] == [
        {} if codes[row] < 0 else {"host": values[codes[row]]} for row in rows
    ]
    grouped = part.grouped(Dimensions(tags=("host",)))
    assert grouped.group_ids == {
        f"host={each.tags.get('host', '')}" for each in part.points()
    }


def test_the_groups_of_a_part_cost_what_the_part_is():
    values = [f"h{number}" for number in range(300_000)]
    codes = np.arange(300_000, dtype=np.int32)
    times = np.arange(len(codes), dtype=np.int64)
    whole = Frame("cpu", times, Table({"host": TagColumn(codes, values)}, {}))
    began = time.process_time()
    for start in range(0, 64_000, 16):
        part = whole.take(np.arange(start, start + 16, dtype=np.intp))
        assert len(part.grouped(Dimensions(tags=("host",))).group_ids) == 16
    # a scan of all values for each part takes a minute
    assert time.process_time() - began < 5
