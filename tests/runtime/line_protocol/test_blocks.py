"""Rows and columns give the same points and the same errors."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import LineProtocolError
from runtime.line_protocol import parse
from runtime.line_protocol.blocks import parse_columns
from runtime.line_protocol.rows import parse_rows
from runtime.line_protocol.times import Times
from runtime.line_protocol.write import Write, write_of_rows

NOW = 1_700_000_000_123_456_789


def content(write: Write):
    """All that a write says, read both by columns and by points."""
    columns = []
    for frame in write.frames:
        for row in range(len(frame)):
            tags = {
                name: column.values[column.codes[row]]
                for name, column in frame.all_tags().items()
                if column.codes[row] >= 0
            }
            fields = {
                name: (column.kind, repr(column.values.tolist()[row]))
                for name, column in frame.all_fields().items()
                if column.present is None or column.present[row]
            }
            columns.append((frame.name, int(frame.time[row]), tags, fields))
    points = [
        (p.name, p.time, p.tags, {n: repr(v) for n, v in p.fields.items()})
        for p in write.points()
    ]
    singles = [
        repr(sorted(frame.point(row).fields.items()))
        for frame in write.frames
        for row in range(len(frame))
    ]
    runs = [(run.name, run.time.tolist()) for run in write.runs()]
    return columns, points, singles, runs


def outcome(make):
    try:
        return content(make())
    except LineProtocolError as error:
        return str(error)


def assert_same(body: bytes, precision: str = "", fewest: int = 1) -> None:
    times = Times.of(precision, NOW)
    text = body.decode("utf-8", "replace")
    rows = outcome(lambda: write_of_rows(parse_rows(text, times), "d", "r"))
    columns = outcome(lambda: parse_columns(body, times, "d", "r", fewest=fewest))

    assert columns == rows


FRAGMENTS = [
    *"cpu,,,== \n\n\\\"\t\r#.-+5eitN\0é'",
    *("host=a", " v=1", "w=2i", 's="a b"', " 5", "\\\n", "\\="),
    *("cpu,h=a v=1 5\n", 'm s="x,y=1 \\" " 7\n', "m v=t\n"),
]
HOSTILE = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-(10**6), 10**6, places=3).map(str),
    st.integers(0, 10**25).map(str),
    st.builds("{}.{}".format, st.integers(0, 10**12), st.integers(0, 10**12)),
    st.sampled_from(["1.", ".5", "-.5", "-0", "00.5", "-", ".", "1.1.1", "1-1", "1i"]),
    st.sampled_from(
        ["9007199254740993", "12345678901234567.5", "1e-7", "5e-324", "/1"]
    ),
)
INTEGERS = st.integers(-(2**64), 2**64).map("{}i".format)
BOOLEANS = st.sampled_from(["t", "F", "true", "False", "TRUE", "tru", "FALSEE"])
STRINGS = st.sampled_from(['"a"', '""', '"x, =y"', '"x\ny"', '"é"', r'"a\"b"', '"x"y'])
WORDS = ["a", "server001", "server1000", "aaaaaaaab", "baaaaaaab", "aaaaaaaa"]
TAGS = st.sampled_from([*WORDS, "x" * 70, "é", r"a\ b", '"q"', "", "b=", "\t"])
TIMES = st.one_of(st.just(""), st.integers(-(2**64), 2**64).map(" {}".format))


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Lines of a few shapes, interleaved, with a hostile one here and there."""
    templates = []
    for _ in range(draw(st.integers(1, 3))):
        names = draw(st.lists(st.sampled_from("hrt"), unique=True, max_size=3))
        kinds = draw(
            st.lists(
                st.sampled_from([NUMBERS, INTEGERS, BOOLEANS, STRINGS]),
                min_size=1,
                max_size=3,
            )
        )
        series = draw(st.sampled_from(["cpu", "mem", r"m\,x"]))
        tags = [draw(st.lists(TAGS, min_size=1, max_size=3)) for _ in names]
        values = [draw(st.lists(kind, min_size=1, max_size=3)) for kind in kinds]
        stamps = draw(st.lists(TIMES, min_size=1, max_size=3))
        templates.append((series, dict(zip(names, tags, strict=True)), values, stamps))
    choose = random.Random(draw(st.integers(0, 2**32))).choice
    lines = []
    for _ in range(draw(st.integers(1, 20))):
        series, tags, values, stamps = choose(templates)
        tagged = "".join(f",{tag}={choose(some)}" for tag, some in tags.items())
        fields = ",".join(f"{'vwx'[i]}={choose(some)}" for i, some in enumerate(values))
        lines.append(f"{series}{tagged} {fields}{choose(stamps)}")
    for line in draw(st.lists(HOSTILE, max_size=1)):
        lines.insert(draw(st.integers(0, len(lines))), line)
    return "\n".join(lines).encode()


@given(bodies(), st.sampled_from(["", "s", "h"]), st.sampled_from([1, 3]))
def test_columns_and_rows_agree_on_lines_of_a_few_shapes(body, precision, fewest):
    assert_same(body, precision, fewest)


@given(HOSTILE)
def test_columns_and_rows_agree_on_hostile_bodies(text):
    assert_same(text.encode())


@given(st.lists(NUMBERS.filter(lambda n: n[-1].isdigit()), min_size=1, max_size=30))
def test_columns_and_rows_agree_on_every_bit_of_floats(numbers):
    assert_same("\n".join(f"m v={number}" for number in numbers).encode())


@given(st.lists(st.tuples(st.integers(0, 2**64), st.integers(0, 19)), min_size=1))
def test_a_float_of_many_digits_is_the_nearest_one(pairs):
    texts = []
    for mantissa, decimals in pairs:
        digits = str(mantissa).rjust(decimals + 1, "0")
        texts.append(
            f"{digits[: len(digits) - decimals]}.{digits[len(digits) - decimals:]}"
        )
    body = "\n".join(f"m v={text}" for text in texts).encode()
    [frame] = parse_columns(body, Times(1, 0), "", "", fewest=1).frames

    assert frame.field("v").values.tolist() == [float(text) for text in texts]


@pytest.mark.parametrize(
    "body",
    [
        b"\n\n\n",
        b"# only\n# comments\n",
        b'm v="x\nm w=1 1\nm w=2 2\nm w=3"\nm w=4 4',
        b"m\\\nm v=1 1\nm v=2 2",
        b"m v=1\\\nm v=2\nm v=3",
        b'm v="a",w="b" 1\nm v="c" x",w="d" 2\nm v="e",w="f" 3',
        b'm a,b,c="x=y=z=w"\nm v="1"\nm v="2"',
        b"m,a=b v=1 1\nm,a=\0b v=1 2\nm,a=b\0 v=1 3",
        b"m,a=\xff v=1 1\nm,a=\xfe v=1 2",
        b"m,a=1 v=1 1\n" + b"x" * 300 + b",a=1 v=1 1",
        b"m,a=1 v=1 1\nm,a=" + b"x" * 40_000 + b" v=1 1",
        b"m,a=1 v=1 1\nm,a=" + b"x" * 70_000 + b" v=1 1",
        b"m v=1,v=2i\nm v=3,v=4i",
        b"m v=1 5 \nm v=2 6 \nm v=3 7",
        b"m \tv=1\nm v=2\n\tm v=3\n#m v=4\nm v=5",
    ],
)
def test_columns_and_rows_agree_on_odd_bodies(body: bytes):
    assert_same(body)


def test_large_bodies_are_the_same_points_as_small_ones():
    lines = [
        (
            f"cpu,host=server{n % 100:03d},region=eu idle={n / 7:.3f},user={n / 3} {n}"
            if n % 3
            else f'disk,host=server{n % 100:03d},path=/ used={n}i,ro=f,state="ok" {n}'
        )
        for n in range(2_000)
    ]
    whole = content(parse("\n".join(lines).encode(), now=NOW))
    pieces = [content(parse(line.encode(), now=NOW)) for line in lines]

    assert whole[1] == [point for piece in pieces for point in piece[1]]


def test_a_large_body_with_a_bad_line_names_it_alone():
    lines = ["cpu v=1 1"] * 5_000
    lines[3_000] = "cpu v=x 1"
    with pytest.raises(LineProtocolError) as caught:
        parse("\n".join(lines).encode(), now=NOW)

    assert str(caught.value) == "unable to parse 'cpu v=x 1': invalid boolean"
