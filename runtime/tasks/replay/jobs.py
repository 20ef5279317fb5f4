"""Background jobs, until they end or are cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import NamedTuple

log = logging.getLogger("kapacitor.replay")


class _Job(NamedTuple):
    task: asyncio.Future[None]
    started: asyncio.Event


class Jobs:
    """Running recordings and replays by kind and id, for the event loop only."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], _Job] = {}

    def start(self, kind: str, id: str, work: Awaitable[None]) -> None:
        """Start `work`, and log its errors."""
        started = asyncio.Event()
        task = asyncio.ensure_future(_guarded(kind, id, work, started))
        self._jobs[kind, id] = _Job(task, started)
        task.add_done_callback(lambda _: self._jobs.pop((kind, id), None))

    async def cancel(self, kind: str, id: str) -> None:
        """Cancel the job of that kind and id, if there is one, and wait for its end."""
        job = self._jobs.get((kind, id))
        if job is not None:
            await _ended(job)

    async def close(self) -> None:
        """Cancel all jobs, and wait for their end."""
        await asyncio.gather(*map(_ended, self._jobs.values()))


async def _guarded(
    kind: str, id: str, work: Awaitable[None], started: asyncio.Event
) -> None:
    started.set()
    try:
        await work
    # its result is not awaited, so every failure is logged here
    except Exception:
        log.exception(f"{kind} failed", extra={kind: id})


async def _ended(job: _Job) -> None:
    # cancelled before it has begun, it would not clean up
    await job.started.wait()
    job.task.cancel()
    await asyncio.gather(job.task, return_exceptions=True)
