"""Definitions by id, in memory and in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from runtime.store.database import Store

# An id is the name of a file, too, and a part of a path.
MAX_ID_BYTES = 250


def id_fault(id: str) -> str:
    """Problem of an id of any kind, or ""; it follows the words `task ID`."""
    if len(id.encode("utf-8", "surrogatepass")) > MAX_ID_BYTES:
        return f"must have at most {MAX_ID_BYTES} bytes"
    # clients and proxies take these for folders
    return "must not be '.' or '..'" if id in (".", "..") else ""


class Record(Protocol):
    """A definition that can be stored."""

    @property
    def id(self) -> str:
        """Its key."""

    def encode(self) -> bytes:
        """Encode for the store."""


RecordT = TypeVar("RecordT", bound=Record)


class Records(Generic[RecordT]):
    """Records of one kind, each written when it changes."""

    def __init__(
        self, store: Store, bucket: str, decode: Callable[[bytes], RecordT]
    ) -> None:
        self._store = store
        self._bucket = bucket
        self._decode = decode
        self._records: dict[str, RecordT] = {}

    def load(self) -> None:
        """Read the stored records. A record that cannot be read is rejected."""
        self._records.update(self._store.values.decoded(self._bucket, self._checked))

    def _checked(self, key: str, stored: bytes) -> RecordT:
        record = self._decode(stored)
        if record.id != key:
            raise ValueError("it is stored under another ID")
        return record

    def get(self, id: str) -> RecordT | None:
        """The record of that id."""
        return self._records.get(id)

    def all(self) -> list[RecordT]:
        """All records, sorted by id."""
        # from a copy: another thread may call this while a record is deleted
        return [record for _, record in sorted([*self._records.items()])]

    def put(self, record: RecordT) -> None:
        """Keep `record`."""
        self._store.values.put(self._bucket, record.id, record.encode())
        self._records[record.id] = record

    def replace(self, id: str, record: RecordT) -> None:
        """Store `record` in place of the record of `id`, which may be its own."""
        with self._store.transaction():
            if id != record.id:
                self._store.values.delete(self._bucket, id)
            self._store.values.put(self._bucket, record.id, record.encode())
        self._records.pop(id, None)
        self._records[record.id] = record

    def delete(self, id: str) -> None:
        """Forget the record of that id."""
        self._store.values.delete(self._bucket, id)
        self._records.pop(id, None)
