"""Answers of InfluxDB, recorded."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, ParamSpec

from runtime.errors import InvalidError, ScriptError
from runtime.frames import Batch, Point, Value
from runtime.influxql.parser import parse
from runtime.influxql.tree import Select
from runtime.tasks.replay.batch_files import BatchRecordingWriter
from runtime.tasks.replay.collection import to_end
from runtime.tasks.replay.files import (
    RecordingWriter,
    ReplayFileError,
    closed_on_failure,
)
from runtime.tasks.replay.lines import line_of
from runtime.units import Nanoseconds

if TYPE_CHECKING:
    from runtime.services.influxdb.series import Series

P = ParamSpec("P")
_SORTED_AT_ONCE = 10_000


class Question(NamedTuple):
    """A query to record.

    Attributes:
        select: the statement.
        db: database of all its measurements.
        rp: retention policy of all its measurements.
    """

    select: Select
    db: str
    rp: str

    @classmethod
    def of(cls, text: str) -> Question:
        """Read a query.

        Raises:
            RefusedError: it is not a `SELECT`, or its measurements do not name the same
                database and retention policy.

        Source: Kapacitor services/replay/service.go, execQuery.
        """
        if not text:
            raise InvalidError("must provide query")
        try:
            select = parse(text)
        except ScriptError as error:
            raise InvalidError(str(error)) from None
        places = {(m.database, m.retention_policy) for m in select.measurements()}
        db, rp = places.pop()
        if places or not db or not rp:
            raise InvalidError(
                "could not determine database and retention policy. Is the query fully"
                " qualified?"
            )
        return cls(select, db, rp)


async def record_batches(
    path: Path, sources: Sequence[AsyncGenerator[Iterable[Batch]]]
) -> int:
    """Record the batches of queries, one query after the other.

    Args:
        path: file to create or replace.
        sources: the batches of each query.

    Returns:
        Size of the file in bytes.

    Raises:
        ReplayFileError: the file cannot be written.
        KapacitorError: a query fails.
    """
    writer = BatchRecordingWriter(path)
    with closed_on_failure(writer):
        for source in sources:
            writer.begin()
            async with aclosing(source):
                async for batches in source:
                    await _in_thread(writer.write, batches)
    return writer.close()


async def record_points(
    path: Path, question: Question, answer: AsyncGenerator[Series]
) -> int:
    """Record the rows of a query as points, in the order of their times.

    Args:
        path: file to create or replace.
        question: the query.
        answer: its answer.

    Returns:
        Size of the file in bytes.

    Raises:
        ReplayFileError: the file cannot be written.
        KapacitorError: the query fails.
    """
    writer = RecordingWriter(path)
    with closed_on_failure(writer), closing(_Sorter()) as sorter:
        async with aclosing(answer):
            async for series in answer:
                await _in_thread(sorter.add, series)
        for lines in sorter.sorted():
            await _in_thread(writer.write_lines, question.db, question.rp, lines)
    return writer.close()


class _Sorter:
    """Lines of points, added series by series, and sorted by time on the disk."""

    def __init__(self) -> None:
        # "" is a temporary file, which SQLite deletes when it is closed
        self._database = sqlite3.connect("", check_same_thread=False)
        self._database.execute("CREATE TABLE points (time INTEGER, line TEXT)")

    def add(self, series: Series) -> None:
        """Add the rows of a series.

        Raises:
            ReplayFileError: they cannot be written.
        """
        rows = ((point.time, line_of(point)) for point in points_of(series))
        try:
            self._database.executemany("INSERT INTO points VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            raise ReplayFileError(f"sort points: {error}") from error

    def sorted(self) -> Iterator[list[str]]:
        """The lines in order of time; lines of the same time stay in order of arrival.

        Raises:
            ReplayFileError: they cannot be read.
        """
        try:
            found = self._database.execute(
                "SELECT line FROM points ORDER BY time, rowid"
            )
            while rows := found.fetchmany(_SORTED_AT_ONCE):
                yield [line for (line,) in rows]
        except sqlite3.Error as error:
            raise ReplayFileError(f"sort points: {error}") from error

    def close(self) -> None:
        """Delete the lines."""
        self._database.close()


def points_of(series: Series) -> Iterator[Point]:
    """The rows of a series that have some field."""
    columns: dict[str, list[Value]] = {}
    for name, column in series.fields.items():
        values = column.values.tolist()
        if column.present is not None:
            shown = zip(values, column.present.tolist(), strict=True)
            values = [value if present else None for value, present in shown]
        columns[name] = values
    for time, *row in zip(_times(series), *columns.values(), strict=True):
        fields = {
            name: value
            for name, value in zip(columns, row, strict=True)
            if value is not None
        }
        if fields:
            yield Point(series.name, time, series.tags, fields)


def _times(series: Series) -> Sequence[Nanoseconds]:
    times: list[int] = series.time.tolist()
    return times or [0] * len(series)


async def _in_thread(
    work: Callable[P, None], *arguments: P.args, **keywords: P.kwargs
) -> None:
    """Run `work`, which uses a file, in a thread; cancellation waits for its end."""
    await to_end(asyncio.to_thread(work, *arguments, **keywords))
