"""Answers of InfluxDB that are recorded: as points in order, or as batches."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path

import pytest

from runtime.errors import DeliveryError, InvalidError
from runtime.frames import Batch, Point
from runtime.services.influxdb.series import Series, decoded
from runtime.tasks.replay.answers import Question, record_batches, record_points
from runtime.tasks.replay.batch_files import BatchRecordingReader
from runtime.tasks.replay.files import RecordingReader

QUESTION = Question.of('SELECT v FROM "d"."r"."m"')


async def answer(
    *series: Series, error: str = ""
) -> AsyncGenerator[Series]:  # pragma: no cover
    for each in series:
        yield each
    if error:
        raise DeliveryError(error)


def made(text: str) -> list[Series]:
    """The series of a document, which are given without the names of its keys."""
    return list(decoded(f'{{"results":[{{"series":[{text}]}}]}}'.encode()))


def lines(path: Path) -> list[tuple[str, str, str, int]]:
    reader = RecordingReader(path)
    try:
        return [tuple(entry) for entry in reader.take(1000)]
    finally:
        reader.close()


def test_points_of_all_series_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    series = made(
        '{"name":"m","tags":{"h":"a"},"columns":["time","v","s"],"partial":true,'
        '"values":[[1,1,"x y"],[3,null,null],[5,2.5,"\\n"]]},'
        '{"name":"m","tags":{"h":"a"},"columns":["time","v","s"],"values":[[7,4,null]]},'
        '{"name":"m","tags":{"h":"b"},"columns":["time","v"],"values":[[9,7],[5,6],[1,5]]}'
    )
    size = asyncio.run(record_points(tmp_path / "r", QUESTION, answer(*series)))
    assert size == (tmp_path / "r").stat().st_size
    assert lines(tmp_path / "r") == [
        ("d", "r", 'm,h=a s="x y",v=1.0', 1),
        ("d", "r", "m,h=b v=5.0", 1),
        ("d", "r", 'm,h=a s="\n",v=2.5', 5),
        ("d", "r", "m,h=b v=6.0", 5),
        ("d", "r", "m,h=a v=4.0", 7),
        ("d", "r", "m,h=b v=7.0", 9),
    ]


def test_an_answer_without_rows_is_an_empty_recording(tmp_path: Path) -> None:
    asyncio.run(record_points(tmp_path / "r", QUESTION, answer()))
    assert lines(tmp_path / "r") == []


def test_a_failing_query_is_the_error_of_the_recording(tmp_path: Path) -> None:
    [series] = made('{"name":"m","columns":["time","v"],"values":[[1,1]]}')
    with pytest.raises(DeliveryError, match="database not found"):
        asyncio.run(
            record_points(
                tmp_path / "r", QUESTION, answer(series, error="database not found")
            )
        )
    assert (tmp_path / "r").exists()


def test_batches_of_each_query_are_recorded(tmp_path: Path) -> None:
    async def source(*times: int) -> AsyncGenerator[Iterable[Batch]]:
        for time in times:
            yield [Batch("m", {}, time, [Point("m", time, {}, {"v": 1.0})])]

    work = record_batches(tmp_path / "r", [source(1, 2), source(), source(3)])
    asyncio.run(work)
    reader = BatchRecordingReader(tmp_path / "r")
    found = [[b.tmax for b in reader.batches(n)] for n in range(reader.queries)]
    reader.close()
    assert found == [[1, 2], [], [3]]


def test_a_stop_waits_for_the_file(tmp_path: Path) -> None:
    async def endless() -> AsyncGenerator[Iterable[Batch]]:
        while True:
            yield [Batch("m", {}, 1, [Point("m", 1, {}, {"v": 1.0})])]

    async def run() -> None:
        work = asyncio.ensure_future(record_batches(tmp_path / "r", [endless()]))
        while not (tmp_path / "r").exists():
            await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(run())
    # it is whole, so that nothing was written behind the end
    reader = BatchRecordingReader(tmp_path / "r")
    assert reader.queries == 1
    reader.close()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("SELECT v FROM d.r.m", ("d", "r")),
        ("SELECT v FROM d.r.m, d.r.n WHERE time > now() - 1h", ("d", "r")),
        ('SELECT max(x) FROM (SELECT v AS x FROM "d"."r"./a.*/)', ("d", "r")),
    ],
)
def test_the_place_of_a_query_is_found(text: str, place: tuple[str, str]) -> None:
    question = Question.of(text)
    assert (question.db, question.rp) == place


@pytest.mark.parametrize(
    "text", ["SELECT v FROM m", "SELECT v FROM r.m", "SELECT v FROM d..m, d.r.m"]
)
def test_a_query_names_one_place(text: str) -> None:
    with pytest.raises(InvalidError, match="could not determine database"):
        Question.of(text)
