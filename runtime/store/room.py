"""Room on the disk for the database, and writes while there is none."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from runtime.store.checkpoints import Checkpoints
from runtime.store.failures import translated
from runtime.store.fair_lock import FairLock
from runtime.store.reserve import RESERVE_BYTES, Reserve

# SQLite's own limit
_MOST_PAGES = 2**32 - 2
# required free space inside a database that must not grow
_FREE_BYTES = 1024 * 1024
# interval at which refused writes check whether a full disk has room again
_LOOK_EVERY_S = 1.0

_log = logging.getLogger("kapacitor.storage")


class Room:
    """Room on the disk, with a reserve for writes that make the database smaller.

    When the disk is full, the reserve is released for the results of deliveries. Other
    writes are refused until the disk, or the database itself, has room again. All
    methods may be called from every thread.

    Attributes:
        is_short: True if the disk is full and the reserve is released. Only writes
            inside `draining` are accepted then.
    """

    def __init__(
        self,
        path: Path | None,
        connection: sqlite3.Connection,
        checkpoints: Checkpoints | None,
        lock: FairLock,
    ) -> None:
        """Make the reserve, or log that the disk has no room for it.

        Args:
            path: the database; None in memory, which needs no reserve.
            connection: connection to the database.
            checkpoints: checkpoints of its log; None in memory.
            lock: lock of the connection.
        """
        self.is_short = False
        self._connection = connection
        self._checkpoints = checkpoints
        self._lock = lock
        self._reserve = (
            None if path is None else Reserve(path.with_name(f"{path.name}.reserve"))
        )
        self._draining = 0
        self._look_again_s = 0.0
        if self._reserve is not None and not self._reserve.make():
            _log.warning(
                "the disk has no room for the reserve of the database: if it fills up, "
                "results of deliveries cannot be recorded. Free some space",
                extra={"bytes": RESERVE_BYTES},
            )

    def close(self) -> None:
        """Release the reserve. May be called more than once."""
        if self._reserve is not None and self._reserve.is_reserved:
            self._reserve.give_up()

    @contextlib.contextmanager
    def draining(self) -> Iterator[None]:
        """Let writes inside use the reserve: they make the database smaller.

        Raises:
            StoreFullError: even the reserve is not enough.
        """
        with self._lock:
            self._draining += 1
            try:
                yield
            finally:
                self._draining -= 1

    def admits_writes(self) -> bool:
        """True if a write may begin. A full disk is checked again once a second.

        Without the check, callers whose transaction fails would never come to
        `restore_reserve`.
        """
        if not self.is_short or self._draining:
            return True
        now_s = time.monotonic()
        if now_s >= self._look_again_s:
            self._look_again_s = now_s + _LOOK_EVERY_S
            self.restore_reserve()
        return not self.is_short

    def give_up_reserve(self) -> None:
        """Release the reserve for writes inside `draining`."""
        with self._lock:
            if self._reserve is None or self.is_short:
                return
            self.is_short = True
            self._reserve.give_up()
            # At once, before other programs take the room. Then the log starts over, and
            # results are recorded in the room that both files already have.
            if self._checkpoints is not None:
                self._checkpoints.run()
        _log.error(
            "the disk is full: only the results of deliveries are recorded. Free "
            "some space"
        )

    def restore_reserve(self) -> None:
        """Accept all writes again once the disk, or the database, has room.

        Without a reserve the database must not grow. Then everything in its log fits
        into the file, and the log can be restarted.
        """
        with self._lock:
            if self._reserve is None or self._reserve.is_reserved:
                return
            if self._reserve.make():
                self._limit_pages(_MOST_PAGES)
            elif not self.is_short or not self._is_enough_inside():
                return
            was_short, self.is_short = self.is_short, False
        if was_short:
            _log.info("the disk has room again: everything is recorded")

    def _is_enough_inside(self) -> bool:
        """True if the database has room of its own; from then on it does not grow."""
        with translated("read"):
            free, size, pages = self._connection.execute(
                "SELECT free.freelist_count, size.page_size, pages.page_count FROM"
                " pragma_freelist_count AS free, pragma_page_size AS size,"
                " pragma_page_count AS pages"
            ).fetchone()
        if free * size < _FREE_BYTES or not self._log_is_taken_in():
            return False
        self._limit_pages(pages)
        return True

    def _log_is_taken_in(self) -> bool:
        """True if the log can start over: then writes need no room on the disk."""
        if self._checkpoints is None:
            return True
        return not self._connection.in_transaction and self._checkpoints.run()

    def _limit_pages(self, most: int) -> None:
        with translated("read"):
            self._connection.execute(f"PRAGMA max_page_count = {most}")
