"""Values that handlers remember of alerts, in the database."""

from __future__ import annotations

import logging

from runtime.delivery.messages import Address
from runtime.errors import StoreError
from runtime.store.database import Store

# alerts whose end is never delivered would otherwise fill the database
MOST = 100_000

_log = logging.getLogger("kapacitor.delivery")


class Memories:
    """The table of memories: one for each handler and event ID, sealed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, address: Address, event_id: str) -> bytes:
        """The memory of a handler for an event ID, or b""; a damaged one is lost.

        Raises:
            StoreError: the database cannot be read.
        """
        rows = self._store.query(
            "SELECT value FROM memories WHERE topic = ? AND handler = ?"
            " AND event_id = ?",
            (*address, event_id),
        )
        if not rows:
            return b""
        try:
            return self._store.seal.opened("memories", event_id, rows[0][0])
        except StoreError as error:
            _log.error(
                "the memory of an alert is damaged",
                extra={**address._asdict(), "event": event_id, "err": error},
            )
            return b""

    def put(self, address: Address, event_id: str, value: bytes) -> None:
        """Replace a memory, in the current transaction; b"" deletes it."""
        if not value:
            self._store.execute(
                "DELETE FROM memories WHERE topic = ? AND handler = ? AND event_id = ?",
                (*address, event_id),
            )
            return
        self._store.execute(
            "INSERT INTO memories (topic, handler, event_id, value) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            (*address, event_id, self._store.seal.sealed("memories", event_id, value)),
        )

    def addresses(self) -> list[Address]:
        """The handlers that remember something."""
        rows = self._store.query("SELECT DISTINCT topic, handler FROM memories")
        return [Address(*row) for row in rows]

    def forget(self, address: Address) -> None:
        """Delete all memories of a handler."""
        with self._store.room.draining():
            self._store.execute(
                "DELETE FROM memories WHERE topic = ? AND handler = ?", address
            )

    def rename_topic(self, old: str, new: str) -> None:
        """Move the memories of a topic to another topic."""
        self._store.execute(
            "UPDATE OR REPLACE memories SET topic = ? WHERE topic = ?", (new, old)
        )

    def trim(self, most: int = MOST) -> int:
        """Delete the oldest memories beyond `most`; return the number deleted."""
        [[kept]] = self._store.query("SELECT count(*) FROM memories")
        if kept <= most:
            return 0
        with self._store.room.draining():
            return self._store.execute(
                "DELETE FROM memories WHERE number IN"
                " (SELECT number FROM memories ORDER BY number LIMIT ?)",
                (kept - most,),
            )
