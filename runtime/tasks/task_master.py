"""The tasks that run, and the stream of writes that feeds them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import ParamSpec

from runtime.errors import (
    BusyError,
    DeliveryError,
    InvalidError,
    LineProtocolError,
    TaskError,
)
from runtime.frames import Point, Value
from runtime.line_protocol import Write, parse
from runtime.line_protocol.write import write_of_rows
from runtime.nodes.environment import Environment
from runtime.nodes.post_queue import Step
from runtime.nodes.timers import Timers
from runtime.pipeline.evaluate import EvaluatedScript
from runtime.tasks.ingress import Ingress
from runtime.tasks.parts import Parts
from runtime.tasks.routes import WriteRoutes
from runtime.tasks.shared_path import Run
from runtime.tasks.task import ExecutingTask
from runtime.tasks.weight import is_heavy
from runtime.units import Clock, Nanoseconds

P = ParamSpec("P")

# Maximum number of rounds of points that tasks write back.
MAX_ROUNDS = 8
# Number of timers to run before the next write.
_TIMERS_PER_TICK = 300

log = logging.getLogger("kapacitor.kapacitor")


Tap = Callable[[Write, str, str], None]
EnvironmentMaker = Callable[[str, tuple[tuple[str, str], ...]], Environment]


class TaskMaster:
    """Runs tasks, on the compute thread.

    Attributes:
        stopped: called with id and reason when a running task stops by itself.
        queried: called with a task's id, the node and the reason when a query of a batch
            task fails, and with "" when it succeeds again.
        ingress: counter of the points received since the start.
        taps: called with each write, before the tasks get it.
        timers: timers of the tasks.
    """

    def __init__(
        self,
        environment: EnvironmentMaker,
        *,
        clock: Clock,
        timers: Timers | None = None,
        default_retention_policy: str = "",
        transaction: Callable[[], AbstractContextManager[None]],
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        """Create a master without tasks.

        Args:
            environment: creates the environment of a task's nodes, from its id and
                dbrps.
            clock: wall clock, in ns since 1970 UTC.
            timers: timers on a monotonic clock; on `clock` unless given.
            default_retention_policy: retention policy of writes that name none.
            transaction: transaction for the effects of tasks outside of writes.
            pause: lets writes in between the nodes of a task that starts.
        """
        self._environment = environment
        self._clock = clock
        self.timers = timers or Timers(clock)
        self._default_rp = default_retention_policy
        self._transaction = transaction
        self._pause = pause
        self._tasks: dict[str, ExecutingTask] = {}
        self._is_closed = False
        self._parts = Parts()
        self._heavy: set[object] = set()
        self._routes = WriteRoutes()
        self._written_back: list[Point] = []
        self.stopped: Callable[[str, str], None] = lambda id, error: None
        self.queried: Callable[[str, str, str], None] = lambda id, node, error: None
        self.ingress = Ingress()
        self.taps: set[Tap] = set()

    def __iter__(self) -> Iterator[ExecutingTask]:
        return iter(list(self._tasks.values()))

    def __len__(self) -> int:
        return len(self._tasks)

    def get(self, id: str) -> ExecutingTask | None:
        """The running task of that id."""
        return self._tasks.get(id)

    def start(
        self, id: str, script: EvaluatedScript, dbrps: tuple[tuple[str, str], ...]
    ) -> None:
        """Run a task, after stopping any task with the same id.

        Raises:
            TaskError: a node cannot start.
        """
        self.stop(id)
        environment = self._environment(id, dbrps)
        environment.timers = self.timers
        environment.write_points = self._written_back.extend
        environment.budget.heavy = self._heavy
        environment.pause = self._pause
        environment.note_query = lambda node, error: self.queried(id, node, error)
        task = ExecutingTask(id, script, environment)
        environment.resume = lambda step: self._resume(task, step)
        self._pause()
        works_long = is_heavy(script.pipeline)
        self._pause()
        self._tasks[id] = task
        if works_long:
            self._heavy.add(task)
        self._routes.add(task)
        self._parts.forget()
        for caveat in task.caveats():
            log.warning(caveat, extra=_context(task))
        task.begin()

    def stop(self, id: str) -> None:
        """Stop a task if it runs; points that it held back are passed on first.

        Raises:
            StoreError: the database cannot be written.
        """
        task = self._tasks.get(id)
        if task is None:
            return
        with self._transaction():
            # only now: if the database cannot be written, the task keeps running
            del self._tasks[id]
            self._heavy.discard(task)
            self._routes.remove(task)
            task.close()
            self._feed_back()

    def close(self) -> None:
        """Stop all tasks, and refuse the remaining parts of long writes."""
        self._is_closed = True
        for id in list(self._tasks):
            try:
                self.stop(id)
            # an error of one must not keep the others from stopping
            except Exception:
                log.exception("failed to stop a task", extra={"task": id})

    def take(self, body: bytes | Write, db: str, rp: str, precision: str) -> None:
        """Feed a client's write to the tasks that read it.

        Args:
            body: line protocol, or the result of `prepare`.
            db: database of the write.
            rp: retention policy of the write; "" for the default.
            precision: precision of the times.

        Raises:
            RefusedError: the text is wrong, or names no database; nothing was taken.
        """
        _finish(self.steps(body, db, rp, precision))

    def steps(
        self, body: bytes | Write, db: str, rp: str, precision: str
    ) -> Iterator[None]:
        """Like `take`, in steps of a few milliseconds each.

        Between two steps, other writes may be taken, timers may run, and tasks may
        start and stop. Points reach each task in order.

        Raises:
            RefusedError: the text is wrong, or names no database; raised before the
                first step, when nothing was taken.
        """
        write = body
        if isinstance(write, bytes):
            write = self.prepare(write, db, rp, precision, self.wanted(db, rp))
        if not db:
            raise InvalidError("database is required")
        rp = rp or self._default_rp
        self.ingress.count(write.counts(), db, rp)
        return self.fed(write, db, rp)

    def wanted(self, db: str, rp: str) -> Collection[str] | None:
        """Measurements of a database that some task reads; None for all."""
        if self.taps:
            return None
        return self._routes.measurements((db, rp or self._default_rp))

    def prepare(
        self,
        body: bytes,
        db: str,
        rp: str,
        precision: str,
        wanted: Collection[str] | None,
    ) -> Write:
        """Parse a client's write. Any thread may do this.

        Raises:
            RefusedError: the text is wrong.
        """
        try:
            return parse(
                body,
                precision=precision,
                now=self._clock(),
                db=db,
                rp=rp or self._default_rp,
                wanted=wanted,
            )
        except LineProtocolError as error:
            raise InvalidError(str(error)) from None

    def feed(self, write: Write, db: str, rp: str) -> None:
        """Feed points to the tasks that read (`db`, `rp`). A task that fails stops.

        Points that the tasks write back are fed next, before this returns.
        """
        _finish(self.fed(write, db, rp))

    def fed(self, write: Write, db: str, rp: str) -> Iterator[None]:
        """Like `feed`, step by step; see `steps`.

        Raises:
            BusyError: the master was closed meanwhile.
        """
        for tap in self.taps:
            tap(write, db, rp)
        parts = self._parts.of(write, is_heavy=self.is_heavy)
        run: Run = self._guard
        for number, (part, pace) in enumerate(parts):
            if number > 0:
                # a part of few points may be much work, in a single step
                pace.pause()
                yield
                pace.resume()
            if number == 0 and len(part) < len(write):
                run = self._adding_up()
            if self._is_closed:
                raise BusyError("the server is stopping")
            for _ in self._routes.steps(part, (db, rp), run):
                pace.pause()
                yield
                pace.resume()
            self._feed_back()

    @property
    def has_timed_nodes(self) -> bool:
        """True if some task has a node that acts on a timer."""
        return any(node.is_timed for task in self for node in task.nodes)

    @property
    def is_heavy(self) -> bool:
        """True if a few points may take long; any thread may read this.

        This is so if a task keeps much state, or if its script may take long for a
        point.
        """
        return bool(self._heavy)

    def tick(self) -> None:
        """Run the timers that are due, up to `_TIMERS_PER_TICK`."""
        with self._transaction():
            self.timers.run(_TIMERS_PER_TICK)
            self._feed_back()

    def measure(self) -> None:
        """Measure the tasks' throughput and memory; to be called about once a second."""
        now = self._clock()
        self._routes.measure()
        for task in self:
            task.measure(now)

    def _feed_back(self) -> None:
        """Feed the points that tasks have written back, and those that follow from them."""
        for _ in range(MAX_ROUNDS):
            if not self._written_back:
                return
            points = list(self._written_back)
            self._written_back.clear()
            for (db, rp), some in _by_database(points).items():
                rows = [(p.name, dict(p.tags), _known(p), p.time) for p in some]
                write = write_of_rows(rows, db, rp)
                self.ingress.add(write.frames, db, rp)
                for tap in self.taps:
                    tap(write, db, rp)
                self._routes.feed(write, (db, rp), self._guard)
        if self._written_back:
            left = len(self._written_back)
            self._written_back.clear()
            log.error(
                "dropped points that loopbacks write in a cycle",
                extra={"points": left, "rounds": MAX_ROUNDS},
            )

    def _resume(self, task: ExecutingTask, step: Step) -> None:
        self._guard(task, step)
        self._feed_back()

    def _adding_up(self) -> Run:
        """`_guard` for the parts of one write: a task's time for them adds up."""
        spent: dict[ExecutingTask, Nanoseconds] = {}

        def run(task: ExecutingTask, work: Callable[[], None]) -> None:
            budget = task.environment.budget
            budget.spent = spent.get(task, 0)
            began = budget.clock()
            self._guard(task, work)
            spent[task] = budget.spent + budget.clock() - began
            budget.spent = 0

        return run

    def _guard(
        self,
        task: ExecutingTask,
        work: Callable[P, None],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        if task.stopped:
            return
        try:
            work(*args, **kwargs)
            reason = task.error
        except (TaskError, DeliveryError) as error:
            reason = str(error)
        # a mistake in one task must not take the server down
        except Exception as error:
            log.exception("failed to run a task", extra=_context(task))
            reason = f"internal error: {type(error).__name__}: {error}"
        if reason:
            task.error = reason
            self._drop(task, reason)

    def _drop(self, task: ExecutingTask, reason: str) -> None:
        log.error("task stopped", extra={**_context(task), "err": reason})
        if self._tasks.pop(task.id, None) is not None:
            self._heavy.discard(task)
            self._routes.remove(task)
        try:
            task.close()
        # the task has failed already: a further error while it ends is only logged
        except Exception:
            log.exception("failed to close a failed task", extra=_context(task))
        self.stopped(task.id, reason)


def _context(task: ExecutingTask) -> dict[str, str]:
    return {"task_master": task.environment.task_master_id, "task": task.id}


def _finish(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def _by_database(points: Sequence[Point]) -> dict[tuple[str, str], list[Point]]:
    found: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        found.setdefault((point.db, point.rp), []).append(point)
    return found


def _known(point: Point) -> dict[str, Value]:
    # only an outer join leaves a field without value
    return {name: each for name, each in point.fields.items() if each is not None}
