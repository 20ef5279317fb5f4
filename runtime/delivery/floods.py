"""What becomes of more events than a handler is to get: a summary of them a minute."""

from __future__ import annotations

import html
from collections import Counter
from dataclasses import dataclass, field

from runtime.alert.types import Event, EventData, EventState, Level, Row
from runtime.delivery.items import Address, Item
from runtime.units import Nanoseconds, rfc3339

WINDOW_S = 60.0
# of how many ids one summary may tell: more make another one
MAX_IDS = 10_000
SHOWN_IDS = 100


@dataclass(slots=True)
class Summary:
    """One event that tells of many.

    Attributes:
        id: of its delivery: greater than those of older events of the handler, less
            than those of newer ones.
        address: whose events it tells of.
        created: when it was begun, on the outbox's timeline.
        counts: how many events of each level it tells of.
        ids: the last level of each event id.
    """

    id: int
    address: Address
    created: Nanoseconds
    counts: Counter[Level] = field(default_factory=Counter)
    ids: dict[str, Level] = field(default_factory=dict)
    _first: Nanoseconds = 0
    _last: Nanoseconds = 0
    _hops: int = 0
    _data: EventData = field(default_factory=EventData)

    @property
    def is_full(self) -> bool:
        """True if it tells of as many ids as it may."""
        return len(self.ids) >= MAX_IDS

    def add(self, event: Event) -> None:
        """Tell of one more event."""
        state = event.state
        self._first = min(self._first, state.time) if self.counts else state.time
        self._last = max(self._last, state.time) if self.counts else state.time
        self._hops = max(self._hops, event.hops)
        self._data = event.data
        self.counts[state.level] += 1
        # the newest last
        self.ids.pop(state.id, None)
        self.ids[state.id] = state.level

    def item(self) -> Item:
        """Its delivery, as things are."""
        return Item(
            self.id,
            self.address,
            self._event(),
            created=self.created,
            due=self.created,
            summary=self.id,
            ids=frozenset(self.ids),
        )

    def _event(self) -> Event:
        topic = self.address.topic
        shown = self._shown_ids()
        state = EventState(
            f"{topic}: summary",
            self._message(topic),
            _details(shown, len(self.ids) - len(shown)),
            self._last,
            self._last - self._first,
            max(self.counts),
        )
        data = EventData(
            name=self._data.name,
            task_name=self._data.task_name,
            category=self._data.category,
            fields={"count": self.counts.total()},
            recoverable=False,
            result=(self._totals(), self._levels(shown)),
        )
        return Event(topic, state, data, hops=self._hops)

    def _message(self, topic: str) -> str:
        levels = ", ".join(
            f"{self.counts[level]} {level}"
            for level in reversed(Level)
            if self.counts[level]
        )
        count = self.counts.total()
        noun = "event" if count == 1 else "events"
        return (
            f"{topic}: {count} more {noun} between {rfc3339(self._first)} and "
            f"{rfc3339(self._last)}: {levels}"
        )

    def _shown_ids(self) -> list[tuple[str, Level]]:
        """The worst ids, of equal ones the newest."""
        newest_first = reversed(self.ids.items())
        return sorted(newest_first, key=lambda each: -each[1])[:SHOWN_IDS]

    def _totals(self) -> Row:
        columns = ("time", "count", *(level.name.lower() for level in Level))
        counts = (self.counts[level] for level in Level)
        return Row(
            "summary", {}, columns, ((self._last, self.counts.total(), *counts),)
        )

    def _levels(self, shown: list[tuple[str, Level]]) -> Row:
        values = tuple((self._last, each, str(level)) for each, level in shown)
        return Row("levels", {}, ("time", "id", "level"), values)


def _details(shown: list[tuple[str, Level]], others: int) -> str:
    lines = [f"<li>{html.escape(each)} is {level}</li>" for each, level in shown]
    if others:
        lines.append(f"<li>and {others} more</li>")
    return f"<ul>{''.join(lines)}</ul>"


@dataclass(slots=True)
class Window:
    """A minute of a handler.

    Attributes:
        began_s: when it began.
        count: how many events it got one by one.
        summary: of the others; None while there are none.
    """

    began_s: float = float("-inf")
    count: int = 0
    summary: Summary | None = None


class Floods:
    """The minutes of all handlers that get no more than `limit` events in one."""

    def __init__(self, limit: int) -> None:
        """Guard handlers; a `limit` of 0 guards none."""
        self._limit = limit
        self._windows: dict[Address, Window] = {}
        # whose summaries are not in the database as they are in memory
        self._changed: dict[Address, Summary] = {}

    def guards(self, handler: object) -> bool:
        """True if a handler gets summaries of what is too much."""
        return self._limit > 0 and bool(getattr(handler, "is_limited", True))

    def ended(self, address: Address, now_s: float) -> Summary | None:
        """The summary that has to go before the next event, if there is one."""
        window = self._windows.setdefault(address, Window())
        ended = window.summary
        if now_s - window.began_s >= WINDOW_S:
            self._windows[address] = Window(now_s)
        elif ended is not None and ended.is_full:
            window.summary = None
        else:
            return None
        return ended

    def has_room(self, address: Address) -> bool:
        """True if the handler gets the next event itself; that counts it."""
        window = self._windows[address]
        if window.count >= self._limit:
            return False
        window.count += 1
        return True

    def summary(self, address: Address) -> Summary | None:
        """What gathers the events of a handler now."""
        window = self._windows.get(address)
        return None if window is None else window.summary

    def begin(self, summary: Summary) -> None:
        """Gather in `summary` from now on."""
        self._windows[summary.address].summary = summary

    def add(self, summary: Summary, event: Event) -> None:
        """Have a summary tell of one more event."""
        summary.add(event)
        self._changed[summary.address] = summary

    def changed(self) -> list[Summary]:
        """The summaries that are to be kept."""
        return list(self._changed.values())

    def kept(self) -> None:
        """They are."""
        self._changed.clear()

    def taken(self, address: Address, now_s: float, *, at_once: bool) -> Summary | None:
        """The summary of a minute that is over, once it is in the database."""
        window = self._windows.get(address)
        if window is None or window.summary is None or address in self._changed:
            return None
        if now_s - window.began_s < WINDOW_S and not at_once:
            return None
        summary, window.summary = window.summary, None
        return summary

    def wait_s(self, address: Address, now_s: float) -> float | None:
        """How long until there is a summary to be taken; None if there is none."""
        window = self._windows.get(address)
        if window is None or window.summary is None:
            return None
        return max(0.0, window.began_s + WINDOW_S - now_s)

    def forget(self, address: Address) -> None:
        """There is no such handler any more."""
        self._windows.pop(address, None)
