"""Routes from writes to tasks."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import partial

from runtime.tasks.shared_path import FEW_POINTS, Run, SharedPath
from runtime.tasks.task import ExecutingTask, Write

Database = tuple[str, str]


_NOTHING: frozenset[str] = frozenset()


class _Route:
    """The tasks that read one database and retention policy."""

    def __init__(self) -> None:
        self._shared: dict[str, dict[SharedPath, None]] = {}
        self._shared_by: dict[ExecutingTask, SharedPath] = {}
        # the newest shared path of a measurement for each key
        self._newest: dict[tuple[str, Hashable], SharedPath] = {}
        self._tasks: dict[ExecutingTask, None] = {}
        # tasks by measurement; computed when needed
        self._takers: dict[str, tuple[ExecutingTask, ...]] = {}
        # computed when needed
        self._measurements: frozenset[str] | None = None
        self._knows_measurements = False

    def measurements(self) -> frozenset[str] | None:
        if not self._knows_measurements:
            names = {name for name, paths in self._shared.items() if paths}
            each_takes = [task.measurements for task in self._tasks]
            named = [takes for takes in each_takes if takes is not None]
            takes_all = len(named) < len(each_takes)
            self._measurements = None if takes_all else frozenset(names.union(*named))
            self._knows_measurements = True
        return self._measurements

    def shared(self) -> Iterator[SharedPath]:
        return (path for paths in self._shared.values() for path in paths)

    def add(self, task: ExecutingTask) -> None:
        self._knows_measurements = False
        path = task.path
        if path is None:
            self._tasks[task] = None
            self._takers.clear()
            return
        key = path.measurement, path.key
        shared = self._newest.get(key)
        if shared is None or not shared.is_open:
            shared = self._newest[key] = SharedPath(path)
            self._shared.setdefault(path.measurement, {})[shared] = None
        shared.add(task, path)
        self._shared_by[task] = shared

    def remove(self, task: ExecutingTask) -> None:
        self._knows_measurements = False
        path = task.path
        if path is None:
            self._tasks.pop(task, None)
            self._takers.clear()
            return
        shared = self._shared_by.pop(task)
        shared.remove(task)
        if shared:
            return
        del self._shared[path.measurement][shared]
        if self._newest.get((path.measurement, path.key)) is shared:
            del self._newest[path.measurement, path.key]

    def steps(self, write: Write, run: Run) -> Iterator[None]:
        frames, taken = write.frames, 0
        for frame in frames:
            for shared in list(self._shared.get(frame.name, ())):
                yield from shared.feed(frame, run)
                taken += len(frame)
                if taken >= FEW_POINTS:
                    taken = 0
                    yield
        if not self._tasks:
            return
        points = sum(map(len, frames))
        for task in dict.fromkeys(t for f in frames for t in self._taking(f.name)):
            run(task, partial(task.write, write))
            taken += points
            if taken >= FEW_POINTS:
                taken = 0
                yield

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


class WriteRoutes:
    """Tasks by the measurements that they read. A task that is fed may add or remove tasks."""

    def __init__(self) -> None:
        self._routes: dict[Database, _Route] = {}

    def add(self, task: ExecutingTask) -> None:
        """Feed a task from now on."""
        for database in task.databases:
            self._routes.setdefault(database, _Route()).add(task)

    def remove(self, task: ExecutingTask) -> None:
        """Stop feeding a task."""
        for database in task.databases:
            self._routes[database].remove(task)

    def measurements(self, database: Database) -> frozenset[str] | None:
        """Measurements that some task reads; None if one reads all."""
        route = self._routes.get(database)
        return _NOTHING if route is None else route.measurements()

    def measure(self) -> None:
        """Measure the memory of the nodes that tasks share, about once a second."""
        for route in self._routes.values():
            for shared in route.shared():
                shared.measure()

    def feed(self, write: Write, database: Database, run: Run) -> None:
        """Feed a write to the tasks that read it.

        Args:
            write: points of one database and retention policy.
            database: database and retention policy.
            run: called for each task that receives some of the points.
        """
        for _ in self.steps(write, database, run):
            pass

    def steps(self, write: Write, database: Database, run: Run) -> Iterable[None]:
        """Like `feed`, step by step.

        Between two steps other writes may be fed, and tasks be added and removed: `run`
        may be called for a task that was removed meanwhile.
        """
        route = self._routes.get(database)
        return () if route is None else route.steps(write, run)
