"""Replays: of a recording, or of answers of InfluxDB."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from runtime.compute.thread import Compute
from runtime.errors import (
    InvalidError,
    KapacitorError,
    NotFoundError,
    RefusedError,
)
from runtime.nodes.alert.node import AlertNode
from runtime.pipeline.source import QueryNode
from runtime.services.httpd.messages import Answer, Request
from runtime.store.database import Store
from runtime.store.records import Records
from runtime.tasks.api.bodies import checked_id
from runtime.tasks.api.records import Task
from runtime.tasks.api.tasks import Tasks
from runtime.tasks.replay.bodies import (
    Period,
    batch_replay_body,
    query_replay_body,
    replay_body,
)
from runtime.tasks.replay.collection import INTERRUPTED, Collection
from runtime.tasks.replay.files import RecordingReader
from runtime.tasks.replay.jobs import Jobs
from runtime.tasks.replay.player import Player, StreamPlayer
from runtime.tasks.replay.queried import Queried, Write
from runtime.tasks.replay.recordings import SUFFIXES, Recordings
from runtime.tasks.replay.records import Replay
from runtime.tasks.task_master import TaskMaster
from runtime.units import Clock

MasterMaker = Callable[[str, Clock], TaskMaster]


class _Playing(NamedTuple):
    player: Player
    master: TaskMaster


class _Request(NamedTuple):
    """A replay to run.

    Attributes:
        replay: the replay.
        task: its task.
        path: file of the recording.
        write: writes that file first; None if it exists.
    """

    replay: Replay
    task: Task
    path: Path
    write: Write | None = None


class Replays(Collection[Replay]):
    """The replays of a server."""

    kind = "replay"
    fields = (
        *("link", "id", "task", "recording", "recording-time", "clock", "date"),
        *("error", "status", "progress", "stats"),
    )

    def __init__(
        self,
        directory: Path,
        store: Store,
        tasks: Tasks,
        recordings: Recordings,
        queried: Queried,
        compute: Compute,
        make_master: MasterMaker,
        forget_topic: Callable[[str], None],
        clock: Clock,
        jobs: Jobs,
    ) -> None:
        """Create the collection.

        Args:
            directory: directory of the recordings.
            store: database of the replays.
            tasks: stored tasks.
            recordings: the recordings.
            queried: records answers of InfluxDB.
            compute: the compute thread.
            make_master: creates the task master of one replay, from its id and its
                clock.
            forget_topic: deletes the state of a topic.
            clock: wall clock, in ns since 1970 UTC.
            jobs: running jobs.
        """
        records = Records(store, "replays", Replay.decode)
        super().__init__(records, compute, clock, jobs)
        # not among the recordings; names of recordings contain no slashes
        self._passing = directory / "live"
        self._tasks = tasks
        self._recordings = recordings
        self._queried = queried
        self._make_master = make_master
        self._forget_topic = forget_topic
        self._playing: dict[str, _Playing] = {}

    def open(self) -> None:
        """Read the stored replays; on the compute thread."""
        super().open()
        shutil.rmtree(self._passing, ignore_errors=True)

    def running(self, replay: str) -> TaskMaster | None:
        """The task master that runs a replay's task; None if it does not run."""
        found = self._playing.get(replay)
        return None if found is None else found.master

    def tree(self, record: Replay) -> dict[str, Any]:
        """A replay as JSON shows it now."""
        playing = self._playing.get(record.id)
        if playing is None:
            return record.tree
        task = playing.master.get(record.task)
        stats = {} if task is None else task.stats()
        return record.tree | {
            "progress": playing.player.progress,
            **({"stats": stats} if stats else {}),
        }

    def missing(self) -> KapacitorError:
        """The error for an id that no replay has."""
        return NotFoundError("could not find replay: no replay exists")

    async def recording(self, request: Request) -> Answer:
        """Replay a recording."""
        return await self._begin(self._of_recording, request)

    async def batch(self, request: Request) -> Answer:
        """Replay the answers to the queries of a task."""
        return await self._begin(self._of_batch, request)

    async def query(self, request: Request) -> Answer:
        """Replay the answer to a query."""
        return await self._begin(self._of_query, request)

    async def _begin(
        self, read: Callable[[Request], _Request], request: Request
    ) -> Answer:
        found = await self.compute.run(read, request)
        return self.begin(found.replay, self._play(found))

    def _of_recording(self, request: Request) -> _Request:
        body = replay_body(request.body)
        id = checked_id(body.get("id", ""), self.kind)
        task = self._task(body)
        recording = self._recordings.records.get(body.get("recording", ""))
        if recording is None:
            raise NotFoundError("recording not found: no recording exists")
        if recording.status == "running":
            raise InvalidError("the recording has not ended yet")
        if task.type != recording.type:
            text = f"cannot replay a {recording.type} recording with a {task.type} task"
            raise InvalidError(text)
        replay = self._new(id, task, body, recording.id)
        return _Request(replay, task, self._recordings.path(recording))

    def _of_batch(self, request: Request) -> _Request:
        body = batch_replay_body(request.body)
        id = checked_id(body.get("id", ""), self.kind)
        task = self._task(body)
        if task.type != "batch":
            raise InvalidError(f"cannot replay batch against stream task: {task.id}")
        period = Period.of(body, self.clock())
        script = self._tasks.script(task)
        write = self._queried.of_task(script.pipeline, task.dbrps, period)
        replay = self._new(id, task, body)
        return _Request(replay, task, self._passing_path(replay, task), write)

    def _of_query(self, request: Request) -> _Request:
        body = query_replay_body(request.body)
        id = checked_id(body.get("id", ""), self.kind)
        text, cluster = body.get("query", ""), body.get("cluster", "")
        if not text:
            raise InvalidError("must provide query")
        task = self._task(body)
        write = self._queried.of_query(text, cluster, task.type)
        replay = self._new(id, task, body)
        return _Request(replay, task, self._passing_path(replay, task), write)

    def _task(self, body: dict[str, Any]) -> Task:
        try:
            return self._tasks.get(body.get("task", ""))
        except RefusedError as error:
            raise NotFoundError(f"task load: {error}") from None

    def _new(
        self, id: str, task: Task, body: dict[str, Any], recording: str = ""
    ) -> Replay:
        """Store a replay that begins now."""
        self.check_new(id)
        keeps_time = bool(body.get("recording-time", False))
        replay = Replay(id, task.id, recording, keeps_time, body["clock"], self.clock())
        self.records.put(replay)
        return replay

    def _passing_path(self, replay: Replay, task: Task) -> Path:
        """The temporary file of answers that are replayed at once."""
        return self._passing / f"{replay.id}{SUFFIXES[task.type]}"

    async def _play(self, request: _Request) -> None:
        replay, task = request.replay, request.task
        error = INTERRUPTED
        try:
            if request.write is not None:
                await request.write(request.path)
            # not in a thread: a stop meanwhile would leave the file open
            with self._player(request) as player:
                await player.open()
                master = await self.compute.run(self._started, replay, task, player)
                await player.play(master, self.compute)
            error = ""
        except KapacitorError as fault:
            error = str(fault)
        finally:
            if request.write is not None:
                request.path.unlink(missing_ok=True)
            await self.compute.run(self._finish, replay, task, error)

    @contextlib.contextmanager
    def _player(self, request: _Request) -> Iterator[Player]:
        """The player of a recording, whose file is closed at the end."""
        replay = request.replay
        if request.task.type == "stream":
            with contextlib.closing(RecordingReader(request.path)) as points:
                yield StreamPlayer(replay, points, self.clock)
            return
        # imported here: servers without batch tasks do not need it
        from runtime.tasks.replay.batch_files import BatchRecordingReader
        from runtime.tasks.replay.batch_player import BatchPlayer, check_fits

        pipeline = self._tasks.script(request.task).pipeline
        queries = sum(isinstance(node, QueryNode) for node in pipeline.nodes)
        with contextlib.closing(BatchRecordingReader(request.path)) as batches:
            check_fits(batches.queries, queries)
            yield BatchPlayer(replay, batches, self.clock)

    def _started(self, replay: Replay, task: Task, player: Player) -> TaskMaster:
        master = self._make_master(replay.id, player.clock)
        self._playing[replay.id] = _Playing(player, master)
        master.start(task.id, self._tasks.script(task), task.dbrps)
        return master

    def _finish(self, replay: Replay, task: Task, error: str) -> None:
        playing = self._playing.pop(replay.id, None)
        running = None if playing is None else playing.master.get(replay.task)
        stats = {} if running is None else running.stats()
        if playing is not None:
            playing.master.close()
        if running is not None:
            for node in running.nodes:
                if isinstance(node, AlertNode):
                    self._forget_topic(f"{replay.id}:{replay.task}:{node.name}")
        self.finish(replay, error and self._tasks.shown(task).hide(error), stats=stats)
