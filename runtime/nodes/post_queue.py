"""Posts of nodes, sent on the event loop while their tasks continue."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable

from runtime.compute.bridge import Bridge
from runtime.errors import KapacitorError
from runtime.trouble import Trouble

_log = logging.getLogger("kapacitor.kapacitor")

Step = Callable[[], None]
Work = Callable[[], Awaitable[Step | None]]
Resume = Callable[[Step], None]
Run = Callable[[Resume, Step], Awaitable[None]]


class PostQueue:
    """The work of one node, done in order."""

    def __init__(self, queues: PostQueues, resume: Resume) -> None:
        self._queues = queues
        self._resume = resume
        # work is put on the compute thread and taken on the event loop
        self._lock = threading.Lock()
        self._waiting: deque[Work] = deque()
        self._is_busy = False

    def __len__(self) -> int:
        """The number of waiting posts, without the running one."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """True if all work is done, and its steps of the task are too."""
        return not self._is_busy

    def put(self, work: Work) -> None:
        """Add work; afterwards the step that it returns is run for the task."""
        with self._lock:
            self._waiting.append(work)
            was_busy, self._is_busy = self._is_busy, True
        if not was_busy:
            self._queues.begin(self)

    def drop(self) -> int:
        """Drop the waiting posts; return their number."""
        with self._lock:
            left = len(self._waiting)
            self._waiting.clear()
        return left

    async def run(self) -> None:
        """Do the waiting work; on the event loop."""
        while (work := self._next()) is not None:
            try:
                step = await work()
                if step is not None:
                    await self._queues.go_on(self._resume, step)
            # after a failure the task still gets its next steps
            except Exception:
                _log.exception("failed to run the next step of a post")

    def _next(self) -> Work | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._is_busy = False
            return None


class PostQueues:
    """The queues of all nodes. Work that is put before `start` waits for it."""

    def __init__(self) -> None:
        self._bridge = Bridge()
        self._run: Run | None = None
        self._trouble = Trouble(
            _log,
            "failed to resume a task after a post",
            "resuming tasks after posts " "succeeds again",
        )
        self._queues: dict[asyncio.Task[None], PostQueue] = {}

    def open(self, resume: Resume) -> PostQueue:
        """Open a queue; `resume` runs a step of its task, on the compute thread."""
        return PostQueue(self, resume)

    def start(self, run: Run) -> None:
        """Begin, on the event loop.

        Args:
            run: calls a function on the compute thread, in a transaction.
        """
        self._run = run
        self._bridge.start()

    async def close(self, limit_s: float) -> int:
        """Do waiting work for at most `limit_s`; return the number of dropped posts."""
        # new posts start with the next iteration of the event loop
        await asyncio.sleep(0)
        queues = dict(self._queues)
        if queues:
            await asyncio.wait(queues, timeout=limit_s)
        self._bridge.stop()
        unfinished = {task: queue for task, queue in queues.items() if not task.done()}
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        return sum(1 + queue.drop() for queue in unfinished.values())

    def begin(self, queue: PostQueue) -> None:
        """Work on a queue; from any thread."""
        self._bridge.soon(self._work, queue)

    async def go_on(self, resume: Resume, step: Step) -> None:
        """Run a step of a task."""
        assert self._run is not None
        try:
            await self._run(resume, step)
        except (KapacitorError, RuntimeError) as error:
            self._trouble.failed(error)
        else:
            self._trouble.ended()

    def _work(self, queue: PostQueue) -> None:
        task = self._bridge.spawn(queue.run())
        self._queues[task] = queue
        task.add_done_callback(lambda done: self._queues.pop(done, None))
