"""What waits for one handler, and in which order it leaves."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runtime.alert.types import Handler
from runtime.outbox import Address, Item
from runtime.units import DAY, Nanoseconds

_BREAK_AFTER = 5


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again what has failed.

    Attributes:
        base_s: the longest first delay; each further one may be twice as long.
        cap_s: the longest delay.
        ask_cap_s: the longest delay that an endpoint may ask for.
        max_age_ns: how old an event may get before it is given up.
        probe_s: how often a handler is tried that has failed several times in a row.
    """

    base_s: float = 1.0
    cap_s: float = 300.0
    ask_cap_s: float = 3600.0
    max_age_ns: Nanoseconds = DAY
    probe_s: float = 30.0

    def delay_s(
        self,
        attempts: int,
        asked_s: float | None,
        chance: Callable[[], float] = random.random,
    ) -> float:
        """How long to wait after `attempts` failures: exponential, with full jitter."""
        longest = min(self.cap_s, self.base_s * 2.0 ** min(attempts - 1, 30))
        return max(longest * chance(), min(asked_s or 0.0, self.ask_cap_s))


@dataclass(slots=True)
class Counters:
    """What happened to the events of one address."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(slots=True, eq=False)
class Queue:
    """The items of one address that are in memory: its oldest ones.

    Items of one event id leave in order, a failed one holds up those behind it. Items
    of different ids leave in order too, but pass one that waits for its next attempt.
    Times are seconds of a monotonic clock.

    Attributes:
        address: whose items these are.
        handler: who delivers them.
        context: what log lines say besides topic and handler.
        newest: the id of the newest item, in memory or not.
        loaded: the id of the newest item in memory.
        counters: what happened so far.
        paused_until_s: nothing is tried before.
        resumed: how often everything was to be tried at once.
        is_retired: whether its handler was deleted, so each item is tried once.
    """

    address: Address
    handler: Handler
    context: Mapping[str, str]
    newest: int = 0
    loaded: int = 0
    counters: Counters = field(default_factory=Counters)
    paused_until_s: float = 0.0
    resumed: int = 0
    is_retired: bool = False
    _size: int = 0
    _in_row: int = 0
    _chains: dict[str, deque[Item]] = field(default_factory=dict)
    _ready: list[tuple[int, str]] = field(default_factory=list)
    _delayed: list[tuple[float, int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return self._size

    @property
    def has_more(self) -> bool:
        """Whether there are items that are not in memory."""
        return self.loaded < self.newest

    def push(self, item: Item, now_s: float, wait_s: float = 0.0) -> None:
        """Take in the next item; it is not tried for `wait_s`."""
        self._size += 1
        self.loaded = item.id
        self.newest = max(self.newest, item.id)
        chain = self._chains.setdefault(item.event.state.id, deque())
        chain.append(item)
        if len(chain) == 1:
            self._schedule(item, now_s, wait_s)

    def take(self, now_s: float) -> Item | None:
        """The oldest item that may be tried now; it stays until `done` or `failed`."""
        while self._delayed and self._delayed[0][0] <= now_s:
            _, number, event_id = heapq.heappop(self._delayed)
            heapq.heappush(self._ready, (number, event_id))
        if now_s < self.paused_until_s or not self._ready:
            return None
        _, event_id = heapq.heappop(self._ready)
        return self._chains[event_id][0]

    def wait_s(self, now_s: float) -> float | None:
        """How long until an item may be tried; None if there is none."""
        if self._ready:
            return max(0.0, self.paused_until_s - now_s)
        if self._delayed:
            return max(0.0, self.paused_until_s - now_s, self._delayed[0][0] - now_s)
        return None

    def done(self, item: Item, now_s: float) -> None:
        """Let go of an item that was taken."""
        self._size -= 1
        event_id = item.event.state.id
        chain = self._chains[event_id]
        chain.popleft()
        if chain:
            self._schedule(chain[0], now_s, 0.0)
        else:
            del self._chains[event_id]

    def failed(self, item: Item, now_s: float, wait_s: float) -> None:
        """Put an item that was taken back, as `item`, to be tried after `wait_s`."""
        self._chains[item.event.state.id][0] = item
        self._schedule(item, now_s, wait_s)

    def note(self, now_s: float, *, answered: bool, policy: RetryPolicy) -> None:
        """Pause after several attempts in a row that nobody answered."""
        self._in_row = 0 if answered else self._in_row + 1
        if self._in_row >= _BREAK_AFTER:
            self.paused_until_s = now_s + policy.probe_s

    def resume(self) -> None:
        """Try everything at once: something has changed."""
        self.resumed += 1
        self.paused_until_s = 0.0
        self._in_row = 0
        for _, number, event_id in self._delayed:
            heapq.heappush(self._ready, (number, event_id))
        self._delayed.clear()

    def _schedule(self, item: Item, now_s: float, wait_s: float) -> None:
        event_id = item.event.state.id
        if wait_s > 0:
            heapq.heappush(self._delayed, (now_s + wait_s, item.id, event_id))
        else:
            heapq.heappush(self._ready, (item.id, event_id))
