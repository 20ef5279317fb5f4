"""Recordings of batches on the disk: `.brpl`, an archive with a file for each query.

A file has a JSON object for each batch, on a line of its own.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from runtime.errors import InvalidError
from runtime.frames import Batch, Dimensions, Point
from runtime.tasks.replay.bodies import parsed_time
from runtime.tasks.replay.files import RecordingFile, ReplayFileError, fault_of
from runtime.units import ZERO_TIME, Nanoseconds, rfc3339

# One batch: a million points of some fields. Longer lines mean a damaged file.
MAX_LINE_BYTES = 256 << 20
_LEVEL = 3
_encode = msgspec.json.Encoder().encode
Fields = dict[str, float | str | bool | None]


class _Point(msgspec.Struct):
    fields: Fields
    time: str
    tags: dict[str, str] | None = None


class _Batch(msgspec.Struct):
    name: str = ""
    tmax: str = ""
    byname: bool = False
    tags: dict[str, str] | None = None
    points: list[_Point] | None = None


# Errors for an archive that is damaged, encrypted, or compressed in another way.
_FAULTS = (
    *(OSError, EOFError, RuntimeError),
    *(NotImplementedError, zipfile.BadZipFile, zlib.error),
)
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_decoder = msgspec.json.Decoder(_Batch)


class BatchRecordingWriter(RecordingFile):
    """Writes one recording: the batches of each query in turn."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._archive = zipfile.ZipFile(
            self._raw, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL
        )
        self._member: IO[bytes] | None = None
        self._queries = 0

    def begin(self) -> None:
        """Begin the batches of the next query.

        Raises:
            ReplayFileError: they cannot be written.
        """
        with self._faults():
            self._end_member()
            name = str(self._queries)
            self._member = self._archive.open(name, "w", force_zip64=True)
        self._queries += 1

    def write(self, batches: Iterable[Batch]) -> None:
        """Append batches of the query.

        Raises:
            ReplayFileError: they cannot be written.
        """
        if self._member is None:
            raise AssertionError("a query begins before its batches")
        with self._faults():
            for batch in batches:
                self._member.write(_line(batch))

    def _finish(self) -> None:
        self._end_member()
        self._archive.close()

    def _end_member(self) -> None:
        if self._member is not None:
            self._member.close()
            self._member = None


class BatchRecordingReader:
    """Reads one recording.

    Attributes:
        queries: number of recorded queries.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            ReplayFileError: it cannot be opened, or is not a recording of batches.
        """
        self._path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (*_FAULTS, ValueError, struct.error) as error:
            raise fault_of(path, error) from error
        # in the order of the archive, as Kapacitor reads them
        self._infos = self._archive.infolist()
        self.queries = len(self._infos)
        self._size = max(1, sum(info.file_size for info in self._infos))
        self._read = 0

    @property
    def progress(self) -> float:
        """The share that was read, up to 1."""
        return min(1.0, self._read / self._size)

    def batches(self, query: int) -> Iterator[Batch]:
        """The batches of one query, in order; those without points are left out.

        Raises:
            ReplayFileError: the file is damaged or cannot be read.
        """
        try:
            with self._archive.open(self._infos[query]) as member:
                for document in self._documents(member):
                    batch = _batch(document)
                    if batch is not None:
                        yield batch
        except _FAULTS as error:
            raise fault_of(self._path, error) from error

    def _documents(self, member: IO[bytes]) -> Iterator[bytes]:
        """The JSON objects of a file; hand-written ones may span several lines."""
        document, depth = bytearray(), 0
        while line := member.readline(MAX_LINE_BYTES + 1):
            self._read += len(line)
            if not document and not line.strip():
                continue
            document += line
            if len(document) > MAX_LINE_BYTES:
                raise ReplayFileError("invalid replay file format, a line is too long")
            bare = _STRING.sub(b"", line)
            depth += bare.count(b"{") - bare.count(b"}")
            if depth <= 0:
                yield bytes(document)
                document, depth = bytearray(), 0
        if document:
            yield bytes(document)

    def close(self) -> None:
        """Close the file."""
        self._archive.close()


def _line(batch: Batch) -> bytes:
    """A batch as Kapacitor writes it, without empty values.

    Source: Kapacitor edge/messages.go, bufferedBatchMessage.MarshalJSON.
    """
    points = [
        {
            "fields": point.fields,
            "tags": point.tags or None,
            "time": rfc3339(point.time),
        }
        for point in batch.points
    ]
    tree = {
        "name": batch.name,
        "tmax": rfc3339(batch.tmax),
        "group": batch.group,
        "byname": batch.dimensions.by_name,
        "tags": batch.tags,
        "points": points,
    }
    return _encode({key: value for key, value in tree.items() if value}) + b"\n"


def _batch(line: bytes) -> Batch | None:
    """The batch of a line; None if it has no points."""
    try:
        found = _decoder.decode(line)
        points = [
            (_time(point.time), point.tags, point.fields)
            for point in found.points or ()
        ]
        tmax = _time(found.tmax) if found.tmax else ZERO_TIME
    except (InvalidError, RecursionError, msgspec.MsgspecError) as error:
        raise ReplayFileError(f"invalid replay file format: {error}") from None
    if not points:
        return None
    tags: Mapping[str, str] = found.tags or {}
    dimensions = Dimensions(found.byname, tuple(sorted(tags)))
    made = [
        Point(found.name, time, own or tags, _known(fields), dimensions)
        for time, own, fields in points
    ]
    return Batch(found.name, tags, tmax, made, dimensions)


def _known(fields: Fields) -> Fields:
    if None not in fields.values():
        return fields
    return {name: value for name, value in fields.items() if value is not None}


def _time(text: str) -> Nanoseconds:
    time = parsed_time(text)
    if time == ZERO_TIME or -(2**63) <= time < 2**63:
        return time
    raise InvalidError(f"time out of range: {text}")
