"""Results of a write: frames, runs, columns."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.line_protocol.blocks import parse_columns
from runtime.line_protocol.rows import parse_rows
from runtime.line_protocol.times import Times
from runtime.line_protocol.write import Write, write_of_rows

BODY = """\
cpu,host=a v=1 1
cpu,host=b v=2 2
mem,host=a free=3i 3
cpu,host=a v=4,w=t 4
disk used=0.5 5
mem free=6i 6"""


def by_rows(body: str) -> Write:
    return write_of_rows(parse_rows(body, Times(1, 0)), "d", "r")


def by_columns(body: str) -> Write:
    return parse_columns(body.encode(), Times(1, 0), "d", "r", fewest=1)


@pytest.fixture(params=[by_rows, by_columns])
def parse(request):
    return request.param


def test_a_frame_for_each_measurement_in_order_of_appearance(parse):
    frames = parse(BODY).frames

    assert [(f.name, f.time.tolist(), f.db, f.rp) for f in frames] == [
        ("cpu", [1, 2, 4], "d", "r"),
        ("mem", [3, 6], "d", "r"),
        ("disk", [5], "d", "r"),
    ]


def test_runs_are_neighbours_of_one_measurement(parse):
    runs = parse(BODY).runs()

    assert [(run.name, run.time.tolist()) for run in runs] == [
        ("cpu", [1, 2]),
        ("mem", [3]),
        ("cpu", [4]),
        ("disk", [5]),
        ("mem", [6]),
    ]


def test_runs_of_some_measurements_leave_the_others_out(parse):
    runs = parse(BODY).runs({"cpu", "disk"})

    assert [(run.name, run.time.tolist()) for run in runs] == [
        ("cpu", [1, 2, 4]),
        ("disk", [5]),
    ]


def test_points_come_in_order_of_arrival(parse):
    assert [point.time for point in parse(BODY).points()] == [1, 2, 3, 4, 5, 6]
    assert len(parse(BODY)) == 6


def test_a_row_may_lack_a_tag_or_a_field(parse):
    cpu, mem, _ = parse(BODY).frames
    host, present = mem.tag("host"), cpu.field("w")

    assert [host.codes.tolist(), list(host.values)] == [[0, -1], ["a"]]
    assert [present.kind, present.present.tolist()] == ["bool", [False, False, True]]
    assert cpu.point(0).fields == {"v": 1.0}
    assert cpu.point(2).fields == {"v": 4.0, "w": True}
    assert (cpu.tag("nope"), cpu.field("nope")) == (None, None)
    assert sorted(cpu.field_names) == ["v", "w"]


def test_a_field_of_several_types_is_mixed(parse):
    [frame] = parse('m v=1\nm v=2i\nm v="x"\nm v=t\nm w=1').frames
    column = frame.field("v")

    assert column.kind == "mixed"
    assert [type(value) for value in column.values] == [
        float,
        int,
        str,
        bool,
        type(None),
    ]


@pytest.mark.parametrize(
    ("text", "kind", "dtype"),
    [
        ("1.5", "float", np.float64),
        ("1i", "int", np.int64),
        ("t", "bool", np.bool_),
        ('"x"', "string", np.object_),
    ],
)
def test_a_column_has_the_type_of_its_kind(parse, text, kind, dtype):
    [frame] = parse(f"m v={text}\nm v={text}").frames
    column = frame.field("v")

    assert (column.kind, column.values.dtype, column.present) == (kind, dtype, None)


def test_all_points_of_a_frame_are_its_rows(parse):
    [frame] = parse(
        "\n".join(f'm,h={n % 3} v={n},s="{n}" {n}' for n in range(9))
    ).frames
    some = frame.take(np.array([8, 0, 4]))

    assert [(p.tags, p.fields, p.time) for p in some.points()] == [
        ({"h": str(n % 3)}, {"v": float(n), "s": str(n)}, n) for n in (8, 0, 4)
    ]
    assert frame.point(5).fields == frame.points()[5].fields


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_parts_have_all_points_in_their_order(parse, size):
    write = parse(BODY)
    parts = [write.part(n, min(n + size, 6)) for n in range(0, 6, size)]

    assert [repr(p) for part in parts for p in part.points()] == [
        repr(p) for p in write.points()
    ]
    for part in parts:
        times = [point.time for point in part.points()]
        firsts = [frame.time.tolist()[0] for frame in part.frames]
        assert firsts == sorted(firsts)
        assert sorted(n for f in part.frames for n in f.time.tolist()) == times


def test_a_part_of_one_measurement(parse):
    write = parse("\n".join(f"cpu v={n} {n}" for n in range(5)))
    assert [point.time for point in write.part(2, 4).points()] == [2, 3]
