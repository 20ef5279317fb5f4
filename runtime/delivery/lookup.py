"""Deliveries looked up in the database, for people and their tools."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.delivery.messages import Address, DeliveryFilter, Message, State
from runtime.delivery.rows import COLUMNS, ENDED, SLICE, message_of, ranges
from runtime.store.database import Store


class Lookup:
    """Reads the table of deliveries. Any thread may use it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, number: int) -> Message | None:
        """One message."""
        rows = self._store.query(
            f"SELECT {COLUMNS} FROM deliveries WHERE id = ?", (number,)
        )
        return message_of(rows[0]) if rows else None

    def messages(
        self,
        state: str = "",
        *,
        topic: str = "",
        handler: str = "",
        after: int = 0,
        offset: int = 0,
        limit: int = 100,
    ) -> list[Message]:
        """Items with ids greater than `after`, oldest first.

        The search runs in slices, so that it does not block the database for long.
        """
        condition, values = DeliveryFilter(state, topic, handler).condition
        has_ended = bool(state) and state != "pending"
        found: list[Message] = []
        condition_of_slices = ENDED if has_ended else "1"
        slices = ranges(self._store, condition_of_slices, lambda: SLICE, after=after)
        for low, high in slices:
            where = f"id > ? AND id <= ? AND {condition}"
            if offset:
                [[count]] = self._store.query(
                    f"SELECT count(*) FROM deliveries WHERE {where}",
                    (low, high, *values),
                )
                if count <= offset:
                    offset -= count
                    continue
            rows = self._store.query(
                f"SELECT {COLUMNS} FROM deliveries WHERE {where}"
                " ORDER BY id LIMIT ? OFFSET ?",
                (low, high, *values, limit - len(found), offset),
            )
            found += map(message_of, rows)
            offset = 0
            if len(found) >= limit:
                break
        return found

    def count(self, state: State) -> int:
        """The number of messages in a state."""
        [[found]] = self._store.query(
            "SELECT count(*) FROM deliveries WHERE state = ?", (state,)
        )
        return int(found)

    def dead(self) -> dict[Address, int]:
        """Number of dead letters by handler; on any thread.

        One query for each handler: a single query for all of them would block the
        database while it reads the whole index.
        """
        found: dict[Address, int] = {}
        last: Sequence[str] = ("", "")
        while rows := self._store.query(
            "SELECT topic, handler FROM deliveries WHERE (topic, handler) > (?, ?)"
            " ORDER BY topic, handler LIMIT 1",
            last,
        ):
            last = rows[0]
            [[count]] = self._store.query(
                "SELECT count(*) FROM deliveries WHERE topic = ? AND handler = ?"
                " AND state = 'dead'",
                last,
            )
            if count:
                found[Address(*last)] = count
        return found
