"""Events of the topic `_internal`: handlers that keep failing, and that recover."""

from __future__ import annotations

import time
from collections.abc import Callable

from runtime.alert.types import Event, EventData, EventState, Level
from runtime.delivery.messages import Address
from runtime.units import Clock, Nanoseconds

TOPIC = "_internal"
# the shortest time between two events about dead letters of a handler
WARN_EVERY_S = 3600.0
# prefix of events about files of the load directory
LOAD = "load:"
# before the id of a task, for events of the task store
TASK = "task/"
# before the name of a cluster, for events about InfluxDB
CLUSTER = "influxdb/"
# the event about all handlers together
OUTBOX = "outbox"


class Health:
    """Creates events about the state of handlers, on the event loop.

    Handlers of this topic itself cause no events, which would be a cycle.
    """

    def __init__(
        self,
        report: Callable[[Event], None],
        *,
        clock: Clock = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without events.

        Args:
            report: passes an event to its topic.
            clock: wall clock, in ns since 1970 UTC.
            monotonic: monotonic clock, in seconds.
        """
        self._report = report
        self._clock = clock
        self._monotonic = monotonic
        self._levels: dict[str, Level] = {}
        self._warned_s: dict[str, float] = {}
        self._since: dict[str, Nanoseconds] = {}

    def handler(self, address: Address, level: Level, text: str) -> None:
        """Report a delivery (OK), a new dead letter (WARNING) or continuous failure."""
        if address.topic == TOPIC:
            return
        name = name_of(address)
        before = self._levels.get(name)
        if level == before or not self._is_news(name, before, level):
            return
        shown = described(address)
        message = {
            Level.OK: f"{shown} delivers",
            Level.WARNING: f"{shown} has not delivered an event: {text}",
        }.get(level, f"{shown} keeps failing: {text}")
        tags = {"topic": address.topic, "handler": address.handler}
        self._note(name, level, message, tags)

    def forget(self, address: Address) -> None:
        """Settle the events about a deleted handler."""
        if address.topic == TOPIC:
            return
        name = name_of(address)
        self._warned_s.pop(name, None)
        message = f"{described(address)} was deleted"
        tags = {"topic": address.topic, "handler": address.handler}
        # sent in any case: after a restart only the receiver knows earlier events
        self._note(name, Level.OK, message, tags)
        del self._levels[name]

    def outbox(self, problem: str) -> None:
        """Report that writes are refused because of `problem`, or are accepted ("")."""
        level = Level.CRITICAL if problem else Level.OK
        if level != self._levels.get(OUTBOX):
            message = (
                f"writes are answered with 503: {problem}"
                if problem
                else "writes are " "accepted"
            )
            self._note(OUTBOX, level, message, {})

    def cluster(self, name: str, problem: str, *, is_expected: bool) -> None:
        """Report that a cluster cannot be used because of `problem`; "" if it is used.

        Args:
            name: name of the cluster.
            problem: reason without secrets.
            is_expected: True soon after the start, when the cluster may be starting
                too.
        """
        level = Level.WARNING if is_expected else Level.CRITICAL
        level = level if problem else Level.OK
        if level != self._levels.get(CLUSTER + name):
            shown = f"cluster {name} of InfluxDB"
            message = (
                f"{shown} cannot be used: {problem}" if problem else f"{shown} is used"
            )
            self._note(CLUSTER + name, level, message, {"cluster": name})

    def _is_news(self, name: str, before: Level | None, level: Level) -> bool:
        if level is not Level.WARNING:
            return True
        if before is Level.CRITICAL:
            return False
        now_s = self._monotonic()
        if now_s - self._warned_s.get(name, float("-inf")) < WARN_EVERY_S:
            return False
        self._warned_s[name] = now_s
        return True

    def _note(
        self, name: str, level: Level, message: str, tags: dict[str, str]
    ) -> None:
        self._levels[name] = level
        now = self._clock()
        duration = now - self._since.setdefault(name, now)
        if level is Level.OK:
            del self._since[name]
        state = EventState(name, message, "", now, duration, level)
        self._report(Event(TOPIC, state, EventData(name=TOPIC, tags=tags)))


def name_of(address: Address) -> str:
    """The id of events about a handler."""
    return f"{address.topic}/{address.handler}"


def described(address: Address) -> str:
    """The name of a handler in messages."""
    return f"handler {address.handler} of topic {address.topic}"


def address_of(name: str) -> Address:
    """The address in an event ID; IDs of handlers have no slash."""
    topic, _, handler = name.rpartition("/")
    return Address(topic, handler)
