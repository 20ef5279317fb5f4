"""Calls into the event loop from other threads."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec

P = ParamSpec("P")


class Bridge:
    """Carries calls from any thread to the event loop, and keeps tasks started there.

    Calls before `start` are made at the start; calls after `stop` are dropped.

    Attributes:
        tasks: unfinished tasks of `spawn`. The loop itself has only weak references.
    """

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopped = False
        # keeps calls during `start` from being lost, or made twice
        self._lock = threading.Lock()
        self._early: list[Callable[[], None]] = []

    @property
    def is_open(self) -> bool:
        """True between `start` and `stop`."""
        return self._loop is not None

    def start(self) -> None:
        """Start to forward calls; on the event loop."""
        with self._lock:
            self._loop, self._is_stopped = asyncio.get_running_loop(), False
            early, self._early = self._early, []
        for call in early:
            call()

    def stop(self) -> None:
        """Stop forwarding calls; on the event loop. Running tasks continue."""
        with self._lock:
            self._loop = None
            self._is_stopped = True

    def soon(self, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Make a call on the event loop; from any thread."""
        bound = partial(call, *args, **kwargs)
        with self._lock:
            if self._loop is not None:
                # the loop may just have been closed, and then runs no more calls
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(bound)
            elif not self._is_stopped:
                self._early.append(bound)

    def later(self, delay_s: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Make a call in `delay_s` seconds; on the event loop, between start and stop."""
        assert self._loop is not None
        return self._loop.call_later(delay_s, call)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task; on the event loop."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
