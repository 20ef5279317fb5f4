"""Series of InfluxDB as batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from runtime.frames import Batch, Batches, Dimensions, Point
from runtime.nodes.query.answers import (
    ROWS_AT_ONCE,
    QueryAnswer,
    batches_of,
    in_columns,
)
from runtime.services.influxdb.series import Series
from runtime.testing.frames import shown_batch
from tests.runtime.nodes.query.clusters import series

STOP = 1000


def collected(
    *given: Series,
    by_name: bool = False,
    is_grouped_by_time: bool = False,
    rows_at_once: int = ROWS_AT_ONCE,
) -> list[Batches]:
    async def run() -> list[Batches]:
        async def each() -> AsyncIterator[Series]:
            for one in given:
                yield one

        answer = QueryAnswer(
            STOP,
            by_name=by_name,
            is_grouped_by_time=is_grouped_by_time,
            rows_at_once=rows_at_once,
        )
        return [batches async for batches in batches_of(each(), answer)]

    return asyncio.run(run())


def shown(found: Sequence[Batches]) -> list[tuple[object, ...]]:
    """Name, time, tags, group and points of each batch."""
    return [shown_batch(batch) for batches in found for batch in batches]


def test_a_series_is_a_batch_with_the_time_of_the_query() -> None:
    [batches] = collected(series("cpu", {"host": "a"}, [(1, 1), (2, 2.5)]))
    [batch] = batches
    assert (batch.name, dict(batch.tags), batch.tmax) == ("cpu", {"host": "a"}, STOP)
    assert (batch.group, batch.dimensions.tags) == ("host=a", ("host",))
    assert [(p.time, dict(p.tags), dict(p.fields)) for p in batch.points] == [
        (1, {"host": "a"}, {"v": 1.0}),
        (2, {"host": "a"}, {"v": 2.5}),
    ]
    assert [p.group for p in batch.points] == ["host=a"] * 2
    assert isinstance(batch.points[0].fields["v"], float)


def test_grouped_by_time_it_has_the_time_of_its_last_row() -> None:
    found = collected(
        series("m", {"h": "a"}, [(1, 1.0), (7, 2.0), (9, None)]),
        series("m", {"h": "b"}, [(1, None), (7, None)]),
        is_grouped_by_time=True,
    )
    assert [batch.tmax for batches in found for batch in batches] == [7, STOP]


def test_null_is_no_field_and_a_row_of_nulls_no_point() -> None:
    rows = [(1, 1.0, None), (2, None, None), (3, None, "x"), (4, 4, "y")]
    [batches] = collected(series("m", {}, rows, columns=("v", "s")))
    [batch] = batches
    assert [(p.time, dict(p.fields)) for p in batch.points] == [
        (1, {"v": 1.0}),
        (3, {"s": "x"}),
        (4, {"v": 4.0, "s": "y"}),
    ]


@pytest.mark.parametrize(
    "rows", [[], [(1, None)], [(1, None), (2, None)]], ids=["none", "null", "nulls"]
)
def test_a_series_without_values_is_an_empty_batch(rows: Any) -> None:
    [batches] = collected(series("m", {"h": "a"}, rows))
    [batch] = batches
    assert (batch.tmax, list(batch.points)) == (STOP, [])


def test_parts_of_a_series_are_one_batch() -> None:
    found = collected(
        series("m", {"h": "a"}, [(1, 1.0)], partial=True),
        series("m", {"h": "a"}, [(2, 2)], partial=True),
        series("m", {"h": "a"}, [(3, None), (4, 4.0)]),
        series("m", {"h": "b"}, [(1, 5.0)]),
    )
    each = [batch for batches in found for batch in batches]
    assert [[p.fields["v"] for p in batch.points] for batch in each] == [
        [1.0, 2.0, 4.0],
        [5.0],
    ]
    assert [batch.group for batch in each] == ["h=a", "h=b"]


def test_series_of_another_measurement_or_other_tags_have_batches_of_their_own() -> (
    None
):
    found = collected(
        series("a", {"h": "x"}, [(1, 1.0)]),
        series("a", {"h": "y"}, [(1, 2.0)]),
        series("b", {"h": "x"}, [(1, 3.0)]),
        series("b", {"h": "x", "r": ""}, [(1, 4.0)]),
        by_name=True,
    )
    assert [len(batches) for batches in found] == [2, 1, 1]
    groups = [batch.group for batches in found for batch in batches]
    assert groups == ["a\nh=x", "a\nh=y", "b\nh=x", "b\nh=x,r="]
    assert found[0].frame.dimensions.by_name


def test_groups_whose_ids_are_alike_keep_their_tags() -> None:
    tags = {"a": "1,b=2", "b": "3"}, {"a": "1", "b": "2,b=3"}
    [batches] = collected(*(series("m", each, [(1, 1.0)]) for each in tags))
    assert [dict(batch.tags) for batch in batches] == list(tags)
    assert [dict(batch.points[0].tags) for batch in batches] == list(tags)


def test_series_whose_fields_have_different_types() -> None:
    [batches] = collected(
        series("m", {"h": "a"}, [(1, 1.5), (2, None)]),
        series("m", {"h": "b"}, [(1, "x")]),
        series("m", {"h": "c"}, [(1, True)]),
        series("m", {"h": "d"}, [(1, None)]),
    )
    values = [[dict(p.fields) for p in batch.points] for batch in batches]
    assert values == [[{"v": 1.5}], [{"v": "x"}], [{"v": True}], []]
    column = batches.frame.field("v")
    assert column is not None
    assert column.kind == "mixed"


def test_a_field_that_only_some_parts_have() -> None:
    [batches] = collected(
        series("m", {"h": "a"}, [(1, 1.0)], columns=("v",)),
        series("m", {"h": "b"}, [(1, "x", 2)], columns=("s", "v")),
    )
    values = [dict(p.fields) for batch in batches for p in batch.points]
    assert values == [{"v": 1.0}, {"v": 2.0, "s": "x"}]


def test_a_long_answer_comes_in_steps() -> None:
    rows = [(time, float(time)) for time in range(4)]
    each = (series("m", {"h": str(n)}, rows) for n in range(7))
    found = collected(*each, rows_at_once=10)
    assert [len(batches) for batches in found] == [3, 3, 1]
    # a series is never cut
    long = [(time, float(time)) for time in range(25)]
    [batches] = collected(series("m", {}, long), rows_at_once=10)
    assert len(batches.frame) == 25


def test_columns_and_points_say_the_same() -> None:
    found = collected(
        series("m", {"h": "a", "r": "x"}, [(1, 1.0), (2, None), (3, 3.0)]),
        series("m", {"h": "b", "r": "x"}, []),
        series("m", {"h": "a", "r": "y"}, [(2, 5.0)]),
    )
    each: list[Batch] = [batch for batches in found for batch in batches]
    again = in_columns(each)
    assert shown([again]) == shown(found)
    groups = again.frame.groups
    assert list(groups.ids) == ["h=a,r=x", "h=a,r=y"]
    assert again.frame.group_ids == {"h=a,r=x", "h=a,r=y"}
    assert again.group_ids == {"h=a,r=x", "h=b,r=x", "h=a,r=y"}


def test_points_of_a_recording_keep_their_own_tags() -> None:
    dimensions = Dimensions(tags=("h",))
    points = [
        Point("m", 1, {"h": "a", "cpu": "0"}, {"v": 1.0}, dimensions),
        Point("m", 2, {"h": "a"}, {"v": 2.0}, dimensions),
    ]
    batch = Batch("m", {"h": "a"}, 9, points, dimensions)
    [again] = in_columns([batch])
    assert shown_batch(again) == shown_batch(batch)
