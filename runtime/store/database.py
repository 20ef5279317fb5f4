"""The server's database: one SQLite file, one writer, transactions that span a write."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from runtime.errors import StoreError, StoreFullError
from runtime.store import backup, opening
from runtime.store.failures import translated
from runtime.store.fair_lock import FairLock
from runtime.store.room import Room
from runtime.store.values import Values

Parameters = Sequence[Any]


class Store:
    """Transactions of a database, with values by bucket and key and tables of their own.

    Every method may be called from every thread. The transaction of one thread keeps
    the others waiting, so nothing inside one may wait for anything.

    Attributes:
        path: the file; None for a database in memory.
        seal: seal for secrets in tables of their own. Its key is in a file beside the
            database.
        values: values by bucket and key, which are sealed.
        room: room on the disk.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the database at `path`, or an empty one in memory.

        The file and its folder are created if they are missing.

        Raises:
            StoreError: it cannot be opened, was written by a newer version, is damaged,
                lacks its key, or is used by another process. The file is unchanged.
        """
        opened = opening.in_memory() if path is None else opening.at(path)
        self.path = path
        self._connection = opened.connection
        self._checkpoints = opened.checkpoints
        self._closing = opened.closing
        self._lock = FairLock()
        self._depth = 0
        self._begun = False
        # changed by the present transaction
        self._rows = 0
        self._after_commit: list[Callable[[], None]] = []
        self.seal = opened.seal
        self.values = Values(self.query, self.execute, self.seal)
        self.room = Room(path, self._connection, self._checkpoints, self._lock)

    def close(self) -> None:
        """Close the database. May be called more than once."""
        with self._lock:
            self._closing.close()
            self.room.close()

    def backup(self, path: Path) -> None:
        """Copy the database to a new file, as it is between two transactions.

        Other threads use the database meanwhile; what they write is in the copy too.

        Raises:
            StoreError: it cannot be read, or the file cannot be written.
        """
        with self._lock, translated("copy"):
            backup.copy(self._connection, path, self._lock)

    def rebuild(self) -> None:
        """Rebuild the indexes.

        Raises:
            StoreError: the database cannot be written.
        """
        self.execute("REINDEX")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the statements inside as one transaction: all are kept, or none.

        A transaction inside another is part of it. One that writes nothing costs
        nothing. After it returns, what was written survives a crash of the machine.

        Raises:
            StoreError: the commit failed; nothing was kept.
        """
        with self._lock:
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._rollback()
                raise
            self._depth -= 1
            if self._depth == 0:
                self._commit()

    @contextlib.contextmanager
    def unless_busy(self) -> Iterator[bool]:
        """Keep other threads from the database, unless one of them is using it.

        Yields:
            False if another thread uses it; then it is not kept from any.
        """
        is_free = self._lock.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._lock.release()

    @property
    def in_transaction(self) -> bool:
        """True if this thread, which holds the database, is inside a transaction."""
        return self._depth > 0

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run `call` after the commit, or at once outside a transaction.

        If the transaction fails, `call` is dropped.
        """
        with self._lock:
            if self._depth:
                self._after_commit.append(call)
                return
        call()

    def query(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """The rows of a SELECT.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._lock, translated("read"):
            return self._connection.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run a statement that writes; return the number of rows it changed.

        Raises:
            StoreError: the database cannot be written.
        """
        with self.transaction(), translated("write"):
            self._begin()
            return self._counted(self._connection.execute(sql, parameters))

    def execute_many(self, sql: str, parameters: Iterable[Parameters]) -> None:
        """Run a statement that writes for each of `parameters`.

        Raises:
            StoreError: the database cannot be written.
        """
        with self.transaction(), translated("write"):
            self._begin()
            self._counted(self._connection.executemany(sql, parameters))

    def used_bytes(self) -> int:
        """The bytes of the database in use, without deleted data."""
        [[used]] = self.query(
            "SELECT (pages.page_count - free.freelist_count) * size.page_size FROM"
            " pragma_page_count AS pages, pragma_freelist_count AS free,"
            " pragma_page_size AS size"
        )
        return int(used)

    def _counted(self, cursor: sqlite3.Cursor) -> int:
        self._rows += cursor.rowcount
        return cursor.rowcount

    def _begin(self) -> None:
        if self.room.is_short and not self.room.admits_writes():
            raise StoreFullError("the disk is full")
        if not self._begun:
            self._connection.execute("BEGIN IMMEDIATE")
            self._begun = True
        elif not self._connection.in_transaction:
            # SQLite rolls back by itself when the disk is full. Later statements would
            # each be kept although the transaction fails.
            raise StoreError(
                "failed to write database: its transaction was rolled back"
            )

    def _commit(self) -> None:
        calls, self._after_commit = self._after_commit, []
        if self._begun:
            try:
                with translated("write"):
                    self._connection.execute("COMMIT")
            except StoreError:
                self._rollback()
                if self._checkpoints is not None:
                    self._checkpoints.failed()
                raise
            rows, self._rows, self._begun = self._rows, 0, False
            if self._checkpoints is not None:
                self._checkpoints.committed(rows)
        for call in calls:
            call()

    def _rollback(self) -> None:
        self._after_commit.clear()
        if self._begun:
            self._begun, self._rows = False, 0
            # SQLite may have rolled back by itself (full disk): then this fails
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
