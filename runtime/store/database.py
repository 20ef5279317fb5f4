"""The server's database: one SQLite file, one writer, transactions that span a write."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from runtime.errors import StoreError, StoreFullError
from runtime.store import durable, schema, write_ahead
from runtime.store.checkpoints import Checkpoints
from runtime.store.fair_lock import FairLock
from runtime.store.reserve import RESERVE_BYTES, Reserve
from runtime.store.sealing import KeyFile, Seal

log = logging.getLogger("kapacitor.storage")

T = TypeVar("T")
Parameters = Sequence[Any]
_MEMORY = ":memory:"
# size of the log after a burst of writes
_WAL_BYTES = 64 * 1024 * 1024
# SQLite's own limit
_MOST_PAGES = 2**32 - 2
# required free space inside a database that must not grow
_FREE_BYTES = 1024 * 1024
# Interval at which writes look whether a full disk has room again.
_LOOK_EVERY_S = 1.0
# amount that a backup copies before others may use the database
_BACKUP_PAGES = 256


class Store:
    """Values by bucket and key, and tables for large data.

    Values are sealed in the file, and so in its copies: they may hold secrets. Their
    key is in a file beside it. What is in tables of its own is not.

    Every method may be called from every thread. One thread's transaction keeps the
    others waiting, so what is done inside one is not to wait for anything.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the database at `path`, making it and its folder; None: in memory.

        Raises:
            StoreError: it cannot be opened, is newer than this program, is damaged,
                lacks its key, or another process uses it. The file is unchanged.
        """
        self._path = path
        self._lock = FairLock()
        self._depth = 0
        self._begun = False
        self._reserve = (
            None if path is None else Reserve(path.with_name(f"{path.name}.reserve"))
        )
        self._is_short = False
        self._look_again_s = 0.0
        self._draining = 0
        self._key_file = None if path is None else KeyFile(_key_of(path))
        # open as long as the connection: closing it earlier would end its lock
        self._file: int | None = None
        self._after_commit: list[Callable[[], None]] = []
        self._rejected: dict[tuple[str, str], str] = {}
        # of the present transaction
        self._rows = 0
        self._checkpoints: Checkpoints | None = None
        try:
            if path is not None:
                durable.make(path.parent)
                _check(path)
                # SQLite's files beside it get the same mode
                durable.make_file(path, 0o600)
                self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            self._connection = sqlite3.connect(
                path or _MEMORY, isolation_level=None, check_same_thread=False
            )
            if path is not None and self._file is not None:
                self._checkpoints = Checkpoints(self._connection, path, self._file)
        except OSError as error:
            raise StoreError(
                f"failed to open database {path}: {error.strerror}"
            ) from error
        except sqlite3.Error as error:
            self._close_file()
            raise StoreError(f"failed to open database {path}: {error}") from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.close()
            raise StoreError(
                f"failed to open database {path}: {_explained(error)}"
            ) from error
        except StoreError as error:
            self.close()
            raise StoreError(f"failed to open database {path}: {error}") from error

    def close(self) -> None:
        """Close the database. May be called more than once."""
        with self._lock:
            self._connection.close()
            self._close_file()
            if self._checkpoints is not None:
                self._checkpoints.close()
            # another server's is not ours to remove
            if self._reserve is not None and self._reserve.is_there:
                self._reserve.give_up()

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def path(self) -> Path | None:
        """The file; None for a database in memory."""
        return self._path

    def backup(self, path: Path) -> None:
        """Copy the database to a new file, as it is between two transactions.

        Others use the database meanwhile; what they write is in the copy too.

        Raises:
            StoreError: it cannot be read, or the file not be written.
        """

        def let_others(status: int, remaining: int, total: int) -> None:
            self._lock.release()
            try:
                # bit by bit: a commit would wait until the disk has all of the copy
                os.fdatasync(copy)
            finally:
                self._lock.acquire()

        with self._lock, _translated("copy"):
            if schema.has_residue(self._connection):
                schema.remove_residue(self._connection)
            target = sqlite3.connect(path, isolation_level=None)
            copy = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                # a copy that a crash cuts short is thrown away anyway
                target.execute("PRAGMA synchronous = OFF")
                self._connection.backup(
                    target, pages=_BACKUP_PAGES, progress=let_others
                )
                # one file that any tool reads, without a log beside it
                target.execute("PRAGMA journal_mode = DELETE")
                write_ahead.mark_whole(target)
            finally:
                target.close()
                os.close(copy)

    def rebuild(self) -> None:
        """Rebuild the indexes.

        Raises:
            StoreError: the database cannot be written.
        """
        self.execute("REINDEX")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside one transaction: all of it is kept, or nothing.

        A transaction inside another is part of it. One that writes nothing costs
        nothing. When it returns, what was written survives a crash of the machine.

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
        """Keep other threads from the database; without waiting for one that uses it.

        Yields:
            False if another thread uses it: then nothing is kept from anybody.
        """
        is_free = self._lock.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._lock.release()

    @property
    def in_transaction(self) -> bool:
        """True inside of a transaction; for the thread that would be in it."""
        return self._depth > 0

    @property
    def is_short(self) -> bool:
        """True if the disk is full and the reserve is released.

        Then nothing may be written but what is inside `draining`.
        """
        return self._is_short

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

    def give_up_reserve(self) -> None:
        """Let what is inside `draining` have the room that was kept for it."""
        with self._lock:
            if self._reserve is None or self._is_short:
                return
            self._is_short = True
            self._reserve.give_up()
            # At once, before other programs take the room: then the log starts over, and
            # results are recorded in the room that both files have already.
            if self._checkpoints is not None:
                self._checkpoints.run()
        log.error(
            "the disk is full: only the results of deliveries are recorded. Free "
            "some space"
        )

    def restore_reserve(self) -> None:
        """Accept all writes again once the disk, or the database, has room.

        Without a reserve the database must not grow: then what is in its log always
        finds its place in the file, and the log can be restarted.
        """
        with self._lock:
            if self._reserve is None or self._reserve.is_there:
                return
            if self._reserve.make():
                self._limit_pages(_MOST_PAGES)
            elif not self._is_short:
                return
            else:
                [[free, size, pages]] = self.query(
                    "SELECT free.freelist_count, size.page_size, pages.page_count FROM"
                    " pragma_freelist_count AS free, pragma_page_size AS size,"
                    " pragma_page_count AS pages"
                )
                if free * size < _FREE_BYTES:
                    return
                if not self._log_is_taken_in():
                    return
                self._limit_pages(pages)
            was_short, self._is_short = self._is_short, False
        if was_short:
            log.info("the disk has room again: everything is recorded")

    def _log_is_taken_in(self) -> bool:
        """True if the log can start over: then writes need no room on the disk."""
        if self._checkpoints is None:
            return True
        return not self._begun and self._checkpoints.run()

    def _limit_pages(self, most: int) -> None:
        with _translated("read"):
            self._connection.execute(f"PRAGMA max_page_count = {most}")

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run `call` once what was written is kept; at once outside a transaction.

        It is forgotten when the transaction fails.
        """
        with self._lock:
            if self._depth:
                self._after_commit.append(call)
                return
        call()

    def sealed(self, bucket: str, key: str, value: bytes) -> bytes:
        """A value for a table of its own, which may hold secrets."""
        return self._seal.sealed(bucket, key, value)

    def opened(self, bucket: str, key: str, sealed: bytes) -> bytes:
        """The value again.

        Raises:
            StoreError: it is damaged.
        """
        return self._seal.opened(bucket, key, sealed)

    def put(self, bucket: str, key: str, value: bytes) -> None:
        """Set the value of `key`."""
        self.execute(
            "INSERT INTO entries VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            (bucket, key, self._seal.sealed(bucket, key, value)),
        )
        self._rejected.pop((bucket, key), None)

    def get(self, bucket: str, key: str) -> bytes | None:
        """The value of `key`, or None.

        Raises:
            StoreError: it is damaged, or the database cannot be read.
        """
        rows = self.query(
            "SELECT value FROM entries WHERE bucket = ? AND key = ?", (bucket, key)
        )
        return self._seal.opened(bucket, key, rows[0][0]) if rows else None

    def delete(self, bucket: str, key: str) -> bool:
        """Delete `key`; return True if it existed."""
        count = self.execute(
            "DELETE FROM entries WHERE bucket = ? AND key = ?", (bucket, key)
        )
        self._rejected.pop((bucket, key), None)
        return count > 0

    def items(self, bucket: str) -> list[tuple[str, bytes]]:
        """All keys of `bucket` with their values, sorted by key (by code point).

        A value that is damaged is rejected.
        """
        rows = self.query(
            "SELECT key, value FROM entries WHERE bucket = ? ORDER BY key", (bucket,)
        )
        found = []
        for key, sealed in rows:
            try:
                found.append((key, self._seal.opened(bucket, key, sealed)))
            except StoreError as error:
                self.reject(bucket, key, str(error))
        return found

    def decoded(
        self, bucket: str, decode: Callable[[str, bytes], T]
    ) -> list[tuple[str, T]]:
        """All keys of `bucket` with their decoded values, sorted by key.

        What cannot be decoded is rejected.
        """
        found = []
        for key, value in self.items(bucket):
            try:
                found.append((key, decode(key, value)))
            # a damaged value does not affect the others
            except Exception as error:
                self.reject(bucket, key, f"{type(error).__name__}: {error}")
        return found

    def reject(self, bucket: str, key: str, reason: str) -> None:
        """Note an unreadable value; it stays until it is replaced or deleted."""
        log.error(
            "unreadable entry in the database",
            extra={"store": bucket, "id": key, "err": reason},
        )
        self._rejected[bucket, key] = reason

    @property
    def rejected(self) -> list[tuple[str, str, str]]:
        """Bucket, key and reason of each unreadable value."""
        return [(*key, reason) for key, reason in sorted(self._rejected.items())]

    def query(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """The rows of a SELECT.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._lock, _translated("read"):
            return self._connection.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run a statement that writes; the number of rows it changed.

        Raises:
            StoreError: the database cannot be written.
        """
        with self.transaction(), _translated("write"):
            self._begin()
            return self._counted(self._connection.execute(sql, parameters))

    def used_bytes(self) -> int:
        """The bytes of the database in use, without deleted data."""
        [[used]] = self.query(
            "SELECT (pages.page_count - free.freelist_count) * size.page_size FROM"
            " pragma_page_count AS pages, pragma_freelist_count AS free,"
            " pragma_page_size AS size"
        )
        return int(used)

    def execute_many(self, sql: str, parameters: Iterable[Parameters]) -> None:
        """Run a statement that writes for each of `parameters`.

        Raises:
            StoreError: the database cannot be written.
        """
        with self.transaction(), _translated("write"):
            self._begin()
            self._counted(self._connection.executemany(sql, parameters))

    def _prepare(self) -> None:
        run = self._connection.execute
        # One process at a time: a second server on the same file is refused at its
        # start instead of two of them delivering everything.
        run("PRAGMA locking_mode = EXCLUSIVE")
        # checks of the file come before the first write to it, and a key is created
        # under the lock
        run("BEGIN EXCLUSIVE")
        version = schema.version_of(self._connection)
        [found] = run("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(f"it is malformed: {found.splitlines()[-1]}")
        if version > schema.NEWEST:
            raise StoreError(
                "it was written by a newer "
                f"version (schema {version}, this one knows {schema.NEWEST})"
            )
        # a database in memory has a key that is kept nowhere
        if self._key_file is None:
            self._seal = Seal()
        else:
            self._seal = self._key_file.seal(schema.sealed_value(self._connection))
        run("COMMIT")
        [mode] = run("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal" and self._path is not None:
            raise StoreError(
                "its file system does not support a write-ahead log: set 'boltdb' to a "
                "path on a local disk"
            )
        run("PRAGMA synchronous = FULL")
        run(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        run("PRAGMA wal_autocheckpoint = 0")
        schema.migrate(self._connection, self._seal)
        if self._key_file is not None:
            self._key_file.confirm()
        if schema.has_residue(self._connection):
            try:
                schema.remove_residue(self._connection)
            except sqlite3.Error as error:
                log.warning(
                    "the database file still contains unencrypted secrets of an older "
                    "version: backups are refused until it can be rewritten",
                    extra={"err": str(error)},
                )
        if self._checkpoints is not None:
            self._checkpoints.run()
        if self._reserve is not None and not self._reserve.make():
            log.warning(
                "the disk has no room for the reserve of the database: if it fills up, "
                "results of deliveries cannot be recorded. Free some space",
                extra={"bytes": RESERVE_BYTES},
            )

    def _counted(self, cursor: sqlite3.Cursor) -> int:
        self._rows += cursor.rowcount
        return cursor.rowcount

    def _begin(self) -> None:
        if self._is_short and not self._draining and not self._has_room_again():
            raise StoreFullError("the disk is full")
        if not self._begun:
            self._connection.execute("BEGIN IMMEDIATE")
            self._begun = True

    def _has_room_again(self) -> bool:
        """Look at the disk for a write that it would be too full for.

        A write that begins its transaction first never comes to `restore_reserve`.
        """
        now_s = time.monotonic()
        if now_s >= self._look_again_s:
            self._look_again_s = now_s + _LOOK_EVERY_S
            self.restore_reserve()
        return not self._is_short

    def _commit(self) -> None:
        calls, self._after_commit = self._after_commit, []
        if self._begun:
            try:
                with _translated("write"):
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
            # SQLite may have rolled back already (full disk): then there is nothing
            # left to undo
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")


def _key_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.key")


def _check(path: Path) -> None:
    """Refuse what lacks something, before anything is changed.

    Raises:
        StoreError: something is missing.
    """
    try:
        write_ahead.check(path, _key_of(path))
    except StoreError as error:
        raise StoreError(f"failed to open database {path}: {error}") from error


def _explained(error: sqlite3.Error) -> str:
    """Explain an error at the start to an operator."""
    text = str(error)
    if "locked" in text:
        return f"{text}: another server uses it"
    if "malformed" in text or "not a database" in text:
        return (
            f"{text}; it is unchanged: replace it with a backup (and none of the "
            "old -wal file beside it), or set 'boltdb' to another path"
        )
    return text


@contextlib.contextmanager
def _translated(verb: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # Python's own errors have no code
        code = getattr(error, "sqlite_errorcode", None)
        is_full = code == sqlite3.SQLITE_FULL
        kind = StoreFullError if is_full else StoreError
        raise kind(f"failed to {verb} database: {error}") from error
