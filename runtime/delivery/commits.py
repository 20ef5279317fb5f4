"""Outcomes of deliveries, written to the outbox in batches with one commit each."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from runtime.compute.worker import Worker
from runtime.delivery.messages import Message, Note
from runtime.delivery.outbox import Outbox
from runtime.errors import StoreFullError
from runtime.trouble import Trouble

AGAIN_S = 1.0

_log = logging.getLogger("kapacitor.delivery")


@dataclass(slots=True)
class _Outcome:
    future: asyncio.Future[None]
    done: int | None
    changed: Message | None
    note: Note | None


class CommitBatcher:
    """Gathers outcomes while a commit is running; the next commit writes them all.

    A slot waits for its outcome to be kept before it takes the next message, so that a
    crash repeats at most one delivery of each slot. All methods are for the event loop;
    a separate thread waits for the disk.

    Attributes:
        run: runs a function that uses the outbox, without blocking the event loop.
        each: does the same slice by slice, with commits in between.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._waiting: list[_Outcome] = []
        self._task: asyncio.Task[None] | None = None
        self._trouble = Trouble(
            _log, "failed to write the outbox", "writing the outbox succeeds again"
        )
        self._worker = Worker("outbox")
        self.run = self._worker.run
        self.each = self._worker.each

    async def commit(
        self,
        *,
        done: int | None = None,
        changed: Message | None = None,
        note: Note | None = None,
    ) -> None:
        """Return when the end, change or progress of a message is on disk."""
        loop = asyncio.get_running_loop()
        outcome = _Outcome(loop.create_future(), done, changed, note)
        self._waiting.append(outcome)
        if self._task is None:
            self._task = loop.create_task(self._run())
        await outcome.future

    async def close(self) -> None:
        """Drop results that cannot be stored."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._worker.close()

    async def _make_room(self, error: StoreFullError) -> None:
        if self._outbox.room.is_short:
            # the reserve is used up: only freeing disk space helps
            self._trouble.failed(error)
            await asyncio.sleep(AGAIN_S)
        else:
            await self.run(self._outbox.room.give_up_reserve)

    async def _run(self) -> None:
        # no timer is needed: while one commit waits for the disk, the next batch fills
        # up
        while self._waiting:
            outcomes, self._waiting = self._waiting, []
            done = [each.done for each in outcomes if each.done is not None]
            changed = [each.changed for each in outcomes if each.changed is not None]
            notes = [each.note for each in outcomes if each.note is not None]
            try:
                await self.run(self._outbox.record, done, changed, notes)
            except StoreFullError as error:
                self._waiting = outcomes + self._waiting
                await self._make_room(error)
                continue
            # slots wait for these outcomes: log any error, and try again
            except Exception as error:
                self._trouble.failed(error)
                self._waiting = outcomes + self._waiting
                await asyncio.sleep(AGAIN_S)
                continue
            self._trouble.ended()
            for each in outcomes:
                # a slot may have been cancelled while it waited
                if not each.future.done():
                    each.future.set_result(None)
        self._task = None
