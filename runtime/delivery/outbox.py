"""The unfinished deliveries in the database.

A row is written in the transaction of its event and deleted when its handler has
delivered it, so acknowledged events survive a crash and are delivered at least once.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any

import msgspec

from runtime.compute.slices import Slices
from runtime.delivery.lookup import Lookup
from runtime.delivery.memories import Memories
from runtime.delivery.messages import Address, DeliveryFilter, Message, Note, Waiting
from runtime.delivery.rows import (
    COLUMNS,
    ENDED,
    PENDING,
    message_of,
    ranges,
    values_of,
)
from runtime.delivery.timeline import Run, Timeline
from runtime.errors import StoreError
from runtime.store.database import Store
from runtime.units import Clock, Nanoseconds

_log = logging.getLogger("kapacitor.delivery")
# the key that progress is sealed under: not the row's id, which changes on a resend
_PROGRESS = "progress"


class Outbox:
    """The table of deliveries.

    Attributes:
        lookup: reads the table for people.
        memories: values that handlers remember of alerts.
        room: room on the disk of the database.
    """

    def __init__(self, store: Store) -> None:
        self.lookup = Lookup(store)
        self.memories = Memories(store)
        self.room = store.room
        self._store = store
        self._slices = Slices()
        [[newest]] = store.query("SELECT max(id) FROM deliveries")
        known = dict(store.query("SELECT name, value FROM outbox"))
        # ids of deleted rows must not be reused: idempotency keys contain them
        self._newest = max(newest or 0, int(known.get("newest", 0)))
        if "name" not in known:
            known["name"] = uuid.uuid4().hex.encode()
            self._note("name", known["name"])
        self._name = known["name"].decode()
        # end of the last run, and times of all runs
        self._seen = int(known["seen"]) if "seen" in known else None
        self._runs = [
            Run(*each) for each in msgspec.json.decode(known.get("runs", b"[]"))
        ]

    def begin_run(self, clock: Clock, monotonic: Callable[[], float]) -> Timeline:
        """Continue the timeline of earlier runs.

        Args:
            clock: wall clock, in ns since 1970 UTC.
            monotonic: monotonic clock, in seconds.
        """
        timeline = Timeline(self._runs, self._seen, clock=clock, monotonic=monotonic)
        with self._store.transaction():
            self._note("runs", msgspec.json.encode(timeline.runs))
            self.note_seen(timeline.now())
        return timeline

    def note_seen(self, now: Nanoseconds) -> None:
        """Store the end of the timeline so far."""
        with self.room.draining():
            self._note("seen", b"%d" % now)

    def next_id(self) -> int:
        """A new id, greater than all before."""
        self._newest += 1
        return self._newest

    def key(self, message: Message) -> str:
        """The idempotency key of a delivery, the same for every attempt."""
        text = f"{self._name}/{message.id}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def put(self, messages: Sequence[Message], now: Nanoseconds | None = None) -> None:
        """Write new rows, in the current transaction.

        Args:
            messages: the rows.
            now: current time on the timeline.
        """
        encoded: dict[int, bytes] = {}
        rows = []
        # by identity, for this call only: the messages keep their events alive
        for message in messages:
            # a topic with many handlers has the same event in many rows
            event = encoded.get(id(message.event))
            if event is None:
                event = msgspec.msgpack.encode(message.event)
                encoded[id(message.event)] = event
            rows.append(values_of(message, event))
        with self._store.transaction():
            self._store.execute_many(
                f"INSERT OR REPLACE INTO deliveries ({COLUMNS})"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._note("newest", b"%d" % self._newest)
            if now is not None:
                self.note_seen(now)

    def record(
        self,
        done: Iterable[int],
        changed: Iterable[Message],
        notes: Iterable[Note] = (),
    ) -> None:
        """Delete the rows of finished deliveries and update those of others.

        Args:
            done: ids of deliveries that ended.
            changed: messages of deliveries that go on.
            notes: progress of running attempts, written first.

        Raises:
            StoreFullError: not even the reserve of the disk is left.
        """
        with self.room.draining(), self._store.transaction():
            for note in notes:
                self._note_progress(note)
            self._store.execute_many(
                "DELETE FROM deliveries WHERE id = ?", [(each,) for each in done]
            )
            self._store.execute_many(
                "UPDATE deliveries SET state = ?, attempts = ?, due = ?, error = ?,"
                " maybe_duplicate = ? WHERE id = ?",
                [
                    (
                        message.state,
                        message.attempts,
                        message.due,
                        message.error,
                        message.maybe_duplicate,
                        message.id,
                    )
                    for message in changed
                ],
            )

    def _note_progress(self, note: Note) -> None:
        self._store.execute(
            "UPDATE deliveries SET progress = ? WHERE id = ?",
            (self._store.seal.sealed(_PROGRESS, "", note.progress), note.message.id),
        )
        if note.memory is not None:
            message = note.message
            event_id = message.event.state.id
            self.memories.put(message.address, event_id, note.memory)

    def progress(self, number: int) -> bytes:
        """The progress of a delivery, or b""; that of a damaged row is lost.

        Raises:
            StoreError: the database cannot be read.
        """
        rows = self._store.query(
            "SELECT progress FROM deliveries WHERE id = ?", (number,)
        )
        if not rows or rows[0][0] is None:
            return b""
        try:
            return self._store.seal.opened(_PROGRESS, "", rows[0][0])
        except StoreError as error:
            # repeating steps is better than losing the event
            _log.error(
                "the progress of a delivery is damaged",
                extra={"delivery": number, "err": error},
            )
            return b""

    def pending(
        self, address: Address, after: int, newest: int, limit: int
    ) -> list[Message]:
        """The oldest pending messages of a handler.

        Damaged ones become `dead`.

        Args:
            address: the handler.
            after: lower bound of the ids, exclusive.
            newest: upper bound of the ids, inclusive.
            limit: maximum number of messages.
        """
        # the index of handlers has them in this order: no sorting, however many wait
        rows = self._store.query(
            f"SELECT {COLUMNS} FROM deliveries WHERE {PENDING} AND id > ?"
            " AND id <= ? ORDER BY id LIMIT ?",
            (*address, after, newest, limit),
        )
        messages = [message_of(row) for row in rows]
        damaged = [message for message in messages if message.state == "dead"]
        if damaged:
            self.record((), damaged)
        return messages

    def waiting(self) -> list[Waiting]:
        """Pending messages, by handler."""
        # by the index alone: the rows are not read
        rows = self._store.query(
            "SELECT topic, handler, count(*), max(id) FROM deliveries"
            " WHERE state = 'pending' GROUP BY topic, handler"
        )
        return [Waiting(Address(row[0], row[1]), row[2], row[3]) for row in rows]

    def rename_topic(self, old: str, new: str) -> None:
        """Move the rows of a topic to another topic."""
        self._store.execute(
            "UPDATE deliveries SET topic = ? WHERE topic = ?", (new, old)
        )
        self.memories.rename_topic(old, new)

    def renew(
        self,
        wanted: DeliveryFilter,
        now: Nanoseconds,
        is_wanted: Callable[[Address], bool],
        number: int | None = None,
    ) -> Iterator[list[Waiting]]:
        """Make ended deliveries pending again, after all others.

        They get new ids, and so new keys.

        Args:
            wanted: the messages to select.
            now: current time on the timeline.
            is_wanted: returns True for addresses to include; others are left unchanged.
            number: id of a single message; None for all.

        Yields:
            Renewed messages by handler, slice by slice.
        """
        condition, values = wanted.condition
        if number is not None:
            slices = iter([(number - 1, number)])
        else:
            # messages renewed meanwhile get higher ids
            slices = ranges(
                self._store, ENDED, lambda: self._slices.size, last=self._newest
            )
        for low, high in slices:
            found = self._store.query(
                f"SELECT id, topic, handler FROM deliveries WHERE {ENDED}"
                f" AND {condition} AND id > ? AND id <= ? ORDER BY id",
                (*values, low, high),
            )
            rows = [(row[0], Address(row[1], row[2])) for row in found]
            # a new id puts it behind pending events, so that newer events of its alert ID
            # stay newer, and the endpoint does not take it for a repetition
            with self._slices.measured():
                renewed = self._renew([row for row in rows if is_wanted(row[1])], now)
            yield renewed

    def _renew(
        self, rows: Sequence[tuple[int, Address]], now: Nanoseconds
    ) -> list[Waiting]:
        changes = [(self.next_id(), now, now, old, address) for old, address in rows]
        with self._store.transaction():
            self._store.execute_many(
                "UPDATE deliveries SET id = ?, state = 'pending', attempts = 0,"
                " created = ?, due = ? WHERE id = ?",
                [change[:4] for change in changes],
            )
            self._note("newest", b"%d" % self._newest)
        counts = Counter(change[4] for change in changes)
        newest = {change[4]: change[0] for change in changes}
        return [Waiting(key, size, newest[key]) for key, size in counts.items()]

    def drop(self, number: int) -> None:
        """Delete the row of a message."""
        # allowed on a full disk: deletions free space
        with self.room.draining():
            self._store.execute("DELETE FROM deliveries WHERE id = ?", (number,))

    def cancel(
        self, address: Address, reason: str, newest: int, but: Iterable[int] = ()
    ) -> Iterator[int]:
        """Cancel pending deliveries of a handler, up to the id `newest`.

        Yields:
            Number of cancelled messages, slice by slice.
        """
        kept = ", ".join(map(str, but))
        last = 0
        while rows := self._store.query(
            f"SELECT id FROM deliveries WHERE {PENDING} AND id > ? AND id <= ?"
            " ORDER BY id LIMIT ?",
            (*address, last, newest, self._slices.size),
        ):
            # by a range, not a list of ids: SQLite limits the number of parameters
            first, last = rows[0][0], rows[-1][0]
            with self._slices.measured():
                count = self._store.execute(
                    "UPDATE deliveries SET state = 'cancelled', error ="
                    " CASE error WHEN '' THEN ? ELSE ? || '; before: ' || error END"
                    f" WHERE {PENDING} AND id BETWEEN ? AND ? AND id NOT IN ({kept})",
                    (reason, reason, *address, first, last),
                )
            yield count

    def expire(
        self, address: Address, limit: Nanoseconds, reason: str
    ) -> Iterator[int]:
        """Make dead letters of a handler's deliveries from before `limit`.

        Yields:
            Number of expired messages, slice by slice.
        """
        while old := self._older(PENDING, address, limit):
            with self._slices.measured():
                count = self._store.execute(
                    "UPDATE deliveries SET state = 'dead', error ="
                    " CASE error WHEN '' THEN ? ELSE error END"
                    f" WHERE {PENDING} AND id BETWEEN ? AND ?",
                    (reason, *address, old[0], old[-1]),
                )
            yield count

    def purge(self, limit: Nanoseconds, most: int) -> Iterator[int]:
        """Delete ended deliveries from before `limit`.

        Args:
            limit: creation time from which messages are kept.
            most: maximum number of messages to keep; the oldest are deleted.

        Yields:
            Number of deleted messages, slice by slice.
        """
        while old := self._older(ENDED, (), limit):
            yield self._forget(old)
        # counted once: every count reads the whole index
        [[kept]] = self._store.query(f"SELECT count(*) FROM deliveries WHERE {ENDED}")
        while kept > most:
            rows = self._store.query(
                f"SELECT id FROM deliveries WHERE {ENDED} ORDER BY id LIMIT ?",
                (min(kept - most, self._slices.size),),
            )
            if not rows:
                return
            count = self._forget([row[0] for row in rows])
            kept -= count
            yield count

    def _forget(self, ids: Sequence[int]) -> int:
        with self._slices.measured(), self.room.draining():
            return self._store.execute(
                f"DELETE FROM deliveries WHERE {ENDED} AND id BETWEEN ? AND ?",
                (ids[0], ids[-1]),
            )

    def _older(
        self, condition: str, values: Sequence[Any], limit: Nanoseconds
    ) -> list[int]:
        """The ids of the oldest rows from before `limit`, at most a slice of them.

        Ids grow with time: all rows after the first younger one are younger.
        """
        rows = self._store.query(
            f"SELECT id, created FROM deliveries WHERE {condition} ORDER BY id LIMIT ?",
            (*values, self._slices.size),
        )
        return [row[0] for row in takewhile(lambda row: row[1] < limit, rows)]

    def used_bytes(self) -> int:
        """The bytes of the database in use."""
        return self._store.used_bytes()

    def _note(self, name: str, value: bytes) -> None:
        """Store a fact about the table."""
        self._store.execute(
            "INSERT INTO outbox VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            (name, value),
        )
