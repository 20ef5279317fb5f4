"""The backlog of deliveries: queues in memory, and the outbox behind them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from runtime.alert.types import Event, Recipient
from runtime.delivery.messages import Address, Filter, Message, Waiting
from runtime.delivery.outbox import Outbox
from runtime.delivery.policy import Kind, RetryPolicy
from runtime.delivery.queue import Counters, Queue
from runtime.delivery.quota import DATABASE_BYTES, MESSAGES, Quota
from runtime.errors import StoreError
from runtime.store.database import Store
from runtime.units import SECOND, Clock, Nanoseconds

BUFFER_SIZE = 5000
DELETED = "the handler was deleted"
GONE = "the handler does not exist any more"
TOO_OLD = "too old"

_log = logging.getLogger("kapacitor.delivery")


class Backlog:
    """Messages that wait for handlers, shared by two threads and a worker.

    Its lock guards the queues and the numbers; it is never held while the database is
    asked, but at the start. Which thread may call what:

    * the compute thread, where events arise: `check_room`, `offer`, `keep`, `release`,
      `resume`, the `retire`s, `rename_topic`, `cancel_orphans`, `resend`, `discard`,
      `retry_now`;
    * the event loop, that is the `Dispatcher`: `listen`, `take_news`, `take`, `wait_s`,
      `note`, `put_back`, `done`, `refill`, `take_older`, `clear`;
    * the thread of the outbox: the slices of `cancel` and `expire`;
    * any thread: the rest, which only looks.

    Attributes:
        outbox: deliveries that have not ended.
        former: counters of addresses whose handlers were deleted.
        policy: schedule of attempts.
        timeline: timeline of the `created` and `due` of messages.
        monotonic: monotonic clock, in seconds.
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
        self.former = Counters()
        self.policy = policy or RetryPolicy()
        self.monotonic = monotonic
        self.timeline = self.outbox.begin_run(clock, monotonic)
        self.buffer_size = buffer_size
        self._lock = threading.Lock()
        self._call: Callable[[], None] = lambda: None
        self._queues: dict[Address, Queue] = {}
        # offered, and not in a queue before its transaction is committed
        self._staged: list[Message] = []
        # whose queues the dispatcher has to look at
        self._news: set[Address] = set()
        # to be cancelled, as the handler was deleted before it turned up
        self._leaving: list[Waiting] = []
        self._quota = Quota(
            self.outbox, monotonic, messages=quota, database_bytes=quota_bytes
        )
        # what an earlier run left, until its handler turns up
        self._stored = {each.address: each for each in self.outbox.waiting()}
        self._pending = sum(each.size for each in self._stored.values())

    # the compute thread

    def check_room(self) -> None:
        """Refuse what would cause more events while too many wait.

        Raises:
            BusyError: too many wait, the database is too large, or the disk is full.
        """
        self._quota.check(self._pending)

    def offer(self, address: Address, event: Event, recipient: Recipient) -> None:
        """Stage an event for a handler; `keep` and `release` follow."""
        now = self.now()
        with self._lock:
            queue = self._queue(address, recipient)
            # counted before it is on disk: the quota is for what is about to be, too
            self._pending += 1
            queue.pending += 1
            number = self.outbox.next_id()
            self._staged.append(Message(number, address, event, created=now, due=now))

    def keep(self) -> None:
        """Write what was offered to the outbox, in the present transaction.

        Raises:
            StoreError: it could not be written; the next call writes it too.
        """
        if self._staged:
            self.outbox.put(self._staged, self.now())

    def release(self) -> None:
        """Let the handlers have what was offered; its transaction is committed.

        Delivered earlier, an event might be one that a rollback then undoes.
        """
        if not self._staged:
            return
        now_s = self.monotonic()
        with self._lock:
            for message in self._staged:
                queue = self._queues[message.address]
                is_full = queue.has_more or len(queue) >= self.buffer_size
                # behind messages resent meanwhile it would not be found
                if is_full and message.id > queue.loaded:
                    queue.newest = max(queue.newest, message.id)
                else:
                    queue.push(message, now_s)
                self._news.add(message.address)
            self._staged.clear()
        self._call()

    def resume(self, address: Address, recipient: Recipient) -> None:
        """Deliver pending events of an address to `recipient`, from now on."""
        with self._lock:
            queue = self._queue(address, recipient)
            queue.retired_until_s = None
            queue.resume()
            self._news.add(address)
        self._call()

    def retire(self, address: Address) -> None:
        """Deliver events of a deleted handler within `drain_s`; cancel the rest."""
        with self._lock:
            stored = self._stored.pop(address, None)
            if stored is not None:
                self._leaving.append(stored)
            queue = self._queues.get(address)
            if queue is not None:
                # what fails already would only fail again, and hold up the deletion
                drain_s = 0.0 if queue.has_failed else self.policy.drain_s
                queue.retired_until_s = self.monotonic() + drain_s
                self._news.add(address)
        self._call()

    def retire_topic(self, topic: str) -> None:
        """`retire` all handlers of a topic."""
        with self._lock:
            addresses = [*self._queues, *self._stored]
        for address in addresses:
            if address.topic == topic:
                self.retire(address)

    def rename_topic(self, old: str, new: str) -> None:
        """Give what an earlier run left for the handlers of a topic to those of another.

        Raises:
            StoreError: the database cannot be written.
        """
        # at the start, when no thread waits for the lock
        with self._lock:
            self.outbox.rename_topic(old, new)
            self._stored = {each.address: each for each in self.outbox.waiting()}

    def cancel_orphans(self, is_expected: Callable[[Address], bool]) -> int:
        """Cancel deliveries of missing handlers and return their number.

        Args:
            is_expected: returns True if the handler of an address may still be
                registered.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._lock:
            # taken out first: what turns up from now on gets a queue of its own
            gone = [each for key, each in self._stored.items() if not is_expected(key)]
            for each in gone:
                del self._stored[each.address]
        return sum(sum(self.cancel(each, GONE)) for each in gone)

    def resend(self, wanted: Filter, number: int | None = None) -> Iterator[int]:
        """Deliver dead letters and cancelled messages again.

        They get new ids. What has no handler stays as it is.

        Args:
            wanted: the messages to select.
            number: id of a single message; None for all.

        Yields:
            Number of messages, slice by slice.

        Raises:
            StoreError: the database cannot be written.
        """
        for found in self.outbox.renew(wanted, self.now(), self.has_handler, number):
            with self._lock:
                for each in found:
                    self._pending += each.size
                    queue = self._queues.get(each.address)
                    if queue is None:
                        # deleted just now
                        self._leaving.append(each)
                        continue
                    # read from the outbox as what is beyond the buffer
                    queue.pending += each.size
                    queue.newest = max(queue.newest, each.newest)
                    self._news.add(each.address)
            self._call()
            yield sum(each.size for each in found)

    def discard(self, message: Message) -> bool:
        """Drop a message; False if it is under way.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._lock:
            queue = self._queues.get(message.address)
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
        """Try everything that waits for its next attempt: what failed may work now."""
        with self._lock:
            for queue in self._queues.values():
                if len(queue):
                    queue.resume()
                    self._news.add(queue.address)
        self._call()

    # the event loop

    def listen(self, call: Callable[[], None]) -> None:
        """Have `call` called, on any thread, when there is news to take."""
        self._call = call

    def take_news(self) -> tuple[list[Queue], list[Waiting]]:
        """The queues with news, and the messages to cancel."""
        with self._lock:
            # a queue may be gone by now
            queues = [self._queues[key] for key in self._news if key in self._queues]
            self._news.clear()
            leaving, self._leaving = self._leaving, []
        return queues, leaving

    def take(self, queue: Queue, now_s: float) -> Message | None:
        """The next message to try now; `done` or `put_back` ends that."""
        with self._lock:
            return queue.take(now_s)

    def wait_s(self, queue: Queue, now_s: float) -> float | None:
        """The time until a message may be tried; see `Queue.wait_s`."""
        with self._lock:
            return queue.wait_s(now_s)

    def note(self, queue: Queue, kind: Kind | None, asked_s: float | None) -> None:
        """Draw conclusions from an attempt; see `Queue.note`."""
        with self._lock:
            queue.note(self.monotonic(), kind, asked_s)

    def done(self, queue: Queue, message: Message) -> None:
        """Count out a message that the outbox has no longer, or not as pending."""
        with self._lock:
            self._pending -= 1
            queue.done(message, self.monotonic())

    def put_back(
        self,
        queue: Queue,
        message: Message,
        at_s: float,
        wait_s: float,
        resumed: int | None,
    ) -> None:
        """Put a message back that failed.

        Args:
            queue: queue that the message was taken from.
            message: message in its current state.
            at_s: time of the failure, which may be earlier than now.
            wait_s: delay until the next attempt, from that time.
            resumed: value of the queue's `resumed` before the attempt; None forces the
                wait.
        """
        with self._lock:
            # a changed configuration, which the attempt may not have seen: asked under
            # the lock, or a change at this moment would be forgotten
            if resumed not in (None, queue.resumed):
                wait_s = 0.0
            queue.failed(message, at_s, wait_s)

    def refill(self, queue: Queue, messages: list[Message], newest: int) -> None:
        """Let a queue have messages that the outbox had.

        Args:
            queue: queue of the messages.
            messages: oldest messages that the queue lacked, damaged ones included.
            newest: greatest id that the outbox was asked for.
        """
        now_s = self.monotonic()
        with self._lock:
            # what was cancelled meanwhile has moved the mark
            for message in [each for each in messages if each.id > queue.loaded]:
                if message.state == "dead":
                    self._pending -= 1
                    queue.pending -= 1
                    queue.counters.dead += 1
                    queue.loaded = message.id
                    continue
                left_s = self.timeline.left_s(message.due)
                queue.push(message, now_s, min(left_s, self.policy.ask_cap_s))
            if not messages:
                # what was counted is gone: without this it would be asked for for ever
                queue.loaded = max(queue.loaded, newest)

    def take_older(self, queue: Queue, limit: Nanoseconds, most: int) -> list[Message]:
        """At most so many of a queue's messages from before `limit`; it loses them."""
        with self._lock:
            old, now_s = queue.older(limit, most), self.monotonic()
            for message in old:
                queue.drop(message.id, now_s)
            self._pending -= len(old)
        return old

    def clear(self, queue: Queue) -> tuple[Waiting, tuple[int, ...]] | None:
        """Empty the queue of a deleted handler, and forget it unless something is under way.

        Returns:
            What is left to be cancelled, and the ids of what is under way. None while a
            write is about to be committed, which would then enter a queue that is gone.
        """
        with self._lock:
            if any(each.address == queue.address for each in self._staged):
                return None
            kept = tuple(queue.in_flight)
            left = Waiting(queue.address, queue.pending - len(kept), queue.newest)
            queue.clear()
            if not kept:
                self._queues.pop(queue.address, None)
                self.former.add(queue.counters)
        return left, kept

    # the thread of the outbox

    def cancel(
        self, left: Waiting, reason: str = DELETED, but: tuple[int, ...] = ()
    ) -> Iterator[int]:
        """Cancel messages that no queue counts any longer.

        Args:
            left: address and greatest id of the messages.
            reason: error of the messages.
            but: ids to skip, of messages with a running attempt.

        Yields:
            Number of messages, slice by slice.

        Raises:
            StoreError: the database cannot be written.
        """
        for count in self.outbox.cancel(left.address, reason, left.newest, but):
            with self._lock:
                self._pending -= count
                self.former.cancelled += count
            yield count
        _log.warning(
            "cancelled deliveries",
            extra={
                "topic": left.address.topic,
                "handler": left.address.handler,
                "count": left.size,
                "reason": reason,
            },
        )

    def expire(self, stored: Waiting, limit: Nanoseconds) -> Iterator[int]:
        """Make dead letters of a missing handler's deliveries from before `limit`.

        Yields:
            Number of messages, slice by slice.

        Raises:
            StoreError: the database cannot be written.
        """
        for count in self.outbox.expire(stored.address, limit, TOO_OLD):
            self._count_out(stored.address, count)
            yield count
            if not self.waits_for_handler(stored.address):
                # its handler has turned up, and may deliver what is left
                return

    def _count_out(self, address: Address, count: int) -> None:
        """Count dead letters of a missing handler as no longer pending."""
        with self._lock:
            self._pending -= count
            stored = self._stored.get(address)
            if stored is None:
                # its handler has turned up meanwhile
                if queue := self._queues.get(address):
                    queue.pending -= count
            elif stored.size > count:
                self._stored[address] = stored._replace(size=stored.size - count)
            else:
                del self._stored[address]

    # any thread

    @property
    def has_staged(self) -> bool:
        """True if something was offered that is not kept yet."""
        return bool(self._staged)

    @property
    def pending(self) -> int:
        """The number of waiting messages."""
        return self._pending

    @property
    def kept(self) -> int:
        """The number of them that the next start finds in the outbox."""
        return self._pending - len(self._staged)

    def now(self) -> Nanoseconds:
        """The present end of the timeline."""
        return self.timeline.now()

    def topics(self, prefix: str) -> set[str]:
        """The topics that have queues and whose ids begin with `prefix`."""
        with self._lock:
            addresses = [*self._queues, *self._stored]
        return {each.topic for each in addresses if each.topic.startswith(prefix)}

    def has_handler(self, address: Address) -> bool:
        """True if a handler delivers for an address."""
        with self._lock:
            queue = self._queues.get(address)
            return queue is not None and not queue.is_retired

    def waits_for_handler(self, address: Address) -> bool:
        """True if something waits for a handler that is not there."""
        with self._lock:
            return address in self._stored

    def counters(self) -> dict[Address, Counters]:
        """The counters of each address."""
        with self._lock:
            return {queue.address: queue.counters for queue in self._queues.values()}

    def queues(self) -> list[Queue]:
        """The queues, to be looked at."""
        with self._lock:
            return list(self._queues.values())

    def age_s(self, queue: Queue) -> float:
        """The age of the oldest message of a queue in memory."""
        with self._lock:
            created = queue.oldest
        return 0.0 if created is None else max(0.0, (self.now() - created) / SECOND)

    def stored(self) -> list[Waiting]:
        """Messages that wait for handlers that do not exist now."""
        with self._lock:
            return list(self._stored.values())

    # with the lock held

    def _queue(self, address: Address, recipient: Recipient) -> Queue:
        """The queue of an address, which delivers to `recipient` from now on."""
        queue = self._queues.get(address)
        if queue is None:
            queue = Queue(address, recipient, self.policy)
            self._queues[address] = queue
            stored = self._stored.pop(address, None)
            if stored is not None:
                queue.newest, queue.pending = stored.newest, stored.size
        queue.recipient = recipient
        return queue

    def _discarded(self, message: Message, queue: Queue | None) -> None:
        """Count a message out that the outbox no longer has."""
        if message.state == "pending":
            self._pending -= 1
        if queue is None:
            return
        queue.in_flight.discard(message.id)
        queue.counters.discarded += 1
        # the queue itself counts what it has in memory
        if message.state == "pending" and not queue.drop(message.id, self.monotonic()):
            queue.pending -= 1
