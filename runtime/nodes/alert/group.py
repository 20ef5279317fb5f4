"""The state of an alert in one group."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.alert.inhibition import Inhibitor
from runtime.alert.types import EventState, Level
from runtime.nodes.alert.flapping import Flapping
from runtime.units import Duration, Nanoseconds, between, saturated

_OK = int(Level.OK)


class Group:
    """The state of one group.

    Attributes:
        level: level of the last point.
        first: time of the event with which it left OK; None if there was none.
        last: time of its last event; None if there was none.
        inhibitors: inhibitors of other alerts, active while it is not OK.
        previous_level: level of the point before.
        event_level: level of its last event, even if that was inhibited.
        sent_level: level of the last event that its topics received.
    """

    __slots__ = (
        *("changed", "event_level", "first", "flapping", "inhibitors", "last"),
        *("level", "previous_level", "sent_level"),
    )

    def __init__(
        self, flapping: Flapping | None, inhibitors: Sequence[Inhibitor] = ()
    ) -> None:
        self.level = _OK
        self.previous_level = _OK
        self.event_level = _OK
        self.sent_level = _OK
        self.changed = False
        self.first: Nanoseconds | None = None
        self.last: Nanoseconds | None = None
        self.flapping = flapping
        self.inhibitors = inhibitors

    @property
    def is_quiescent(self) -> bool:
        """True if another OK would have no effect."""
        return self.level == _OK and (
            self.flapping is None or self.flapping.is_quiescent
        )

    @property
    def is_flapping(self) -> bool:
        """True if events are suppressed because the level flaps."""
        return self.flapping is not None and self.flapping.is_on

    @property
    def is_owed(self) -> bool:
        """True if an event for the level is missing because the alert was flapping."""
        return self.level != self.event_level

    def push(self, level: int) -> None:
        """Make `level` the newest one."""
        self.previous_level = self.level
        self.changed = level != self.level
        self.level = level
        if self.flapping is not None:
            self.flapping.push(level)

    def is_expired(self, time: Nanoseconds, interval: Nanoseconds) -> bool:
        """True if an unchanged level is to be repeated, after `interval`; 0 for never."""
        if self.changed or not interval:
            return False
        return self.last is None or time - self.last >= interval

    def trigger(self, time: Nanoseconds) -> None:
        """Note an event."""
        self.last = time
        # the duration counts from this event, even if flapping suppressed an earlier one
        # that left OK
        if self.previous_level == _OK or (self.is_owed and self.event_level == _OK):
            self.first = time
        self.event_level = self.level
        for inhibitor in self.inhibitors:
            inhibitor.turn(active=self.level != _OK)

    def restore(self, state: EventState) -> None:
        """Continue from the state in a topic."""
        # like a point of that level, which updates inhibitors and flapping as well
        self.push(int(state.level))
        self.trigger(state.time)
        self.first = saturated(state.time - state.duration)
        self.sent_level = self.level

    @property
    def duration(self) -> Duration:
        """The duration of the alert at its last event.

        If flapping suppressed the first event, the duration is 0; in Kapacitor it is the
        largest possible one.
        """
        if self.last is None or self.first is None:
            return Duration(0)
        return Duration(between(self.first, self.last))
