"""The one thread on which tasks, topics and the store do their work.

The event loop hands work over and awaits the result, so it always answers. Writes that
wait while another is running are done in one pass with one commit, and each of them is
answered by itself.

A long write is done in steps. After some milliseconds it pauses for other work, and so on
until it is done and answered: no other write waits for the whole of it. The results of
its steps are committed before each pause.

A small write that finds the thread idle is done at once on the event loop, since handing
it over would cost more than the work. No other work is running then, so the order is
kept. The event loop must never block, though. Results of a small write that have to be
stored are committed on the thread. The whole write is done on the thread in these cases:

* while another thread uses the database;
* while a single point may cause long work, such as the end of a long window;
* for the first small write, to measure its duration;
* for some time after a slow small write: the slower it was, the longer.

Other long jobs, such as the start of a task with thousands of nodes, give way now and
then: the job itself runs the writes that have arrived, and then continues.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import queue
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from runtime.compute.bridge import Bridge
from runtime.compute.worker import Worker, each

P = ParamSpec("P")
T = TypeVar("T")

# More writes in one pass would only delay the answer to the first.
MAX_WRITES_PER_PASS = 256
# A pass, or a turn of the long writes, ends after this time, as other work waits.
TURN_S = 0.015
# A write that takes longer than this continues in the turns of the long writes. A small
# write that takes longer sends the following ones to the thread …
SLOW_S = 0.005
# … for this multiple of its time: the same client may write again within a minute.
CAUTION = 200


@dataclass(slots=True, eq=False)
class _Job:
    function: Callable[..., Any]
    arguments: Sequence[Any]
    keywords: dict[str, Any]
    future: asyncio.Future[Any]
    is_write: bool
    is_small: bool = False
    result: Any = None
    error: BaseException | None = None
    # remaining steps of a long write
    steps: Generator[None, None, None] | None = None

    def settle(self) -> None:
        """Set the result of the future; on the event loop."""
        if self.future.cancelled():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)

    def done(self) -> _Job:
        """A job with the same result, to be answered after the next commit."""
        return _Job(self._again, (), {}, self.future, self.is_write)

    def _again(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result


class Compute:
    """Runs functions one after the other, in the order of their calls.

    Attributes:
        reader: thread for reading, beside this one.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Any]] | None = None,
        staging: Callable[[], AbstractContextManager[bool]] | None = None,
        has_staged: Callable[[], bool] = lambda: False,
        is_heavy: Callable[[], bool] = lambda: False,
        in_transaction: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make a thread that is not started yet.

        Args:
            transaction: context of the writes of one pass; its exit commits.
            staging: context of a small write on the event loop. It commits nothing, and
                yields False if the write has to be done on the thread.
            has_staged: returns True if writes still have to be committed by a
                transaction.
            is_heavy: returns True while even small writes may take long.
            in_transaction: returns True inside a transaction, as they cannot be nested.
        """
        self._transaction = transaction or contextlib.nullcontext
        self._staging = staging or (lambda: contextlib.nullcontext(transaction is None))
        self._has_staged = has_staged
        self._is_heavy = is_heavy
        self._in_transaction = in_transaction
        self.reader = Worker("reader")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        # jobs taken from `_jobs`, but not started
        self._ahead: deque[_Job | None] = deque()
        # long writes that have started; they take turns
        self._long: deque[_Job] = deque()
        self._closing = False
        # number of unanswered jobs; used on the event loop only
        self._pending = 0
        # False until the duration of a small write is known
        self._is_measured = False
        self._cautious_until = 0.0
        # time at which the running job has to give way
        self._turn_ends = math.inf
        self._bridge = Bridge()
        self._thread = threading.Thread(target=self._work, name="compute", daemon=True)

    def start(self) -> None:
        """Start the thread; called on the event loop that will await results."""
        self._bridge.start()
        self._thread.start()

    async def close(self) -> None:
        """Finish the queued work, then end the thread."""
        self.reader.close()
        if self._thread.is_alive():
            self._closing = True
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)

    def run(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Call `function` on the thread; the future has its result or exception."""
        return self._submit(function, args, kwargs, is_write=False)

    def each(self, slices: Iterator[T]) -> AsyncGenerator[T, None]:
        """Work slice by slice on the thread; other work runs in between.

        Args:
            slices: iterator whose every step does the work of a slice.
        """
        return each(self.run, slices)

    def write(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Like `run`, sharing one transaction with other writes that wait.

        If the commit fails, every write of the pass gets the commit's exception. If
        `function` raises, it must leave nothing half done in the store. It may return a
        generator of steps. Other writes are done between these, each turn of them has a
        commit of its own, and the result is None.
        """
        return self._submit(function, args, kwargs, is_write=True)

    def give_way(self) -> None:
        """Do waiting writes, if the running job has used up its turn.

        A long job calls this wherever writes would see nothing half done. Writes overtake
        the other jobs, which keep waiting. On other threads it does nothing.
        """
        if time.monotonic() < self._turn_ends or self._in_transaction():
            return
        if threading.get_ident() != self._thread.ident:
            return
        if writes := self._waiting_writes():
            self._run(writes)
        if self._long:
            self._turn_of_long()
        self._turn_ends = time.monotonic() + TURN_S

    def write_small(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Like `write`, for a call that is likely to be faster than handing it over."""
        job = self._job(function, args, kwargs, is_write=True, is_small=True)
        if (
            self._pending
            or not self._is_measured
            or time.monotonic() < self._cautious_until
            or self._has_staged()
            or self._is_heavy()
        ):
            self._put(job)
            return job.future
        with self._staging() as is_free:
            if is_free:
                self._execute(job, time.monotonic() + SLOW_S)
        if not is_free or job.steps is not None:
            self._put(job)
        elif self._has_staged():
            self._put(job.done())
        else:
            job.settle()
        return job.future

    def _submit(
        self,
        function: Callable[..., T],
        args: Sequence[Any],
        kwargs: dict[str, Any],
        *,
        is_write: bool,
    ) -> asyncio.Future[T]:
        job = self._job(function, args, kwargs, is_write=is_write)
        self._put(job)
        return job.future

    def _job(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any],
        *,
        is_write: bool,
        is_small: bool = False,
    ) -> _Job:
        if not self._bridge.is_open or self._closing:
            raise RuntimeError("the compute thread is not running")
        future = asyncio.get_running_loop().create_future()
        return _Job(function, args, kwargs, future, is_write, is_small)

    def _put(self, job: _Job) -> None:
        self._pending += 1
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            jobs = self._taken()
            if jobs:
                self._turn_ends = time.monotonic() + TURN_S
                self._run(jobs)
            elif not self._long:
                return
            if self._long:
                self._turn_of_long()

    def _turn_of_long(self) -> None:
        done = self._transact(self._long, TURN_S)
        # most turns finish no write, and then need not wake the event loop
        if done:
            self._bridge.soon(self._settle, done)

    def _waiting_writes(self) -> deque[_Job]:
        """Take the first writes out of the waiting jobs."""
        while not self._jobs.empty():
            self._ahead.append(self._jobs.get())
        writes: deque[_Job] = deque()
        others: list[_Job | None] = []
        while self._ahead and len(writes) < MAX_WRITES_PER_PASS:
            job = self._ahead.popleft()
            if job is not None and job.is_write:
                writes.append(job)
            else:
                others.append(job)
        self._ahead.extendleft(reversed(others))
        return writes

    def _taken(self) -> deque[_Job]:
        """Take the next jobs: a run of writes, or a single other job.

        Empty at the end, and if only long writes are left to do.
        """
        jobs: deque[_Job] = deque()
        while len(jobs) < MAX_WRITES_PER_PASS:
            if not self._ahead:
                if self._jobs.empty() and (jobs or self._long):
                    break
                self._ahead.append(self._jobs.get())
            job = self._ahead[0]
            # None marks the end and stays in the queue
            if job is None or (jobs and not job.is_write):
                break
            jobs.append(job)
            self._ahead.popleft()
            if not job.is_write:
                break
        return jobs

    def _run(self, jobs: deque[_Job]) -> None:
        if jobs[0].is_write:
            done = self._transact(jobs, SLOW_S)
            self._ahead.extendleft(reversed(jobs))
        else:
            done = [*jobs]
            self._execute(done[0])
        self._bridge.soon(self._settle, done)

    def _transact(self, jobs: deque[_Job], each_s: float) -> list[_Job]:
        """Take writes from `jobs` and do them in one transaction, until time is up.

        Args:
            jobs: queue of jobs; the remaining ones stay in it.
            each_s: time of this turn that each job may take.

        Returns:
            The finished jobs. Unfinished ones are added to the long writes.
        """
        begun: list[_Job] = []
        try:
            with self._transaction():
                now = time.monotonic()
                end = now + TURN_S
                while jobs and (now < end or not begun):
                    begun.append(jobs.popleft())
                    self._execute(begun[-1], min(end, now + each_s))
                    now = time.monotonic()
        except Exception as error:
            if not begun:
                begun += jobs
                jobs.clear()
            for job in begun:
                job.steps, job.error = None, job.error or error
        self._long.extend(job for job in begun if job.steps is not None)
        return [job for job in begun if job.steps is None]

    def _execute(self, job: _Job, until_s: float = math.inf) -> None:
        # time of the thread, without that of other work of the machine
        start = time.thread_time()
        try:
            if job.steps is None:
                job.result = job.function(*job.arguments, **job.keywords)
                if job.is_write and isinstance(job.result, Generator):
                    job.steps, job.result = job.result, None
            if job.steps is not None and _is_done(job.steps, until_s):
                job.steps = None
        # any exception goes to the caller, and the thread continues
        except BaseException as error:
            job.steps, job.error = None, error
        if job.is_small:
            self._learn(time.thread_time() - start)

    def _learn(self, work_s: float) -> None:
        """Note the duration of a small write."""
        self._is_measured = True
        if work_s > SLOW_S:
            until = time.monotonic() + CAUTION * work_s
            self._cautious_until = max(self._cautious_until, until)

    def _settle(self, jobs: Sequence[_Job]) -> None:
        self._pending -= len(jobs)
        for job in jobs:
            job.settle()


def _is_done(steps: Iterator[None], until_s: float) -> bool:
    """Do steps until `until_s`; True if all are done."""
    return all(time.monotonic() < until_s for _ in steps)
