"""Recordings: of a task's points, of its queries, or of a query."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from pathlib import Path
from typing import Any

from runtime.compute.bridge import Bridge
from runtime.compute.thread import Compute
from runtime.errors import FailedError, InvalidError, KapacitorError
from runtime.services.httpd.messages import Answer, Request
from runtime.store.database import Store
from runtime.store.records import Records
from runtime.tasks.api.bodies import checked_id
from runtime.tasks.api.records import Task
from runtime.tasks.api.tasks import Tasks
from runtime.tasks.replay.bodies import (
    Period,
    batch_recording_body,
    parsed_time,
    query_recording_body,
    recording_body,
)
from runtime.tasks.replay.collection import INTERRUPTED, Collection, ended
from runtime.tasks.replay.files import RecordingWriter, closed_on_failure
from runtime.tasks.replay.jobs import Jobs
from runtime.tasks.replay.queried import Queried, Write
from runtime.tasks.replay.recorder import Recorder, measurements_of
from runtime.tasks.replay.records import Recording
from runtime.units import Clock

SUFFIXES = {"stream": ".srpl", "batch": ".brpl"}
_TYPES = {suffix: type for type, suffix in SUFFIXES.items()}
_LOOK_EVERY_S = 1.0

log = logging.getLogger("kapacitor.replay")


class Recordings(Collection[Recording]):
    """The recordings of a server."""

    kind = "recording"
    fields = ("link", "id", "type", "size", "date", "error", "status", "progress")

    def __init__(
        self,
        directory: Path,
        store: Store,
        tasks: Tasks,
        queried: Queried,
        compute: Compute,
        clock: Clock,
        jobs: Jobs,
    ) -> None:
        """Create the collection.

        Args:
            directory: directory of the files.
            store: database of the recordings.
            tasks: stored tasks.
            queried: records answers of InfluxDB.
            compute: the compute thread.
            clock: wall clock, in ns since 1970 UTC.
            jobs: running jobs.
        """
        records = Records(store, "recordings", Recording.decode)
        super().__init__(records, compute, clock, jobs)
        self._directory = directory
        self._tasks = tasks
        self._queried = queried
        self._recorders: dict[str, Recorder] = {}

    def open(self) -> None:
        """Read the stored recordings; on the compute thread.

        Files that were put into the directory become recordings.

        Source: Kapacitor services/replay/service.go, syncRecordingMetadata.
        """
        super().open()
        for found in sorted(self._directory.glob("*")):
            type = _TYPES.get(found.suffix)
            is_known = self.records.get(found.stem) is not None
            if type is None or is_known or not found.is_file():
                continue
            try:
                id, facts = checked_id(found.stem, self.kind), found.stat()
            except (InvalidError, OSError) as error:
                extra = {"file": found.name, "err": str(error)}
                log.warning(
                    "ignored a file in the directory of recordings", extra=extra
                )
                continue
            recording = Recording(id, type, facts.st_size, facts.st_mtime_ns)
            self.records.put(ended(recording, facts.st_mtime_ns, ""))

    def path(self, recording: Recording) -> Path:
        """The file of a recording."""
        return self._directory / f"{recording.id}{SUFFIXES[recording.type]}"

    def tree(self, record: Recording) -> dict[str, Any]:
        """A recording as JSON shows it now."""
        recorder = self._recorders.get(record.id)
        if recorder is None:
            return record.tree
        return record.tree | {"progress": recorder.progress(self.clock())}

    def missing(self) -> KapacitorError:
        """The error for an id that no recording has."""
        return FailedError("error finding recording: no recording exists")

    def removed(self, record: Recording) -> None:
        """Delete the file of a recording."""
        self.path(record).unlink(missing_ok=True)

    def _new(self, id: str, type: str) -> Recording:
        """Store a recording that begins now."""
        recording = Recording(id, type, date=self.clock())
        self.records.put(recording)
        return recording

    def _task(self, id: str, type: str, refusal: str) -> Task:
        task = self._tasks.get(id)
        if task.type != type:
            raise InvalidError(f"{refusal}: {id}")
        return task

    # of a task's points

    async def stream(self, request: Request) -> Answer:
        """Record the points of a task."""
        recording, recorder = await self.compute.run(self._recorder, request)
        return self.begin(recording, self._run_stream(recording, recorder))

    def _recorder(self, request: Request) -> tuple[Recording, Recorder]:
        body = recording_body(request.body)
        task = self._task(
            body.get("task", ""), "stream", "cannot record the points of a batch task"
        )
        id = checked_id(body.get("id", ""), self.kind)
        self.check_new(id)
        if not body.get("stop"):
            raise InvalidError("must provide stop time")
        stop = parsed_time(body["stop"])
        writer = RecordingWriter(self._directory / f"{id}{SUFFIXES['stream']}")
        measurements = measurements_of(self._tasks.script(task).pipeline)
        recorder = Recorder(writer, task.dbrps, measurements, self.clock, stop)
        with closed_on_failure(recorder):
            recording = self._new(id, "stream")
        self._recorders[id] = recorder
        self._tasks.master.taps.add(recorder)
        return recording, recorder

    async def _run_stream(self, recording: Recording, recorder: Recorder) -> None:
        error = INTERRUPTED
        done = asyncio.Event()
        bridge = Bridge()
        bridge.start()
        # on the compute thread
        recorder.ended = partial(bridge.soon, done.set)
        try:
            while not recorder.is_done and self.clock() < recorder.deadline:
                # check from time to time: the clock may be set, and points move the
                # deadline
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(done.wait(), _LOOK_EVERY_S)
            error = ""
        finally:
            await self.compute.run(self._finish_stream, recording, error)

    def _finish_stream(self, recording: Recording, error: str) -> None:
        recorder = self._recorders.pop(recording.id)
        self._tasks.master.taps.discard(recorder)
        size = recorder.close()
        self.finish(recording, error or recorder.error, size=size)

    # of queries

    async def batch(self, request: Request) -> Answer:
        """Record the answers to the queries of a task."""
        recording, write = await self.compute.run(self._batch, request)
        return self.begin(recording, self._run_queries(recording, write))

    def _batch(self, request: Request) -> tuple[Recording, Write]:
        body = batch_recording_body(request.body)
        id = checked_id(body.get("id", ""), self.kind)
        period = Period.of(body, self.clock())
        task = self._task(
            body.get("task", ""), "batch", "cannot record the queries of a stream task"
        )
        self.check_new(id)
        write = self._queried.of_task(
            self._tasks.script(task).pipeline, task.dbrps, period
        )
        return self._new(id, "batch"), write

    async def query(self, request: Request) -> Answer:
        """Record the answer to a query."""
        recording, write = await self.compute.run(self._query, request)
        return self.begin(recording, self._run_queries(recording, write))

    def _query(self, request: Request) -> tuple[Recording, Write]:
        body = query_recording_body(request.body)
        id = checked_id(body.get("id", ""), self.kind)
        write = self._queried.of_query(
            body.get("query", ""), body.get("cluster", ""), body["type"]
        )
        self.check_new(id)
        return self._new(id, body["type"]), write

    async def _run_queries(self, recording: Recording, write: Write) -> None:
        error, size = INTERRUPTED, 0
        try:
            size = await write(self.path(recording))
            error = ""
        except KapacitorError as fault:
            error = str(fault)
        finally:
            if error:
                # an incomplete answer must not be replayed
                self.path(recording).unlink(missing_ok=True)
            await self.compute.run(self.finish, recording, error, size=size)
