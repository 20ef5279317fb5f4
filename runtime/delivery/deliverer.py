"""From topics to handlers: at least once, in order, each handler for itself.

Events are offered on the compute thread and written to the outbox in the transaction
of their write. After the commit asyncio delivers them: each handler of each topic has a
queue of its own and a few events under way at a time, so a slow, hung or failing one
delays no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from runtime.alert.types import Level
from runtime.delivery.attempts import Attempts, log_failure, shown
from runtime.delivery.book import (
    BUFFER_SIZE,
    DELETED,
    QUOTA,
    QUOTA_BYTES,
    Book,
    log_cancelled,
)
from runtime.delivery.items import Address, Item, State, Waiting
from runtime.delivery.outbox import SLICE
from runtime.delivery.policy import Kind, RetryPolicy
from runtime.delivery.queue import Queue
from runtime.delivery.settling import SETTLE_AGAIN_S, Settler
from runtime.errors import DeliveryError, StoreError
from runtime.store.database import Store
from runtime.trouble import Trouble
from runtime.units import DAY, SECOND, Clock, Nanoseconds

RETENTION = 7 * DAY
MAX_ENDED = 100_000
_TIME_LIMIT_S = 60.0
_TIDY_S = 30.0
_SOON_S = 0.05
_TOO_OLD = "too old"

Notice = Callable[[Address, Level, str], None]

_log = logging.getLogger("kapacitor.delivery")


class Deliverer(Book):
    """Delivers what it is offered until it succeeds or makes no sense any more.

    Attributes:
        noticed: told on the event loop how a handler does: OK when it delivers, WARNING
            when it gives something up or waits, CRITICAL when it keeps failing.
        forgotten: told on the event loop that a handler is no more.

    `offer`, `keep`, `release`, `resume`, `retire` and what changes the outbox belong to
    the compute thread, the rest to the event loop.
    """

    def __init__(
        self,
        store: Store,
        *,
        buffer_size: int = BUFFER_SIZE,
        time_limit_s: float = _TIME_LIMIT_S,
        quota: int = QUOTA,
        quota_bytes: int = QUOTA_BYTES,
        retention: Nanoseconds = RETENTION,
        max_ended: int = MAX_ENDED,
        policy: RetryPolicy | None = None,
        clock: Clock = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a deliverer that holds events back until it is started.

        Args:
            store: where the outbox is.
            buffer_size: how many events of a handler are in memory; others wait in the
                outbox.
            quota: how many deliveries may wait before writes are refused.
            quota_bytes: how large the database may get before writes are refused.
            retention: how long deliveries that were given up are kept.
            max_ended: how many of them are kept; the oldest go first.
            time_limit_s: how long a handler may take for one event, in seconds.
            policy: when to try again.
            clock: the time of day; read once.
            monotonic: seconds that never jump.
        """
        super().__init__(
            store,
            buffer_size=buffer_size,
            quota=quota,
            quota_bytes=quota_bytes,
            policy=policy or RetryPolicy(),
            clock=clock,
            monotonic=monotonic,
        )
        self.noticed: Notice = lambda address, level, text: None
        self.forgotten: Callable[[Address], None] = lambda address: None
        self._settler = Settler(self.outbox)
        self._attempts = Attempts(self.outbox, time_limit_s)
        self._retention = retention
        self._max_ended = max_ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading = Trouble(
            _log, "failed to read the outbox", "the outbox is read again"
        )
        self._tidying = Trouble(
            _log, "failed to tidy up", "the outbox is tidied up again"
        )
        self._loading: set[Address] = set()
        self._timers: dict[Address, asyncio.TimerHandle] = {}
        self._tidier: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Deliver from now on, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._tidier = self._loop.create_task(self._tidy_on())
        self._wake()

    async def close(self, limit_s: float) -> int:
        """Deliver what can be delivered at once, for at most `limit_s`.

        Returns:
            How many events wait in the outbox for the next start.
        """
        self._wake()
        self._is_closing = True
        if self._tidier is not None:
            self._tidier.cancel()
        for timer in self._timers.values():
            timer.cancel()
        end_s = time.monotonic() + limit_s
        while self._tasks and (left_s := end_s - time.monotonic()) > 0:
            await asyncio.wait(
                self._tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
            )
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._settler.close()
        self._loop = None
        return self._pending - len(self._staged)

    async def tidy(self) -> None:
        """Give up what is too old and forget what ended long ago.

        Raises:
            StoreError: the database cannot be written.
        """
        await self._settler.run(self.outbox.restore_reserve)
        await self._settler.run(self.outbox.note_seen, self._now())
        limit = self._now() - self._policy.max_age_ns
        for queue in self.queues():
            if queue.has_failed:
                await self._expire(queue, limit)
        for stored in self.stored():
            old = self.outbox.expire(stored.address, limit, _TOO_OLD)
            async for count in self._settler.each(old):
                self._count_out(stored.address, count)
                if not self.waits_for_handler(stored.address):
                    # what its handler has now, it may deliver meanwhile
                    break
        ended = self.outbox.purge(self._now() - self._retention, self._max_ended)
        purged = sum([count async for count in self._settler.each(ended)])
        if purged:
            _log.warning(
                "forgot deliveries that were given up", extra={"count": purged}
            )

    async def _expire(self, queue: Queue, limit: Nanoseconds) -> None:
        while old := self._taken_out(queue, limit):
            queue.counters.dead += len(old)
            await asyncio.gather(
                *(
                    self._settler.settle(
                        changed=replace(
                            item, state="dead", error=item.error or _TOO_OLD
                        )
                    )
                    for item in old
                )
            )
        self._advance(queue)

    def _taken_out(self, queue: Queue, limit: Nanoseconds) -> list[Item]:
        """Some of the items of a queue from before `limit`; it has them no more."""
        with self._lock:
            old, now_s = queue.older(limit, SLICE), self._monotonic()
            for item in old:
                queue.drop(item.id, now_s)
            self._pending -= len(old)
        return old

    async def _tidy_on(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_S)
            try:
                await self.tidy()
            # without tidying up the outbox would grow for good
            except Exception as error:
                self._tidying.failed(error)
            else:
                self._tidying.ended()

    def _call(self) -> None:
        loop = self._loop  # the event loop may forget it while this runs
        if loop is not None:
            # the loop may just have ended: what waits is in the outbox
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._loop is None or self._is_closing:
            return
        with self._lock:
            news = [self._queues[key] for key in self._news if key in self._queues]
            self._news.clear()
            leaving, self._leaving = self._leaving, []
        for stored in leaving:
            self._spawn(self._cancel(stored))
        for queue in news:
            self._advance(queue)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _advance(self, queue: Queue) -> None:
        """Start what can be started, and come back when there is more."""
        timer = self._timers.pop(queue.address, None)
        if timer is not None:
            timer.cancel()
        if self._loop is None:
            return
        now_s = self._monotonic()
        until_s = queue.retired_until_s
        if until_s is not None and now_s >= until_s:
            self._give_up(queue)
            return
        self._load_more(queue)
        while (item := self._taken(queue, now_s)) is not None:
            self._spawn(self._slot(queue, item))
        with self._lock:
            wait_s = queue.wait_s(now_s)
        if until_s is not None:
            wait_s = min(wait_s or until_s - now_s, until_s - now_s)
        if wait_s is not None and not self._is_closing:
            # not at once again: a clock that stands still must not make us spin
            self._timers[queue.address] = self._loop.call_later(
                max(wait_s, 0.001), self._advance, queue
            )

    def _taken(self, queue: Queue, now_s: float) -> Item | None:
        with self._lock:
            return queue.take(now_s)

    async def _slot(self, queue: Queue, item: Item) -> None:
        following: Item | None = item
        while following is not None:
            await self._attempt(queue, following)
            self._load_more(queue)
            until_s, now_s = queue.retired_until_s, self._monotonic()
            if until_s is not None and now_s >= until_s:
                break
            following = self._taken(queue, now_s)
        self._advance(queue)

    def _load_more(self, queue: Queue) -> None:
        low = len(queue) <= self._buffer_size // 2
        if queue.has_more and low and queue.address not in self._loading:
            self._loading.add(queue.address)
            self._spawn(self._load(queue))

    async def _load(self, queue: Queue) -> None:
        items: list[Item] | None = None
        try:
            newest = queue.newest
            items = await self._settler.run(
                self.outbox.pending,
                queue.address,
                queue.loaded,
                newest,
                self._buffer_size,
            )
        except StoreError as error:
            self._reading.failed(error)
            await asyncio.sleep(SETTLE_AGAIN_S)
        else:
            self._reading.ended()
        finally:
            self._loading.discard(queue.address)
        if items is None:
            if not self._is_closing:
                self._advance(queue)
            return
        now_s = self._monotonic()
        with self._lock:
            # what was cancelled meanwhile has moved the mark
            for item in [each for each in items if each.id > queue.loaded]:
                if item.state == "dead":
                    self._pending -= 1
                    queue.pending -= 1
                    queue.counters.dead += 1
                    queue.loaded = item.id
                    continue
                wait_s = min(self.timeline.left_s(item.due), self._policy.ask_cap_s)
                queue.push(item, now_s, wait_s)
            if not items:
                queue.loaded = max(queue.loaded, newest)
        self._advance(queue)

    async def _attempt(self, queue: Queue, item: Item) -> None:
        resumed = queue.resumed
        error = await self._attempts.make(queue.handler, item)
        kind = None if error is None else Kind.of(error)
        with self._lock:
            asked_s = None if error is None else error.retry_after_s
            queue.note(self._monotonic(), kind, asked_s)
        if error is None:
            queue.counters.delivered += 1
            self.noticed(queue.address, Level.OK, "")
            await self._end(queue, item, None)
            return
        queue.counters.failed += 1
        queue.counters.reasons[str(kind)] += 1
        item = replace(
            item,
            attempts=item.attempts + 1,
            error=shown(error),
            maybe_duplicate=item.maybe_duplicate or error.maybe_duplicate,
        )
        state = self._state_after(queue, item, kind)
        log_failure(queue, item, _THEN[state])
        if state == "pending":
            await self._again(queue, item, error, resumed)
            return
        await self._end(queue, item, replace(item, state=state))
        if state == "dead":
            queue.counters.dead += 1
            self.noticed(queue.address, Level.WARNING, item.error)
        else:
            queue.counters.cancelled += 1
            queue.retired_until_s = self._monotonic()

    def _state_after(self, queue: Queue, item: Item, kind: Kind | None) -> State:
        """What becomes of an item whose attempt failed."""
        too_old = self._now() - item.created >= self._policy.max_age_ns
        if kind is Kind.REJECTED or (too_old and not queue.is_retired):
            return "dead"
        return "cancelled" if queue.is_retired else "pending"

    async def _again(
        self, queue: Queue, item: Item, error: DeliveryError, resumed: int
    ) -> None:
        queue.counters.retried += 1
        if queue.trouble is not None:
            level = Level.WARNING if queue.trouble is Kind.DEFERRED else Level.CRITICAL
            self.noticed(queue.address, level, item.error)
        wait_s = self._policy.delay_s(item.attempts, error.retry_after_s)
        item = replace(item, due=self._now() + int(wait_s * SECOND))
        now_s = self._monotonic()
        await self._settler.settle(changed=item)
        with self._lock:
            if self._is_closing:
                wait_s = self._policy.cap_s
            elif queue.resumed != resumed:
                wait_s = 0.0  # something changed meanwhile
            queue.failed(item, now_s, wait_s)

    async def _end(self, queue: Queue, item: Item, ended: Item | None) -> None:
        if ended is None:
            await self._settler.settle(done=item.id)
        else:
            await self._settler.settle(changed=ended)
        with self._lock:
            self._pending -= 1
            queue.done(item, self._monotonic())

    def _give_up(self, queue: Queue) -> None:
        """Cancel what is left for a deleted handler, but what is under way."""
        assert self._loop is not None
        address = queue.address
        with self._lock:
            if any(item.address == address for item in self._staged):
                # its write is about to be committed
                self._timers[address] = self._loop.call_later(
                    _SOON_S, self._advance, queue
                )
                return
            kept = tuple(queue.in_flight)
            left = Waiting(address, queue.pending - len(kept), queue.newest)
            queue.clear()
            if not kept:
                self._queues.pop(address, None)
                self.former.add(queue.counters)
        if not kept:
            self.forgotten(address)
        if left.size:
            self._spawn(self._cancel(left, kept))

    async def _cancel(self, left: Waiting, kept: tuple[int, ...] = ()) -> None:
        trouble = Trouble(
            _log, "failed to cancel deliveries", "deliveries can be cancelled again"
        )
        while True:
            try:
                async for count in self._settler.each(
                    self.outbox.cancel(left.address, DELETED, left.newest, kept)
                ):
                    self._count_cancelled(count)
                trouble.ended()
                log_cancelled(left, DELETED)
                return
            except StoreError as error:
                trouble.failed(error)
                await asyncio.sleep(SETTLE_AGAIN_S)


_THEN: dict[State, str] = {
    "pending": "to be tried again",
    "dead": "given up",
    "cancelled": "cancelled, as its handler was deleted",
}
