import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.frames import Point
from runtime.line_protocol import parse
from runtime.tasks.replay.files import (
    RecordingReader,
    RecordingWriter,
    ReplayFileError,
)
from runtime.tasks.replay.lines import is_complete, line_of

POINTS = [
    Point("cpu", 5, {"host": "a"}, {"v": 1.5, "n": 3, "ok": True, "s": "x"}),
    Point("a b,c", -1, {"k =,": "v =,", "empty": ""}, {"f =,": 'q"\\ z'}),
    Point(
        "m", 10**18, {}, {"s": 'two\nlines "quoted"\n', "big": 1e300, "small": -1e-7}
    ),
    Point("m", 0, {"q": '"half'}, {"v": float(10**17)}),
]


def write(path, points=POINTS):
    writer = RecordingWriter(path)
    writer.write("d", "r", points)
    return writer.close()


def read(path, limit=2):
    found = []
    with contextlib.closing(RecordingReader(path)) as reader:
        while entries := reader.take(limit):
            found += entries
        assert reader.progress == 1.0
    return found


def test_what_was_written_is_read(tmp_path):
    size = write(tmp_path / "new" / "x.srpl")
    path = tmp_path / "new" / "x.srpl"
    assert path.stat().st_size == size
    entries = read(path)
    assert [(each.db, each.rp) for each in entries] == [("d", "r")] * 4
    body = "\n".join(f"{each.head} {each.time}" for each in entries).encode()
    points = list(parse(body, precision="n", now=0).points())
    for point, wanted in zip(points, POINTS, strict=True):
        tags = {name: value for name, value in wanted.tags.items() if value}
        assert (point.name, point.time, dict(point.tags)) == (
            wanted.name,
            wanted.time,
            tags,
        )
        assert dict(point.fields) == dict(wanted.fields)


def test_a_file_of_kapacitor_is_three_lines_for_each_point(tmp_path):
    write(tmp_path / "x", POINTS[:1])
    text = gzip.decompress((tmp_path / "x").read_bytes()).decode()
    assert text == 'd\nr\ncpu,host=a n=3i,ok=true,s="x",v=1.5 5\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("d\nr\n", "invalid replay file format, expected another line"),
        ("d\n", "invalid replay file format, expected another line"),
        ("d\nr\ncpu v=1\n", "invalid replay file format, a point has no time: cpu v=1"),
        ('d\nr\ncpu s="x 1\n', 'invalid replay file format: cpu s="x 1'),
    ],
)
def test_damaged_files_are_told(tmp_path, text, reason):
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(ReplayFileError) as caught:
        read(path)
    assert str(caught.value) == reason


def test_a_file_that_is_cut_or_none_is_told(tmp_path):
    path = tmp_path / "x"
    write(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ReplayFileError, match="open "):
        read(path)
    path.write_bytes(b"no gzip at all")
    with pytest.raises(ReplayFileError, match="not a gzipped file"):
        read(path)
    with pytest.raises(ReplayFileError, match="no such file or directory"):
        read(tmp_path / "nope")


# not all names with backslashes can be written, nor one that begins a comment
NAMES = st.text('ab,= "é', min_size=1).map(lambda text: f"n{text}")


@given(NAMES, NAMES, NAMES, NAMES, st.text('ab,= "\\é\n'))
def test_any_name_comes_back(name, tag, value, field, string):
    point = Point(name, 5, {tag: value}, {field: string, "other": 1})
    line = line_of(point)
    assert is_complete(line)
    [found] = parse(line.encode(), precision="n", now=0).points()
    assert (found.name, dict(found.tags)) == (name, {tag: value})
    assert dict(found.fields) == dict(point.fields)


def test_quotes_mean_something_in_fields_only():
    assert is_complete(line_of(POINTS[3]))
    assert is_complete('m,t=a\\ "b v=1 5')
    assert not is_complete('m s="a')
    assert not is_complete('m s="a\\"')
