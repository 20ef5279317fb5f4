"""Check that a database has the write-ahead log that belongs to it.

SQLite takes a database without its log for a complete one, and any log beside it for
its own. So the database records the log that it needs, in the 32 bits that its header
reserves for applications (`application_id`). After each checkpoint, the salt of the log
that follows is written there, into the file; then, as the first write of that log, that
nothing is missing. The file alone has the former value. The file with its log has the
latter, and so has the file once another program has checkpointed the log. See ADR 12.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from pathlib import Path
from typing import Literal, NamedTuple

from runtime.errors import StoreError
from runtime.store.log_length import Length

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_EMPTY_LOG_BYTES = 32
_FRAME_BYTES = 24
_LOG_MAGIC = (0x377F0682, 0x377F0683)
# "KAPA": nothing is missing
_WHOLE = 0x4B415041
# the first bit: a log follows; the other bits are from its salt
_FOLLOWS = 1 << 31
_MARK_AT = 68
# A log gets the next salt when it is restarted, with the first write after a
# checkpoint.
_BEGINNINGS = 1


class Header(NamedTuple):
    """Header of a database file.

    Attributes:
        page_bytes: the size of its pages.
        is_logged: True if the database uses a write-ahead log.
        mark: its `application_id`, unsigned.
    """

    page_bytes: int
    is_logged: bool
    mark: int

    @classmethod
    def read(cls, path: Path) -> Header | None:
        """Read the header of a file; None if it is missing or not a database.

        Source: SQLite's file format, section 1.3.
        """
        try:
            with path.open("rb") as file:
                start = file.read(_HEADER_BYTES)
        except OSError:
            return None
        if len(start) < _HEADER_BYTES or not start.startswith(_MAGIC):
            return None
        # the field is too small for 65536, which is stored as 1
        page_bytes = int.from_bytes(start[16:18]) or 1
        return cls(
            65536 if page_bytes == 1 else page_bytes,
            start[18] == 2,
            int.from_bytes(start[_MARK_AT : _MARK_AT + 4]),
        )


def log_of(path: Path) -> Path:
    """Path of a database's log."""
    return path.with_name(f"{path.name}-wal")


def salt_of(log: Path) -> int | None:
    """Salt that distinguishes a log from others; None where it is not a log.

    Source: SQLite's file format, section 4.1.
    """
    try:
        file = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
        try:
            start = os.pread(file, _EMPTY_LOG_BYTES, 0)
        finally:
            os.close(file)
    except OSError:
        return None
    is_log = len(start) == _EMPTY_LOG_BYTES and int.from_bytes(start[:4]) in _LOG_MAGIC
    return int.from_bytes(start[16:20]) if is_log else None


def check(path: Path, key: Path) -> None:
    """Refuse a database that has lost data, before anything changes it.

    Args:
        path: the database.
        key: the file of its key, which exists once the database has been used.

    Raises:
        StoreError: a used database is missing or empty, or its log is missing, damaged
            or that of another database.
    """
    log = log_of(path)
    log_bytes = _size(log)
    if not _size(path):
        if log_bytes:
            raise StoreError(
                f"it is empty, but its write-ahead log {log} is not: {_REPLACE}"
            )
        if key.exists():
            raise StoreError(
                f"it is missing or empty, but its key file {key} is there: {_REPLACE},"
                " or, to start with an empty database, move the key file away"
            )
        return
    header = Header.read(path)
    if header is None:
        # SQLite reports the error
        return
    if not header.is_logged and log_bytes:
        raise StoreError(
            f"it is a copy, and the write-ahead log {log} beside it belongs to another "
            "database: remove that log"
        )
    if problem := _problem(path, header, log, log_bytes):
        raise StoreError(
            f"its write-ahead log {log} {problem}; the database lacks the changes of "
            f"this log: put it back, or {_REPLACE}. To go on with the database as of "
            "its last checkpoint, make a copy and run: sqlite3 "
            f"{path} 'PRAGMA application_id = 0'"
        )


_REPLACE = "replace the database with a backup (without a -wal file beside it)"


def _problem(path: Path, header: Header, log: Path, log_bytes: int) -> str:
    """Problem of a log that must exist, or ""."""
    if not (header.is_logged and header.mark & _FOLLOWS):
        return ""
    if not log_bytes:
        return "is missing or empty"
    salt = salt_of(log)
    # the log has had at least one page, and never gets shorter
    least = _EMPTY_LOG_BYTES + _FRAME_BYTES + header.page_bytes
    if salt is None or log_bytes < least:
        return "is damaged"
    if (salt - header.mark) % _FOLLOWS > _BEGINNINGS:
        return "belongs to another database"
    return _damage(log, header.page_bytes, Length.read(path))


def _damage(log: Path, page_bytes: int, noted: Length | None) -> str:
    """Damage of a log that has lost acknowledged commits, or "".

    SQLite silently ends a log at its first damaged page. After a power failure its last
    transaction may be damaged: that one was not acknowledged. But each commit is on the
    disk before the next one begins. So a damaged transaction was acknowledged if
    another one follows it, or if it is within the noted length.
    """
    held = 0
    with contextlib.suppress(OSError), log.open("rb") as file:
        start = file.read(_EMPTY_LOG_BYTES)
        salts = start[16:24]
        sums = _Sums(start)
        if not sums.holds:
            return "is damaged"
        # number of the page that ended the damaged transaction
        ended: bytes | None = None
        whole = _FRAME_BYTES + page_bytes
        number = 0
        while len(frame := file.read(whole)) > _FRAME_BYTES:
            number += 1
            # the last frame may be incomplete
            frame = frame.ljust(whole, b"\0")
            # frames left by an earlier log have other salts
            is_ours = frame[8:16] == salts
            if ended not in (None, frame[:4]) and is_ours:
                return "is damaged"
            is_commit = any(frame[4:8])
            if sums.go_on(frame, is_ours):
                held = number if is_commit else held
            elif is_ours and is_commit:
                ended = frame[:4]
        if noted is not None and noted.salts == salts and held < noted.frames:
            return "is cut short or damaged"
    return ""


class _Sums:
    """The checksums along a log, until one is wrong.

    Attributes:
        holds: True if all checksums so far are right.

    Source: SQLite's file format, section 4.2.
    """

    def __init__(self, start: bytes) -> None:
        self._order: Literal["<", ">"] = ">" if start[3] & 1 else "<"
        self._sums = self._added((0, 0), start[:24])
        self.holds = self._stored(start[24:]) == self._sums

    def go_on(self, frame: bytes, is_ours: bool) -> bool:
        """Add a frame; return True if the log is intact up to its end."""
        if self.holds:
            sums = self._added(self._sums, frame[:8] + frame[_FRAME_BYTES:])
            self.holds = is_ours and self._stored(frame[16:_FRAME_BYTES]) == sums
            self._sums = sums
        return self.holds

    def _added(self, sums: tuple[int, int], data: bytes) -> tuple[int, int]:
        one, two = sums
        for left, right in struct.iter_unpack(f"{self._order}II", data):
            one = (one + left + two) & 0xFFFFFFFF
            two = (two + right + one) & 0xFFFFFFFF
        return one, two

    @staticmethod
    def _stored(data: bytes) -> tuple[int, int]:
        one, two = struct.unpack(">II", data)
        return one, two


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def checkpoint(connection: sqlite3.Connection, path: Path, file: int) -> None:
    """Write the log into the database, which then records that a log follows.

    Call this outside a transaction.

    Args:
        connection: connection of the only process that uses the database.
        path: the database.
        file: writable descriptor of the database, opened before the connection and
            closed after it: closing any descriptor of the file releases the process's
            lock.

    Raises:
        sqlite3.Error: something cannot be written; nothing is lost.
        OSError: the log cannot be moved into the database.
    """
    log = log_of(path)
    if salt_of(log) is None:
        # no log yet: it must exist before its salt is recorded
        mark_whole(connection)
    salt = salt_of(log)
    [is_busy, pages, written] = connection.execute(
        "PRAGMA wal_checkpoint(PASSIVE)"
    ).fetchone()
    if salt is None or is_busy or pages != written:
        return
    # Bypass SQLite: its version of this page is in the log and records that nothing is
    # missing, so readers of the log do not see this value.
    os.pwrite(file, (_FOLLOWS | salt).to_bytes(4), _MARK_AT)
    os.fsync(file)
    mark_whole(connection)


def mark_whole(connection: sqlite3.Connection) -> None:
    """Record in the database that nothing is missing from it, log included.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    connection.execute(f"PRAGMA application_id = {_WHOLE}")
