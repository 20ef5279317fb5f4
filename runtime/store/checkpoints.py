"""Checkpoints, which move the write-ahead log into the database."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from runtime.store import write_ahead
from runtime.store.log_length import LogLength
from runtime.trouble import Trouble

# About this many pages between checkpoints, as SQLite's own default.
_PAGES = 1000
# pages of a transaction besides its rows, and rows per page
_COMMIT_PAGES = 4
_ROWS_PER_PAGE = 4
_LEAST_LOG_BYTES = 8 * 1024 * 1024

_log = logging.getLogger("kapacitor.storage")


class Checkpoints:
    """Writes the log into the database before it gets long.

    All methods are called with the lock of the database held, outside a transaction.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, file: int) -> None:
        """Begin to count pages; for the arguments see `write_ahead.checkpoint`."""
        self._connection = connection
        self._path = path
        self._file = file
        self._log_path = write_ahead.log_of(path)
        self._length = LogLength(path, self._log_path)
        # since the last checkpoint
        self._commits = self._rows = 0
        self._log_bytes = 0
        self._trouble = Trouble(
            _log,
            "failed to move the write-ahead log into the database",
            "moving the write-ahead log into the database succeeds again",
            level=logging.WARNING,
        )

    def run(self) -> bool:
        """Make a checkpoint now; return False if it failed."""
        self._commits = self._rows = 0
        try:
            write_ahead.checkpoint(self._connection, self._path, self._file)
        # everything is in the log, which grows until this succeeds
        except (OSError, sqlite3.Error) as error:
            self._trouble.failed(error)
            self._length.restart()
            self._length.stop()
            return False
        finally:
            self._log_bytes = max(_size(self._log_path), _LEAST_LOG_BYTES)
        self._trouble.ended()
        self._length.restart()
        return True

    def committed(self, rows: int) -> None:
        """Count the rows of a transaction, and make a checkpoint if it is due."""
        self._length.committed()
        self._commits += 1
        self._rows += rows
        if self._is_due:
            self.run()

    def failed(self) -> None:
        """Note that a transaction could not be committed."""
        self._length.stop()

    def close(self) -> None:
        """Tidy up after the database is closed."""
        self._length.close()

    @property
    def _is_due(self) -> bool:
        pages = self._commits * _COMMIT_PAGES + self._rows // _ROWS_PER_PAGE
        if pages >= _PAGES:
            return True
        # a few large values can fill the log; its file keeps its size when the log
        # restarts, so only growth counts
        return _size(self._log_path) > self._log_bytes


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
