"""Topics: the last state of every event id, and their subscribers.

Source: Kapacitor alert/topics.go; the level of a topic is the true maximum here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runtime.alert.types import Event, EventState, Level
from runtime.compute.worker import paced
from runtime.golang.glob import match

# Number of topics or states that a listing examines between two pauses.
_TURN = 500


class Topic:
    """One topic.

    Attributes:
        id: its name.
        events: the last state of every event id.
        collected: number of events since the topic was opened.
    """

    __slots__ = ("_counts", "collected", "events", "id")

    def __init__(self, topic: str, states: Iterable[EventState] = ()) -> None:
        self.id = topic
        self.collected = 0
        self.events: dict[str, EventState] = {}
        self._counts = [0] * len(Level)
        for state in states:
            self.put(state)

    @property
    def level(self) -> Level:
        """The highest level of its events."""
        for level in reversed(Level):
            if self._counts[level]:
                return level
        return Level.OK

    def count(self, level: Level) -> int:
        """Number of its events that have `level`."""
        return self._counts[level]

    def put(self, state: EventState) -> Level:
        """Set the state of an event id and return its previous level."""
        before = self.events.get(state.id)
        self.events[state.id] = state
        self._counts[state.level] += 1
        if before is None:
            return Level.OK
        self._counts[before.level] -= 1
        return before.level

    def forget(self, event_id: str) -> None:
        """Forget the state of an event id, if it has one."""
        before = self.events.pop(event_id, None)
        if before is not None:
            self._counts[before.level] -= 1

    def at_least(self, level: Level) -> list[EventState]:
        """The states at or above `level`, oldest id first; on any thread."""
        # a copy, made in one step: the compute thread changes `events` meanwhile
        states = [*self.events.values()]
        if level is Level.OK:
            return states
        return [state for state in paced(states, _TURN) if state.level >= level]


class Topics:
    """All topics in memory. A topic is created by the first event or handler."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}

    def __iter__(self) -> Iterator[Topic]:
        # a copy, as other threads may iterate
        return iter([*self._topics.values()])

    def get(self, topic: str) -> Topic | None:
        """The topic, or None."""
        return self._topics.get(topic)

    def level(self, topic: str) -> Level:
        """The highest level of a topic's events; OK for an unknown topic."""
        found = self._topics.get(topic)
        return Level.OK if found is None else found.level

    def opened(self, topic: str) -> Topic:
        """The topic, created if it does not exist."""
        found = self._topics.get(topic)
        if found is None:
            found = self._topics[topic] = Topic(topic)
        return found

    def restore(self, topic: Topic) -> None:
        """Replace a topic."""
        self._topics[topic.id] = topic

    def remove(self, topic: str) -> bool:
        """Delete a topic; return True if it existed."""
        return self._topics.pop(topic, None) is not None

    def collect(self, event: Event) -> Event:
        """Record the state of `event` and return the event with its previous level."""
        topic = self.opened(event.topic)
        topic.collected += 1
        previous = topic.put(event.state)
        if previous == event.previous_level:
            return event
        # dataclasses.replace takes several times as long
        return Event(
            event.topic,
            event.state,
            event.data,
            previous,
            event.no_external,
            event.hops,
        )

    def matching(self, pattern: str, min_level: Level) -> list[Topic]:
        """The topics whose id matches and whose level is at least `min_level`, by id.

        May be called on any thread.

        Raises:
            PatternError: the pattern is malformed.
        """
        # an empty set of topics must not hide a malformed pattern
        match(pattern, "")
        return sorted(
            (
                topic
                for topic in paced(self, _TURN)
                if topic.level >= min_level and match(pattern, topic.id)
            ),
            key=lambda topic: topic.id,
        )
