"""Recordings on the disk: `.srpl`, three lines for each point, compressed.

The lines are the database, the retention policy and the point as line protocol in
nanoseconds.
"""

from __future__ import annotations

import contextlib
import gzip
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, cast

from runtime.errors import KapacitorError
from runtime.frames import Point
from runtime.tasks.replay.lines import is_complete, line_of

# Longer lines mean a damaged or hostile file.
MAX_LINE_BYTES = 16 * 1024 * 1024
_LEVEL = 3


class ReplayFileError(KapacitorError):
    """A recording cannot be written or read."""


class Entry(NamedTuple):
    """A point of a recording.

    Attributes:
        db: database of the write.
        rp: retention policy of the write.
        head: line without the time.
        time: ns since 1970 UTC.
    """

    db: str
    rp: str
    head: str
    time: int


class Closing(Protocol):
    """Something with a file."""

    def close(self) -> object:
        """Close the file."""


@contextlib.contextmanager
def closed_on_failure(writer: Closing) -> Iterator[None]:
    """Close a writer if the block fails; otherwise its owner does."""
    with contextlib.ExitStack() as stack:
        stack.callback(writer.close)
        yield
        stack.pop_all()


class RecordingFile(ABC):
    """A file of a recording that is being written."""

    def __init__(self, path: Path) -> None:
        """Create the file.

        Raises:
            ReplayFileError: the file cannot be created.
        """
        self._path = path
        with self._faults():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._raw = path.open("wb")

    def close(self) -> int:
        """Finish and sync the file; return its size in bytes.

        Raises:
            ReplayFileError: the file cannot be finished.
        """
        with self._faults(), self._raw:
            self._finish()
            self._raw.flush()
            os.fsync(self._raw.fileno())
            return self._raw.tell()

    @abstractmethod
    def _finish(self) -> None:
        """Write the end of the format."""

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn errors of the operating system into errors that name the file."""
        try:
            yield
        except OSError as error:
            raise fault_of(self._path, error) from error


class RecordingWriter(RecordingFile):
    """Writes the points of one recording."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._file = gzip.GzipFile(
            "", "wb", compresslevel=_LEVEL, fileobj=self._raw, mtime=0
        )

    def write(self, db: str, rp: str, points: Iterable[Point]) -> None:
        """Append points.

        Raises:
            ReplayFileError: they cannot be written.
        """
        self.write_lines(db, rp, map(line_of, points))

    def write_lines(self, db: str, rp: str, lines: Iterable[str]) -> None:
        """Append points as `line_of` writes them; skip empty lines.

        Raises:
            ReplayFileError: they cannot be written.
        """
        text = "".join(f"{db}\n{rp}\n{line}\n" for line in lines if line)
        with self._faults():
            self._file.write(text.encode())

    def _finish(self) -> None:
        self._file.close()


class RecordingReader:
    """Reads one recording."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            ReplayFileError: it cannot be opened.
        """
        self._path = path
        try:
            self._raw = path.open("rb")
            self._size = max(1, path.stat().st_size)
        except OSError as error:
            raise fault_of(path, error) from error
        self._file = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw, mode="rb"))
        self._entries = self._each()

    @property
    def progress(self) -> float:
        """The share that was read, up to 1."""
        return min(1.0, self._raw.tell() / self._size)

    def take(self, limit: int) -> list[Entry]:
        """The next entries, at most `limit`; none at the end.

        Raises:
            ReplayFileError: the file is damaged or cannot be read.
        """
        try:
            return [
                entry for _, entry in zip(range(limit), self._entries, strict=False)
            ]
        except (OSError, EOFError) as error:
            raise fault_of(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()

    def _each(self) -> Iterator[Entry]:
        while (db := self._line()) is not None:
            rp, line = self._line(), self._line()
            if rp is None or line is None:
                raise ReplayFileError(
                    "invalid replay file format, expected another line"
                )
            while not is_complete(line):
                more = self._line()
                if more is None or len(line) > MAX_LINE_BYTES:
                    raise ReplayFileError(f"invalid replay file format: {line[:100]}")
                line = f"{line}\n{more}"
            head, _, time = line.rpartition(" ")
            try:
                yield Entry(db, rp, head, int(time))
            except ValueError:
                raise ReplayFileError(
                    f"invalid replay file format, a point has no time: {line[:100]}"
                ) from None

    def _line(self) -> str | None:
        line = self._file.readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES:
            raise ReplayFileError("invalid replay file format, a line is too long")
        return line.decode("utf-8", "replace").removesuffix("\n") if line else None


def fault_of(path: Path, error: Exception) -> ReplayFileError:
    """The error of a recording whose file fails."""
    reason = error.strerror if isinstance(error, OSError) else None
    # clients see the error, which must not show the server's folders
    return ReplayFileError(f"open {path.name}: {(reason or str(error)).lower()}")
