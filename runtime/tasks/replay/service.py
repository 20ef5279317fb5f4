"""The API of recordings and replays."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from runtime.compute.bridge import Bridge
from runtime.compute.thread import Compute
from runtime.errors import (
    FailedError,
    InvalidError,
    KapacitorError,
    NotFoundError,
    RefusedError,
)
from runtime.nodes.alert.node import AlertNode
from runtime.services.httpd.listing import Listed, Listing
from runtime.services.httpd.messages import (
    NO_CONTENT,
    Answer,
    Handler,
    Request,
    failure,
    pretty,
)
from runtime.services.httpd.router import Router
from runtime.store.database import Store
from runtime.store.records import Records
from runtime.tasks.api.bodies import checked_id
from runtime.tasks.api.records import Task
from runtime.tasks.api.tasks import Tasks
from runtime.tasks.replay.bodies import parsed_time, recording_body, replay_body
from runtime.tasks.replay.files import RecordingReader, RecordingWriter
from runtime.tasks.replay.jobs import Jobs
from runtime.tasks.replay.player import Player
from runtime.tasks.replay.recorder import Recorder, measurements_of
from runtime.tasks.replay.records import Recording, Replay, Status
from runtime.tasks.task_master import TaskMaster
from runtime.units import Clock

_RECORDING_FIELDS = (
    *("link", "id", "type", "size", "date", "error", "status", "progress"),
)
_REPLAY_FIELDS = (
    *("link", "id", "task", "recording", "recording-time", "clock", "date", "error"),
    *("status", "progress", "stats"),
)
_NEEDS_INFLUXDB = "needs InfluxDB: this server has no InfluxDB connection yet"
_LOOK_EVERY_S = 1.0
_INTERRUPTED = "the server stopped meanwhile"

MasterMaker = Callable[[str, Clock], TaskMaster]
Work = Callable[[Request], Answer]
JobT = TypeVar("JobT", Recording, Replay)


class _Playing(NamedTuple):
    player: Player
    master: TaskMaster


class ReplayService:
    """Answers below `/recordings` and `/replays`.

    What it knows belongs to the compute thread, what it waits for to the event loop.
    """

    def __init__(
        self,
        directory: Path,
        store: Store,
        tasks: Tasks,
        compute: Compute,
        make_master: MasterMaker,
        forget_topic: Callable[[str], None],
        clock: Clock,
    ) -> None:
        """Make the service.

        Args:
            directory: directory of the recordings.
            store: database of recordings and replays.
            tasks: stored tasks.
            compute: the compute thread.
            make_master: creates the task master of one replay, from its id and its
                clock.
            forget_topic: deletes the state of a topic.
            clock: wall clock, in ns since 1970 UTC.
        """
        self._directory = directory
        self._tasks = tasks
        self._compute = compute
        self._make_master = make_master
        self._forget_topic = forget_topic
        self._clock = clock
        self._recordings = Records(store, "recordings", Recording.decode)
        self._replays = Records(store, "replays", Replay.decode)
        self._recorders: dict[str, Recorder] = {}
        self._playing: dict[str, _Playing] = {}
        self._jobs = Jobs()

    def open(self) -> None:
        """Read what is stored; on the compute thread."""
        self._recordings.load()
        self._replays.load()
        for recording in self._recordings.all():
            if recording.status == "running":
                self._recordings.put(_ended(recording, self._clock(), _INTERRUPTED))
        for replay in self._replays.all():
            if replay.status == "running":
                self._replays.put(_ended(replay, self._clock(), _INTERRUPTED))

    async def close(self) -> None:
        """End running recordings and replays as failed."""
        await self._jobs.close()

    def running(self, replay: str) -> TaskMaster | None:
        """The task master that runs a replay's task; None if it does not run."""
        found = self._playing.get(replay)
        return None if found is None else found.master

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/recordings", self._list_recordings)
        router.add(
            "GET", "/recordings/", self._on_compute(self._get_recording, "recording")
        )
        router.add("GET", "/replays", self._list_replays)
        router.add("GET", "/replays/", self._on_compute(self._get_replay, "replay"))
        router.add("POST", "/recordings/stream", self._record)
        router.add("DELETE", "/recordings/", self._delete_recording)
        router.add("POST", "/replays", self._replay)
        router.add("DELETE", "/replays/", self._delete_replay)
        for pattern, what in (
            ("/recordings/batch", "recording a batch"),
            ("/recordings/query", "recording a query"),
            ("/replays/batch", "replaying a live batch"),
            ("/replays/query", "replaying a live query"),
        ):
            router.add("POST", pattern, _refusing(f"{what} {_NEEDS_INFLUXDB}"))

    def _on_compute(self, work: Work, what: str) -> Handler:
        async def handler(request: Request) -> Answer:
            if not request.rest:
                return _no_id(what)
            return await _answered(self._compute.run(work, request))

        return handler

    async def _listed(
        self,
        name: str,
        listing: Listing,
        records: Records[JobT],
        tree: Callable[[JobT], dict[str, Any]],
    ) -> Answer:
        """A list, made while the compute thread goes on with its work."""
        reader, fields = self._compute.reader, sorted(listing.fields)
        shown = await reader.run(_newest, listing, records)

        def chosen(record: JobT) -> dict[str, Any]:
            whole = tree(record)
            return {key: whole[key] for key in fields}

        return await Listed({}, name, shown, chosen).answer(reader)

    # recordings

    async def _record(self, request: Request) -> Answer:
        return await _answered(self._begin_recording(request))

    async def _begin_recording(self, request: Request) -> Answer:
        recording, recorder = await self._compute.run(self._recorder, request)
        self._jobs.start(
            "recording", recording.id, self._end_recording(recording, recorder)
        )
        return pretty(recording.tree, 201)

    def _recorder(self, request: Request) -> tuple[Recording, Recorder]:
        body = recording_body(request.body)
        task = self._tasks.get(body.get("task", ""))
        if task.type != "stream":
            raise InvalidError(f"recording a batch {_NEEDS_INFLUXDB}")
        id = checked_id(body.get("id", ""), "recording")
        if self._recordings.get(id) is not None:
            raise FailedError("recording already exists")
        if not body.get("stop"):
            raise InvalidError("must provide stop time")
        stop = parsed_time(body["stop"])
        now = self._clock()
        writer = RecordingWriter(self._path(id))
        measurements = measurements_of(self._tasks.script(task).pipeline)
        recorder = Recorder(writer, task.dbrps, measurements, self._clock, stop)
        recording = Recording(id, date=now)
        try:
            self._recordings.put(recording)
        except BaseException:
            recorder.close()
            raise
        self._recorders[id] = recorder
        self._tasks.master.taps.add(recorder)
        return recording, recorder

    async def _end_recording(self, recording: Recording, recorder: Recorder) -> None:
        error = _INTERRUPTED
        ended = asyncio.Event()
        bridge = Bridge()
        bridge.start()
        # on the compute thread
        recorder.ended = partial(bridge.soon, ended.set)
        try:
            while not recorder.is_done and self._clock() < recorder.deadline:
                # now and then: the clock may be set, and points move the deadline
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), _LOOK_EVERY_S)
            error = ""
        finally:
            await self._compute.run(self._finish_recording, recording, error)

    def _finish_recording(self, recording: Recording, error: str) -> None:
        recorder = self._recorders.pop(recording.id)
        self._tasks.master.taps.discard(recorder)
        size = recorder.close()
        if self._recordings.get(recording.id) is None:
            self._path(recording.id).unlink(missing_ok=True)
            return
        ended = _ended(recording, self._clock(), error or recorder.error)
        self._recordings.put(dataclasses.replace(ended, size=size))

    async def _list_recordings(self, request: Request) -> Answer:
        listing = Listing.of(request, _RECORDING_FIELDS)
        return await self._listed(
            "recordings", listing, self._recordings, self._recording_tree
        )

    def _get_recording(self, request: Request) -> Answer:
        recording = self._recordings.get(request.rest)
        if recording is None:
            raise FailedError("error finding recording: no recording exists")
        status = 202 if recording.status == "running" else 200
        return pretty(self._recording_tree(recording), status)

    def _recording_tree(self, recording: Recording) -> dict[str, Any]:
        recorder = self._recorders.get(recording.id)
        if recorder is None:
            return recording.tree
        return recording.tree | {"progress": recorder.progress(self._clock())}

    async def _delete_recording(self, request: Request) -> Answer:
        if not request.rest:
            return _no_id("recording")

        def delete() -> bool:
            known = self._recordings.get(request.rest) is not None
            self._recordings.delete(request.rest)
            return known

        if await self._compute.run(delete):
            await self._jobs.cancel("recording", request.rest)
            self._path(request.rest).unlink(missing_ok=True)
        return NO_CONTENT

    def _path(self, id: str) -> Path:
        return self._directory / f"{id}.srpl"

    # replays

    async def _replay(self, request: Request) -> Answer:
        return await _answered(self._begin_replay(request))

    async def _begin_replay(self, request: Request) -> Answer:
        replay, task = await self._compute.run(self._new_replay, request)
        self._jobs.start("replay", replay.id, self._play(replay, task))
        return pretty(replay.tree, 201)

    def _new_replay(self, request: Request) -> tuple[Replay, Task]:
        body = replay_body(request.body)
        id = checked_id(body.get("id", ""), "replay")
        try:
            task = self._tasks.get(body.get("task", ""))
        except RefusedError as error:
            raise NotFoundError(f"task load: {error}") from None
        recording = self._recordings.get(body.get("recording", ""))
        if recording is None:
            raise NotFoundError("recording not found: no recording exists")
        if recording.status == "running":
            raise InvalidError("the recording has not ended yet")
        if task.type != recording.type:
            text = f"cannot replay a {recording.type} recording with a {task.type} task"
            raise InvalidError(text)
        if self._replays.get(id) is not None:
            raise FailedError("replay already exists")
        replay = Replay(
            id,
            task.id,
            recording.id,
            bool(body.get("recording-time", False)),
            body["clock"],
            self._clock(),
        )
        self._replays.put(replay)
        return replay, task

    async def _play(self, replay: Replay, task: Task) -> None:
        error = _INTERRUPTED
        try:
            path = self._path(replay.recording)
            # not in a thread: a stop meanwhile would leave the file open
            with contextlib.closing(RecordingReader(path)) as reader:
                player = Player(replay, reader, self._clock)
                await player.open()
                master = await self._compute.run(self._started, replay, task, player)
                await player.play(master, self._compute)
            error = ""
        except KapacitorError as fault:
            error = str(fault)
        finally:
            await self._compute.run(self._finish_replay, replay, task, error)

    def _started(self, replay: Replay, task: Task, player: Player) -> TaskMaster:
        master = self._make_master(replay.id, player.clock)
        self._playing[replay.id] = _Playing(player, master)
        master.start(task.id, self._tasks.script(task), task.dbrps)
        return master

    def _finish_replay(self, replay: Replay, task: Task, error: str) -> None:
        playing = self._playing.pop(replay.id, None)
        running = None if playing is None else playing.master.get(replay.task)
        stats = {} if running is None else running.stats()
        if playing is not None:
            playing.master.close()
        if running is not None:
            for node in running.nodes:
                if isinstance(node, AlertNode):
                    self._forget_topic(f"{replay.id}:{replay.task}:{node.name}")
        if self._replays.get(replay.id) is not None:
            error = error and self._tasks.shown(task).hide(error)
            ended = _ended(replay, self._clock(), error)
            self._replays.put(dataclasses.replace(ended, stats=stats))

    async def _list_replays(self, request: Request) -> Answer:
        listing = Listing.of(request, _REPLAY_FIELDS)
        return await self._listed("replays", listing, self._replays, self._replay_tree)

    def _get_replay(self, request: Request) -> Answer:
        replay = self._replays.get(request.rest)
        if replay is None:
            raise NotFoundError("could not find replay: no replay exists")
        status = 202 if replay.status == "running" else 200
        return pretty(self._replay_tree(replay), status)

    def _replay_tree(self, replay: Replay) -> dict[str, Any]:
        playing = self._playing.get(replay.id)
        if playing is None:
            return replay.tree
        task = playing.master.get(replay.task)
        stats = {} if task is None else task.stats()
        now = dataclasses.replace(replay, progress=playing.player.progress, stats=stats)
        return now.tree

    async def _delete_replay(self, request: Request) -> Answer:
        if not request.rest:
            return _no_id("replay")
        await self._compute.run(self._replays.delete, request.rest)
        await self._jobs.cancel("replay", request.rest)
        return NO_CONTENT


def _ended(record: JobT, now: int, error: str) -> JobT:
    status: Status = "failed" if error else "finished"
    return dataclasses.replace(
        record, date=now, error=error, status=status, progress=1.0
    )


def _newest(listing: Listing, records: Records[JobT]) -> list[JobT]:
    """The records to show, the newest first."""
    found = sorted(records.all(), key=lambda each: (-each.date, each.id))
    by_id = {record.id: record for record in found}
    return [by_id[id] for id in listing.pick(list(by_id))]


def _no_id(what: str) -> Answer:
    return failure(f"must specify {what} id on path", 400)


def _refusing(text: str) -> Handler:
    async def handler(request: Request) -> Answer:
        return failure(text, 400)

    return handler


async def _answered(answer: Awaitable[Answer]) -> Answer:
    """The answer, also for errors of a file or the task."""
    try:
        return await answer
    except RefusedError:
        raise
    except KapacitorError as error:
        raise FailedError(str(error)) from None
