"""SQLite's errors as errors of the store."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from runtime.errors import StoreError, StoreFullError


@contextlib.contextmanager
def translated(verb: str) -> Iterator[None]:
    """Raise SQLite's errors as `failed to {verb} database: …`.

    Raises:
        StoreFullError: the disk or the database is full.
        StoreError: any other error of SQLite.
    """
    try:
        yield
    except sqlite3.Error as error:
        # Python's own errors have no code
        code = getattr(error, "sqlite_errorcode", None)
        is_full = code == sqlite3.SQLITE_FULL
        kind = StoreFullError if is_full else StoreError
        raise kind(f"failed to {verb} database: {error}") from error
