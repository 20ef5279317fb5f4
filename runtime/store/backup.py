"""Backups: copies of the database while it is in use."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from runtime.store import schema, write_ahead
from runtime.store.fair_lock import FairLock

# Others wait for the database while this many pages are copied.
_PAGES = 256


def copy(connection: sqlite3.Connection, path: Path, lock: FairLock) -> None:
    """Copy a database to a new file.

    Args:
        connection: connection to the database, outside a transaction.
        path: the new file.
        lock: lock of the connection, held once by this thread. It is released between
            pages; what others write meanwhile is in the copy too.

    Raises:
        sqlite3.Error: the database cannot be read, or the copy cannot be written.
    """

    def let_others(status: int, remaining: int, total: int) -> None:
        lock.release()
        try:
            # bit by bit: a commit would wait until the disk has all of the copy
            os.fdatasync(file)
        finally:
            lock.acquire()

    if schema.has_residue(connection):
        schema.remove_residue(connection)
    target = sqlite3.connect(path, isolation_level=None)
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        # a copy that a crash cuts short is thrown away anyway
        target.execute("PRAGMA synchronous = OFF")
        connection.backup(target, pages=_PAGES, progress=let_others)
        # one file that any tool reads, without a log beside it
        target.execute("PRAGMA journal_mode = DELETE")
        write_ahead.mark_whole(target)
    finally:
        target.close()
        os.close(file)
