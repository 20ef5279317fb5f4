"""Messages in the hands of the dispatcher, on the event loop."""

from __future__ import annotations

from collections.abc import Callable

from runtime.delivery.messages import Address, Message, Waiting
from runtime.delivery.policy import FailureKind, RetryPolicy
from runtime.delivery.queue import Queue
from runtime.delivery.queues import Queues
from runtime.delivery.timeline import Timeline
from runtime.units import Nanoseconds


class Worklist:
    """The dispatcher's view of the queues: it takes messages and puts them back.

    For the event loop only. Other threads change the queues meanwhile, so each method
    takes the lock and looks at the current state.
    """

    def __init__(
        self,
        queues: Queues,
        policy: RetryPolicy,
        timeline: Timeline,
        monotonic: Callable[[], float],
    ) -> None:
        """Take nothing yet.

        Args:
            queues: pending messages in memory.
            policy: schedule of attempts.
            timeline: timeline of the `due` of messages.
            monotonic: monotonic clock, in seconds.
        """
        self._queues = queues
        self._lock = queues.lock
        self._policy = policy
        self._timeline = timeline
        self._monotonic = monotonic

    def take_news(self) -> tuple[list[Queue], list[Waiting]]:
        """The changed queues, and the messages to cancel."""
        shared, by_address = self._queues, self._queues.by_address
        with self._lock:
            # a queue may be gone by now
            queues = [by_address[key] for key in shared.news if key in by_address]
            shared.news.clear()
            leaving, shared.leaving = shared.leaving, []
        return queues, leaving

    def take_gone(self) -> set[Address]:
        """The addresses of deleted handlers without a queue."""
        with self._lock:
            gone, self._queues.gone = self._queues.gone, set()
        return gone

    def take(self, queue: Queue, now_s: float) -> Message | None:
        """The next message to try now; `done` or `put_back` ends the attempt."""
        with self._lock:
            return queue.take(now_s)

    def wait_s(self, queue: Queue, now_s: float) -> float | None:
        """The time until a message may be tried; see `Queue.wait_s`."""
        with self._lock:
            return queue.wait_s(now_s)

    def note(
        self, queue: Queue, kind: FailureKind | None, retry_after_s: float | None
    ) -> None:
        """Note the outcome of an attempt; see `Queue.note`."""
        with self._lock:
            queue.note(self._monotonic(), kind, retry_after_s)

    def done(self, queue: Queue, message: Message) -> None:
        """Remove a message that is no longer pending in the outbox."""
        with self._lock:
            self._queues.pending -= 1
            queue.done(message, self._monotonic())

    def put_back(
        self,
        queue: Queue,
        message: Message,
        at_s: float,
        wait_s: float,
        resumed: int | None,
    ) -> None:
        """Put back a message whose attempt failed.

        Args:
            queue: queue that the message was taken from.
            message: message in its current state.
            at_s: time of the failure, which may be earlier than now.
            wait_s: delay until the next attempt, from that time.
            resumed: value of the queue's `resumed` before the attempt; None forces the
                wait.
        """
        with self._lock:
            # the configuration has changed since the attempt began. Compared under the
            # lock, so that a change at this moment is not missed
            if resumed not in (None, queue.resumed):
                wait_s = 0.0
            queue.failed(message, at_s, wait_s)

    def refill(self, queue: Queue, messages: list[Message], newest: int) -> None:
        """Add messages from the outbox to a queue.

        Args:
            queue: queue of the messages.
            messages: oldest messages that the queue lacked, damaged ones included.
            newest: greatest id that the outbox was asked for.
        """
        now_s = self._monotonic()
        with self._lock:
            # cancellations may have moved `loaded` beyond these messages meanwhile;
            # such messages must not come back
            for message in [each for each in messages if each.id > queue.loaded]:
                if message.state == "dead":
                    self._queues.pending -= 1
                    queue.pending -= 1
                    queue.counters.dead += 1
                    queue.loaded = message.id
                    continue
                left_s = self._timeline.left_s(message.due)
                queue.push(message, now_s, min(left_s, self._policy.retry_after_cap_s))
            if not messages:
                # the counted rows are gone: without this they would be requested
                # forever
                queue.loaded = max(queue.loaded, newest)

    def take_older(self, queue: Queue, limit: Nanoseconds, most: int) -> list[Message]:
        """Remove messages from before `limit` from a queue, and return them."""
        with self._lock:
            # a slice at a time: the compute thread waits for this lock
            old, now_s = queue.older(limit, most), self._monotonic()
            for message in old:
                queue.drop(message.id, now_s)
            self._queues.pending -= len(old)
        return old

    def clear(self, queue: Queue) -> tuple[Waiting, tuple[int, ...]] | None:
        """Empty the queue of a deleted handler; drop it unless an attempt is running.

        Returns:
            Messages to cancel, and the ids in flight. None while a write is about to be
            committed, as its messages would enter a queue that no longer exists.
        """
        with self._lock:
            if any(each.address == queue.address for each in self._queues.staged):
                return None
            # messages in flight cannot be cancelled: they may have arrived
            kept = tuple(queue.in_flight)
            left = Waiting(queue.address, queue.pending - len(kept), queue.newest)
            queue.clear()
            if not kept:
                self._queues.by_address.pop(queue.address, None)
                self._queues.former.add(queue.counters)
        return left, kept
