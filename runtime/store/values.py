"""Sealed values by bucket and key."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from runtime.errors import StoreError
from runtime.store.sealing import Seal

T = TypeVar("T")

_log = logging.getLogger("kapacitor.storage")


class Values:
    """The values of the database by bucket and key.

    They are sealed in the file, and so in its copies: they may contain secrets. All
    methods may be called from every thread.
    """

    def __init__(
        self,
        query: Callable[[str, Sequence[str]], list[Any]],
        execute: Callable[[str, Sequence[str | bytes]], int],
        seal: Seal,
    ) -> None:
        """Keep values in the table `entries`.

        Args:
            query: returns the rows of a SELECT.
            execute: runs a statement that writes; returns the number of changed rows.
            seal: seal of the values.
        """
        self._query = query
        self._execute = execute
        self._seal = seal
        self._rejected: dict[tuple[str, str], str] = {}

    def put(self, bucket: str, key: str, value: bytes) -> None:
        """Set the value of `key`.

        Raises:
            StoreError: the database cannot be written.
        """
        self._execute(
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
        rows = self._query(
            "SELECT value FROM entries WHERE bucket = ? AND key = ?", (bucket, key)
        )
        return self._seal.opened(bucket, key, rows[0][0]) if rows else None

    def delete(self, bucket: str, key: str) -> bool:
        """Delete `key`; return True if it existed.

        Raises:
            StoreError: the database cannot be written.
        """
        count = self._execute(
            "DELETE FROM entries WHERE bucket = ? AND key = ?", (bucket, key)
        )
        self._rejected.pop((bucket, key), None)
        return count > 0

    def items(self, bucket: str) -> list[tuple[str, bytes]]:
        """All keys of `bucket` with their values, sorted by key (by code point).

        A damaged value is rejected.
        """
        rows = self._query(
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

        A value that cannot be decoded is rejected.
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
        """Log an unreadable value; it stays until it is replaced or deleted."""
        _log.error(
            "unreadable entry in the database",
            extra={"store": bucket, "id": key, "err": reason},
        )
        self._rejected[bucket, key] = reason

    @property
    def rejected(self) -> list[tuple[str, str, str]]:
        """Bucket, key and reason of each unreadable value."""
        return [(*key, reason) for key, reason in sorted(self._rejected.items())]
