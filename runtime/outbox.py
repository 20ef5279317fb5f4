"""The deliveries that are not done yet, in the database.

A row is written in the transaction of the event and goes when its handler has delivered
it; so what was acknowledged survives a crash, and is delivered at least once.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from runtime.alert.types import Event, EventState
from runtime.store import Store
from runtime.units import Nanoseconds

State = Literal["pending", "dead"]
_COLUMNS = "id, topic, handler, event_id, event, state, attempts, created, due, error"
_PENDING = "topic = ? AND handler = ? AND state = 'pending'"


class Address(NamedTuple):
    """Where events go: one handler of one topic.

    Attributes:
        topic: the topic's id.
        handler: the handler's id, unique on its topic and the same after a restart.
    """

    topic: str
    handler: str


@dataclass(frozen=True, slots=True)
class Item:
    """One event for one handler.

    Attributes:
        id: grows with the order of events.
        address: where it goes.
        event: what is delivered.
        state: `pending`, or `dead` when it was given up.
        attempts: how many have failed.
        created: when the event was collected, ns since 1970 UTC.
        due: not to be tried before, ns since 1970 UTC.
        error: the last failure, without secrets.
    """

    id: int
    address: Address
    event: Event
    state: State = "pending"
    attempts: int = 0
    created: Nanoseconds = 0
    due: Nanoseconds = 0
    error: str = ""


class Outbox:
    """The table of deliveries."""

    def __init__(self, store: Store) -> None:
        self._store = store
        [[newest]] = store.query("SELECT max(id) FROM deliveries")
        stored = store.get("outbox", "newest")
        # ids of rows that are gone must not come back: keys are made of them
        self._newest = max(newest or 0, int(stored or b"0"))
        name = store.get("outbox", "name")
        if name is None:
            name = uuid.uuid4().hex.encode()
            store.put("outbox", "name", name)
        self._name = name.decode()

    def next_id(self) -> int:
        """A new id, greater than all before."""
        self._newest += 1
        return self._newest

    def key(self, item: Item) -> str:
        """What identifies a delivery to its endpoint, the same for every attempt."""
        text = f"{self._name}/{item.id}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def put(self, items: Sequence[Item]) -> None:
        """Write new rows, in the present transaction."""
        encoded: dict[int, bytes] = {}
        rows = []
        for item in items:
            event = encoded.get(id(item.event))
            if event is None:
                event = msgspec.msgpack.encode(item.event)
                encoded[id(item.event)] = event
            rows.append((*_key(item), event, item.state, *_rest(item)))
        with self._store.transaction():
            self._store.execute_many(
                "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            self._store.put("outbox", "newest", b"%d" % self._newest)

    def settle(self, done: Iterable[int], changed: Iterable[Item]) -> None:
        """Drop the rows of what is done, and rewrite those of what is not."""
        with self._store.transaction():
            self._store.execute_many(
                "DELETE FROM deliveries WHERE id = ?", [(each,) for each in done]
            )
            self._store.execute_many(
                "UPDATE deliveries SET state = ?, attempts = ?, due = ?, error = ?"
                " WHERE id = ?",
                [
                    (item.state, item.attempts, item.due, item.error, item.id)
                    for item in changed
                ],
            )

    def pending(self, address: Address, after: int, limit: int) -> list[Item]:
        """The oldest pending items of a handler with ids greater than `after`."""
        rows = self._store.query(
            f"SELECT {_COLUMNS} FROM deliveries WHERE {_PENDING} AND id > ?"
            " ORDER BY id LIMIT ?",
            (*address, after, limit),
        )
        items = [_item(row) for row in rows]
        damaged = [item for item in items if item.state == "dead"]
        if damaged:
            self.settle((), damaged)
        return [item for item in items if item.state == "pending"]

    def newest_pending(self, address: Address) -> int:
        """The greatest id of a handler's pending items; 0 without any."""
        [[found]] = self._store.query(
            f"SELECT max(id) FROM deliveries WHERE {_PENDING}", address
        )
        return found or 0

    def list(
        self, state: State | None = None, after: int = 0, limit: int = 100
    ) -> list[Item]:
        """Items with ids greater than `after`, oldest first."""
        rows = self._store.query(
            f"SELECT {_COLUMNS} FROM deliveries WHERE id > ? AND (? IS NULL OR state = ?)"
            " ORDER BY id LIMIT ?",
            (after, state, state, limit),
        )
        return [_item(row) for row in rows]

    def count(self, state: State) -> int:
        """How many items are in a state."""
        [[found]] = self._store.query(
            "SELECT count(*) FROM deliveries WHERE state = ?", (state,)
        )
        return int(found)


def _key(item: Item) -> tuple[int, str, str, str]:
    return item.id, item.address.topic, item.address.handler, item.event.state.id


def _rest(item: Item) -> tuple[int, int, int, str]:
    return item.attempts, item.created, item.due, item.error


def _item(row: tuple[int, str, str, str, bytes, State, int, int, int, str]) -> Item:
    number, topic, handler, event_id, blob, state, attempts, created, due, error = row
    try:
        event = msgspec.msgpack.decode(blob, type=Event)
    except msgspec.MsgspecError:
        event = Event(topic, EventState(event_id))
        state, error = "dead", "the stored event is damaged"
    return Item(
        number,
        Address(topic, handler),
        event,
        state,
        attempts,
        created,
        due,
        error,
    )
