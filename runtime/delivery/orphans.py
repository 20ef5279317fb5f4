"""Messages that no handler delivers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from runtime.delivery.messages import Address, Waiting
from runtime.delivery.outbox import Outbox
from runtime.delivery.queues import Queues
from runtime.units import Nanoseconds

DELETED = "the handler was deleted"
GONE = "the handler no longer exists"
TOO_OLD = "too old"

_log = logging.getLogger("kapacitor.delivery")


class Orphans:
    """Messages of an earlier run without their handlers, and of deleted handlers.

    A task may be stopped, or a handler's kind disabled: its messages wait for it, and
    expire when they are too old. The slices of `cancel` and `expire` run on the thread
    of the outbox.
    """

    def __init__(self, queues: Queues, outbox: Outbox) -> None:
        self._queues = queues
        self._outbox = outbox

    def all(self) -> list[Waiting]:
        """Messages of missing handlers."""
        with self._queues.lock:
            return list(self._queues.orphans.values())

    def rename_topic(self, old: str, new: str) -> None:
        """Move deliveries of an earlier run from the handlers of a topic to another topic's.

        Raises:
            StoreError: the database cannot be written.
        """
        # at the start, when no thread waits for the lock
        with self._queues.lock:
            self._outbox.rename_topic(old, new)
            left = self._outbox.waiting()
            self._queues.orphans = {each.address: each for each in left}

    def cancel_unless(self, is_expected: Callable[[Address], bool]) -> int:
        """Cancel messages whose handlers will not be registered; return their number.

        Their memories are deleted.

        Args:
            is_expected: returns True if the handler of an address may still be
                registered.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._queues.lock:
            orphans = self._queues.orphans
            # removed first: messages found from now on get a queue of their own
            gone = [each for key, each in orphans.items() if not is_expected(key)]
            for each in gone:
                del orphans[each.address]
        cancelled = sum(sum(self.cancel(each, GONE)) for each in gone)
        for address in self._outbox.memories.addresses():
            if not (self._queues.has_handler(address) or is_expected(address)):
                self._outbox.memories.forget(address)
        return cancelled

    def cancel(
        self, left: Waiting, reason: str = DELETED, but: tuple[int, ...] = ()
    ) -> Iterator[int]:
        """Cancel messages that are in no queue.

        Args:
            left: address and greatest id of the messages.
            reason: error of the messages.
            but: ids to skip, of messages with a running attempt.

        Yields:
            Number of messages, slice by slice.

        Raises:
            StoreError: the database cannot be written.
        """
        for count in self._outbox.cancel(left.address, reason, left.newest, but):
            with self._queues.lock:
                self._queues.pending -= count
                self._queues.former.cancelled += count
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

    def expire(self, left: Waiting, limit: Nanoseconds) -> Iterator[int]:
        """Make dead letters of a missing handler's messages from before `limit`.

        Yields:
            Number of messages, slice by slice.

        Raises:
            StoreError: the database cannot be written.
        """
        for count in self._outbox.expire(left.address, limit, TOO_OLD):
            self._count_out(left.address, count)
            yield count
            # checked after the pause: the handler may have been registered meanwhile,
            # and may deliver the rest
            if not self._has(left.address):
                return

    def _has(self, address: Address) -> bool:
        with self._queues.lock:
            return address in self._queues.orphans

    def _count_out(self, address: Address, count: int) -> None:
        """Count dead letters of a missing handler as no longer pending."""
        queues = self._queues
        with queues.lock:
            queues.pending -= count
            left = queues.orphans.get(address)
            if left is None:
                # its handler was registered meanwhile, and its queue counts these
                # messages too
                if queue := queues.by_address.get(address):
                    queue.pending -= count
            elif left.size > count:
                queues.orphans[address] = left._replace(size=left.size - count)
            else:
                del queues.orphans[address]
