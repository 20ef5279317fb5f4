"""Which tasks take what is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from runtime.frames import Frame
from runtime.nodes.task import ExecutingTask, Write
from runtime.nodes.watch import Watch

Database = tuple[str, str]
Run = Callable[[ExecutingTask, Callable[[], None]], None]


class _Route:
    """The tasks that read one database and retention policy."""

    def __init__(self) -> None:
        self._watches: dict[str, dict[object, Watch]] = {}
        self._tasks: dict[ExecutingTask, None] = {}
        # by measurement; made when needed
        self._takers: dict[str, tuple[ExecutingTask, ...]] = {}

    def add(self, task: ExecutingTask) -> None:
        path = task.path
        if path is None:
            self._tasks[task] = None
            self._takers.clear()
            return
        watches = self._watches.setdefault(path.measurement, {})
        if path.key not in watches:
            watches[path.key] = Watch(path)
        watches[path.key].add(task, path)

    def remove(self, task: ExecutingTask) -> None:
        path = task.path
        if path is None:
            self._tasks.pop(task, None)
            self._takers.clear()
            return
        watches = self._watches[path.measurement]
        watches[path.key].remove(task)
        if not watches[path.key]:
            del watches[path.key]

    def feed(self, write: Write, run: Run) -> None:
        frames = write.frames
        for frame in frames:
            for watch in list(self._watches.get(frame.name, {}).values()):
                _watched(watch, frame, run)
        if not self._tasks:
            return
        for task in dict.fromkeys(t for f in frames for t in self._taking(f.name)):
            run(task, partial(task.write, write))

    def _taking(self, measurement: str) -> tuple[ExecutingTask, ...]:
        known = self._takers.get(measurement)
        if known is None:
            known = tuple(
                task
                for task in self._tasks
                if task.measurements is None or measurement in task.measurements
            )
            # writers may invent measurements without end
            if len(self._takers) < 1000:
                self._takers[measurement] = known
        return known


def _watched(watch: Watch, frame: Frame, run: Run) -> None:
    for task in watch.look(frame):
        run(task, partial(task.frames, (frame,)))
        watch.note(task)


class Routes:
    """Tasks by what they read. A task that is fed may add or remove tasks."""

    def __init__(self) -> None:
        self._routes: dict[Database, _Route] = {}

    def add(self, task: ExecutingTask) -> None:
        """Feed a task from now on."""
        for database in task.databases:
            self._routes.setdefault(database, _Route()).add(task)

    def remove(self, task: ExecutingTask) -> None:
        """Feed a task no more."""
        for database in task.databases:
            self._routes[database].remove(task)

    def feed(self, write: Write, database: Database, run: Run) -> None:
        """Feed a write to the tasks that read it.

        Args:
            write: all of one database and retention policy.
            database: these two.
            run: called for each task that has to take some of it.
        """
        route = self._routes.get(database)
        if route is not None:
            route.feed(write, run)
