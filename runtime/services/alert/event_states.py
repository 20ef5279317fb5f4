"""The states of all events: in memory, in the database, and their retention."""

from __future__ import annotations

from runtime.alert.recovered import Recovered, Retention
from runtime.alert.topics import Topic, Topics
from runtime.alert.types import Event, EventState, Level
from runtime.services.alert.state import ANONYMOUS, SLICE, StoredTopics, check
from runtime.store.database import Store
from runtime.units import Clock


class EventStates:
    """The last state of every event id on every topic.

    Changes are written at the end of their transaction.

    Attributes:
        topics: topics in memory.
    """

    def __init__(
        self, store: Store, *, persist: bool, retention: Retention, clock: Clock
    ) -> None:
        """Keep states.

        Args:
            store: database of the states.
            persist: True to store states at all.
            retention: time after which states that are OK are deleted, in ns.
            clock: wall clock, in ns since 1970 UTC.
        """
        self.topics = Topics()
        self._stored = StoredTopics(store)
        self._persist = persist
        self._recovered = Recovered(retention)
        self._clock = clock
        self._changed: dict[tuple[str, str], EventState | None] = {}

    @property
    def has_changes(self) -> bool:
        """True if there are unwritten changes."""
        return bool(self._changed)

    def restore(self) -> None:
        """Load every stored topic except the anonymous ones.

        Raises:
            StoreError: the database cannot be read.
        """
        for topic in self._stored.topics() if self._persist else ():
            self._remember(topic)

    def restore_topic(self, topic: str) -> None:
        """Load a topic with its stored states.

        Raises:
            StoreError: the database cannot be read.
        """
        self._remember(self._stored.topic(topic) if self._persist else Topic(topic))

    def collect(self, event: Event) -> Event:
        """Record the state of an event; return the event completed from its topic.

        Raises:
            DeliveryError: the state cannot be stored; then nothing has changed.
        """
        check(event)
        event = self.topics.collect(event)
        self._note(event.topic, event.state)
        return event

    def put(self, topic: str, state: EventState) -> None:
        """Record a state without an event."""
        self.topics.opened(topic).put(state)
        self._note(topic, state)

    def close(self, topic: str) -> None:
        """Unload a topic; its stored states stay."""
        known = self.topics.get(topic)
        for event_id in () if known is None else known.events:
            self._recovered.discard((topic, event_id))
        self.topics.remove(topic)

    def delete(self, topic: str) -> None:
        """Delete a topic.

        Raises:
            StoreError: the database cannot be written; the topic stays unchanged.
        """
        self._stored.delete(topic)
        self.close(topic)
        for key in [key for key in self._changed if key[0] == topic]:
            del self._changed[key]

    def rename(self, old: str, new: str) -> None:
        """Move the stored states of a topic to another one. Neither may be in memory.

        Raises:
            StoreError: the database cannot be written.
        """
        self._stored.rename(old, new)

    def anonymous_of(self, task: str) -> set[str]:
        """The topics of a task's nodes, in memory or stored."""
        prefix = f"{ANONYMOUS}{task}:"
        known = {topic.id for topic in self.topics if topic.id.startswith(prefix)}
        return known.union(self._stored.anonymous_of(task))

    def forget_recovered(self) -> bool:
        """Delete some expired OK states; True if there were any."""
        found = self._recovered.take(self._clock(), SLICE)
        for topic_id, event_id in found:
            topic = self.topics.get(topic_id)
            if topic is not None:
                topic.forget(event_id)
                self._changed[topic_id, event_id] = None
        return bool(found)

    def sweep(self) -> bool:
        """Remove some rows of deleted topics; True if there were any.

        Raises:
            StoreError: the database cannot be written.
        """
        return self._stored.sweep()

    def write(self) -> None:
        """Store changes, in the current transaction.

        Raises:
            StoreError: the changes cannot be written; the next call writes them too.
        """
        if self._persist and self._changed:
            self._stored.write(
                (topic, event_id, state)
                for (topic, event_id), state in self._changed.items()
                # an aggregate may lack an id; such a state cannot be requested
                if event_id
            )

    def written(self) -> None:
        """Forget the written changes, after the commit."""
        self._changed.clear()
        self._stored.written()

    def _note(self, topic: str, state: EventState) -> None:
        key = topic, state.id
        self._changed[key] = state
        if state.level is Level.OK:
            self._recovered.note(key, self._clock())
        else:
            self._recovered.discard(key)

    def _remember(self, topic: Topic) -> None:
        self.topics.restore(topic)
        # it is unknown how old these states are, so their retention begins now
        now = self._clock()
        for state in topic.events.values():
            if state.level is Level.OK:
                self._recovered.note((topic.id, state.id), now)
