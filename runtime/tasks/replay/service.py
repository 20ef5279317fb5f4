"""The API of recordings and replays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runtime.compute.thread import Compute
from runtime.services.httpd.router import Router
from runtime.services.influxdb.clusters import Clusters
from runtime.store.database import Store
from runtime.tasks.api.tasks import Tasks
from runtime.tasks.replay.collection import posting
from runtime.tasks.replay.jobs import Jobs
from runtime.tasks.replay.queried import Queried
from runtime.tasks.replay.recordings import Recordings
from runtime.tasks.replay.replays import MasterMaker, Replays
from runtime.tasks.task_master import TaskMaster
from runtime.units import Clock


class ReplayService:
    """Answers below `/recordings` and `/replays`."""

    def __init__(
        self,
        directory: Path,
        store: Store,
        tasks: Tasks,
        compute: Compute,
        make_master: MasterMaker,
        forget_topic: Callable[[str], None],
        clock: Clock,
        clusters: Clusters,
    ) -> None:
        """Create the service.

        Args:
            directory: directory of the recordings.
            store: database of recordings and replays.
            tasks: stored tasks.
            compute: the compute thread.
            make_master: creates the task master of one replay, from its id and its
                clock.
            forget_topic: deletes the state of a topic.
            clock: wall clock, in ns since 1970 UTC.
            clusters: clusters of InfluxDB.
        """
        self._jobs = Jobs()
        queried = Queried(clusters, clock)
        self._recordings = Recordings(
            directory, store, tasks, queried, compute, clock, self._jobs
        )
        self._replays = Replays(
            directory,
            store,
            tasks,
            self._recordings,
            queried,
            compute,
            make_master,
            forget_topic,
            clock,
            self._jobs,
        )

    def open(self) -> None:
        """Read the stored recordings and replays; on the compute thread."""
        self._recordings.open()
        self._replays.open()

    async def close(self) -> None:
        """End running recordings and replays as failed."""
        await self._jobs.close()

    def running(self, replay: str) -> TaskMaster | None:
        """The task master that runs a replay's task; None if it does not run."""
        return self._replays.running(replay)

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        recordings, replays = self._recordings, self._replays
        for path, each in (("/recordings", recordings), ("/replays", replays)):
            router.add("GET", path, each.show_all)
            router.add("GET", f"{path}/", each.show)
            router.add("DELETE", f"{path}/", each.delete)
        router.add("POST", "/recordings/stream", posting(recordings.stream))
        router.add("POST", "/recordings/batch", posting(recordings.batch))
        router.add("POST", "/recordings/query", posting(recordings.query))
        router.add("POST", "/replays", posting(replays.recording))
        router.add("POST", "/replays/batch", posting(replays.batch))
        router.add("POST", "/replays/query", posting(replays.query))
