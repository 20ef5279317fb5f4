"""The length of the write-ahead log, recorded beside the database.

SQLite takes a truncated log for a complete one. So the length of the log is noted in a
file of its own after each commit, once the commit is on the disk. The note itself is
never synced: after a power failure it may be older, and then gives a shorter length.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from runtime.store import durable

_HEADER_BYTES = 32
_FRAME_BYTES = 24
_NOTE_BYTES = 16


class Length(NamedTuple):
    """Length of a log.

    Attributes:
        salts: both salts of the log, which distinguish it from others.
        frames: frames up to the last commit.
    """

    salts: bytes
    frames: int

    @classmethod
    def read(cls, database: Path) -> Length | None:
        """Read the note beside a database; None if there is none."""
        try:
            note = note_of(database).read_bytes()
        except OSError:
            return None
        if len(note) != _NOTE_BYTES:
            return None
        return cls(note[:8], int.from_bytes(note[8:]))


def note_of(database: Path) -> Path:
    """Path of the note beside a database."""
    return database.with_name(f"{database.name}.length")


class LogLength:
    """Notes the length of the log of the only process that uses the database.

    All methods are called with the lock of the database held.
    """

    def __init__(self, database: Path, log: Path) -> None:
        """Create a recorder that does nothing until there is a new log."""
        self._path = note_of(database)
        self._log_path = log
        self._log: int | None = None
        self._note: int | None = None
        # of a log from before a crash
        self._salts = self._header()[16:24]
        self._frames = self._frame_bytes = 0

    def restart(self) -> None:
        """Start over if a checkpoint has begun a new log; otherwise change nothing."""
        header = self._header()
        if header[16:24] in (b"", self._salts):
            return
        self.stop()
        try:
            self._log = os.open(self._log_path, os.O_RDONLY | os.O_CLOEXEC)
            durable.make_file(self._path, 0o600)
            self._note = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            # a full disk, for instance: the log itself is safe, only its length is not
            # noted
            self.stop()
        self._salts, self._frames = header[16:24], 0
        self._frame_bytes = _FRAME_BYTES + int.from_bytes(header[8:12])

    def _header(self) -> bytes:
        """The header of the log; b"" if there is none."""
        try:
            log = os.open(self._log_path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            return os.pread(log, _HEADER_BYTES, 0)
        except OSError:
            return b""
        finally:
            os.close(log)

    def committed(self) -> None:
        """Note the length of the log after a commit that is on the disk."""
        if self._log is None or self._note is None:
            return
        try:
            frames = self._found(self._log)
            if frames > self._frames:
                os.pwrite(self._note, self._salts + frames.to_bytes(8), 0)
                self._frames = frames
        except OSError:
            self.stop()

    def _found(self, log: int) -> int:
        """Frames up to the last commit."""
        number = found = self._frames
        while True:
            at = _HEADER_BYTES + number * self._frame_bytes
            frame = os.pread(log, _FRAME_BYTES, at)
            # frames of an earlier log have other salts
            if len(frame) < _FRAME_BYTES or frame[8:16] != self._salts:
                return found
            number += 1
            if any(frame[4:8]):
                found = number

    def stop(self) -> None:
        """Note nothing until there is a new log.

        The frames of a failed commit stay in the log and look like the others.
        """
        for file in (self._log, self._note):
            if file is not None:
                os.close(file)
        self._log = self._note = None

    def close(self) -> None:
        """Stop; remove our note if SQLite has removed the log."""
        if self._note is not None and not self._log_path.exists():
            with contextlib.suppress(OSError):
                self._path.unlink()
        self.stop()
