"""The backlog of deliveries: queues in memory, and the outbox behind them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from runtime.alert.types import Event, Recipient
from runtime.delivery.messages import Address, DeliveryFilter, Message
from runtime.delivery.orphans import Orphans
from runtime.delivery.outbox import Outbox
from runtime.delivery.policy import RetryPolicy
from runtime.delivery.queue import Queue
from runtime.delivery.queues import Queues
from runtime.delivery.quota import DATABASE_BYTES, MESSAGES, Quota
from runtime.errors import StoreError
from runtime.store.database import Store
from runtime.units import SECOND, Clock, Nanoseconds

BUFFER_SIZE = 5000


class Backlog:
    """Messages that wait for handlers: queues in memory, the outbox behind them.

    Used on the compute thread, where events arise; any thread may read it. The event
    loop works on the same queues, with a `Worklist`.

    Attributes:
        outbox: deliveries that have not ended.
        queues: pending messages in memory.
        orphans: messages that no handler delivers.
        policy: schedule of attempts.
        timeline: timeline of the `created` and `due` of messages.
        monotonic: monotonic clock, in seconds.
        buffer_size: maximum number of messages of a handler in memory.
    """

    def __init__(
        self,
        store: Store,
        *,
        buffer_size: int = BUFFER_SIZE,
        quota: int = MESSAGES,
        quota_bytes: int = DATABASE_BYTES,
        policy: RetryPolicy | None = None,
        clock: Clock = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the outbox.

        Args:
            store: database of the outbox.
            buffer_size: maximum number of messages of a handler in memory; others wait
                in the outbox.
            quota: number of pending messages at which writes are refused.
            quota_bytes: size of the database at which writes are refused.
            policy: schedule of attempts.
            clock: wall clock, in ns since 1970 UTC; read once.
            monotonic: monotonic clock, in seconds.
        """
        self.outbox = Outbox(store)
        self.policy = policy or RetryPolicy()
        self.monotonic = monotonic
        self.timeline = self.outbox.begin_run(clock, monotonic)
        self.buffer_size = buffer_size
        self.queues = Queues(self.policy, self.outbox.waiting())
        self.orphans = Orphans(self.queues, self.outbox)
        self._lock = self.queues.lock
        self._quota = Quota(
            self.outbox, monotonic, messages=quota, database_bytes=quota_bytes
        )

    def check_room(self) -> None:
        """Refuse writes while too many deliveries are pending.

        Raises:
            BusyError: too many deliveries are pending, the database is too large, or
                the disk is full.
        """
        self._quota.check(self.queues.pending)

    def offer(self, address: Address, event: Event, recipient: Recipient) -> None:
        """Stage an event for a handler; `keep` and `release` follow."""
        now = self.now()
        with self._lock:
            # opened now, not at `release`: a handler that is deleted in between must
            # find the queue, to retire it
            queue = self.queues.open(address, recipient)
            # counted before it is on disk: the quota includes staged messages
            self.queues.pending += 1
            queue.pending += 1
            number = self.outbox.next_id()
            self.queues.staged.append(
                Message(number, address, event, created=now, due=now)
            )

    def keep(self) -> None:
        """Write offered events to the outbox, in the current transaction.

        Raises:
            StoreError: the events could not be written; the next call writes them too.
        """
        if self.queues.staged:
            self.outbox.put(self.queues.staged, self.now())

    def release(self) -> None:
        """Pass offered events to the queues once their transaction is committed.

        Before that, a rollback could still undo the event.
        """
        if not self.queues.staged:
            return
        now_s = self.monotonic()
        with self._lock:
            for message in self.queues.staged:
                queue = self.queues.by_address[message.address]
                is_full = queue.has_more or len(queue) >= self.buffer_size
                # The outbox is read by ids greater than `loaded`. Resent messages may
                # have moved `loaded` beyond this one, which would then never be read.
                if is_full and message.id > queue.loaded:
                    queue.newest = max(queue.newest, message.id)
                else:
                    queue.push(message, now_s)
                self.queues.news.add(message.address)
            self.queues.staged.clear()
        self.queues.wake()

    def resume(self, address: Address, recipient: Recipient) -> None:
        """Deliver pending events of an address to `recipient`, from now on."""
        with self._lock:
            queue = self.queues.open(address, recipient)
            queue.retired_until_s = None
            queue.resume()
            self.queues.news.add(address)
        self.queues.wake()

    def retire(self, address: Address) -> None:
        """Deliver events of a deleted handler within `drain_s`; cancel the rest."""
        with self._lock:
            left = self.queues.orphans.pop(address, None)
            if left is not None:
                self.queues.leaving.append(left)
            queue = self.queues.by_address.get(address)
            if queue is not None:
                # failing messages would only fail again, and delay the deletion
                drain_s = 0.0 if queue.has_failed else self.policy.drain_s
                queue.retired_until_s = self.monotonic() + drain_s
                self.queues.news.add(address)
            else:
                self.queues.gone.add(address)
        self.queues.wake()

    def retire_topic(self, topic: str) -> None:
        """`retire` all handlers of a topic."""
        for address in self.queues.addresses():
            if address.topic == topic:
                self.retire(address)

    def resend(
        self, wanted: DeliveryFilter, number: int | None = None
    ) -> Iterator[int]:
        """Deliver dead letters and cancelled messages again.

        They get new ids. Messages without a handler stay unchanged.

        Args:
            wanted: the messages to select.
            number: id of a single message; None for all.

        Yields:
            Number of messages, slice by slice.

        Raises:
            StoreError: the database cannot be written.
        """
        for found in self.outbox.renew(
            wanted, self.now(), self.queues.has_handler, number
        ):
            with self._lock:
                for each in found:
                    self.queues.pending += each.size
                    queue = self.queues.by_address.get(each.address)
                    if queue is None:
                        # its handler was deleted just now
                        self.queues.leaving.append(each)
                        continue
                    # read from the outbox later, like other messages beyond the buffer
                    queue.pending += each.size
                    queue.newest = max(queue.newest, each.newest)
                    self.queues.news.add(each.address)
            self.queues.wake()
            yield sum(each.size for each in found)

    def discard(self, message: Message) -> bool:
        """Discard a message; False if an attempt is running.

        Raises:
            StoreError: the database cannot be written.
        """
        # three steps, as the lock is not held while the database works: mark the
        # message as in flight, delete its row, remove it from the counts
        with self._lock:
            queue = self.queues.by_address.get(message.address)
            if queue is not None:
                if message.id in queue.in_flight:
                    return False
                # no other thread takes it during the query
                queue.in_flight.add(message.id)
        try:
            self.outbox.drop(message.id)
        except StoreError:
            with self._lock:
                if queue is not None:
                    queue.in_flight.discard(message.id)
            raise
        with self._lock:
            self._discarded(message, queue)
        return True

    def retry_now(self) -> None:
        """Retry all pending messages now: their failures may be over."""
        with self._lock:
            for queue in self.queues.by_address.values():
                if len(queue):
                    queue.resume()
                    self.queues.news.add(queue.address)
        self.queues.wake()

    @property
    def has_staged(self) -> bool:
        """True if offered events are not stored yet."""
        return bool(self.queues.staged)

    @property
    def pending(self) -> int:
        """The number of pending messages."""
        return self.queues.pending

    @property
    def kept(self) -> int:
        """The number of pending messages that are in the outbox for the next start."""
        return self.queues.pending - len(self.queues.staged)

    def next_attempt(self, message: Message) -> Nanoseconds:
        """The earliest time of a pending message's next attempt, in ns since 1970 UTC."""
        due = message.due
        paused_s = self.queues.paused_s(message.address, self.monotonic())
        # the pause of a failing handler concerns all of its messages
        if paused_s > 0:
            due = max(due, self.now() + int(paused_s * SECOND))
        return self.timeline.shown(due)

    def now(self) -> Nanoseconds:
        """The current time on the timeline."""
        return self.timeline.now()

    def _discarded(self, message: Message, queue: Queue | None) -> None:
        """Remove a message that is no longer in the outbox."""
        if message.state == "pending":
            self.queues.pending -= 1
        if queue is None:
            return
        queue.in_flight.discard(message.id)
        queue.counters.discarded += 1
        # the queue counts its messages in memory itself
        if message.state == "pending" and not queue.drop(message.id, self.monotonic()):
            queue.pending -= 1
