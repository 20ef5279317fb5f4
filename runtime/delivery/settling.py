"""Writes what became of deliveries to the outbox, many with one commit."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from runtime.compute.worker import Worker
from runtime.delivery.items import Item
from runtime.delivery.outbox import Outbox
from runtime.errors import StoreFullError
from runtime.trouble import Trouble

SETTLE_AGAIN_S = 1.0

_log = logging.getLogger("kapacitor.delivery")


@dataclass(slots=True)
class _Outcome:
    future: asyncio.Future[None]
    done: int | None
    changed: Item | None


class Settler:
    """Gathers outcomes while a commit is under way; the next commit has them all.

    A worker waits for its outcome to be kept before it takes the next event, so that a
    crash repeats at most one delivery of each handler.

    Attributes:
        run: calls a function that uses the outbox, without holding up the event loop.
        each: does so slice by slice; what is settled meanwhile goes in between.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._waiting: list[_Outcome] = []
        self._task: asyncio.Task[None] | None = None
        self._trouble = Trouble(
            _log, "failed to write the outbox", "the outbox is written again"
        )
        self._worker = Worker("outbox")
        self.run = self._worker.run
        self.each = self._worker.each

    async def settle(
        self, *, done: int | None = None, changed: Item | None = None
    ) -> None:
        """Return when it is kept that an item is done or has changed."""
        loop = asyncio.get_running_loop()
        outcome = _Outcome(loop.create_future(), done, changed)
        self._waiting.append(outcome)
        if self._task is None:
            self._task = loop.create_task(self._run())
        await outcome.future

    async def close(self) -> None:
        """Give up what cannot be kept."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._worker.close()

    async def _make_room(self, error: StoreFullError) -> None:
        if self._outbox.is_short:
            self._trouble.failed(error)
            await asyncio.sleep(SETTLE_AGAIN_S)
        else:
            await self.run(self._outbox.give_up_reserve)

    async def _run(self) -> None:
        while self._waiting:
            outcomes, self._waiting = self._waiting, []
            done = [each.done for each in outcomes if each.done is not None]
            changed = [each.changed for each in outcomes if each.changed is not None]
            try:
                await self.run(self._outbox.settle, done, changed)
            except StoreFullError as error:
                self._waiting = outcomes + self._waiting
                await self._make_room(error)
                continue
            # workers wait for it: whatever happened is told, and tried again
            except Exception as error:
                self._trouble.failed(error)
                self._waiting = outcomes + self._waiting
                await asyncio.sleep(SETTLE_AGAIN_S)
                continue
            self._trouble.ended()
            for each in outcomes:
                if not each.future.done():
                    each.future.set_result(None)
        self._task = None
