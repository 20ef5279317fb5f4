"""Points as lines for InfluxDB, by columns and by rows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.frames import Frame, Point
from runtime.line_protocol import parse
from runtime.line_protocol.lines import PRECISIONS, Lines
from runtime.testing.frames import frame_of


def is_readable(text: str) -> bool:
    """False for texts that nothing written by the protocol's rules gives back.

    The space after a backslash is escaped, and InfluxDB takes the two backslashes for an
    escaped one: to it the tags end there, and a quote after it begins a string.
    """
    return "\\ " not in text


NAMES = st.text(
    st.sampled_from(["a", "b", " ", ",", "=", '"', "é", "\\", "\n", "#"]), min_size=1
).filter(is_readable)
TEXTS = st.text("ab ,=\\\n", max_size=3).filter(is_readable)
VALUES = st.one_of(
    st.floats(),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.sampled_from(['"', "\\", 'a"b\\', "two\nlines"]),
)
POINTS = st.lists(
    st.builds(
        Point,
        st.just("m"),
        st.integers(-(10**18), 2 * 10**18),
        st.dictionaries(NAMES, TEXTS, max_size=3),
        st.dictionaries(st.sampled_from("abc d"), VALUES, min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=8,
)
FORMS = st.builds(
    Lines,
    st.sampled_from(["", "other"]),
    st.dictionaries(NAMES, st.text("xy"), max_size=2),
    st.sampled_from(sorted(PRECISIONS.values())),
)


def point(**fields: object) -> Point:
    return Point("m", 5, {"h": "a"}, fields)


def repeated(some: Point, count: int = 40) -> Frame:
    return frame_of([some] * count)


@settings(max_examples=60)
@given(FORMS, POINTS, st.sampled_from([1, 10]))
def test_columns_and_rows_give_the_same_lines(
    lines: Lines, points: list[Point], times: int
) -> None:
    points = points * times
    by_row = [line for each in points if (line := lines.of_point(each))]
    assert list(lines.of_frame(frame_of(points))) == by_row


@settings(max_examples=60)
@given(POINTS)
def test_each_line_is_one_point_with_the_same_values(points: list[Point]) -> None:
    lines = [line for each in points if (line := Lines().of_point(each))]
    kept = [each for each in points if Lines().of_point(each)]
    write = parse("".join(lines).encode(), now=0)
    found = list(write.points())
    assert len(found) == len(kept)
    for before, after in zip(kept, found, strict=True):
        assert after.time == before.time
        finite = {
            name: value
            for name, value in before.fields.items()
            if not (isinstance(value, float) and not math.isfinite(value))
        }
        assert dict(after.fields) == finite
        assert [type(v) for _, v in sorted(after.fields.items())] == [
            type(v) for _, v in sorted(finite.items())
        ]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"v": 1.0}, "v=1.0"),
        ({"v": 1e300}, "v=1e300"),
        ({"v": -5}, "v=-5i"),
        ({"b": 2, "a": 1}, "a=1i,b=2i"),
        ({"up": True, "down": False}, "down=false,up=true"),
        ({"s": 'say "a\\b"'}, 's="say \\"a\\\\b\\""'),
        ({"s": "two\nlines"}, 's="two\nlines"'),
        ({"a b": 1, 'c"': 2}, 'a\\ b=1i,c\\"=2i'),
        ({"a\\,b\\": 1, "c\\d": 2}, "a\\,b=1i,c\\d=2i"),
        ({"v": math.nan, "w": 1}, "w=1i"),
        ({"v": math.inf, "w": None, "x": ""}, 'x=""'),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_fields(fields: dict[str, object], wanted: str) -> None:
    line = f"m,h=a {wanted} 5\n"
    assert Lines().of_point(point(**fields)) == line
    assert list(Lines().of_frame(repeated(point(**fields)))) == [line] * 40


@pytest.mark.parametrize(
    ("name", "tags", "wanted"),
    [
        ("m", {}, "m"),
        ("m", {"b": "1", "a": "2"}, "m,a=2,b=1"),
        ("m", {"a": "", "b": "1"}, "m,b=1"),
        ("a b,c=d", {"e f": "g,h=i"}, "a\\ b\\,c=d,e\\ f=g\\,h\\=i"),
        # the protocol cannot express these, and they must not damage what follows
        ("m", {"a": "x\nevil v=1"}, "m,a=x\\nevil\\ v\\=1"),
        ("m", {"a": "c:\\", "b": "1"}, "m,a=c:,b=1"),
        ("m", {"a\\": "1", "b": "\\"}, "m,a=1"),
        ("m\\", {}, "m"),
        ("m", {"": "1"}, "m"),
    ],
)
def test_measurements_and_tags(name: str, tags: dict[str, str], wanted: str) -> None:
    some = Point(name, 5, tags, {"v": 1})
    assert Lines().of_point(some) == f"{wanted} v=1i 5\n"
    assert list(Lines().of_frame(repeated(some))) == [f"{wanted} v=1i 5\n"] * 40


@pytest.mark.parametrize(
    ("unit", "time", "wanted"),
    [
        ("ns", 1_999_999_999, "1999999999"),
        ("u", 1_999_999_999, "1999999"),
        ("ms", 1_999_999_999, "1999"),
        ("s", 1_999_999_999, "1"),
        ("s", -1_999_999_999, "-1"),
        ("s", -999_999_999, "0"),
        ("m", 119 * 10**9, "1"),
        ("h", 7200 * 10**9, "2"),
    ],
)
def test_times_are_cut_as_go_divides(unit: str, time: int, wanted: str) -> None:
    lines = Lines(unit=PRECISIONS[unit])
    some = Point("m", time, {}, {"v": 1})
    assert lines.of_point(some) == f"m v=1i {wanted}\n"
    assert list(lines.of_frame(repeated(some))) == [f"m v=1i {wanted}\n"] * 40


def test_own_tags_and_measurement_replace_those_of_the_point() -> None:
    lines = Lines("n", {"h": "x", "k": "v"})
    some = Point("m", 5, {"h": "a", "z": "1"}, {"v": 1})
    assert lines.of_point(some) == "n,h=x,k=v,z=1 v=1i 5\n"
    assert lines.of_point(some, "batch") == "n,h=x,k=v,z=1 v=1i 5\n"
    assert Lines().of_point(some, "batch") == "batch,h=a,z=1 v=1i 5\n"
    assert list(lines.of_frame(repeated(some))) == ["n,h=x,k=v,z=1 v=1i 5\n"] * 40


def test_a_point_without_a_field_that_has_a_form_has_no_line() -> None:
    assert Lines().of_point(point(v=math.nan)) == ""
    assert list(Lines().of_frame(repeated(point(v=math.nan)))) == []
    mixed = [point(v=math.nan), point(v=1.0), point(w=True)] * 30
    wanted = ["m,h=a v=1.0 5\n", "m,h=a w=true 5\n"] * 30
    assert list(Lines().of_frame(frame_of(mixed))) == wanted
