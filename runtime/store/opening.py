"""Opening a database: checks, its key, its settings, and the newest schema."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from runtime.errors import StoreError
from runtime.store import durable, schema, write_ahead
from runtime.store.checkpoints import Checkpoints
from runtime.store.sealing import KeyFile, Seal

_MEMORY = ":memory:"
# size of the log after a burst of writes
_WAL_BYTES = 64 * 1024 * 1024

_log = logging.getLogger("kapacitor.storage")


class Opened(NamedTuple):
    """An open database that is ready for use.

    Attributes:
        connection: the only connection to it.
        seal: seal of its values.
        checkpoints: checkpoints of its log; None in memory.
        closing: everything that is open, to be closed with it.
    """

    connection: sqlite3.Connection
    seal: Seal
    checkpoints: Checkpoints | None
    closing: contextlib.ExitStack


def in_memory() -> Opened:
    """Open an empty database in memory."""
    connection = _connected(_MEMORY)
    closing = contextlib.ExitStack()
    closing.callback(connection.close)
    return Opened(connection, _prepare(connection, None), None, closing)


def at(path: Path) -> Opened:
    """Open the database at `path`; create it, its folder and its key if necessary.

    Raises:
        StoreError: it cannot be opened, was written by a newer version, is damaged,
            lacks its key, or is used by another process. The file is unchanged.
    """
    key_file = KeyFile(path.with_name(f"{path.name}.key"))
    with _explained(path), contextlib.ExitStack() as closing:
        durable.make(path.parent)
        # before anything is changed
        write_ahead.check(path, key_file.path)
        # SQLite's files beside it get the same mode
        durable.make_file(path, 0o600)
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        # after the connection: closing it earlier would end the lock of the database
        closing.callback(os.close, file)
        connection = _connected(path)
        checkpoints = Checkpoints(connection, path, file)
        closing.callback(checkpoints.close)
        closing.callback(connection.close)
        seal = _prepare(connection, key_file)
        checkpoints.run()
        return Opened(connection, seal, checkpoints, closing.pop_all())


def _connected(path: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _prepare(connection: sqlite3.Connection, key_file: KeyFile | None) -> Seal:
    """Check a database, find its seal, and bring it to the newest schema.

    Args:
        connection: connection to the database.
        key_file: the file of its key; None for a database in memory, whose key is not
            stored.
    """
    # A second server on the same file is refused at its start. Otherwise both would
    # deliver everything.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    # The checks come before the first write. A key is created under the lock.
    connection.execute("BEGIN EXCLUSIVE")
    _check(connection)
    if key_file is None:
        seal = Seal()
    else:
        seal = key_file.seal(schema.sealed_value(connection))
    connection.execute("COMMIT")
    _use_log(connection, is_file=key_file is not None)
    schema.migrate(connection, seal)
    if key_file is not None:
        key_file.confirm()
    _remove_residue(connection)
    return seal


def _check(connection: sqlite3.Connection) -> None:
    version = schema.version_of(connection)
    [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"it is malformed: {found.splitlines()[-1]}")
    if version > schema.NEWEST:
        raise StoreError(
            "it was written by a newer "
            f"version (schema {version}, this one knows {schema.NEWEST})"
        )


def _use_log(connection: sqlite3.Connection, *, is_file: bool) -> None:
    """Use a write-ahead log, synced at each commit, with our own checkpoints."""
    [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal" and is_file:
        raise StoreError(
            "its file system does not support a write-ahead log: set 'boltdb' to a "
            "path on a local disk"
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
    connection.execute("PRAGMA wal_autocheckpoint = 0")


def _remove_residue(connection: sqlite3.Connection) -> None:
    if not schema.has_residue(connection):
        return
    try:
        schema.remove_residue(connection)
    except sqlite3.Error as error:
        _log.warning(
            "the database file still contains unencrypted secrets of an older "
            "version: backups are refused until it can be rewritten",
            extra={"err": str(error)},
        )


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Raise errors of opening with the path and, where known, with a remedy."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"failed to open database {path}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise StoreError(
            f"failed to open database {path}: {error}{_advice(str(error))}"
        ) from error
    except StoreError as error:
        raise StoreError(f"failed to open database {path}: {error}") from error


def _advice(error: str) -> str:
    """Advice for an operator on an error of SQLite, or ""."""
    if "locked" in error:
        return ": another server uses it"
    if "malformed" in error or "not a database" in error:
        return (
            "; it is unchanged: replace it with a backup (and none of the "
            "old -wal file beside it), or set 'boltdb' to another path"
        )
    return ""
