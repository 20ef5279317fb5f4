"""The queue of one handler: its messages, and the order they leave in."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from runtime.alert.types import Recipient
from runtime.delivery.messages import Address, Message
from runtime.delivery.ordering import Ordering
from runtime.delivery.policy import (
    BREAK_AFTER,
    BREAK_AFTER_ANSWERED,
    FailureKind,
    RetryPolicy,
)
from runtime.units import Nanoseconds


@dataclass(slots=True)
class Counters:
    """Counts of the events of one address, by outcome.

    Attributes:
        delivered: delivered events.
        failed: failed attempts; `reasons` counts them by kind.
        retried: failed attempts that will be repeated.
        dead: events that became dead letters.
        cancelled: events cancelled because their handler was deleted.
        discarded: events discarded over the API.
        reasons: failed attempts by `FailureKind`.
    """

    delivered: int = 0
    failed: int = 0
    retried: int = 0
    dead: int = 0
    cancelled: int = 0
    discarded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counters) -> None:
        """Add counts from elsewhere."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons += other.reasons


NUMBERS = ("delivered", "failed", "retried", "dead", "cancelled", "discarded")


@dataclass(slots=True)
class Bucket:
    """Allows `rate` events per second, in bursts of one second's worth."""

    rate: float
    _tokens: float = 0.0
    _at_s: float = float("-inf")

    def wait_s(self, now_s: float) -> float:
        """The time until the next event is allowed."""
        if self.rate <= 0:
            return 0.0
        return max(0.0, (1.0 - self._filled(now_s)) / self.rate)

    def spend(self, now_s: float) -> None:
        """Count an event."""
        if self.rate > 0:
            self._tokens, self._at_s = self._filled(now_s) - 1.0, now_s

    def _filled(self, now_s: float) -> float:
        # at most one second's worth, however long the pause: after an hour of silence,
        # or of sleep of the machine, an hour's worth must not leave at once
        burst = max(1.0, self.rate)
        return min(burst, self._tokens + (now_s - self._at_s) * self.rate)


@dataclass(slots=True, eq=False)
class Queue:
    """The messages of one address that are in memory: its oldest ones.

    Messages of one event id leave in order, and a failed one holds up those behind it.
    Messages of different ids leave in order too, several at a time, but pass one that
    waits for its next attempt. Times are seconds of a monotonic clock.

    Attributes:
        address: topic and handler of the messages.
        recipient: handler that delivers the messages.
        policy: schedule and limits of attempts.
        newest: the id of the newest message, in memory or not.
        loaded: the id of the newest message in memory.
        pending: number of pending messages, in memory or not.
        counters: counters since the start.
        trouble: reason why the handler is only probed; None if it works.
        paused_until_s: time before which no attempt is made.
        resumed: number of requests to try everything at once.
        retired_until_s: time at which the rest of a deleted handler is cancelled; None
            if the handler exists.
        in_flight: ids of the messages with a running attempt.
    """

    address: Address
    recipient: Recipient
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    newest: int = 0
    loaded: int = 0
    pending: int = 0
    counters: Counters = field(default_factory=Counters)
    trouble: FailureKind | None = None
    paused_until_s: float = float("-inf")
    resumed: int = 0
    retired_until_s: float | None = None
    in_flight: set[int] = field(default_factory=set)
    _bucket: Bucket = field(init=False)
    _unanswered: int = 0
    _in_row: int = 0
    _ordering: Ordering = field(default_factory=Ordering)
    _ready: list[int] = field(default_factory=list)
    _delayed: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._bucket = Bucket(self.policy.rate)

    def __len__(self) -> int:
        return len(self._ordering.messages)

    @property
    def has_more(self) -> bool:
        """True if there are messages that are not in memory."""
        return self.loaded < self.newest

    @property
    def is_retired(self) -> bool:
        """True if its handler was deleted."""
        return self.retired_until_s is not None

    @property
    def has_failed(self) -> bool:
        """True if the last attempt failed, unless the endpoint rejected the event."""
        return self._in_row > 0 or self.trouble is not None

    @property
    def oldest(self) -> Nanoseconds | None:
        """The creation time of the oldest message in memory."""
        created = (message.created for message in self._ordering.messages.values())
        return min(created, default=None)

    def push(self, message: Message, now_s: float, wait_s: float = 0.0) -> None:
        """Append a message; its first attempt waits for `wait_s`."""
        self.loaded = max(self.loaded, message.id)
        self.newest = max(self.newest, message.id)
        if self._ordering.add(message):
            self._schedule(message, now_s, wait_s)

    def take(self, now_s: float) -> Message | None:
        """Take the oldest message that may be tried now, until `done` or `failed`."""
        # first the messages whose delay is over: they are older than the untried ones
        while self._delayed and self._delayed[0][0] <= now_s:
            _, number = heapq.heappop(self._delayed)
            heapq.heappush(self._ready, number)
        if now_s < self.paused_until_s or not self._has_slot():
            return None
        if self._bucket.wait_s(now_s) > 0:
            return None
        message = self._pop()
        if message is not None:
            self.in_flight.add(message.id)
            self._bucket.spend(now_s)
        return message

    def wait_s(self, now_s: float) -> float | None:
        """The time until a message may be tried.

        None if no message waits, or if a running attempt has to end first.
        """
        # each attempt calls this again when it ends, so a free slot needs no timer
        if not self._has_slot() or not (self._ready or self._delayed):
            return None
        due_s = now_s if self._ready else self._delayed[0][0]
        return max(
            0.0, self.paused_until_s - now_s, due_s - now_s, self._bucket.wait_s(now_s)
        )

    def done(self, message: Message, now_s: float) -> None:
        """Remove a message that was taken."""
        self.in_flight.discard(message.id)
        self._remove(message.id, now_s)

    def failed(self, message: Message, now_s: float, wait_s: float) -> None:
        """Return a taken message as `message`, for an attempt after `wait_s`."""
        self.in_flight.discard(message.id)
        # it keeps its place at the head of its chain: newer messages of its id wait
        # behind it
        self._ordering.replace(message)
        self._schedule(message, now_s, wait_s)

    def note(
        self, now_s: float, kind: FailureKind | None, retry_after_s: float | None
    ) -> None:
        """Apply the outcome of an attempt to all pending messages.

        Args:
            now_s: current time, in seconds.
            kind: kind of the failure; None for a success.
            retry_after_s: delay that the endpoint requested, in seconds.
        """
        # an endpoint that rejects one event works, and may take the next
        if kind in (None, FailureKind.REJECTED):
            if self.trouble is not None:
                self.resume()
            self._unanswered = self._in_row = 0
            return
        self._in_row += 1
        self._unanswered = (
            self._unanswered + 1 if kind is FailureKind.UNREACHABLE else 0
        )
        # these failures concern the handler, not the event: all others would fail as
        # well. Other failures have to repeat, and those with an answer more often, as
        # they may concern some events only.
        if kind in (FailureKind.AUTH, FailureKind.DEFERRED):
            self._pause(now_s, kind, self.policy.auth_probe_s)
        elif (
            self._unanswered >= BREAK_AFTER
            or self._in_row >= BREAK_AFTER_ANSWERED
            or self.trouble is not None
        ):
            self._pause(now_s, kind, self.policy.probe_s)
        if retry_after_s:
            until_s = now_s + min(retry_after_s, self.policy.retry_after_cap_s)
            self.paused_until_s = max(self.paused_until_s, until_s)

    def resume(self) -> None:
        """Retry everything at once, after a change."""
        self.resumed += 1
        self.paused_until_s = float("-inf")
        self._unanswered = self._in_row = 0
        self.trouble = None
        for _, number in self._delayed:
            heapq.heappush(self._ready, number)
        self._delayed.clear()

    def drop(self, number: int, now_s: float) -> bool:
        """Remove a message; False if it is not in memory, or in flight."""
        if number not in self._ordering.messages or number in self.in_flight:
            return False
        self._remove(number, now_s)
        return True

    def older(self, limit: Nanoseconds, most: int) -> list[Message]:
        """Messages created before `limit` that are not in flight, up to a number."""
        # not sorted by age: a resent message has a new id and a new age
        found = (
            message
            for message in self._ordering.messages.values()
            if message.created < limit and message.id not in self.in_flight
        )
        return list(islice(found, most))

    def clear(self) -> None:
        """Remove every message that is not in flight, in memory or not."""
        self._ready.clear()
        self._delayed.clear()
        # messages being discarded are in flight too, and may not be in memory
        known = sorted(self.in_flight & self._ordering.messages.keys())
        kept = [self._ordering.messages[number] for number in known]
        self._ordering = Ordering(kept)
        self.pending = len(kept)
        self.loaded = self.newest

    def _pop(self) -> Message | None:
        if self.trouble is not None:
            # perhaps only some events fail: probe with one that was tried least
            self._ready = list(filter(self._ordering.is_first, self._ready))
            heapq.heapify(self._ready)
            if not self._ready:
                return None
            # linear in the number of ready messages, but only once for each probe
            least = min(self._ready, key=self._attempts)
            self._ready.remove(least)
            heapq.heapify(self._ready)
            return self._ordering.messages[least]
        while self._ready:
            number = heapq.heappop(self._ready)
            # dropped messages may still be on the heap
            if self._ordering.is_first(number):
                return self._ordering.messages[number]
        return None

    def _attempts(self, number: int) -> tuple[int, int]:
        return self._ordering.messages[number].attempts, number

    def _remove(self, number: int, now_s: float) -> None:
        self.pending -= 1
        following = self._ordering.remove(number)
        if following is not None:
            self._schedule(following, now_s, 0.0)

    def _pause(self, now_s: float, kind: FailureKind, for_s: float) -> None:
        self.trouble = kind
        self.paused_until_s = max(self.paused_until_s, now_s + for_s)

    def _has_slot(self) -> bool:
        # a failing handler is probed with one event at a time; local kinds keep the
        # order of all events, as readers of a file expect
        alone = self.trouble is not None or self.recipient.is_serial
        return len(self.in_flight) < (1 if alone else self.policy.concurrency)

    def _schedule(self, message: Message, now_s: float, wait_s: float) -> None:
        if wait_s > 0:
            heapq.heappush(self._delayed, (now_s + wait_s, message.id))
        else:
            heapq.heappush(self._ready, message.id)
