"""The loops of queries, on the event loop; their tasks run on the compute thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from runtime.compute.bridge import Bridge
from runtime.nodes.post_queue import Resume, Run, Step

_log = logging.getLogger("kapacitor.kapacitor")

Work = Callable[[], Coroutine[Any, Any, None]]


class QueryLoop:
    """The loop of one query."""

    __slots__ = ("task",)

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None


class QueryLoops:
    """The loops of all queries. Loops that are begun before `start` wait for it."""

    def __init__(self) -> None:
        self._bridge = Bridge()
        self._run: Run | None = None

    def start(self, run: Run) -> None:
        """Begin, on the event loop.

        Args:
            run: calls a function on the compute thread, in a transaction.
        """
        self._run = run
        self._bridge.start()

    async def close(self) -> None:
        """End all loops and their running queries."""
        # calls from the compute thread arrive in the next iteration of the event loop
        await asyncio.sleep(0)
        self._bridge.stop()
        tasks = list(self._bridge.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, work: Work) -> QueryLoop:
        """Begin a loop; from any thread."""
        loop = QueryLoop()
        self._bridge.soon(self._begin, loop, work)
        return loop

    def end(self, loop: QueryLoop) -> None:
        """End a loop and its running query; from any thread."""
        self._bridge.soon(_cancel, loop)

    async def go_on(self, resume: Resume, step: Step) -> None:
        """Run a step of a task on the compute thread, and wait for it."""
        assert self._run is not None
        await self._run(resume, step)

    def _begin(self, loop: QueryLoop, work: Work) -> None:
        loop.task = self._bridge.spawn(_logged(work))


async def _logged(work: Work) -> None:
    try:
        await work()
    # logged here, as the task is not awaited and could end unnoticed
    except Exception:
        _log.exception("query loop ended with an error")


def _cancel(loop: QueryLoop) -> None:
    if loop.task is not None:
        loop.task.cancel()
