"""Recordings of batches: as Kapacitor writes them, and damaged ones."""

import json
import time
import zipfile
from pathlib import Path

import pytest

from runtime.frames import Batch, Dimensions, Point
from runtime.tasks.replay import batch_files
from runtime.tasks.replay.batch_files import (
    BatchRecordingReader,
    BatchRecordingWriter,
)
from runtime.tasks.replay.files import ReplayFileError
from runtime.units import SECOND, ZERO_TIME

BY_HOST = Dimensions(False, ("host",))


def batch(host: str, *points: tuple[int, float], name: str = "cpu") -> Batch:
    tags = {"host": host}
    made = [Point(name, t * SECOND, tags, {"v": v}, BY_HOST) for t, v in points]
    return Batch(name, tags, 100 * SECOND, made, BY_HOST)


def shown(one: Batch) -> tuple[object, ...]:
    points = [(p.time, dict(p.tags), dict(p.fields)) for p in one.points]
    return (one.name, dict(one.tags), one.tmax, one.group, one.dimensions, points)


def read(path: Path) -> list[list[tuple[object, ...]]]:
    reader = BatchRecordingReader(path)
    try:
        return [[*map(shown, reader.batches(query))] for query in range(reader.queries)]
    finally:
        reader.close()


def put(path: Path, *members: str) -> Path:
    """A file as Kapacitor makes it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, text in enumerate(members):
            archive.writestr(str(number), text)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    queries = [
        [batch("a", (1, 1.5), (2, 2.0)), batch("b", (1, 3.0))],
        [],
        [batch("é\n", (5, 4.0), name="disk io")],
    ]
    writer = BatchRecordingWriter(tmp_path / "deep" / "r.brpl")
    for batches in queries:
        writer.begin()
        writer.write(batches)
    size = writer.close()
    assert size == (tmp_path / "deep" / "r.brpl").stat().st_size
    assert read(tmp_path / "deep" / "r.brpl") == [[*map(shown, q)] for q in queries]


def test_the_file_is_kapacitors(tmp_path: Path) -> None:
    writer = BatchRecordingWriter(tmp_path / "r.brpl")
    writer.begin()
    ungrouped = Point("m", 1, {}, {"v": 1.0, "s": "x", "ok": True})
    writer.write([batch("a", (1, 1.5)), Batch("m", {}, 7, [ungrouped])])
    writer.write([Batch("m", {"h": "a"}, 7, [], Dimensions(True, ("h",)))])
    writer.close()
    with zipfile.ZipFile(tmp_path / "r.brpl") as archive:
        assert archive.namelist() == ["0"]
        lines = archive.read("0").decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "name": "cpu",
            "tmax": "1970-01-01T00:01:40Z",
            "group": "host=a",
            "tags": {"host": "a"},
            "points": [
                {
                    "fields": {"v": 1.5},
                    "tags": {"host": "a"},
                    "time": "1970-01-01T00:00:01Z",
                }
            ],
        },
        {
            "name": "m",
            "tmax": "1970-01-01T00:00:00.000000007Z",
            "points": [
                {
                    "fields": {"v": 1.0, "s": "x", "ok": True},
                    "tags": None,
                    "time": "1970-01-01T00:00:00.000000001Z",
                }
            ],
        },
        {
            "name": "m",
            "tmax": "1970-01-01T00:00:00.000000007Z",
            "group": "m\nh=a",
            "byname": True,
            "tags": {"h": "a"},
        },
    ]


def test_what_kapacitor_wrote_is_read(tmp_path: Path) -> None:
    path = put(
        tmp_path / "k.brpl",
        '{"name":"cpu","tmax":"2015-10-30T17:14:12Z","group":"cpu=total","tags":'
        '{"cpu":"total"},"points":[{"fields":{"mean":90,"gone":null},"tags":null,'
        '"time":"2015-10-30T17:14:10.5Z"},{"fields":{"mean":1},"tags":{"cpu":"total",'
        '"host":"a"},"time":"2015-10-30T19:14:11+02:00"}]}\n'
        '{"name":"empty","tmax":"2015-10-30T17:14:12Z"}\n\n',
        '{"name":"m","byname":true,"points":[{"fields":{"s":"x"},"time":"1970-01-01T00:'
        '00:00.000000001Z"}]}',
    )
    total = {"cpu": "total"}
    assert read(path) == [
        [
            (
                "cpu",
                total,
                1446225252 * SECOND,
                "cpu=total",
                Dimensions(False, ("cpu",)),
                [
                    (1446225250 * SECOND + SECOND // 2, total, {"mean": 90.0}),
                    (1446225251 * SECOND, {**total, "host": "a"}, {"mean": 1.0}),
                ],
            )
        ],
        [("m", {}, ZERO_TIME, "m", Dimensions(True, ()), [(1, {}, {"s": "x"})])],
    ]


def test_batches_may_have_several_lines(tmp_path: Path) -> None:
    pretty = json.dumps(
        {
            "name": 'a } " { b',
            "tags": {"host": "a"},
            "points": [{"fields": {"v": 1}, "time": "1970-01-01T00:00:01Z"}],
        },
        indent=4,
    )
    [batches] = read(put(tmp_path / "r.brpl", f"{pretty}\n\n{pretty}"))
    assert [name for name, *_ in batches] == ['a } " { b'] * 2


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[]", "invalid replay file format: Expected `object`, got `array`"),
        ('{"name":5}', "invalid replay file format: Expected `str`"),
        ('{"points":[{"fields":{"v":{}},"time":"x"}]}', "invalid replay file format: "),
        ('{"points":[{"fields":{},"time":"x"}]}', 'invalid time "x", must be RFC 3339'),
        ('{"points":[{"fields":{}}]}', "invalid replay file format: "),
        ("{", "invalid replay file format: "),
        ("[" * 100_000, "invalid replay file format: "),
        (
            '{"points":[{"fields":{},"time":"9999-01-01T00:00:00Z"}]}',
            "invalid replay file format: time out of range: 9999-01-01T00:00:00Z",
        ),
        ('{"name":"' + "x" * 100 + '"}', "a line is too long"),
    ],
    ids=["list", "name", "field", "time", "none", "cut", "deep", "late", "long"],
)
def test_damaged_lines_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, error: str
) -> None:
    if "too long" in error:
        monkeypatch.setattr(batch_files, "MAX_LINE_BYTES", 50)
    with pytest.raises(ReplayFileError) as caught:
        read(put(tmp_path / "r.brpl", text))
    assert error in str(caught.value)


@pytest.mark.parametrize("piece", ["{\n", "}\n", "\n", '"\n', "[\n", '{"'])
def test_long_nonsense_takes_no_long_time(tmp_path: Path, piece: str) -> None:
    path = put(tmp_path / "r.brpl", piece * 400_000)
    begun = time.monotonic()
    if piece.strip():
        with pytest.raises(ReplayFileError):
            read(path)
    else:
        assert read(path) == [[]]
    # on a busy machine; what takes time beyond measure takes hours
    assert time.monotonic() - begun < 30


def test_files_that_are_no_recordings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.brpl"
    with pytest.raises(ReplayFileError) as caught:
        read(path)
    assert str(caught.value) == "open r.brpl: no such file or directory"
    path.write_bytes(b"no archive")
    with pytest.raises(ReplayFileError) as caught:
        read(path)
    assert str(caught.value) == "open r.brpl: file is not a zip file"


@pytest.mark.parametrize("at", [40, 60, -60, -20])
def test_flipped_bytes_are_errors_of_the_file(tmp_path: Path, at: int) -> None:
    line = json.dumps({"name": "m", "points": [{"fields": {"v": 1}, "time": "x"}] * 9})
    data = bytearray(put(tmp_path / "r.brpl", line).read_bytes())
    for each in range(8):
        data[at + each] ^= 0xFF
    (tmp_path / "r.brpl").write_bytes(data)
    with pytest.raises(ReplayFileError):
        read(tmp_path / "r.brpl")
