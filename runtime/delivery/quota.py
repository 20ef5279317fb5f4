"""Limits of pending deliveries, beyond which writes are refused."""

from __future__ import annotations

from collections.abc import Callable

from runtime.delivery.outbox import Outbox
from runtime.errors import BusyError

MESSAGES = 1_000_000
DATABASE_BYTES = 1 << 30
_MEASURE_S = 1.0


class Quota:
    """Refuses writes while there is no room for their events."""

    def __init__(
        self,
        outbox: Outbox,
        monotonic: Callable[[], float],
        *,
        messages: int = MESSAGES,
        database_bytes: int = DATABASE_BYTES,
    ) -> None:
        """Measure the database.

        Args:
            outbox: outbox of the events.
            monotonic: monotonic clock, in seconds.
            messages: number of pending messages at which writes are refused.
            database_bytes: size of the database at which writes are refused.
        """
        self._outbox = outbox
        self._monotonic = monotonic
        self._messages = messages
        self._database_bytes = database_bytes
        self._used_bytes = outbox.used_bytes()
        self._measured_s = monotonic()

    def check(self, pending: int) -> None:
        """Refuse writes while too many events are pending.

        Args:
            pending: number of pending messages.

        Raises:
            BusyError: too many deliveries are pending, the database is too large, or
                the disk is full.
        """
        # refused before it is parsed, not when events arise: a write is taken whole or
        # not at all
        if pending >= self._messages:
            raise BusyError(f"too many deliveries are pending ({pending})")
        now_s = self._monotonic()
        # called for every write, so the size is not measured each time
        if now_s - self._measured_s > _MEASURE_S:
            self._outbox.room.restore_reserve()
            self._used_bytes, self._measured_s = self._outbox.used_bytes(), now_s
        if self._outbox.room.is_short:
            raise BusyError("the disk is full")
        if self._used_bytes >= self._database_bytes:
            raise BusyError(f"the database is full ({self._used_bytes} bytes)")
