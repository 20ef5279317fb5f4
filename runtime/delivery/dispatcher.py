"""Delivers pending events to handlers, on the event loop.

Each handler of each topic has a queue of its own and a few messages in flight at a
time, so a slow, hung or failing one delays no other.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from runtime.alert.types import Level
from runtime.compute.bridge import Bridge
from runtime.delivery.attempts import Attempts, log_failure, shown
from runtime.delivery.backlog import Backlog
from runtime.delivery.commits import AGAIN_S, CommitBatcher
from runtime.delivery.messages import Address, Message, State, Waiting
from runtime.delivery.orphans import DELETED, TOO_OLD
from runtime.delivery.policy import FailureKind
from runtime.delivery.queue import Queue
from runtime.delivery.rows import SLICE
from runtime.delivery.worklist import Worklist
from runtime.errors import DeliveryError, StoreError
from runtime.trouble import Trouble
from runtime.units import DAY, SECOND, Nanoseconds

RETENTION = 7 * DAY
MAX_ENDED = 100_000
_TIME_LIMIT_S = 60.0
_SWEEP_S = 30.0
_SOON_S = 0.05

Notice = Callable[[Address, Level, str], None]

_log = logging.getLogger("kapacitor.delivery")


class Dispatcher:
    """Delivers the events of a backlog until they succeed or become dead letters.

    For the event loop only.

    Attributes:
        backlog: pending deliveries.
        noticed: called with the level of a handler: OK after a delivery, WARNING for a
            new dead letter or a wait, CRITICAL while it keeps failing.
        forgotten: called when a handler has been deleted and its deliveries have ended.
    """

    def __init__(
        self,
        backlog: Backlog,
        *,
        time_limit_s: float = _TIME_LIMIT_S,
        retention: Nanoseconds = RETENTION,
        max_ended: int = MAX_ENDED,
    ) -> None:
        """Create a dispatcher that delivers nothing before `start`.

        Args:
            backlog: pending deliveries.
            time_limit_s: time limit of one attempt, in seconds.
            retention: time that dead letters and cancelled messages are kept, in ns.
            max_ended: maximum number of these; the oldest are purged first.
        """
        self.backlog = backlog
        self.noticed: Notice = lambda address, level, text: None
        self.forgotten: Callable[[Address], None] = lambda address: None
        self._outbox = backlog.outbox
        self._policy = backlog.policy
        self._monotonic = backlog.monotonic
        self._worklist = Worklist(
            backlog.queues, backlog.policy, backlog.timeline, backlog.monotonic
        )
        self._commits = CommitBatcher(self._outbox)
        self._attempts = Attempts(self._outbox, self._commits, time_limit_s)
        self._retention = retention
        self._max_ended = max_ended
        self._bridge = Bridge()
        self._reading = Trouble(
            _log, "failed to read the outbox", "reading the outbox succeeds again"
        )
        self._sweeping = Trouble(
            _log, "failed to sweep the outbox", "sweeping the outbox succeeds again"
        )
        self._loading: set[Address] = set()
        self._timers: dict[Address, asyncio.TimerHandle] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._is_closing = False
        backlog.queues.listen(partial(self._bridge.soon, self._wake))

    async def start(self) -> None:
        """Start to deliver, on the running loop."""
        self._sweeper = asyncio.create_task(self._sweep_on())
        self._bridge.start()
        self._wake()

    async def close(self, limit_s: float) -> int:
        """Finish deliveries that succeed at once, for at most `limit_s`.

        Returns:
            Number of messages that stay in the outbox for the next start.
        """
        # start new messages first: `_wake` does nothing while the dispatcher is closing
        self._wake()
        self._is_closing = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for timer in self._timers.values():
            timer.cancel()
        end_s = time.monotonic() + limit_s
        # slots go on to the next message: there are new tasks while old ones end
        tasks = self._bridge.tasks
        while tasks and (left_s := end_s - time.monotonic()) > 0:
            await asyncio.wait(
                tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
            )
        late = list(tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._commits.close()
        self._bridge.stop()
        return self.backlog.kept

    async def sweep(self) -> None:
        """Turn expired events into dead letters, and delete old ended deliveries.

        Raises:
            StoreError: the database cannot be written.
        """
        backlog = self.backlog
        await self._commits.run(self._outbox.room.restore_reserve)
        await self._commits.run(self._outbox.note_seen, backlog.now())
        limit = backlog.now() - self._policy.max_age_ns
        for queue in backlog.queues.all():
            # untried messages get one attempt, however old
            if queue.has_failed:
                await self._expire(queue, limit)
        for stored in backlog.orphans.all():
            async for _ in self._commits.each(backlog.orphans.expire(stored, limit)):
                pass
        if trimmed := await self._commits.run(self._outbox.memories.trim):
            _log.warning("deleted the oldest memories", extra={"count": trimmed})
        ended = self._outbox.purge(backlog.now() - self._retention, self._max_ended)
        purged = sum([count async for count in self._commits.each(ended)])
        if purged:
            _log.warning(
                "deleted old dead and cancelled deliveries", extra={"count": purged}
            )

    async def _expire(self, queue: Queue, limit: Nanoseconds) -> None:
        while old := self._worklist.take_older(queue, limit, SLICE):
            queue.counters.dead += len(old)
            # all at once, so that they share a commit
            await asyncio.gather(
                *(
                    self._commits.commit(
                        changed=replace(each, state="dead", error=each.error or TOO_OLD)
                    )
                    for each in old
                )
            )
        self._advance(queue)

    async def _sweep_on(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            try:
                await self.sweep()
            # unswept, the outbox would grow for good
            except Exception as error:
                self._sweeping.failed(error)
            else:
                self._sweeping.ended()

    def _wake(self) -> None:
        if not self._bridge.is_open or self._is_closing:
            return
        queues, leaving = self._worklist.take_news()
        for left in leaving:
            self._bridge.spawn(self._cancel(left))
        for address in self._worklist.take_gone():
            self._bridge.spawn(self._forget(address))
        for queue in queues:
            self._advance(queue)

    def _advance(self, queue: Queue) -> None:
        """Start possible attempts, and schedule the next call.

        Called after every change of a queue.
        """
        timer = self._timers.pop(queue.address, None)
        if timer is not None:
            timer.cancel()
        if not self._bridge.is_open:
            return
        now_s = self._monotonic()
        until_s = queue.retired_until_s
        # before any message is taken: after the deadline of a deleted handler, a
        # message taken now would be tried once more
        if until_s is not None and now_s >= until_s:
            self._give_up(queue)
            return
        # load before taking the rest, so that the database works meanwhile; `_load`
        # calls this method again
        self._load_more(queue)
        # `take` returns None when slots, pauses, rate or order allow no other attempt
        while (message := self._worklist.take(queue, now_s)) is not None:
            self._bridge.spawn(self._slot(queue, message))
        # one timer per queue, set to its next attempt: one per message could mean a
        # million timers
        wait_s = self._worklist.wait_s(queue, now_s)
        if until_s is not None:
            wait_s = min(wait_s or until_s - now_s, until_s - now_s)
        if wait_s is not None and not self._is_closing:
            # not at once: a stopped clock would make this a busy loop
            self._timers[queue.address] = self._bridge.later(
                max(wait_s, 0.001), partial(self._advance, queue)
            )

    async def _slot(self, queue: Queue, message: Message) -> None:
        """Deliver messages one by one until none is left.

        A task for each message would cost more than the delivery of a fast one.
        """
        following: Message | None = message
        while following is not None:
            await self._attempt(queue, following)
            self._load_more(queue)
            until_s, now_s = queue.retired_until_s, self._monotonic()
            if until_s is not None and now_s >= until_s:
                break
            following = self._worklist.take(queue, now_s)
        self._advance(queue)

    def _load_more(self, queue: Queue) -> None:
        # at half, so that the database answers before the rest is delivered
        is_low = len(queue) <= self.backlog.buffer_size // 2
        if queue.has_more and is_low and queue.address not in self._loading:
            self._loading.add(queue.address)
            self._bridge.spawn(self._load(queue))

    async def _load(self, queue: Queue) -> None:
        # later messages are found by the next call
        newest = queue.newest
        messages: list[Message] | None = None
        try:
            messages = await self._commits.run(
                self._outbox.pending,
                queue.address,
                queue.loaded,
                newest,
                self.backlog.buffer_size,
            )
        except StoreError as error:
            self._reading.failed(error)
            await asyncio.sleep(AGAIN_S)
        else:
            self._reading.ended()
        finally:
            self._loading.discard(queue.address)
        if messages is not None:
            self._worklist.refill(queue, messages, newest)
        elif self._is_closing:
            # `_advance` would load again at once, and delay the end
            return
        self._advance(queue)

    async def _attempt(self, queue: Queue, message: Message) -> None:
        # before the attempt: if the queue is resumed during it, its failure is out of
        # date
        resumed = queue.resumed
        error = await self._attempts.make(queue.recipient.handler, message)
        kind = None if error is None else FailureKind.of(error)
        # before the commit, so that other slots do not fail as well while it runs
        self._worklist.note(queue, kind, None if error is None else error.retry_after_s)
        if error is None:
            queue.counters.delivered += 1
            self.noticed(queue.address, Level.OK, "")
            # on disk before the queue releases it: otherwise a newer event of its id
            # could leave, and a crash could still repeat this one after it
            await self._commits.commit(done=message.id)
            self._worklist.done(queue, message)
            return
        queue.counters.failed += 1
        queue.counters.reasons[str(kind)] += 1
        message = replace(
            message,
            attempts=message.attempts + 1,
            error=shown(error),
            maybe_duplicate=message.maybe_duplicate or error.maybe_duplicate,
        )
        state = self._state_after(queue, message, kind)
        log_failure(queue, message, _THEN[state])
        if state == "pending":
            await self._again(queue, message, error, resumed)
        else:
            await self._end(queue, replace(message, state=state))

    def _state_after(
        self, queue: Queue, message: Message, kind: FailureKind | None
    ) -> State:
        """The next state of a message whose attempt failed."""
        age = self.backlog.now() - message.created
        is_too_old = age >= self._policy.max_age_ns
        # dead letters of a deleted handler would never be resent
        if kind is FailureKind.REJECTED or (is_too_old and not queue.is_retired):
            return "dead"
        return "cancelled" if queue.is_retired else "pending"

    async def _again(
        self, queue: Queue, message: Message, error: DeliveryError, resumed: int
    ) -> None:
        queue.counters.retried += 1
        if queue.trouble is not None:
            level = (
                Level.WARNING
                if queue.trouble is FailureKind.DEFERRED
                else Level.CRITICAL
            )
            self.noticed(queue.address, level, message.error)
        wait_s = self._policy.delay_s(message.attempts, error.retry_after_s)
        now = self.backlog.now()
        # on disk first: a restart must not forget the delay
        message = replace(message, due=now + int(wait_s * SECOND))
        at_s = self._monotonic()
        await self._commits.commit(changed=message)
        if self._is_closing:
            # no further attempt before the end
            self._worklist.put_back(queue, message, at_s, self._policy.cap_s, None)
        else:
            self._worklist.put_back(queue, message, at_s, wait_s, resumed)

    async def _end(self, queue: Queue, message: Message) -> None:
        """Remove a dead or cancelled message."""
        await self._commits.commit(changed=message)
        self._worklist.done(queue, message)
        if message.state == "dead":
            queue.counters.dead += 1
            self.noticed(queue.address, Level.WARNING, message.error)
        else:
            queue.counters.cancelled += 1
            # a failure after the handler was deleted ends the drain
            queue.retired_until_s = self._monotonic()

    def _give_up(self, queue: Queue) -> None:
        """Cancel the messages of a deleted handler, except running attempts."""
        # running attempts end by themselves; those that fail lead here again
        cleared = self._worklist.clear(queue)
        if cleared is None:
            self._timers[queue.address] = self._bridge.later(
                _SOON_S, partial(self._advance, queue)
            )
            return
        left, kept = cleared
        if not kept:
            self.forgotten(queue.address)
            self._bridge.spawn(self._forget(queue.address))
        if left.size:
            self._bridge.spawn(self._cancel(left, kept))

    async def _forget(self, address: Address) -> None:
        """Delete the memories of a deleted handler.

        If this fails, the memories are deleted at the next start.
        """
        # the handler may have been defined again meanwhile
        if self.backlog.queues.has_handler(address):
            return
        try:
            await self._commits.run(self._outbox.memories.forget, address)
        except StoreError as error:
            _log.error(
                "failed to delete the memories of a handler",
                extra={**address._asdict(), "err": error},
            )

    async def _cancel(self, left: Waiting, kept: tuple[int, ...] = ()) -> None:
        trouble = Trouble(
            _log, "failed to cancel deliveries", "cancelling deliveries succeeds again"
        )
        # repeat until it succeeds: no queue has these messages, so nothing else cancels
        # them
        while True:
            try:
                slices = self.backlog.orphans.cancel(left, DELETED, kept)
                async for _ in self._commits.each(slices):
                    pass
            except StoreError as error:
                trouble.failed(error)
                await asyncio.sleep(AGAIN_S)
            else:
                trouble.ended()
                return


_THEN: dict[State, str] = {
    "pending": "retry",
    "dead": "dead letter",
    "cancelled": "cancelled: its handler was deleted",
}
