"""A thread for work that would hold up the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
)
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_PAUSE_S = 0.0005


def paced(items: Iterable[T], turn: int) -> Iterator[T]:
    """Yield `items`, with a pause after every `turn` of them.

    Without pauses a thread that works in Python would hold the interpreter's lock for
    5 ms at a time, and so delay the event loop and the compute thread.
    """
    for number, item in enumerate(items, 1):
        yield item
        if not number % turn:
            time.sleep(_PAUSE_S)


async def each(
    run: Callable[..., Awaitable[Any]], slices: Iterator[T]
) -> AsyncGenerator[T, None]:
    """Results of `slices`, each computed by a call of its own.

    Args:
        run: calls a function with arguments, on some thread.
        slices: iterator whose every step does the work of a slice.
    """
    end = object()
    while (found := await run(next, slices, end)) is not end:
        yield found


class Worker:
    """Runs functions one after the other on a thread of its own.

    asyncio's own threads are not a substitute: handlers that hang may occupy all of them.
    The thread is started when it is first needed.
    """

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(1, name)

    async def run(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `function` on the thread and return its result."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, lambda: function(*args, **kwargs)
        )

    def each(self, slices: Iterator[T]) -> AsyncGenerator[T, None]:
        """Work slice by slice; other work runs in between.

        Args:
            slices: iterator whose every step does the work of a slice.
        """
        return each(self.run, slices)

    def close(self) -> None:
        """Accept no more work; running work is not interrupted."""
        self._threads.shutdown(wait=False)
