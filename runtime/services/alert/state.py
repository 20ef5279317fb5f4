"""Storage of the states of topics."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runtime.alert.topics import Topic
from runtime.alert.types import Event, EventState, Level
from runtime.compute.slices import Slices
from runtime.errors import DeliveryError
from runtime.store.database import Store

ANONYMOUS = "main:"
# Number of states to delete at a time.
SLICE = 250
_INT64 = range(-(2**63), 2**63)


class StoredTopics:
    """The topics in the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # numbers of topics in the database, and those that the next commit adds
        self._slices = Slices()
        self._numbers: dict[str, int] = {}
        self._fresh: dict[str, int] = {}

    def topics(self) -> list[Topic]:
        """Every stored topic except anonymous ones, which are opened by their tasks."""
        rows = self._store.query("SELECT id FROM topics ORDER BY id")
        return [self.topic(row[0]) for row in rows if not is_anonymous(row[0])]

    def topic(self, topic: str) -> Topic:
        """One topic with its stored states."""
        rows = self._store.query(
            "SELECT event_states.id, message, details, time, duration, level"
            " FROM topics JOIN event_states ON event_states.topic = topics.number"
            " WHERE topics.id = ? ORDER BY event_states.id",
            (topic,),
        )
        return Topic(topic, map(_state, rows))

    def write(self, changes: Iterable[tuple[str, str, EventState | None]]) -> None:
        """Store the newest states of events, as (topic, id, state).

        None deletes a state.
        """
        kept: list[tuple[str, EventState]] = []
        gone: list[tuple[str, str]] = []
        for topic, event_id, state in changes:
            if state is None:
                gone.append((topic, event_id))
            else:
                kept.append((topic, state))
        if kept:
            numbers = self._numbered({topic for topic, _ in kept})
            self._store.execute_many(
                "INSERT OR REPLACE INTO event_states VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(numbers[topic], *_row(state)) for topic, state in kept],
            )
        if gone:
            self._store.execute_many(
                "DELETE FROM event_states WHERE id = ?2"
                " AND topic = (SELECT number FROM topics WHERE id = ?1)",
                gone,
            )

    def written(self) -> None:
        """Forget the written changes, after the commit."""
        self._numbers.update(self._fresh)
        self._fresh.clear()

    def rename(self, old: str, new: str) -> None:
        """Move a topic's stored states to another topic, whose own states are lost."""
        self.delete(new)
        self._store.execute("UPDATE topics SET id = ? WHERE id = ?", (new, old))

    def delete(self, topic: str) -> None:
        """Delete a topic at once, but leave its rows to `sweep`."""
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO deleted_topics SELECT number FROM topics WHERE id = ?",
                (topic,),
            )
            self._store.execute("DELETE FROM topics WHERE id = ?", (topic,))
        self._numbers.pop(topic, None)
        self._fresh.pop(topic, None)

    def sweep(self) -> bool:
        """Remove some rows of deleted topics; True if there may be more."""
        rows = self._store.query("SELECT number FROM deleted_topics LIMIT 1")
        if not rows:
            return False
        [[number]] = rows
        size = self._slices.size
        with self._slices.measured(), self._store.transaction():
            count = self._store.execute(
                "DELETE FROM event_states WHERE topic = ?1 AND id IN"
                " (SELECT id FROM event_states WHERE topic = ?1 ORDER BY id LIMIT ?2)",
                (number, size),
            )
            if count < size:
                self._store.execute(
                    "DELETE FROM deleted_topics WHERE number = ?", (number,)
                )
        return True

    def anonymous_of(self, task: str) -> list[str]:
        """The stored topics of a task's nodes."""
        prefix = f"{ANONYMOUS}{task}:"
        rows = self._store.query(
            "SELECT id FROM topics WHERE id >= ?1 AND id < ?2"
            " AND substr(id, 1, length(?1)) = ?1",
            # the colon's successor
            (prefix, f"{prefix[:-1]};"),
        )
        return [row[0] for row in rows]

    def _numbered(self, topics: set[str]) -> dict[str, int]:
        """The numbers of topics; new topics are stored."""
        # numbers of an earlier transaction, which may have failed
        self._fresh.clear()
        unknown = [(topic,) for topic in topics if topic not in self._numbers]
        if not unknown:
            return self._numbers
        self._store.execute_many(
            "INSERT OR IGNORE INTO topics (id) VALUES (?)", unknown
        )
        for [topic] in unknown:
            [[self._fresh[topic]]] = self._store.query(
                "SELECT number FROM topics WHERE id = ?", (topic,)
            )
        return {**self._numbers, **self._fresh}


def check(event: Event) -> None:
    """Refuse values that the database cannot store, before they fail a transaction.

    Raises:
        DeliveryError: a text is not valid UTF-8, or a number has more than 64 bits.
    """
    state = event.state
    try:
        if not (state.time in _INT64 and state.duration in _INT64):
            raise OverflowError("a time is out of range")
        msgspec.msgpack.encode(event)
    except (OverflowError, UnicodeError) as error:
        raise DeliveryError(f"event cannot be stored: {error}") from None


def is_anonymous(topic: str) -> bool:
    """True if a node of a task owns the topic: `main:<task>:<node>`."""
    return topic.startswith(ANONYMOUS) and topic.count(":") == 2


def _state(row: tuple[str, str, str, int, int, int]) -> EventState:
    event_id, message, details, time, duration, level = row
    return EventState(event_id, message, details, time, duration, Level(level))


def _row(state: EventState) -> tuple[str, str, str, int, int, int]:
    return (
        state.id,
        state.message,
        state.details,
        state.time,
        state.duration,
        int(state.level),
    )
