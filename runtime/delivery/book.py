"""What waits for handlers, as the compute thread sees it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from runtime.alert.types import Event, Handler
from runtime.delivery.items import Address, Filter, Item, Waiting
from runtime.delivery.outbox import Outbox
from runtime.delivery.policy import RetryPolicy
from runtime.delivery.queue import Counters, Queue
from runtime.errors import BusyError, StoreError
from runtime.store.database import Store
from runtime.units import SECOND, Clock, Nanoseconds

BUFFER_SIZE = 5000
QUOTA = 1_000_000
QUOTA_BYTES = 1 << 30
DELETED = "the handler was deleted"
GONE = "the handler does not exist any more"
_MEASURE_S = 1.0

_log = logging.getLogger("kapacitor.delivery")


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a handler.

    Attributes:
        event: what to deliver.
        handler: who delivers it.
        context: what log lines say besides topic and handler: `task`.
    """

    event: Event
    handler: Handler
    context: Mapping[str, str] = field(default_factory=dict)


class Book:
    """The queues of all handlers, and the outbox behind them.

    Attributes:
        outbox: what is not delivered yet.
        former: what happened at addresses whose handlers were deleted.
        timeline: what `created` and `due` of deliveries are counted on.
    """

    def __init__(
        self,
        store: Store,
        *,
        buffer_size: int,
        quota: int,
        quota_bytes: int,
        policy: RetryPolicy,
        clock: Clock,
        monotonic: Callable[[], float],
    ) -> None:
        """Open the outbox; see `Deliverer` about the arguments."""
        self.outbox = Outbox(store)
        self.former = Counters()
        self._buffer_size = buffer_size
        self._policy = policy
        self._monotonic = monotonic
        self.timeline = self.outbox.begin_run(clock, monotonic)
        self._lock = threading.Lock()
        self._queues: dict[Address, Queue] = {}
        self._staged: list[Item] = []
        self._news: set[Address] = set()
        # what is to be cancelled, as its handler was deleted before it turned up
        self._leaving: list[Waiting] = []
        self._quota = quota
        self._quota_bytes = quota_bytes
        self._used_bytes = self.outbox.used_bytes()
        self._measured_s = monotonic()
        # what an earlier run left, until its handler turns up
        self._stored = {each.address: each for each in self.outbox.waiting()}
        self._pending = sum(each.size for each in self._stored.values())

    def check_room(self) -> None:
        """Refuse what would cause more events while too many wait.

        Raises:
            BusyError: too many wait, or the database is too large.
        """
        if self._pending >= self._quota:
            raise BusyError(f"too many events wait for delivery ({self._pending})")
        now_s = self._monotonic()
        if now_s - self._measured_s > _MEASURE_S:
            self.outbox.restore_reserve()
            self._used_bytes, self._measured_s = self.outbox.used_bytes(), now_s
        if self.outbox.is_short:
            raise BusyError("the disk is full")
        if self._used_bytes >= self._quota_bytes:
            raise BusyError(f"the database is full ({self._used_bytes} bytes)")

    @property
    def has_staged(self) -> bool:
        """True if something was offered that is not kept yet."""
        return bool(self._staged)

    def offer(self, address: Address, delivery: Delivery) -> bool:
        """Take an event in."""
        now, event = self._now(), delivery.event
        with self._lock:
            queue = self._queue(address, delivery.handler, delivery.context)
            queue.handler, queue.context = delivery.handler, delivery.context
            self._pending += 1
            queue.pending += 1
            number = self.outbox.next_id()
            self._staged.append(Item(number, address, event, created=now, due=now))
        return True

    def keep(self) -> None:
        """Write what was offered to the outbox, in the present transaction.

        Raises:
            StoreError: it could not be written; the next call writes it too.
        """
        if self._staged:
            self.outbox.put(self._staged, self._now())

    def release(self) -> None:
        """Let the handlers have what was offered; its transaction is committed."""
        if not self._staged:
            return
        now_s = self._monotonic()
        with self._lock:
            for item in self._staged:
                queue = self._queues[item.address]
                is_full = queue.has_more or len(queue) >= self._buffer_size
                # behind what was sent again meanwhile nobody would look for it
                if is_full and item.id > queue.loaded:
                    queue.newest = max(queue.newest, item.id)
                else:
                    queue.push(item, now_s)
                self._news.add(item.address)
            self._staged.clear()
        self._call()

    def resume(
        self, address: Address, handler: Handler, context: Mapping[str, str]
    ) -> None:
        """Deliver by `handler` what waits for an address, from now on."""
        with self._lock:
            queue = self._queue(address, handler, context)
            queue.handler, queue.context = handler, context
            queue.retired_until_s = None
            queue.resume()
            self._news.add(address)
        self._call()

    def retire(self, address: Address) -> None:
        """Deliver what waits for a deleted handler if that is quick; cancel the rest."""
        with self._lock:
            stored = self._stored.pop(address, None)
            if stored is not None:
                self._leaving.append(stored)
            queue = self._queues.get(address)
            if queue is not None:
                drain_s = 0.0 if queue.has_failed else self._policy.drain_s
                queue.retired_until_s = self._monotonic() + drain_s
                self._news.add(address)
        self._call()

    def topics(self, prefix: str) -> set[str]:
        """The topics that have queues and whose ids begin with `prefix`."""
        with self._lock:
            addresses = [*self._queues, *self._stored]
        return {each.topic for each in addresses if each.topic.startswith(prefix)}

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
        with self._lock:
            self.outbox.rename_topic(old, new)
            self._stored = {each.address: each for each in self.outbox.waiting()}

    def settle_orphans(self, is_expected: Callable[[Address], bool]) -> int:
        """Cancel what waits for handlers that are not there; how many events.

        Args:
            is_expected: whether the handler of an address may still turn up.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._lock:
            gone = [each for key, each in self._stored.items() if not is_expected(key)]
            for each in gone:
                del self._stored[each.address]
        total = 0
        for each in gone:
            for count in self.outbox.cancel(each.address, GONE, each.newest):
                self._count_cancelled(count)
                total += count
            log_cancelled(each, GONE)
        return total

    def resend(self, wanted: Filter, number: int | None = None) -> Iterator[int]:
        """Deliver again what was given up or cancelled.

        They get new ids. What has no handler stays as it is.

        Args:
            wanted: which.
            number: only the delivery of this id.

        Yields:
            How many events, a slice at a time.

        Raises:
            StoreError: the database cannot be written.
        """
        for found in self.outbox.renew(wanted, self._now(), self.has_handler, number):
            with self._lock:
                for each in found:
                    self._pending += each.size
                    queue = self._queues.get(each.address)
                    if queue is None:
                        # deleted just now
                        self._leaving.append(each)
                        continue
                    queue.pending += each.size
                    queue.newest = max(queue.newest, each.newest)
                    self._news.add(each.address)
            self._call()
            yield sum(each.size for each in found)

    def has_handler(self, address: Address) -> bool:
        """True if somebody delivers for an address."""
        with self._lock:
            queue = self._queues.get(address)
            return queue is not None and not queue.is_retired

    def waits_for_handler(self, address: Address) -> bool:
        """True if something waits for a handler that is not there."""
        with self._lock:
            return address in self._stored

    def discard(self, item: Item) -> bool:
        """Drop a delivery; False if it is under way.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._lock:
            queue = self._queues.get(item.address)
            if queue is not None:
                if item.id in queue.in_flight:
                    return False
                # nobody takes it while the database is asked
                queue.in_flight.add(item.id)
        try:
            self.outbox.drop(item.id)
        except StoreError:
            with self._lock:
                if queue is not None:
                    queue.in_flight.discard(item.id)
            raise
        with self._lock:
            self._forget(item, queue)
        return True

    def _forget(self, item: Item, queue: Queue | None) -> None:
        """Count a delivery out that the outbox no longer has."""
        if item.state == "pending":
            self._pending -= 1
        if queue is None:
            return
        queue.in_flight.discard(item.id)
        queue.counters.discarded += 1
        if item.state == "pending" and not queue.drop(item.id, self._monotonic()):
            queue.pending -= 1

    def hurry(self) -> None:
        """Try everything that waits for its next attempt: what failed may work now."""
        with self._lock:
            for queue in self._queues.values():
                if len(queue):
                    queue.resume()
                    self._news.add(queue.address)
        self._call()

    def counters(self) -> dict[Address, Counters]:
        """What happened so far at each address."""
        with self._lock:
            return {queue.address: queue.counters for queue in self._queues.values()}

    def queues(self) -> list[Queue]:
        """The queues, to be looked at."""
        with self._lock:
            return list(self._queues.values())

    def age_s(self, queue: Queue) -> float:
        """How long the oldest event of a queue that is in memory has waited."""
        with self._lock:
            created = queue.oldest
        return 0.0 if created is None else max(0.0, (self._now() - created) / SECOND)

    def stored(self) -> list[Waiting]:
        """What waits for handlers that are not there."""
        with self._lock:
            return list(self._stored.values())

    @property
    def pending(self) -> int:
        """How many deliveries wait."""
        return self._pending

    def _call(self) -> None:
        """Have the event loop look at the news."""

    def _now(self) -> Nanoseconds:
        return self.timeline.now()

    def _queue(
        self, address: Address, handler: Handler, context: Mapping[str, str]
    ) -> Queue:
        queue = self._queues.get(address)
        if queue is None:
            queue = Queue(address, handler, context, self._policy)
            self._queues[address] = queue
            stored = self._stored.pop(address, None)
            if stored is not None:
                queue.newest, queue.pending = stored.newest, stored.size
        return queue

    def _count_cancelled(self, count: int) -> None:
        """Count out what the outbox has cancelled and no queue counts."""
        with self._lock:
            self._pending -= count
            self.former.cancelled += count

    def _count_out(self, address: Address, count: int) -> None:
        """Count out what the outbox has given up of a handler that is not there."""
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


def log_cancelled(what: Waiting, reason: str) -> None:
    """Log that the pending deliveries of a handler are cancelled."""
    _log.warning(
        "cancelled deliveries",
        extra={
            "topic": what.address.topic,
            "handler": what.address.handler,
            "count": what.size,
            "reason": reason,
        },
    )
