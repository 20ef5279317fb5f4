"""Running replays, which feed a task of their own with a recording."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import groupby

from runtime.compute.thread import Compute
from runtime.errors import LineProtocolError, TaskError
from runtime.line_protocol import parse
from runtime.tasks.replay.files import Entry, RecordingReader
from runtime.tasks.replay.records import Replay
from runtime.tasks.task_master import TaskMaster
from runtime.units import SECOND, Clock, Nanoseconds

_CHUNK = 1000
_TICK_S = 1.0
# Maximum number of timer runs in a gap of a recording; the others are skipped, as by
# Go's tickers.
_TICKS_PER_GAP = 1000


class ReplayClock:
    """The time of day in a replay: that of the newest point.

    Attributes:
        now: current time of the clock, in ns since 1970 UTC.
    """

    def __init__(self, now: Nanoseconds) -> None:
        self.now = now

    def __call__(self) -> Nanoseconds:
        """The current time."""
        return self.now


class Player(ABC):
    """Feeds a task with a recording.

    Attributes:
        clock: clock of the replay.
        progress: completed share, from 0 to 1.
    """

    def __init__(self, replay: Replay, clock: Clock) -> None:
        """Prepare a replay.

        Args:
            replay: the replay to run.
            clock: wall clock, in ns since 1970 UTC.
        """
        self._replay = replay
        self._zero = clock()
        self.clock = ReplayClock(self._zero)
        self.progress = 0.0
        self._first: Nanoseconds = 0
        self._shift = 0
        self._start_s = 0.0
        self._error = ""

    @abstractmethod
    async def open(self) -> None:
        """Read the beginning of the recording, which sets the clock.

        Raises:
            ReplayFileError: the recording cannot be read.
        """

    async def play(self, master: TaskMaster, compute: Compute) -> None:
        """Feed the task that `master` runs, to the end of the recording.

        Raises:
            ReplayFileError: the recording cannot be read.
            TaskError: the task has stopped, or the recording does not fit it.
        """
        master.stopped = self._stopped
        self._start_s = time.monotonic()
        await self._play(master, compute)

    @abstractmethod
    async def _play(self, master: TaskMaster, compute: Compute) -> None:
        """Feed the task."""

    def _begin_at(self, first: Nanoseconds) -> None:
        """Set the clock to the time of the first point."""
        self._first = first
        if not self._replay.recording_time:
            self._shift = self._zero - first
        self.clock.now = first + self._shift

    def _due_s(self, moment: Nanoseconds) -> float:
        """Seconds from the start of the replay to a moment of the recording."""
        if self._replay.clock != "real":
            return 0.0
        return (moment - self._first) / SECOND

    async def _wait(self, due_s: float, master: TaskMaster, compute: Compute) -> None:
        while (remaining_s := self._start_s + due_s - time.monotonic()) > 0:
            await asyncio.sleep(min(remaining_s, _TICK_S))
            passed = int((time.monotonic() - self._start_s) * SECOND)
            now = self._first + self._shift + passed
            await compute.run(self._tick, master, now)

    def _tick(self, master: TaskMaster, now: Nanoseconds) -> None:
        """Advance the clock to `now`, and run each timer at its own time."""
        timers, clock = master.timers, self.clock
        for _ in range(_TICKS_PER_GAP):
            due = timers.next_due
            if due is None or due > now:
                break
            clock.now = max(clock.now, due)
            master.tick()
        clock.now = max(clock.now, now)
        master.tick()

    def _check(self) -> None:
        if self._error:
            raise TaskError(self._error)

    def _stopped(self, id: str, reason: str) -> None:
        self._error = reason


class StreamPlayer(Player):
    """Feeds a task with a recording of points."""

    def __init__(self, replay: Replay, reader: RecordingReader, clock: Clock) -> None:
        """Replay `reader`.

        Args:
            replay: the replay to run.
            reader: reader of the recording, closed at the end.
            clock: wall clock, in ns since 1970 UTC.
        """
        super().__init__(replay, clock)
        self._reader = reader
        self._entries: list[Entry] = []

    async def open(self) -> None:
        """Read the beginning of the recording, which sets the clock.

        Raises:
            ReplayFileError: the recording cannot be read.
        """
        self._entries = await asyncio.to_thread(self._reader.take, _CHUNK)
        if self._entries:
            self._begin_at(self._entries[0].time)

    async def _play(self, master: TaskMaster, compute: Compute) -> None:
        while self._entries:
            for due_s, some in self._slices(self._entries):
                await self._wait(due_s, master, compute)
                await compute.write(self._feed, master, some)
                self._check()
            self.progress = self._reader.progress
            self._entries = await asyncio.to_thread(self._reader.take, _CHUNK)

    def _slices(self, entries: list[Entry]) -> list[tuple[float, list[Entry]]]:
        """Entries to feed together, with their time after the start in seconds."""
        slices: list[tuple[float, list[Entry]]] = []
        before: object = None
        for entry in entries:
            due_s = self._due_s(entry.time)
            this = (due_s, entry.db, entry.rp)
            if this != before:
                slices.append((due_s, []))
            slices[-1][1].append(entry)
            before = this
        return slices

    def _feed(self, master: TaskMaster, entries: list[Entry]) -> Iterator[None]:
        if not master.has_timed_nodes:
            yield from self._written(master, entries)
            return
        for moment, some in groupby(entries, lambda entry: entry.time):
            self._tick(master, moment + self._shift)
            yield from self._written(master, list(some))
            yield

    def _written(self, master: TaskMaster, entries: list[Entry]) -> Iterator[None]:
        shift = self._shift
        body = "\n".join(f"{entry.head} {entry.time + shift}" for entry in entries)
        newest = max(entry.time for entry in entries) + shift
        self.clock.now = max(self.clock.now, newest)
        db, rp = entries[0].db, entries[0].rp
        try:
            write = parse(body.encode(), precision="n", now=newest, db=db, rp=rp)
        except LineProtocolError as error:
            self._error = str(error)
            return
        yield from master.fed(write, db, rp)
