"""Replays of batches."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from runtime.compute.thread import Compute
from runtime.errors import TaskError
from runtime.frames import Batch
from runtime.nodes.query.answers import in_columns
from runtime.tasks.replay.batch_files import BatchRecordingReader
from runtime.tasks.replay.player import Player
from runtime.tasks.replay.records import Replay
from runtime.tasks.task_master import TaskMaster
from runtime.units import Clock, Nanoseconds

_POINTS_AT_ONCE = 10_000


class _Arrival(NamedTuple):
    """A batch of the recording.

    Attributes:
        query: number of the task's query.
        batch: a batch of its answer.
    """

    query: int
    batch: Batch

    @property
    def last(self) -> Nanoseconds:
        """The time of its last point, at which it arrives."""
        return self.batch.points[-1].time


class BatchPlayer(Player):
    """Feeds a task with the batches of its queries.

    The batches of all queries are fed in the order of their last points, and all points
    are shifted by the same time.

    Source: Kapacitor replay.go, replayBatchFromChan.
    """

    def __init__(
        self, replay: Replay, reader: BatchRecordingReader, clock: Clock
    ) -> None:
        """Replay `reader`.

        Args:
            replay: the replay to run.
            reader: reader of the recording, closed at the end.
            clock: wall clock, in ns since 1970 UTC.
        """
        super().__init__(replay, clock)
        self._reader = reader
        self._arrivals: Iterator[_Arrival] = iter(())
        self._next: list[_Arrival] = []

    async def open(self) -> None:
        """Read the beginning of the recording, which sets the clock.

        Raises:
            ReplayFileError: the recording cannot be read.
        """
        first = await asyncio.to_thread(self._open)
        if first is not None:
            self._begin_at(first)

    def _open(self) -> Nanoseconds | None:
        """Read the first batches; return the time of their first point, or None."""
        sources = [self._source(query) for query in range(self._reader.queries)]
        heads = [next(source, None) for source in sources]
        self._arrivals = heapq.merge(
            *(
                _chained(head, source)
                for head, source in zip(heads, sources, strict=True)
            ),
            key=lambda arrival: arrival.last,
        )
        firsts = [head.batch.points[0].time for head in heads if head is not None]
        self._next = self._take()
        return min(firsts, default=None)

    def _source(self, query: int) -> Iterator[_Arrival]:
        return (_Arrival(query, batch) for batch in self._reader.batches(query))

    def _take(self) -> list[_Arrival]:
        """The next batches, with some thousand points in all; empty at the end."""
        found: list[_Arrival] = []
        count = 0
        for arrival in self._arrivals:
            found.append(arrival)
            count += len(arrival.batch.points)
            if count >= _POINTS_AT_ONCE:
                break
        return found

    async def _play(self, master: TaskMaster, compute: Compute) -> None:
        while self._next:
            for query, last, batches in self._slices(self._next):
                await self._wait(self._due_s(last), master, compute)
                await compute.write(self._feed, master, query, batches)
                self._check()
            self.progress = self._reader.progress
            self._next = await asyncio.to_thread(self._take)

    def _slices(
        self, arrivals: Iterable[_Arrival]
    ) -> Iterator[tuple[int, Nanoseconds, list[Batch]]]:
        """Batches to feed together, with their query and the time of the last point."""

        def alike(arrival: _Arrival) -> tuple[object, ...]:
            batch = arrival.batch
            when = arrival.last if self._replay.clock == "real" else 0
            place = (arrival.query, batch.name, batch.dimensions)
            return (*place, batch.tmax, when)

        for _, some in groupby(arrivals, alike):
            group = list(some)
            yield group[0].query, group[-1].last, [
                self._shifted(each) for each in group
            ]

    def _shifted(self, arrival: _Arrival) -> Batch:
        """The batch as the task gets it; it ends with its last point at the earliest."""
        batch, shift = arrival.batch, self._shift
        points = batch.points
        if shift:
            points = [point.replace(time=point.time + shift) for point in points]
        tmax = max(batch.tmax, arrival.last + shift)
        return Batch(batch.name, batch.tags, tmax, points, batch.dimensions)

    def _feed(
        self, master: TaskMaster, query: int, batches: Sequence[Batch]
    ) -> Iterator[None]:
        task = master.get(self._replay.task)
        if task is None:
            return
        self._tick(master, max(batch.tmax for batch in batches))
        work = partial(task.queried, query, in_columns(batches))
        task.environment.resume(work)
        yield


def check_fits(recorded: int, queries: int) -> None:
    """Check that a recording fits a task.

    Args:
        recorded: number of the recorded queries.
        queries: number of the task's queries.

    Raises:
        TaskError: the numbers differ; the text is Kapacitor's.
    """
    if recorded != queries:
        raise TaskError(
            f"unexpected number of batch collectors. exp {recorded} got {queries}"
        )


def _chained(head: _Arrival | None, rest: Iterator[_Arrival]) -> Iterator[_Arrival]:
    if head is not None:
        yield head
        yield from rest
