"""The queues of all handlers in memory, under one lock."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runtime.alert.types import Recipient
from runtime.delivery.messages import Address, Message, Waiting
from runtime.delivery.policy import RetryPolicy
from runtime.delivery.queue import Counters, Queue
from runtime.units import SECOND, Nanoseconds


class Queues:
    """Pending messages in memory, and numbers of those that are not.

    Three objects work on them: `Backlog` on the compute thread, `Worklist` on the event
    loop, `Orphans` on both and on the thread of the outbox. The lock guards everything
    here. It is held briefly, and except at the start never during a query, as the event
    loop would then wait for the disk.

    There is one lock for all queues, because a message is counted in its queue and in
    the total at once, and quotas compare the total.

    Attributes:
        lock: held to read or change the other attributes, or any queue.
        by_address: queues of the handlers that were registered in this run.
        orphans: messages of an earlier run, until their handlers are registered.
        staged: offered messages, in no queue before their transaction is committed.
        news: addresses of queues that the dispatcher has to look at.
        leaving: messages to cancel, as their handler was deleted.
        gone: addresses of deleted handlers without a queue.
        pending: number of pending messages, in memory or not, staged ones included.
        former: counters of addresses whose handlers were deleted.
    """

    def __init__(self, policy: RetryPolicy, orphans: list[Waiting]) -> None:
        """Begin without queues.

        Args:
            policy: schedule of attempts.
            orphans: messages of an earlier run.
        """
        # not re-entrant: no callback may run while it is held
        self.lock = threading.Lock()
        self.by_address: dict[Address, Queue] = {}
        self.orphans = {each.address: each for each in orphans}
        self.staged: list[Message] = []
        self.news: set[Address] = set()
        self.leaving: list[Waiting] = []
        self.gone: set[Address] = set()
        self.pending = sum(each.size for each in orphans)
        self.former = Counters()
        self._policy = policy
        self._call: Callable[[], None] = lambda: None

    def open(self, address: Address, recipient: Recipient) -> Queue:
        """The queue of an address, after setting its recipient.

        The caller holds the lock.
        """
        queue = self.by_address.get(address)
        if queue is None:
            queue = Queue(address, recipient, self._policy)
            self.by_address[address] = queue
            # in one step with the new queue: in both places the messages would be
            # counted twice, and could expire while the queue delivers them
            left = self.orphans.pop(address, None)
            if left is not None:
                # read from the outbox when the dispatcher looks at the queue, which
                # knows that it lacks them: `newest` is beyond `loaded`
                queue.newest, queue.pending = left.newest, left.size
        queue.recipient = recipient
        return queue

    def listen(self, call: Callable[[], None]) -> None:
        """Have `call` called, on any thread, when there is news."""
        self._call = call

    def wake(self) -> None:
        """Call the listener, without the lock, which it may take itself."""
        self._call()

    def all(self) -> list[Queue]:
        """All queues."""
        with self.lock:
            return list(self.by_address.values())

    def counters(self) -> dict[Address, Counters]:
        """The counters of each address."""
        return {queue.address: queue.counters for queue in self.all()}

    def addresses(self) -> list[Address]:
        """The addresses with messages, with or without a handler."""
        with self.lock:
            return [*self.by_address, *self.orphans]

    def has_handler(self, address: Address) -> bool:
        """True if a handler delivers for an address."""
        with self.lock:
            queue = self.by_address.get(address)
            return queue is not None and not queue.is_retired

    def paused_s(self, address: Address, now_s: float) -> float:
        """The remaining time in which an address gets no attempts, in seconds."""
        with self.lock:
            queue = self.by_address.get(address)
            return 0.0 if queue is None else max(0.0, queue.paused_until_s - now_s)

    def age_s(self, queue: Queue, now: Nanoseconds) -> float:
        """The age of the oldest message of a queue in memory."""
        with self.lock:
            created = queue.oldest
        return 0.0 if created is None else max(0.0, (now - created) / SECOND)
