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
    """One node's work, done one after the other in the order in which it came."""

    def __init__(self, queues: PostQueues, resume: Resume) -> None:
        self._queues = queues
        self._resume = resume
        # put on the compute thread, taken on the event loop
        self._lock = threading.Lock()
        self._waiting: deque[Work] = deque()
        self._is_busy = False

    def __len__(self) -> int:
        """The number of waiting posts, without the running one."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """True if all is done, the steps of the task included."""
        return not self._is_busy

    def put(self, work: Work) -> None:
        """Have something done; the step that it gives is then run for the task."""
        with self._lock:
            self._waiting.append(work)
            was_busy, self._is_busy = self._is_busy, True
        if not was_busy:
            self._queues.begin(self)

    def drop(self) -> int:
        """Drop the waiting posts; how much that is."""
        with self._lock:
            left = len(self._waiting)
            self._waiting.clear()
        return left

    async def run(self) -> None:
        """Do what waits; on the event loop."""
        while (work := self._next()) is not None:
            try:
                step = await work()
                if step is not None:
                    await self._queues.go_on(self._resume, step)
            # a failure must not cost a task its next steps
            except Exception:
                _log.exception("failed to run the next step of a post")

    def _next(self) -> Work | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._is_busy = False
            return None


class PostQueues:
    """The queues of all nodes. Before it is started, what is put there waits."""

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
        """A queue; `resume` runs a step of its task, on the compute thread."""
        return PostQueue(self, resume)

    def start(self, run: Run) -> None:
        """Begin, on the event loop.

        Args:
            run: calls a function on the compute thread, in a transaction.
        """
        self._run = run
        self._bridge.start()

    async def close(self, limit_s: float) -> int:
        """Finish what waits, if that takes no longer than `limit_s`; how much is left."""
        # a new post starts with the next turn of the loop
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
