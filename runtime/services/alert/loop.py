"""Calls of handlers, which run on the event loop, to the compute thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from runtime.compute.bridge import Bridge
from runtime.errors import KapacitorError

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger("kapacitor.alert")


class Loop:
    """Carries work between the event loop and the compute thread.

    Before `start`, calls run at once on the caller's thread, and timers wait.
    """

    def __init__(self) -> None:
        self._run: Callable[..., Awaitable[Any]] | None = None
        self._bridge = Bridge()
        self._timers: set[asyncio.TimerHandle] = set()

    def start(self, run: Callable[..., Awaitable[Any]]) -> None:
        """Start, on the event loop.

        Args:
            run: calls a function on the compute thread.
        """
        self._run = run
        self._bridge.start()

    async def close(self) -> None:
        """Cancel the timers, and wait for running calls."""
        self._bridge.stop()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        await asyncio.gather(*self._bridge.tasks)

    async def call(self, function: Callable[P, T], *args: P.args, **kw: P.kwargs) -> T:
        """The result of `function`, called on the compute thread."""
        if self._run is None:
            return function(*args, **kw)
        result: T = await self._run(function, *args, **kw)
        return result

    def later(self, delay_s: float, function: Callable[[], None]) -> None:
        """Call `function` on the compute thread in `delay_s`; from either thread."""
        self._bridge.soon(self._arm, delay_s, function)

    def _arm(self, delay_s: float, function: Callable[[], None]) -> None:
        if not self._bridge.is_open:
            return

        def fire() -> None:
            self._timers.discard(timer)
            self._bridge.spawn(self._fire(function))

        timer = self._bridge.later(delay_s, fire)
        self._timers.add(timer)

    async def _fire(self, function: Callable[[], None]) -> None:
        try:
            await self.call(function)
        except KapacitorError as error:
            _log.error("failed to run a timer of a handler", extra={"err": str(error)})
        # its result is not awaited, so every failure is logged here
        except Exception:
            _log.exception("failed to run a timer of a handler")
